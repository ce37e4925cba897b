"""The hop mode of Mini-Circuits boxes of one channel: a list of levels, each with its dwell, played by the box.

Source: the same programming manual as of :mod:`rig.instruments.minicircuits`, "Attenuation hopping": up to 100 points,
each with a level and a dwell; every command answers 1 where it was taken. The box begins anew behind its last point, so
that one gets a long dwell, and the mode is switched off when the ramp's time is over.
"""

from __future__ import annotations

import contextlib
import time

from rig.errors import BenchTrouble, DeviceNonsense
from rig.instruments.attenuator import Ramp
from rig.instruments.line import Line
from rig.units import Decibel

_MOST_POINTS = 100
_LAST_DWELL_S = 600
"""Of the last point: long enough for anybody to switch the mode off."""
_CLOCKS, _LATE_S = 1.01, 0.1
"""The box's clock may go after ours, and each of its steps takes a moment: it is let come to its last point."""


class HopMode:
    """Plays one ramp after the other.

    Args:
        line: to the box.
        maximum: its largest attenuation.
        step: of its levels.
    """

    def __init__(self, line: Line, maximum: Decibel, step: Decibel) -> None:
        self._line, self._maximum, self._step = line, maximum, step
        self._ends: float | None = None

    def forget(self) -> None:
        """Switch off what a run that was killed may have left on; firmware without the mode refuses, and has none."""
        with contextlib.suppress(DeviceNonsense):  # a web server answers what it does not know with its page
            self._line.query(":HOP:MODE:OFF")

    def takes(self, ramp: Ramp) -> bool:
        """Whole milliseconds, levels of its grid, no more than a hundred of them."""
        levels = list(ramp.levels)
        on_grid = all(abs(db / self._step - round(db / self._step)) < 1e-6 for db in levels)
        inside = min(levels) >= 0 and max(levels) <= self._maximum
        return on_grid and inside and len(levels) <= _MOST_POINTS and ramp.dwell_ms >= 1 and ramp.dwell_ms % 1 == 0

    def begin(self, ramp: Ramp) -> None:
        """Load the levels and switch the mode on.

        Raises:
            BenchTrouble: it refuses one of them, or is gone or mute.
        """
        levels = list(ramp.levels)
        self._order(f"POINTS:{len(levels)}")
        self._order("DIRECTION:0")
        for number, db in enumerate(levels, start=1):
            self._order(f"POINT:{number}")
            self._order(f"ATT:{db:g}")
            last = number == len(levels)
            self._order(f"DWELL_UNIT:{'S' if last else 'M'}")
            self._order(f"DWELL:{_LAST_DWELL_S if last else round(ramp.dwell_ms)}")
        self._order("MODE:ON")
        self._ends = time.monotonic() + ramp.duration_ms / 1000 * _CLOCKS + _LATE_S

    @property
    def plays(self) -> bool:
        """Whether the ramp's time is not over; when it is, the mode is switched off."""
        if self._ends is not None and time.monotonic() >= self._ends:
            self.end()
        return self._ends is not None

    def end(self) -> None:
        """Switch the mode off; the level that is in force stays."""
        if self._ends is not None:
            self._order("MODE:OFF")
            self._ends = None

    def _order(self, command: str) -> None:
        answer = self._line.query(f":HOP:{command}")
        if answer != "1":
            raise BenchTrouble(
                self._line.name,
                f"refuses ':HOP:{command}': {answer!r}",
                "does its firmware hop? fade it by small steps",
            )
