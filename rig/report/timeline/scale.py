"""Where a moment stands on the time axis.

A sale takes 200 ms, then a timeout is waited for, then a reversal takes 50 ms: on an even axis all that matters would
be two smudges. So each stretch between two events gets room by the logarithm of its length: order and nearness stay
true, long waits are shortened, and the axis says the real times.
"""

from __future__ import annotations

import itertools
import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

_SHORT_NS = 15e6
"""Stretches below this are drawn about evenly, longer ones are shortened."""


@dataclass(frozen=True)
class Scale:
    """Times in nanoseconds to places in pixels, monotone.

    Attributes:
        times: the times of the events, rising.
        places: where each stands.
    """

    times: tuple[int, ...]
    places: tuple[float, ...]

    def x(self, t: int) -> float:
        """The place of a time; before the first event and after the last it is clipped."""
        if t <= self.times[0]:
            return self.places[0]
        if t >= self.times[-1]:
            return self.places[-1]
        after = bisect_right(self.times, t)
        t0, t1 = self.times[after - 1 : after + 1]
        x0, x1 = self.places[after - 1 : after + 1]
        return x0 + (x1 - x0) * (t - t0) / (t1 - t0)

    def waits(self, at_least_ns: int) -> list[tuple[int, int]]:
        """The stretches without an event that are at least so long."""
        pairs = zip(self.times, self.times[1:], strict=False)
        return [(begin, end) for begin, end in pairs if end - begin >= at_least_ns]


def scale(times: Sequence[int], left: float, right: float) -> Scale:
    """Lay the times of a case out between two places.

    Raises:
        ValueError: no time is given.
    """
    rising = tuple(sorted(set(times)))
    if not rising:
        raise ValueError("a time axis needs a time")
    weights = [math.log1p((end - begin) / _SHORT_NS) for begin, end in itertools.pairwise(rising)]
    total = sum(weights) or 1.0
    places = [left]
    for weight in weights:
        places.append(places[-1] + weight / total * (right - left))
    return Scale(rising, tuple(places))
