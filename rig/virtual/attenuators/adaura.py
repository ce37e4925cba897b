"""The command set of Adaura's AD-USB boxes, over a serial port; see :mod:`rig.instruments.adaura` for the sources."""

from __future__ import annotations

import re

from rig.errors import CallerMistake
from rig.virtual.attenuators.box import Box, Say

_MODEL = re.compile(r"AD-USB(?P<channels>\d+)[A-Z]+\d+G(?P<maximum>\d+)\w*")
_SET = re.compile(r"SET (?P<channel>\d+) (?P<db>\d+(?:\.\d+)?)")
_SET_ALL = re.compile(r"SAA (?P<db>\d+(?:\.\d+)?)")


def range_of(model: str) -> tuple[int, float]:
    """Channels and maximum in dB, as the model's name tells them.

    Raises:
        CallerMistake: no such model.
    """
    parts = _MODEL.fullmatch(model)
    if not parts:
        raise CallerMistake("attenuator", f"unknown model {model!r}", "use one such as AD-USB4AR36G95")
    return int(parts["channels"]), float(parts["maximum"])


class AdauraBox(Box):
    """An AD-USB4AR36G95, or another of its series."""

    def answer(self, line: str, say: Say) -> tuple[str, ...]:
        """Sentences, and a blank line after each answer."""
        return (*self._answer(line.upper()), "")

    def _answer(self, command: str) -> tuple[str, ...]:
        if command == "INFO":
            return (
                "Adaura Technologies",
                f"Model: {self.model}",
                f"SN: {self.serial}",
                "FW Ver: 1.21",
                "FW Date: 2019-02-11",
                "BL Ver: 1.1",
                "MFG Date: 2019-03-01",
                "Default Attenuations: " + " ".join(["95.0"] * len(self.bank.channels)),
            )
        if command == "STATUS":
            return tuple(
                f"Channel {channel}: {_text(self.bank.told_db[channel - 1])}" for channel in self.bank.channels
            )
        if setting := _SET.fullmatch(command):
            channel, db = int(setting["channel"]), float(setting["db"])
            if channel in self.bank.channels and self.bank.takes(db):
                self.bank.set(channel, db)
                return (f"Channel {channel} successfully set to {_text(db)}",)
        if (setting := _SET_ALL.fullmatch(command)) and self.bank.takes(float(setting["db"])):
            for channel in self.bank.channels:
                self.bank.set(channel, float(setting["db"]))
            return (f"All channels set to {_text(float(setting['db']))}.",)
        return ("Invalid attenuation or command",)


def _text(db: float) -> str:
    return f"{db:.1f}" if round(db * 10) == db * 10 else f"{db:.2f}"
