"""The command set of Weinschel's 832x and 833x; see :mod:`rig.instruments.weinschel` for the sources.

What is wrong goes into the error queue and is not answered.
"""

from __future__ import annotations

import re

from rig.virtual.attenuators.box import Box, Say

_SET = re.compile(r"ATTN (?P<channel>\d+) (?P<db>\d+(?:\.\d+)?)")
_GET = re.compile(r"ATTN\? (?P<channel>\d+)")
_DESCRIBE = re.compile(r"RFCONFIG\? ATTN (?P<channel>\d+)")


class WeinschelBox(Box):
    """An 8320 or 8331 at its prompt."""

    prompt = b">"
    greeting = b"\r\n>"

    def answer(self, line: str, say: Say) -> tuple[str, ...]:
        """One line to a question; nothing to a command, right or wrong."""
        command = line.upper()
        if command == "*IDN?":
            return (f"WEINSCHEL,{self.model},{self.serial},V1.20",)
        if command == "RFCONFIG? CHAN":
            return (str(len(self.bank.channels)),)
        if (asked := _DESCRIBE.fullmatch(command)) and int(asked["channel"]) in self.bank.channels:
            model = self.model
            known = model.startswith("83")
            return (f"{model}, {self.bank.maximum_db:g}, {self.bank.step_db:g}, 0, 0, 8" if known else model,)
        if (asked := _GET.fullmatch(command)) and int(asked["channel"]) in self.bank.channels:
            return (f"{self.bank.told_db[int(asked['channel']) - 1]:.1f}",)
        setting = _SET.fullmatch(command)
        if setting and int(setting["channel"]) in self.bank.channels and self.bank.takes(float(setting["db"])):
            self.bank.set(int(setting["channel"]), float(setting["db"]))
        return ()
