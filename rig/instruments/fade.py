"""A fade of an RF path: its attenuation over time, played by the box where it can and by us where it cannot.

By us each level has its time from the beginning, so lateness never adds up. A level that comes late is set at once; one
that the next has overtaken meanwhile is passed over and counted. Every level that is set is read back, as any is. What
is in force at the end, or at a stop, stays.

Events: ``fade_begin {device, channels, by, levels, duration_ms, start_t}``, ``fade_end {device, channels, by, why,
applied, skipped, lag_p50_us, lag_p99_us, read_back}``; ``by`` is ``box`` or ``rig``, ``start_t`` monotonic ns.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from rig.clock import be_punctual, percentile, wait_until
from rig.errors import BenchTrouble, CallerMistake, DeviceNonsense, RigError
from rig.instruments.attenuator import Attenuator, PlaysRamps, Ramp, check_channel, check_setting
from rig.instruments.fade_shape import Fade, Point
from rig.instruments.transcript import Observe, unobserved
from rig.units import Decibel

UPDATES_PER_S = 50.0
"""No oftener: a set and its read-back take up to a millisecond, and a receiver averages over tens of them."""

PLAYED, STOPPED, TROUBLE = "played to its end", "stopped", "bench fault"
BOX, RIG = "box", "rig"

_START_IN_NS = 5_000_000
_STOP_LIMIT_S = 10.0
_POLL_S = 0.25
_CLOCK_ERROR = 0.02
"""A box's clock and ours: it may be so much earlier or later than it was told, and :data:`_LATE_S` beside it."""
_LATE_S = 0.5


@dataclass(frozen=True, slots=True)
class Applied:
    """A level that came into force: when it was due and when it had been read back, monotonic ns."""

    due_t: int
    applied_t: int
    db: Decibel

    @property
    def lag_us(self) -> float:
        """How late it was, in microseconds."""
        return (self.applied_t - self.due_t) / 1e3


@dataclass(frozen=True)
class Faded:
    """What became of a fade.

    Attributes:
        why: ``played to its end``, ``stopped`` or ``bench fault``.
        by: who played it, ``box`` or ``rig``; of what a box plays, its beginning and its end alone are known.
        applied: the levels that were set, in order.
        skipped: how many were passed over because the next one was due.
        trouble: what the box did, where it did.
    """

    why: str
    by: str
    applied: tuple[Applied, ...]
    skipped: int
    trouble: RigError | None = None

    def lag_us(self, percent: float) -> float:
        """A percentile of the lag, nearest rank; 0 where nothing was applied."""
        return percentile([each.lag_us for each in self.applied], percent)


@dataclass
class _Tally:
    applied: list[Applied] = field(default_factory=list)
    skipped: int = 0


