"""A timeline that plays on a link with a probe beside it, so that what was reached stands beside what was meant.

Beside the player's events and the probe's, at the end ``stimulus {link, shown, by, evidence}``: whether any packet was
seen to meet the timeline, as every impairment must show.
"""

from __future__ import annotations

import bisect
import contextlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from rig.bearers.impairment import CLEAN
from rig.bearers.link import Counters, DirectionCounters, Link
from rig.bearers.probe import Prober
from rig.bearers.probe_stream import ProbeStream
from rig.bearers.stimulus import LATE_ENOUGH, SMALLEST_DELAY_MS
from rig.bearers.timeline.model import Step, Timeline
from rig.bearers.timeline.player import Observer, Player, Replay
from rig.errors import BenchTrouble

PROBE_EVERY_S, PROBE_SELDOM_S = 0.15, 1.0
_NARROW_KBIT = 50.0
"""Below this a probe every 150 ms (4 kbit/s) would be a load of its own."""
_BASELINE_PROBES = 3
_BASELINE_LIMIT_S = 0.5
_EARLY_ENOUGH = 3
"""So many probes that were too early for their step, and none that was late or lost, disprove a timeline."""


@dataclass(frozen=True)
class Seen:
    """Whether packets met a timeline, by what that was seen, and how many."""

    shown: bool
    by: str
    evidence: dict[str, int]


class Play:
    """The handle of a timeline that plays.

    Args:
        link: what is degraded.
        timeline: how.
        observe: gets the events; called from several threads.
        prober: asks the terminal over the link; None where nobody knows its address. Closed at the end.
        attenuate: sets the RF path of the bearer, where it has one.
    """

    def __init__(
        self,
        link: Link,
        timeline: Timeline,
        observe: Observer,
        prober: Prober | None = None,
        attenuate: Callable[[float], object] | None = None,
    ) -> None:
        self._link, self.timeline, self._observe = link, timeline, observe
        self._baseline_ms = _baseline(link, prober)
        self._stream: ProbeStream | None = None
        interval = _interval(timeline)
        told: dict[str, Any] = {"baseline_rtt_ms": self._baseline_ms, "probe_every_ms": None}
        if prober is not None:
            self._stream = ProbeStream(link.name, prober, observe, interval, _patience(timeline))
            told["probe_every_ms"] = round(interval * 1000)
        self._before: Counters | None = None
        self._player = Player(link, timeline, observe, attenuate, told, self._conclude)

    def start(self) -> None:
        """Begin to play; returns when the first step is in force.

        Raises:
            BenchTrouble: the link is gone, or lacks what a step needs.
        """
        self._before = self._link.counters()
        if self._stream is not None:
            self._stream.start()
        try:
            self._player.start()
        except BaseException:
            self._close()
            raise

    @property
    def playing(self) -> bool:
        """Whether steps are still to come."""
        return self._player.playing

    def wait(self, timeout_s: float | None = None) -> Replay | None:
        """Wait until the timeline has ended; None where it has not in that time (a loop never does)."""
        return self._player.wait(timeout_s)

    def stop(self) -> Replay:
        """End at once; what is in force stays, until somebody restores."""
        return self._player.stop()

    def seen(self) -> Seen:
        """Whether any packet has met the timeline so far, and by what that was seen.

        Raises:
            BenchTrouble: the link is gone.
        """
        if self._stream is not None:
            evidence = _seen_by_probes(self._stream, self._player.applied, self._baseline_ms)
            early = evidence.pop("early_probes")
            if any(evidence.values()):
                return Seen(True, "probes beside it", evidence)
            if early >= _EARLY_ENOUGH:  # whatever passed, it met nothing
                return Seen(False, "early probes", {**evidence, "early_probes": early})
        met = self._passed_by()
        return Seen(any(met.values()), "packets that met it" if any(met.values()) else "nothing", met)

    def _close(self) -> None:
        if self._stream is not None:
            self._stream.stop()

    def _conclude(self, in_order: bool) -> None:
        """The timeline has ended: was it met?"""
        self._close()
        if in_order:
            with contextlib.suppress(BenchTrouble):  # gone just now: whoever restores will say so
                self._observe("stimulus", {"link": self._link.name, **asdict(self.seen())})

    def _passed_by(self) -> dict[str, int]:
        """Packets of each direction that met the link since the beginning."""
        now, before = self._link.counters(), self._before
        assert before is not None
        return {"up": _seen(now["up"]) - _seen(before["up"]), "down": _seen(now["down"]) - _seen(before["down"])}


def _seen(counted: DirectionCounters) -> int:
    return counted["packets"] + counted["dropped"]


def _baseline(link: Link, prober: Prober | None) -> float | None:
    """The round trip before anything is done to the link; None where it is impaired already, or nobody answers."""
    read = link.read()
    if prober is None or not (read.up == read.down == CLEAN):
        return None
    took = []
    try:
        for _ in range(_BASELINE_PROBES):
            took.append(prober.rtt(_BASELINE_LIMIT_S))
            if took[-1] is None:
                break
    except BenchTrouble:  # nobody can be asked here: the timeline plays all the same
        return None
    return min((round(each, 3) for each in took if each is not None), default=None)


def _interval(timeline: Timeline) -> float:
    rates = [way.rate_kbit for step in timeline.steps for way in (step.up, step.down) if way.rate_kbit is not None]
    return PROBE_SELDOM_S if min(rates, default=_NARROW_KBIT) < _NARROW_KBIT else PROBE_EVERY_S


def _patience(timeline: Timeline) -> float:
    """Seconds after which a probe counts as lost: well above the longest round trip that is meant."""
    return 1.0 + 2 * max(step.rtt_ms for step in timeline.steps) / 1000


def _seen_by_probes(stream: ProbeStream, applied: list[tuple[int, Step]], baseline_ms: float | None) -> dict[str, int]:
    """Probes that were as late as their step, those that were too early for it, and those that a cut swallowed."""
    times = [t for t, _ in applied]

    def step_at(t: int) -> Step | None:
        number = bisect.bisect_right(times, t) - 1
        return applied[number][1] if number >= 0 else None

    late = early = lost = 0
    for answer in stream.answers:
        step = step_at(answer.sent_t)
        if step is not None and not step.is_cut and step.rtt_ms >= SMALLEST_DELAY_MS:
            late += baseline_ms is not None and answer.rtt_ms >= baseline_ms + LATE_ENOUGH * step.rtt_ms
            early += answer.rtt_ms < LATE_ENOUGH * step.rtt_ms - step.up.jitter_ms - step.down.jitter_ms
    if stream.answers:  # silence is evidence only of one who speaks otherwise
        lost = sum(1 for t in stream.unanswered if (step := step_at(t)) is not None and step.is_cut)
    return {"late_probes": late, "early_probes": early, "probes_lost_in_cuts": lost}
