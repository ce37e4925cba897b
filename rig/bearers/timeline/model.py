"""A timeline: which impairment of a link is in force from when on, until the next one is."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

from rig.bearers.impairment import Impairment
from rig.bearers.ranges import require_range
from rig.errors import CallerMistake

SHORTEST_STEP_MS = 50.0
"""No more than 20 steps a second: a change takes effect packet by packet, and terminals send a few a second."""
LONGEST_GAP_MS = 60_000.0
LONGEST_MS = 24 * 3600_000.0
_ROUNDING_MS = 0.001


@dataclass(frozen=True, slots=True)
class Step:
    """What is in force from a time on.

    Attributes:
        at_ms: since the timeline began.
        up: terminal → host.
        down: host → terminal.
        note: where one is, or what happens, for people.
        rssi_dbm: the signal that was measured then, or belongs to it; told in the history, not acted on.
        attenuation_db: where the RF path of the bearer is set to, on a bench that has one.

    Raises:
        CallerMistake: a value outside its range.
    """

    at_ms: float
    up: Impairment
    down: Impairment
    note: str = ""
    rssi_dbm: float | None = None
    attenuation_db: float | None = None

    def __post_init__(self) -> None:
        require_range("at_ms", self.at_ms, 0, LONGEST_MS)
        if self.rssi_dbm is not None:
            require_range("rssi_dbm", self.rssi_dbm, -150, 0, "a received signal is below 0 dBm")
        if self.attenuation_db is not None:
            require_range("attenuation_db", self.attenuation_db, 0, 150)

    @property
    def is_cut(self) -> bool:
        """Whether no round trip is possible."""
        return self.up.cut or self.down.cut

    @property
    def rtt_ms(self) -> float:
        """The round trip that the delays alone make; no rate, no jitter."""
        return self.up.delay_ms + self.down.delay_ms

    @property
    def loss_percent(self) -> float:
        """The chance that a packet and its answer do not both arrive, in the mean."""
        if self.is_cut:
            return 100.0
        return 100 * (1 - (1 - _loss(self.up)) * (1 - _loss(self.down)))

    def annotations(self) -> dict[str, Any]:
        """What goes with the step into the history, where it is there."""
        said = {"note": self.note, "rssi_dbm": self.rssi_dbm, "attenuation_db": self.attenuation_db}
        return {name: value for name, value in said.items() if value not in ("", None)}


def _loss(way: Impairment) -> float:
    mean = way.burst_loss.mean_loss_percent if way.burst_loss is not None else way.loss_percent
    return mean / 100


@dataclass(frozen=True)
class Timeline:
    """Steps in order, the first at 0.

    Attributes:
        name: short, such as the file's name without ``.yaml``.
        title: for people.
        source: where its figures come from.
        steps: what is in force from when on.
        duration_ms: when the last step ends; what it put in force stays until somebody restores.
        loop: begin again at the end, until stopped.
        assumptions: what the source did not say and somebody supposed, one sentence each.
        longest_gap_ms: how long one step may last; a longer one is a hole in a trace, and refused.

    Raises:
        CallerMistake: no step, times that do not rise, steps too close or too far apart; names the step.
    """

    name: str
    title: str
    source: str
    steps: tuple[Step, ...]
    duration_ms: float
    loop: bool = False
    assumptions: tuple[str, ...] = ()
    longest_gap_ms: float = LONGEST_GAP_MS

    def __post_init__(self) -> None:
        if not self.steps:
            raise CallerMistake(f"timeline {self.name}", "has no step", "give at least one, at_ms: 0")
        require_range("longest_gap_ms", self.longest_gap_ms, SHORTEST_STEP_MS, LONGEST_MS)
        require_range("duration_ms", self.duration_ms, SHORTEST_STEP_MS, LONGEST_MS)
        if self.steps[0].at_ms != 0:
            raise CallerMistake("step 1", f"is at {self.steps[0].at_ms:g} ms", "the first step is at 0")
        ends = [*(step.at_ms for step in self.steps), self.duration_ms]
        for number, (begin, end) in enumerate(itertools.pairwise(ends), start=1):
            self._require_length(f"step {number}", begin, end)

    def _require_length(self, step: str, begin: float, end: float) -> None:
        lasts = end - begin
        if lasts <= 0:
            what = f"is at {begin:g} ms and what follows at {end:g} ms"
            raise CallerMistake(step, what, "times rise, and duration_ms is beyond the last step")
        if lasts < SHORTEST_STEP_MS - _ROUNDING_MS:
            raise CallerMistake(step, f"lasts {lasts:g} ms", f"no step is shorter than {SHORTEST_STEP_MS:g} ms")
        if lasts > self.longest_gap_ms + _ROUNDING_MS:
            raise CallerMistake(
                step, f"lasts {lasts:g} ms, from {begin:g} to {end:g} ms: a gap",
                f"fill it, or say longest_gap_ms above {self.longest_gap_ms:g}",
            )  # fmt: skip

    def at(self, at_ms: float) -> Step:
        """The step in force at a time of the first pass."""
        return next(step for step in reversed(self.steps) if step.at_ms <= at_ms)

    def to_dict(self) -> dict[str, Any]:
        """What it is, without its steps, as JSON values."""
        return {
            "timeline": self.name,
            "title": self.title,
            "source": self.source,
            "assumptions": list(self.assumptions),
            "steps": len(self.steps),
            "duration_ms": self.duration_ms,
            "loop": self.loop,
        }
