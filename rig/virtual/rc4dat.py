"""A programmable attenuator as its firmware sees it: relays, the Mini-Circuits command set, and ways to fail.

Source: Mini-Circuits' programming manual for programmable attenuators, ASCII/SCPI chapter.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, get_args

from rig.errors import CallerMistake

FaultKind = Literal["stuck", "lying", "late", "mute", "dropped"]

_STEP_DB = 0.25
_MODEL = re.compile(r"R[CU](?P<channels>\d*)DAT-[0-9A-Z]+-(?P<maximum>\d+)[A-Z]*")
_SET = re.compile(r"CHAN:(?P<channels>\d+(?::\d+)*):SETATT[:=](?P<db>\d+(?:\.\d+)?)")
_SET_ALL = re.compile(r"SETATT[:=](?P<db>\d+(?:\.\d+)?)")
_GET = re.compile(r"CHAN:(?P<channel>\d+):ATT\?")


@dataclass(frozen=True)
class Fault:
    """A way in which the box misbehaves.

    Attributes:
        kind: ``stuck`` confirms a set and keeps the old value; ``lying`` confirms it and reads it back, but the
            path does not follow; ``late`` answers after ``delay_ms``; ``mute`` does not answer; ``dropped`` ends
            the connection instead of answering.
        channel: the channel that is stuck or lies; None is every one.
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


@dataclass(frozen=True)
class Reply:
    """What goes back to the client: a line, late or not; None is silence; or the end of the connection."""

    line: str | None
    delay_ms: float = 0.0
    drop: bool = False


class Rc4dat:
    """The box. Not thread-safe: its owner asks one thing at a time.

    Args:
        model: such as ``RC4DAT-6G-95``; holds channels and maximum.
        serial: serial number.
        start_db: attenuation of every channel at power-up; None is the maximum, as shipped.
        on_change: told (channel, dB) whenever the attenuation of a path changes.
    """

    def __init__(
        self, model: str, serial: str, start_db: float | None, on_change: Callable[[int, float], None]
    ) -> None:
        parts = _MODEL.fullmatch(model)
        if not parts:
            raise CallerMistake("attenuator", f"unknown model {model!r}", "use one such as RC4DAT-6G-95")
        self.model = model
        self.serial = serial
        self.maximum_db = float(parts["maximum"])
        start = self.maximum_db if start_db is None else start_db
        self.path_db = [start] * int(parts["channels"] or 1)
        """What the paths really are."""
        self.faults: list[Fault] = []
        self._told_db = list(self.path_db)  # what the box believes and reads back
        self._on_change = on_change

    def handle(self, line: str) -> Reply:
        """The reply to one line from a client."""
        command = line.strip().rstrip(";").lstrip(":").upper()
        answer = self._answer(command)
        if self._strikes("dropped", command):
            return Reply(None, drop=True)
        if self._strikes("mute", command):
            return Reply(None)
        late = self._strikes("late", command)
        return Reply(answer, delay_ms=late.delay_ms if late else 0.0)

    def _answer(self, command: str) -> str:
        if command == "MN?":
            return f"MN={self.model}"
        if command == "SN?":
            return f"SN={self.serial}"
        if command == "FIRMWARE?":
            return "FIRMWARE=B2"
        if command == "ATT?":
            return " ".join(f"{db:.2f}" for db in self._told_db)
        if asked := _GET.fullmatch(command):
            channel = int(asked["channel"])
            return f"{self._told_db[channel - 1]:.2f}" if self._has(channel) else "0"
        if setting := _SET.fullmatch(command):
            return self._set([int(channel) for channel in setting["channels"].split(":")], float(setting["db"]))
        if setting := _SET_ALL.fullmatch(command):
            return self._set(list(range(1, len(self.path_db) + 1)), float(setting["db"]))
        return "0"

    def _has(self, channel: int) -> bool:
        return 1 <= channel <= len(self.path_db)

    def _set(self, channels: list[int], asked_db: float) -> str:
        if not all(map(self._has, channels)):
            return "0"
        db = min(round(asked_db / _STEP_DB) * _STEP_DB, self.maximum_db)
        for channel in channels:
            if self._strikes("stuck", channel=channel):
                continue
            self._told_db[channel - 1] = db
            if not self._strikes("lying", channel=channel):
                self._move(channel, db)
        return "2" if asked_db > self.maximum_db else "1"

    def _move(self, channel: int, db: float) -> None:
        if self.path_db[channel - 1] != db:
            self.path_db[channel - 1] = db
            self._on_change(channel, db)

    def _strikes(self, kind: FaultKind, command: str = "", channel: int | None = None) -> Fault | None:
        """The fault of this kind that applies now; one that has struck its number of times is over."""
        for index, fault in enumerate(self.faults):
            if fault.kind != kind or fault.command.upper() not in command:
                continue
            if None not in (fault.channel, channel) and fault.channel != channel:
                continue
            if fault.times is not None:
                self.faults[index : index + 1] = [replace(fault, times=fault.times - 1)] if fault.times > 1 else []
            return fault
        return None
