"""JFW 50PA programmable attenuators.

.. code-block:: yaml

    attenuators:
      rf:
        dialect: jfw
        resource: TCPIP::192.168.9.62::3001::SOCKET   # or ASRL/dev/ttyUSB0::INSTR, 9600 baud
        settings: {maximum: 95, step: 1}              # of the model; 127 and 1 dB where left out

Source: the use of a 50PA in the LTErf documentation of the FITeagle project (section "Feature list attenuator", after
JFW's own manual), whose examples are those below; JFW, "3.X.X Firmware Manual for Ethernet/RS-232 Test Systems",
https://www.jfwindustries.com. ``SA 1 10, 2 20`` sets; ``RA 1,2`` and ``RAA`` answer a line ``Atten #1 = 2dB`` an
attenuator, ``RAA`` a line ``Checksum = 0x6c49`` before them; ``FA 5 127 0 1S STEP 2`` fades number 5 from 127 to 0 dB
by 2 dB each second and says ``Fade Started`` and ``Fade Finished``. The prompt is ``JFW>>``. The box does not say its
range. No hardware has been tried; what ends a fade early is not in those sources: a set is taken to do it, and what
reads back after it says whether it did.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from rig.errors import BenchTrouble, CallerMistake, DeviceNonsense
from rig.instruments.attenuator import Ramp, check_channel, check_setting, known_settings, positive
from rig.instruments.transcript import Observe, unobserved
from rig.instruments.visa import VisaLine
from rig.units import Decibel

_READING = re.compile(r"(?:\[[\d:]+\]\s*)?Atten\s*#(?P<channel>\d+)\s*=\s*(?P<db>\d+(?:\.\d+)?)\s*dB", re.IGNORECASE)
_MAKER = re.compile(r"JFW|50P", re.IGNORECASE)
_ASIDE = re.compile(r"Checksum\s*=.*|Fade (?:Started|Finished).*", re.IGNORECASE)
_STARTED = re.compile(r"Fade Started", re.IGNORECASE)
_SETTINGS = {"maximum": 127.0, "step": 1.0, "baud": 9600}


def read_levels(lines: list[str]) -> dict[int, float]:
    """The attenuation of each channel, in dB, from the answer to ``RAA`` or ``RA``.

    Raises:
        ValueError: a line that is of no such answer.
    """
    levels = {}
    for line in lines:
        if reading := _READING.fullmatch(line):
            levels[int(reading["channel"])] = float(reading["db"])
        elif not _ASIDE.fullmatch(line):
            raise ValueError(line)
    return levels


class Jfw:
    """One 50PA; see :class:`rig.instruments.attenuator.Attenuator` and :class:`rig.instruments.attenuator.PlaysRamps`.

    Raises:
        DeviceNonsense: the box is not of this maker.
    """

    def __init__(self, line: VisaLine, maximum: float, step: float) -> None:
        self._line = line
        identity = " ".join(line.query_lines("IDN"))
        if not _MAKER.search(identity):
            raise DeviceNonsense(line.name, f"identifies as {identity!r}", "is it a JFW 50PA?")
        self.identity = identity
        self.maximum = Decibel(maximum)
        self.step = Decibel(step)
        self._stops: dict[int, Decibel] = {}
        numbers = sorted(self._levels("RAA"))
        if numbers != list(range(1, len(numbers) + 1)) or not numbers:
            raise DeviceNonsense(line.name, f"names the attenuators {numbers}", "is it a JFW 50PA?")
        self.channels = len(numbers)

    @staticmethod
    def check(settings: Mapping[str, Any]) -> None:
        """Know the settings ``maximum``, ``step`` (dB) and ``baud``."""
        known_settings(settings, _SETTINGS)
        for name, value in settings.items():
            positive(name, value)

    @classmethod
    def open(
        cls,
        address: str,
        *,
        name: str,
        lock_folder: Path,
        timeout_s: float = 1.0,
        observe: Observe = unobserved,
        settings: Mapping[str, Any] | None = None,
    ) -> Self:
        """Connect to the box at a VISA address and identify it."""
        chosen = _SETTINGS | dict(settings or {})
        line = VisaLine(
            address,
            name=name,
            lock_folder=lock_folder,
            timeout_s=timeout_s,
            prompt="JFW>>",
            baud_rate=int(chosen["baud"]),
            observe=observe,
        )
        try:
            return cls(line, float(chosen["maximum"]), float(chosen["step"]))
        except BaseException:
            line.close()
            raise

    def set(self, channel: int, attenuation: Decibel) -> Decibel:
        """Attenuate a channel and return what it reads back; errors as ``Attenuator.set`` says."""
        check_setting(self, self._line.name, channel, attenuation)
        self._stops.pop(channel, None)
        self._order(f"SA {channel} {attenuation:g}")
        read_back = self.get(channel)
        if abs(read_back - attenuation) > self.step / 2:
            raise DeviceNonsense(
                self._line.name,
                f"lies: channel {channel} took {attenuation:g} dB and reads back {read_back:g} dB",
                "is `settings.maximum` that of the model? Else power-cycle it; if it stays, its relay is broken",
            )
        return read_back

    def get(self, channel: int) -> Decibel:
        """What a channel reads back now."""
        check_channel(self, self._line.name, channel)
        levels = self._levels(f"RA {channel}")
        value = levels.get(channel, math.nan)
        if not 0 <= value <= self.maximum:
            raise DeviceNonsense(
                self._line.name,
                f"channel {channel} reads back {levels or 'nothing'}",
                "power-cycle it, or mend `settings.maximum`",
            )
        return Decibel(value)

    def takes(self, ramp: Ramp) -> bool:
        """Whole seconds a level alone: no other unit of time is in the sources; and no step that leaves a rest."""
        steps = abs(ramp.stop - ramp.start) / ramp.step
        on_grid = all(abs(db / self.step - round(db / self.step)) < 1e-6 for db in (ramp.start, ramp.stop, ramp.step))
        inside = min(ramp.start, ramp.stop) >= 0 and max(ramp.start, ramp.stop) <= self.maximum
        whole = abs(steps - round(steps)) < 1e-6 and ramp.dwell_ms >= 1000 and ramp.dwell_ms % 1000 == 0
        return on_grid and inside and whole

    def fade(self, channel: int, ramp: Ramp) -> None:
        """Begin to play on a channel."""
        check_channel(self, self._line.name, channel)
        if not self.takes(ramp):
            raise CallerMistake(
                self._line.name, f"cannot play {ramp} by itself", "whole seconds a level and whole steps alone"
            )
        if self.fading(channel):
            raise CallerMistake(self._line.name, f"plays on channel {channel} already", "stop it first")
        seconds = round(ramp.dwell_ms / 1000)
        command = f"FA {channel} {ramp.start:g} {ramp.stop:g} {seconds}S STEP {ramp.step:g}"
        answer = self._line.query(command)  # one line: whether the prompt comes before the fade's end, no source says
        if not _STARTED.match(answer):
            raise DeviceNonsense(self._line.name, f"does not play {command!r}: {answer!r}", "does its firmware fade?")
        self._stops[channel] = ramp.stop

    def fading(self, channel: int) -> bool:
        """Whether it has not come to the last level yet: the box has no other way to ask."""
        if channel in self._stops and abs(self.get(channel) - self._stops[channel]) < self.step / 2:
            del self._stops[channel]
        return channel in self._stops

    def stop_fade(self, channel: int) -> None:
        """Stop where it stands, by setting that."""
        if self.fading(channel):
            self.set(channel, self.get(channel))

    def close(self) -> None:
        """Let go of the box; the values stay."""
        self._line.close()

    def _order(self, command: str) -> None:
        """A command whose answer, if it has one, is a reading or a refusal."""
        answer = self._line.query_lines(command, least=0)
        try:
            read_levels(answer)
        except ValueError as error:
            raise BenchTrouble(
                self._line.name, f"refuses {command!r}: {error}", "mend its range, or power-cycle it"
            ) from error

    def _levels(self, command: str) -> dict[int, float]:
        lines = self._line.query_lines(command, like=_READING)
        try:
            return read_levels(lines)
        except ValueError as error:
            raise DeviceNonsense(
                self._line.name, f"answered {command!r} with {error}", "power-cycle it, or check the model"
            ) from error
