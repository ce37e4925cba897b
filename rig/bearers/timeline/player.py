"""Plays a timeline on a link: each step at its absolute monotonic time, and when it really came into force.

Steps are made ready before the first one plays, so that each costs one message. A step that comes late is put in
force at once, and its lag told; what another step has superseded meanwhile is passed over and told. Lateness never adds
up, for every step has its time from the beginning. At the end the link is read back and compared with the last step,
which stays in force.

Events: ``timeline_begin {link, backend, timeline, title, source, assumptions, steps, duration_ms, loop, start_t}``,
``timeline_step {link, number, pass, intended_t, applied_t, lag_us, up, down, …annotations}`` (``applied_t`` and
``lag_us`` are null for a step that was passed over), ``timeline_end {link, timeline, why, applied, superseded,
lag_p50_us, lag_p99_us, read_back}``. Times ``_t`` are monotonic nanoseconds.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rig.bearers.link import Link, Prepared
from rig.bearers.timeline.model import Step, Timeline
from rig.clock import be_punctual, percentile, wait_until
from rig.errors import BenchTrouble, RigError

Observer = Callable[[str, Mapping[str, Any]], object]
"""Called with the kind of an event and its data, on the player's thread."""

_STOP_LIMIT_S = 10.0
_START_IN_NS = 5_000_000
"""Between the decision to play and the first step: the time that the thread takes to get there."""

PLAYED, STOPPED, TROUBLE = "played to its end", "stopped", "bench fault"


@dataclass(frozen=True)
class Replay:
    """What became of a timeline.

    Attributes:
        why: ``played to its end``, ``stopped`` or ``bench fault``.
        applied: how many steps were put in force.
        superseded: how many were passed over because a later one was due.
        lags_us: of each applied step, microseconds after its time.
        trouble: what the bench did, where it did.
    """

    why: str
    applied: int
    superseded: int
    lags_us: tuple[float, ...] = ()
    trouble: RigError | None = None

    def lag_us(self, percent: float) -> float:
        """A percentile of the lag, nearest rank; 0 where nothing was applied."""
        return percentile(self.lags_us, percent)


def _ns(milliseconds: float) -> int:
    return round(milliseconds * 1e6)


@dataclass
class _Tally:
    lags_us: list[float] = field(default_factory=list)
    applied: list[tuple[int, Step]] = field(default_factory=list)
    superseded: int = 0