class FadePlayer:
    """One play of a fade on channels that are always set alike, on a thread of its own.

    Args:
        box: the attenuator; nobody else sets these channels meanwhile.
        channels: which of it, one or several.
        fade: what is played.
        name: what the bench calls the attenuator.
        updates_per_s: how often at most a level is set by us.
        observe: gets the events.

    Raises:
        CallerMistake: no such channel, a level beyond the box's range, or more than :data:`UPDATES_PER_S`.
    """

    def __init__(
        self,
        box: Attenuator,
        channels: Sequence[int],
        fade: Fade,
        *,
        name: str,
        updates_per_s: float = UPDATES_PER_S,
        observe: Observe = unobserved,
    ) -> None:
        if not 0 < updates_per_s <= UPDATES_PER_S:
            raise CallerMistake(name, f"{updates_per_s} updates a second", f"ask for at most {UPDATES_PER_S:g}")
        self._box, self._channels, self._name, self._observe = box, tuple(channels), name, observe
        self._levels = fade.levels(box.step, 1000 / updates_per_s)
        for channel in self._channels:
            check_channel(box, name, channel)
            for point in self._levels:
                check_setting(box, name, channel, point.db)
        self._duration_ms = fade.duration_ms
        self._ramp = fade.ramp(box.step, 1000 / updates_per_s, box.takes) if isinstance(box, PlaysRamps) else None
        self._tally = _Tally()
        self._stop = threading.Event()
        self._begun = threading.Event()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._faded: Faded | None = None

    @property
    def by(self) -> str:
        """Who plays it: ``box`` or ``rig``."""
        return RIG if self._ramp is None else BOX

    def start(self) -> None:
        """Begin to play; returns when the first level is in force.

        Raises:
            BenchTrouble: the box is gone, mute or lies. Nothing plays then.
        """
        self._thread = threading.Thread(target=self._run, name=f"fade {self._name}", daemon=True)
        self._thread.start()
        if not self._begun.wait(_STOP_LIMIT_S):
            self._stop.set()
            raise BenchTrouble(self._name, "its fade does not begin", "power-cycle it")
        if self._faded is not None and self._faded.trouble is not None and not self._faded.applied:
            raise self._faded.trouble

    @property
    def playing(self) -> bool:
        """Whether levels are still to come."""
        return self._thread is not None and not self._ended.is_set()

    def wait(self, timeout_s: float | None = None) -> Faded | None:
        """Wait until the fade has ended; None where it has not in that time."""
        return self._faded if self._ended.wait(timeout_s) else None

    def stop(self) -> Faded:
        """End at once; what is in force stays. Ending twice is no mistake.

        Raises:
            BenchTrouble: the box does not let go.
        """
        self._stop.set()
        if self._thread is not None and not self._ended.wait(_STOP_LIMIT_S):
            raise BenchTrouble(self._name, "its fade does not stop", "power-cycle it")
        return self._faded or Faded(STOPPED, self.by, (), 0)

    def _run(self) -> None:
        why, trouble = PLAYED, None
        try:
            played = self._play_by_us() if self._ramp is None else self._play_by_box()
            why = PLAYED if played else STOPPED
        except RigError as error:
            why, trouble = TROUBLE, error
        except Exception as error:  # noqa: BLE001 - on this thread nobody else would ever hear of it
            why, trouble = TROUBLE, BenchTrouble(self._name, f"its fade failed: {type(error).__name__}: {error}")
        tally = self._tally
        self._faded = Faded(why, self.by, tuple(tally.applied), tally.skipped, trouble)
        try:
            if trouble is not None and tally.applied:  # else :meth:`start` raises it
                self._observe("bench_fault", {"device": trouble.device, "what": trouble.what, "cure": trouble.cure})
            self._tell_end(self._faded)
        finally:  # whoever waits is not kept waiting by a history that cannot be written
            self._ended.set()
            self._begun.set()

    # By us.

    def _play_by_us(self) -> bool:
        """Set each level at its time; returns whether all were, and nobody stopped it."""
        be_punctual()
        start_t = time.monotonic_ns() + _START_IN_NS
        self._tell_begin(start_t)
        due = [start_t + round(point.at_ms * 1e6) for point in self._levels]
        for point, due_t, next_t in zip(self._levels, due, [*due[1:], None], strict=True):
            if not wait_until(due_t, self._stop):
                return False
            if next_t is not None and time.monotonic_ns() >= next_t:
                self._tally.skipped += 1
            else:
                self._set(point, due_t)
        return wait_until(start_t + round(self._duration_ms * 1e6), self._stop)

    def _set(self, point: Point, due_t: int) -> None:
        for channel in self._channels:
            self._box.set(channel, point.db)
        self._tally.applied.append(Applied(due_t, time.monotonic_ns(), point.db))
        self._begun.set()

    # By the box.

    def _play_by_box(self) -> bool:
        """Let the box play, and see that it ends in time and where it was meant to."""
        box, ramp = self._box, self._ramp
        assert isinstance(box, PlaysRamps)
        assert ramp is not None
        try:
            for channel in self._channels:
                box.fade(channel, ramp)
            start_t = time.monotonic_ns()  # loading a list of levels takes its time
            self._tell_begin(start_t)
            return self._watch_box(box, ramp, start_t)
        except RigError:
            with contextlib.suppress(RigError):  # what went wrong first is told
                self._stop_box(box)
            raise

    def _watch_box(self, box: PlaysRamps, ramp: Ramp, start_t: int) -> bool:
        self._tally.applied.append(Applied(start_t, time.monotonic_ns(), ramp.start))
        self._begun.set()
        end_t = start_t + round(ramp.duration_ms * 1e6)
        slack_ns = round(ramp.duration_ms * _CLOCK_ERROR * 1e6 + _LATE_S * 1e9)
        while any(box.fading(channel) for channel in self._channels):
            left_s = (end_t - time.monotonic_ns()) / 1e9
            if left_s * 1e9 < -slack_ns:
                self._stop_box(box)
                raise BenchTrouble(self._name, f"does not end its fade of {ramp.duration_ms:g} ms", "power-cycle it")
            if self._stop.wait(min(max(left_s, _POLL_S / 10), _POLL_S)):
                self._stop_box(box)
                return False
        if time.monotonic_ns() < end_t - slack_ns:
            raise BenchTrouble(self._name, "ended its fade before its time", "did somebody touch its keys?")
        self._require_end(end_t, ramp.stop)
        return True

    def _stop_box(self, box: PlaysRamps) -> None:
        trouble: RigError | None = None
        for channel in self._channels:
            try:
                box.stop_fade(channel)
            except RigError as error:
                trouble = trouble or error
        if trouble is not None:
            raise trouble

    def _require_end(self, end_t: int, db: Decibel) -> None:
        for channel in self._channels:
            read_back = self._box.get(channel)
            if abs(read_back - db) > self._box.step / 2:
                raise DeviceNonsense(
                    self._name,
                    f"lies: channel {channel} was to fade to {db:g} dB and reads back {read_back:g} dB",
                    "power-cycle it; fade it by small steps if it stays so",
                )
        self._tally.applied.append(Applied(end_t, time.monotonic_ns(), db))

    # Telling.

    def _tell_begin(self, start_t: int) -> None:
        begin = {"levels": len(self._levels), "duration_ms": self._duration_ms, "start_t": start_t}
        self._observe("fade_begin", {"device": self._name, "channels": list(self._channels), "by": self.by, **begin})

    def _tell_end(self, faded: Faded) -> None:
        self._observe(
            "fade_end",
            {
                "device": self._name,
                "channels": list(self._channels),
                "by": faded.by,
                "why": faded.why,
                "applied": len(faded.applied),
                "skipped": faded.skipped,
                "lag_p50_us": round(faded.lag_us(50), 1),
                "lag_p99_us": round(faded.lag_us(99), 1),
                "read_back": float(faded.applied[-1].db) if faded.applied else None,
            },
        )
