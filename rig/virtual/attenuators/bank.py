"""The paths of a simulated attenuator: what they are, what the box believes they are, and the ways to fail."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, get_args

from rig.errors import CallerMistake

FaultKind = Literal["stuck", "lying", "crossed", "late", "mute", "dropped", "wrong-model"]


@dataclass(frozen=True)
class Fault:
    """A way in which the box misbehaves.

    Attributes:
        kind: ``stuck`` confirms a set and keeps the old value; ``lying`` confirms it and reads it back, but the
            path does not follow; ``crossed`` confirms it and reads it back, but the path of the next channel follows;
            ``late`` answers after ``delay_ms``; ``mute`` does not answer; ``dropped`` ends the connection instead of
            answering, which a serial port cannot and is mute; ``wrong-model`` says that it is another box.
        channel: the channel that is stuck, lies or is crossed; None is every one.
        command: the part of a command that a late, mute or dropped answer needs; empty is any command.
        times: how often; None is until it is cleared.
        delay_ms: how late.
    """

    kind: FaultKind
    channel: int | None = None
    command: str = ""
    times: int | None = None
    delay_ms: float = 500.0

    def __post_init__(self) -> None:
        if self.kind not in get_args(FaultKind):
            raise CallerMistake("attenuator fault", f"unknown kind {self.kind!r}", f"use {get_args(FaultKind)}")


class Bank:
    """Channels from 1, of one range and step. Who asks holds :attr:`lock`; what plays in the box takes it itself.

    Args:
        channels: how many.
        maximum_db: the largest attenuation.
        step_db: what values are rounded to.
        start_db: of every channel at power-up; None is the maximum.
        on_change: told (channel, dB) whenever the attenuation of a path changes.
    """

    def __init__(
        self,
        channels: int,
        maximum_db: float,
        step_db: float,
        start_db: float | None,
        on_change: Callable[[int, float], None],
    ) -> None:
        if channels < 1 or not 0 < step_db <= maximum_db:
            raise CallerMistake(
                "attenuator", f"{channels} channels of {maximum_db} by {step_db} dB", "mend its settings"
            )
        self.maximum_db = maximum_db
        self.step_db = step_db
        start = maximum_db if start_db is None else start_db
        self.path_db = [start] * channels
        """What the paths really are."""
        self.told_db = list(self.path_db)
        """What the box believes and reads back."""
        self.faults: list[Fault] = []
        self.lock = threading.RLock()
        self._on_change = on_change
        self._plays: dict[int, threading.Event] = {}

    @property
    def channels(self) -> range:
        """Their numbers."""
        return range(1, len(self.path_db) + 1)

    def takes(self, db: float) -> bool:
        """Whether a value is in the range."""
        return 0 <= db <= self.maximum_db

    def set(self, channel: int, db: float) -> None:
        """Set a channel to a value of the range, rounded to the step."""
        db = round(db / self.step_db) * self.step_db
        if self.strikes("stuck", channel=channel):
            return
        self.told_db[channel - 1] = db
        if self.strikes("lying", channel=channel):
            return
        if self.strikes("crossed", channel=channel):
            channel = channel % len(self.path_db) + 1
        if self.path_db[channel - 1] != db:
            self.path_db[channel - 1] = db
            self._on_change(channel, db)

    def strikes(self, kind: FaultKind, command: str = "", channel: int | None = None) -> Fault | None:
        """The fault of this kind that applies now; one that has struck its number of times is over."""
        for index, fault in enumerate(self.faults):
            if fault.kind != kind or fault.command.upper() not in command.upper():
                continue
            if None not in (fault.channel, channel) and fault.channel != channel:
                continue
            if fault.times is not None:
                self.faults[index : index + 1] = [replace(fault, times=fault.times - 1)] if fault.times > 1 else []
            return fault
        return None

    def play(self, channel: int, steps: Iterable[tuple[float, float]], at_end: Callable[[], None]) -> None:
        """Set a channel to one value after the other by itself.

        Args:
            channel: which.
            steps: (dB, how long in seconds).
            at_end: called after the last, unless it was stopped.
        """
        self.stop(channel)
        stopped = self._plays[channel] = threading.Event()
        threading.Thread(target=self._play, args=(channel, iter(steps), stopped, at_end), daemon=True).start()

    def stop(self, channel: int) -> None:
        """Stop what plays on a channel, where it stands."""
        if play := self._plays.pop(channel, None):
            play.set()

    def _play(
        self,
        channel: int,
        steps: Iterator[tuple[float, float]],
        stopped: threading.Event,
        at_end: Callable[[], None],
    ) -> None:
        for db, dwell_s in steps:
            with self.lock:
                if stopped.is_set():
                    return
                self.set(channel, db)
            if stopped.wait(dwell_s):
                return
        at_end()