class Player:
    """One play of a timeline on a link, on a thread of its own.

    Args:
        link: what is degraded.
        timeline: how.
        observe: gets the events.
        attenuate: sets the RF path of the bearer to so many dB; None leaves ``attenuation_db`` a note.
        told: more for the ``timeline_begin`` event.
        at_end: called with whether the link is in order, before the end is told. It raises nothing.
    """

    def __init__(
        self,
        link: Link,
        timeline: Timeline,
        observe: Observer,
        attenuate: Callable[[float], object] | None = None,
        told: Mapping[str, Any] | None = None,
        at_end: Callable[[bool], None] | None = None,
    ) -> None:
        self.link, self.timeline = link, timeline
        self._observe = observe
        self._attenuate = attenuate
        self._told = dict(told or {})
        self._at_end = at_end
        self._tally = _Tally()
        self._stop = threading.Event()
        self._begun = threading.Event()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._replay: Replay | None = None

    def start(self) -> None:
        """Make the steps ready and begin to play; returns when the first one is in force.

        Raises:
            BenchTrouble: the backend is gone, stuck, or lacks what a step needs. Nothing plays then.
        """
        prepared = self.link.prepare([(step.up, step.down) for step in self.timeline.steps])
        # A daemon: a process that ends in the middle does not wait for it, and its guard restores.
        self._thread = threading.Thread(
            target=self._run, args=(prepared,), name=f"timeline {self.link.name}", daemon=True
        )
        self._thread.start()
        if not self._begun.wait(_STOP_LIMIT_S):
            self._stop.set()
            raise BenchTrouble(f"link {self.link.name}", "its timeline does not begin", "is the link's backend stuck?")
        if self._ended.is_set() and (replay := self._replay) is not None and replay.trouble is not None:
            raise replay.trouble

    @property
    def playing(self) -> bool:
        """Whether steps are still to come."""
        return self._thread is not None and not self._ended.is_set()

    @property
    def applied(self) -> list[tuple[int, Step]]:
        """The steps that came into force so far, each with when, monotonic ns."""
        return list(self._tally.applied)

    def wait(self, timeout_s: float | None = None) -> Replay | None:
        """Wait until the timeline has ended; None where it has not in that time (a loop never does)."""
        return self._replay if self._ended.wait(timeout_s) else None

    def stop(self) -> Replay:
        """End at once; what is in force stays. Ending twice is no mistake.

        Raises:
            BenchTrouble: the backend does not let go.
        """
        self._stop.set()
        if self._thread is not None and not self._ended.wait(_STOP_LIMIT_S):
            raise BenchTrouble(f"link {self.link.name}", "its timeline does not stop", "is the link's backend stuck?")
        return self._replay or Replay(STOPPED, 0, 0)

    def _run(self, prepared: Prepared) -> None:
        tally = self._tally
        why, trouble, read_back = PLAYED, None, None
        try:
            be_punctual()
            if not self._play(prepared, tally):
                why = STOPPED
            read = self.link.read()
            read_back = read.to_dict()
            if tally.applied:
                _, last = tally.applied[-1]
                read.require(self.link.name, last.up, last.down)
        except RigError as error:
            why, trouble = TROUBLE, error
        except Exception as error:  # noqa: BLE001 - on this thread nobody else would ever hear of it
            what = f"{type(error).__name__}: {error}"
            why, trouble = TROUBLE, BenchTrouble(f"timeline {self.timeline.name}", what)
        self._replay = Replay(why, len(tally.lags_us), tally.superseded, tuple(tally.lags_us), trouble)
        try:
            if self._at_end is not None:
                self._at_end(trouble is None)
            if trouble is not None and self._begun.is_set():  # else :meth:`start` raises it
                self._observe("bench_fault", {"device": trouble.device, "what": trouble.what, "cure": trouble.cure})
            self._observe("timeline_end", self._end(self._replay, read_back))
        finally:  # whoever waits is not kept waiting by a history that cannot be written
            self._ended.set()
            self._begun.set()

    def _play(self, prepared: Prepared, tally: _Tally) -> bool:
        """Put each step in force at its time; returns whether all were, and nobody stopped it."""
        start_t = time.monotonic_ns() + _START_IN_NS
        begin = {"link": self.link.name, "backend": self.link.backend, **self.timeline.to_dict(), "start_t": start_t}
        self._observe("timeline_begin", {**begin, **self._told})
        for turn in itertools.count() if self.timeline.loop else range(1):
            begin_t = start_t + turn * _ns(self.timeline.duration_ms)
            end_t = begin_t + _ns(self.timeline.duration_ms)
            due = [begin_t + _ns(step.at_ms) for step in self.timeline.steps]
            for number, (intended_t, superseded_t) in enumerate(itertools.pairwise([*due, end_t])):
                if not wait_until(intended_t, self._stop):
                    return False
                is_last = superseded_t == end_t and not self.timeline.loop
                if time.monotonic_ns() >= superseded_t and not is_last:
                    tally.superseded += 1
                    self._note(turn, number, intended_t, None)
                else:
                    self._apply(prepared, turn, number, intended_t, tally)
        return wait_until(end_t, self._stop)

    def _apply(self, prepared: Prepared, turn: int, number: int, intended_t: int, tally: _Tally) -> None:
        step = self.timeline.steps[number]
        prepared.put(number)
        applied_t = time.monotonic_ns()
        tally.applied.append((applied_t, step))
        tally.lags_us.append((applied_t - intended_t) / 1e3)
        self._note(turn, number, intended_t, applied_t)
        self._begun.set()
        if self._attenuate is not None and step.attenuation_db is not None:
            self._attenuate(step.attenuation_db)

    def _note(self, turn: int, number: int, intended_t: int, applied_t: int | None) -> None:
        step = self.timeline.steps[number]
        data: dict[str, Any] = {
            "link": self.link.name,
            "number": number,
            "pass": turn,
            "intended_t": intended_t,
            "applied_t": applied_t,
            "lag_us": None if applied_t is None else round((applied_t - intended_t) / 1e3, 1),
            "up": step.up.to_dict(),
            "down": step.down.to_dict(),
            **step.annotations(),
        }
        self._observe("timeline_step", data)

    def _end(self, replay: Replay, read_back: dict[str, Any] | None) -> dict[str, Any]:
        return {
            "link": self.link.name,
            "timeline": self.timeline.name,
            "why": replay.why,
            "applied": replay.applied,
            "superseded": replay.superseded,
            "lag_p50_us": round(replay.lag_us(50), 1),
            "lag_p99_us": round(replay.lag_us(99), 1),
            "read_back": read_back,
        }
