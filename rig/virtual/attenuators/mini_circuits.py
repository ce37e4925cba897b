"""The command set of Mini-Circuits' RCDAT, RUDAT and RC4DAT.

Source: Mini-Circuits' programming manual for programmable attenuators, ASCII/SCPI chapter. The hop mode is that of the
boxes of one channel; it goes through its points until it is switched off.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from rig.errors import CallerMistake
from rig.virtual.attenuators.bank import Bank
from rig.virtual.attenuators.box import Box, Say

STEP_DB = 0.25
_MODEL = re.compile(r"R[CU](?P<channels>\d*)DAT-[0-9A-Z]+-(?P<maximum>\d+)[A-Z]*")
_SET = re.compile(r"CHAN:(?P<channels>\d+(?::\d+)*):SETATT[:=](?P<db>\d+(?:\.\d+)?)")
_SET_ALL = re.compile(r"SETATT[:=](?P<db>\d+(?:\.\d+)?)")
_GET = re.compile(r"CHAN:(?P<channel>\d+):ATT\?")
_HOP = re.compile(r"HOP:(?P<what>POINTS|DIRECTION|POINT|DWELL_UNIT|DWELL|ATT|MODE):(?P<value>[\w.]+)")
_UNITS_S = {"U": 1e-6, "M": 1e-3, "S": 1.0}
_MOST_POINTS = 100


def range_of(model: str) -> tuple[int, float]:
    """Channels and maximum in dB, as the model's name tells them.

    Raises:
        CallerMistake: no such model.
    """
    parts = _MODEL.fullmatch(model)
    if not parts:
        raise CallerMistake("attenuator", f"unknown model {model!r}", "use one such as RC4DAT-6G-95")
    return int(parts["channels"] or 1), float(parts["maximum"])


class MiniCircuitsBox(Box):
    """An RC4DAT, or another of its series."""

    greeting = b"\r\n"

    def __init__(self, bank: Bank, model: str, serial: str) -> None:
        super().__init__(bank, model, serial)
        self._points: list[list[float]] = [[0.0, 1.0]]  # dB, dwell
        self._units = ["S"]
        self._point = 1

    def answer(self, line: str, say: Say) -> tuple[str, ...]:
        """One line to whatever was said."""
        return (self._answer(line.rstrip(";").lstrip(":").upper()),)

    def _answer(self, command: str) -> str:
        if command == "MN?":
            return f"MN={self.model}"
        if command == "SN?":
            return f"SN={self.serial}"
        if command == "FIRMWARE?":
            return "FIRMWARE=B2"
        if command == "ATT?":
            return " ".join(f"{db:.2f}" for db in self.bank.told_db)
        if asked := _GET.fullmatch(command):
            channel = int(asked["channel"])
            return f"{self.bank.told_db[channel - 1]:.2f}" if channel in self.bank.channels else "0"
        if setting := _SET.fullmatch(command):
            return self._set([int(channel) for channel in setting["channels"].split(":")], float(setting["db"]))
        if setting := _SET_ALL.fullmatch(command):
            return self._set(list(self.bank.channels), float(setting["db"]))
        if hop := _HOP.fullmatch(command):
            return "1" if len(self.bank.channels) == 1 and self._hop(hop["what"], hop["value"]) else "0"
        return "0"

    def _set(self, channels: list[int], asked_db: float) -> str:
        if not all(channel in self.bank.channels for channel in channels):
            return "0"
        for channel in channels:
            self.bank.set(channel, min(asked_db, self.bank.maximum_db))
        return "2" if asked_db > self.bank.maximum_db else "1"

    def _hop(self, what: str, value: str) -> bool:
        if what == "MODE":
            return self._switch_hop(value)
        if what == "DWELL_UNIT":
            self._units[self._point - 1] = value
            return value in _UNITS_S
        if not re.fullmatch(r"\d+(?:\.\d+)?", value):
            return False
        if what == "POINTS" and 1 <= int(float(value)) <= _MOST_POINTS:
            self._points = [[0.0, 1.0] for _ in range(int(value))]
            self._units = ["S"] * int(value)
        elif what == "POINT" and 1 <= int(float(value)) <= len(self._points):
            self._point = int(value)
        elif what == "DWELL":
            self._points[self._point - 1][1] = float(value)
        elif what == "ATT" and self.bank.takes(float(value)):
            self._points[self._point - 1][0] = float(value)
        else:
            return what == "DIRECTION" and value == "0"
        return True

    def _switch_hop(self, value: str) -> bool:
        self.bank.stop(1)
        if value == "ON":
            steps = [(db, dwell * _UNITS_S[unit]) for (db, dwell), unit in zip(self._points, self._units, strict=True)]
            without_end: Iterator[tuple[float, float]] = itertools.cycle(steps)
            self.bank.play(1, without_end, lambda: None)
        return value in ("ON", "OFF")
