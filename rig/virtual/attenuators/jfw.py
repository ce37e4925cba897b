"""The command set of JFW's 50PA, as far as public sources tell it; see :mod:`rig.instruments.jfw` for those.

What it says to a wrong command is not in them: a line that begins with ``Error``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rig.virtual.attenuators.box import Box, Say

_PAIR = re.compile(r"\s*(?P<channel>\d+)\s+(?P<db>\d+(?:\.\d+)?)\s*")
_DB = r"\d+(?:\.\d+)?"
_FADE = re.compile(rf"FA (?P<channel>\d+) (?P<start>{_DB}) (?P<stop>{_DB}) (?P<every>\d+)S(?: STEP (?P<step>{_DB}))?")


class JfwBox(Box):
    """A 50PA at its prompt."""

    prompt = b"JFW>>"
    greeting = b"\r\nJFW>>"

    def answer(self, line: str, say: Say) -> tuple[str, ...]:
        """No line, a line, or one an attenuator."""
        word, _, rest = line.upper().partition(" ")
        if word == "IDN":
            model = self.model
            return (f"JFW Industries {model}" if model.startswith("50P") else model, f"Serial Number {self.serial}")
        if word == "RAA":
            return ("Checksum = 0x6c49", *map(self._reading, self.bank.channels))
        if word == "RA" and re.fullmatch(r"\d+(,\s*\d+)*", rest):
            channels = [int(channel) for channel in rest.split(",")]
            if all(channel in self.bank.channels for channel in channels):
                return tuple(map(self._reading, channels))
        if word in ("SA", "SAA"):
            return self._set(rest if word == "SA" else ", ".join(f"{channel} {rest}" for channel in self.bank.channels))
        if word == "FA" and (fade := _FADE.fullmatch(line.upper())):
            return self._fade(fade, say)
        return (f"Error: {line}",)

    def _reading(self, channel: int) -> str:
        return f"Atten #{channel} = {self.bank.told_db[channel - 1]:g}dB"

    def _set(self, pairs: str) -> tuple[str, ...]:
        settings = [_PAIR.fullmatch(pair) for pair in pairs.split(",")]
        for setting in settings:
            if not setting or not self._has(setting["channel"], setting["db"]):
                return (f"Error: {pairs.strip()}",)
        for setting in filter(None, settings):
            self.bank.stop(int(setting["channel"]))
            self.bank.set(int(setting["channel"]), float(setting["db"]))
        return ()

    def _fade(self, fade: re.Match[str], say: Say) -> tuple[str, ...]:
        channel, start, stop = int(fade["channel"]), float(fade["start"]), float(fade["stop"])
        step = float(fade["step"] or self.bank.step_db)
        if not self._has(channel, start) or not self.bank.takes(stop) or not step:
            return (f"Error: {fade[0]}",)
        self.bank.play(channel, _levels(start, stop, step, float(fade["every"])), lambda: say("Fade Finished"))
        return ("Fade Started",)

    def _has(self, channel: str | int, db: str | float) -> bool:
        return int(channel) in self.bank.channels and self.bank.takes(float(db))


def _levels(start: float, stop: float, step: float, dwell_s: float) -> Iterator[tuple[float, float]]:
    steps = int(abs(stop - start) / step + 1e-9)
    for number in range(steps):
        yield start + (step if stop > start else -step) * number, dwell_s
    yield stop, 0.0
