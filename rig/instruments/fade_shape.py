"""The shape of a fade: points of time with an attenuation each, and straight lines between them."""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Self

from rig.errors import CallerMistake
from rig.instruments.attenuator import Ramp
from rig.units import Decibel

LONGEST_MS = 24 * 3600_000.0
_COARSEST = Decibel(1.0)
"""A box that fades by larger steps than this, and than its own smallest, makes stairs of a fade."""
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class Point:
    """An attenuation at a time: ``at_ms`` since the fade began, ``db`` in dB."""

    at_ms: float
    db: Decibel


@dataclass(frozen=True)
class Fade:
    """Points in order, the first at 0; between two the attenuation follows a straight line in dB.

    Raises:
        CallerMistake: fewer than two points, times that do not rise, or an attenuation below 0.
    """

    points: tuple[Point, ...]

    def __post_init__(self) -> None:
        times = [point.at_ms for point in self.points]
        if len(times) < 2:
            raise CallerMistake("fade", f"has {len(times)} points", "give it at least two: where it begins, and ends")
        if times[0] != 0:
            raise CallerMistake("fade", f"begins at {times[0]:g} ms", "the first point is at 0")
        for number, (before, after) in enumerate(itertools.pairwise(times), start=2):
            if not before < after <= LONGEST_MS:
                raise CallerMistake(
                    f"fade point {number}", f"is at {after:g} ms, after {before:g} ms", "times rise, up to a day"
                )
        for number, point in enumerate(self.points, start=1):
            if not 0 <= point.db < math.inf:
                raise CallerMistake(f"fade point {number}", f"is {point.db} dB", "an attenuation is 0 dB or more")

    @classmethod
    def of(cls, points: Iterable[tuple[float, float]]) -> Self:
        """From (milliseconds, dB) pairs."""
        return cls(tuple(Point(at_ms, Decibel(db)) for at_ms, db in points))

    @property
    def duration_ms(self) -> float:
        """From the first point to the last."""
        return self.points[-1].at_ms

    def at(self, at_ms: float) -> Decibel:
        """The attenuation at a time; before and after it that of the first and of the last point."""
        number = bisect.bisect_right(self.points, at_ms, key=lambda point: point.at_ms)
        if number == 0:
            return self.points[0].db
        if number == len(self.points):
            return self.points[-1].db
        one, other = self.points[number - 1], self.points[number]
        share = (at_ms - one.at_ms) / (other.at_ms - one.at_ms)
        return Decibel(one.db + share * (other.db - one.db))

    def levels(self, step: Decibel, every_ms: float) -> list[Point]:
        """What to set and when: at most one level every ``every_ms``, each a multiple of ``step`` and another one than
        the last. The first is at 0; the last is that of the last point.
        """
        whole = math.ceil(self.duration_ms / every_ms - _ROUNDING)
        times = [number * every_ms for number in range(whole)] + [self.duration_ms]
        grid = [Point(at_ms, _rounded(self.at(at_ms), step)) for at_ms in times]
        return [grid[0], *(after for before, after in itertools.pairwise(grid) if after.db != before.db)]

    def ramp(self, step: Decibel, every_ms: float, takes: Callable[[Ramp], bool]) -> Ramp | None:
        """The same as one ramp of equal steps that a box ``takes``: by the smallest steps that last ``every_ms`` at
        least. None where there is none, as for a fade of several lines.
        """
        first, last = (_rounded(point.db, step) for point in (self.points[0], self.points[-1]))
        whole = round(abs(last - first) / step)
        if len(self.points) != 2 or whole == 0:
            return None
        for times in range(1, whole + 1):
            height, dwell_ms = Decibel(times * step), self.duration_ms / (whole / times)
            if times > 1 and height > _COARSEST + _ROUNDING:
                return None
            if whole % times == 0 and dwell_ms >= every_ms and takes(ramp := Ramp(first, last, height, dwell_ms)):
                return ramp
        return None


def _rounded(db: float, step: Decibel) -> Decibel:
    return Decibel(round(round(db / step) * step, 6))
