"""The command set of Keysight's 11713B and 11713C, with an 8494 on X and an 8496 on Y of each bank.

See :mod:`rig.instruments.keysight11713` for the sources. Its read-back is the command's echo: a path that is stuck, or
that follows another's command, reads back as if it did not.
"""

from __future__ import annotations

import re
from itertools import product

from rig.virtual.attenuators.bank import Bank
from rig.virtual.attenuators.box import Box, Say

_PLUGGED = {"X": ("AG8494g", (1, 2, 4, 4)), "Y": ("AG8496g", (10, 20, 40, 40))}
_LEVELS = {
    side: {sum(sums) for sums in product(*((0, db) for db in sections))} for side, (_, sections) in _PLUGGED.items()
}
_LEVEL = re.compile(r"ATT(?:ENUATOR)?:BANK(?P<bank>[12]):(?P<side>[XY])(?:\?| (?P<db>\d+))")
_MODEL = re.compile(r"CONF(?:IGURE)?:BANK(?P<bank>[12]):(?P<side>[XY])\?")


class KeysightBox(Box):
    """An 11713C; each of its banks is a channel."""

    ending = b"\n"

    def __init__(self, bank: Bank, model: str, serial: str) -> None:
        super().__init__(bank, model, serial)
        self._echo = {(channel, side): 0 for channel in bank.channels for side in "XY"}
        for channel, start in zip(bank.channels, bank.path_db, strict=True):
            self._echo[channel, "Y"] = max(db for db in _LEVELS["Y"] if db <= start)
            self._echo[channel, "X"] = int(start) - self._echo[channel, "Y"]
        self._errors: list[str] = []

    def answer(self, line: str, say: Say) -> tuple[str, ...]:
        """One line to a question; nothing to a command, right or wrong."""
        command = line.upper().lstrip(":")
        if command == "*IDN?":
            return (f"Agilent Technologies,{self.model},{self.serial},A.01.06",)
        if command == "*OPC?":
            return ("1",)
        if command == "*CLS":
            self._errors.clear()
            return ()
        if command == "SYST:ERR?":
            return (self._errors.pop(0) if self._errors else '+0,"No error"',)
        asked = _MODEL.fullmatch(command)
        if asked and int(asked["bank"]) in self.bank.channels:
            return (_PLUGGED[asked["side"]][0],)
        level = _LEVEL.fullmatch(command)
        if not level or int(level["bank"]) not in self.bank.channels:
            self._errors.append('-113,"Undefined header"')
            return ()
        place = int(level["bank"]), level["side"]
        if level["db"] is None:
            return (str(self._echo[place]),)
        if int(level["db"]) not in _LEVELS[place[1]]:
            self._errors.append('-222,"Data out of range"')
            return ()
        self._echo[place] = int(level["db"])
        self.bank.set(place[0], self._echo[place[0], "X"] + self._echo[place[0], "Y"])
        return ()
