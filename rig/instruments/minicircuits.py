"""Mini-Circuits RCDAT, RUDAT and RC4DAT programmable attenuators.

.. code-block:: yaml

    attenuators:
      rf:
        dialect: mini-circuits
        resource: TCPIP::192.168.9.61::23::SOCKET   # telnet port of the box

Source: Mini-Circuits, "Programming Manual, Programmable Attenuators", the chapter on ASCII/SCPI commands:
https://www.minicircuits.com/softwaredownload/Prog_Manual-6-Programmable_Attenuator.pdf. ``:MN?`` answers
``MN=RC4DAT-6G-95``: four channels, 6 GHz, at most 95 dB; the step of the series is 0.25 dB. A set answers 0
(failed), 1 (done) or 2 (out of range: the maximum was set instead). The box has no error queue.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from rig.errors import BenchTrouble, CallerMistake, DeviceClamped, DeviceNonsense
from rig.instruments.attenuator import Ramp, check_channel, check_setting, known_settings
from rig.instruments.line import Line
from rig.instruments.minicircuits_hop import HopMode
from rig.instruments.transcript import Observe, unobserved
from rig.instruments.visa import VisaLine
from rig.units import Decibel

_MODEL = re.compile(r"MN=(R[CU](?P<channels>\d*)DAT-[0-9A-Z]+-(?P<maximum>\d+)[A-Z]*)", re.IGNORECASE)
_STEP = Decibel(0.25)


class MiniCircuits:
    """One RCDAT, RUDAT or RC4DAT over a line session; see :class:`rig.instruments.attenuator.Attenuator`, and for a box
    of one channel :class:`rig.instruments.attenuator.PlaysRamps`.

    Raises:
        DeviceNonsense: the box is not of this series.
    """

    def __init__(self, line: Line) -> None:
        self._line = line
        answer = line.query(":MN?")
        model = _MODEL.fullmatch(answer)
        if not model:
            raise DeviceNonsense(line.name, f"identifies as {answer!r}", "is it a Mini-Circuits RCDAT or RC4DAT?")
        self.channels = int(model["channels"] or 1)
        self.maximum = Decibel(float(model["maximum"]))
        self.step = _STEP
        self.identity = f"{model[1]} {line.query(':SN?')}"
        self._hop = HopMode(line, self.maximum, self.step)
        if self.channels == 1:
            self._hop.forget()

    @staticmethod
    def check(settings: Mapping[str, Any]) -> None:
        """The dialect has no settings; raises CallerMistake for any."""
        known_settings(settings)

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
        line = VisaLine(address, name=name, lock_folder=lock_folder, timeout_s=timeout_s, observe=observe)
        try:
            return cls(line)
        except BaseException:
            line.close()
            raise

    def set(self, channel: int, attenuation: Decibel) -> Decibel:
        """Attenuate a channel and return what it reads back; errors as ``Attenuator.set`` says."""
        check_setting(self, self._line.name, channel, attenuation)
        self._hop.end()
        answer = self._line.query(self._address(channel, f"SETATT{self._assign}{attenuation:g}"))
        if answer == "2":
            raise DeviceClamped(
                self._line.name,
                f"channel {channel} was asked for {attenuation:g} dB and took its maximum instead",
                "the model's range is smaller than its name says, or its firmware is limited",
            )
        if answer != "1":
            raise BenchTrouble(
                self._line.name, f"refuses {attenuation:g} dB on channel {channel}: {answer!r}", "power-cycle it"
            )
        read_back = self.get(channel)
        if abs(read_back - attenuation) > self.step / 2:
            raise DeviceNonsense(
                self._line.name,
                f"lies: channel {channel} confirmed {attenuation:g} dB and reads back {read_back:g} dB",
                "power-cycle it; if it stays, its relay or driver is broken",
            )
        return read_back

    def get(self, channel: int) -> Decibel:
        """What a channel reads back now."""
        check_channel(self, self._line.name, channel)
        answer = self._line.query(self._address(channel, "ATT?"))
        try:
            value = float(answer)
        except ValueError:
            value = math.nan
        if not 0 <= value <= self.maximum:
            raise DeviceNonsense(
                self._line.name, f"channel {channel} reads back {answer!r}", "power-cycle it, or check the model"
            )
        return Decibel(value)

    def takes(self, ramp: Ramp) -> bool:
        """Boxes of one channel alone have the hop mode."""
        return self.channels == 1 and self._hop.takes(ramp)

    def fade(self, channel: int, ramp: Ramp) -> None:
        """Begin to play on a channel."""
        check_channel(self, self._line.name, channel)
        if not self.takes(ramp):
            raise CallerMistake(self._line.name, f"cannot play {ramp} by itself", "one channel, up to 100 levels")
        if self._hop.plays:
            raise CallerMistake(self._line.name, "plays already", "stop it first")
        self._hop.begin(ramp)

    def fading(self, channel: int) -> bool:
        """Whether its time is not over."""
        check_channel(self, self._line.name, channel)
        return self._hop.plays

    def stop_fade(self, channel: int) -> None:
        """Stop where it stands."""
        check_channel(self, self._line.name, channel)
        self._hop.end()

    def close(self) -> None:
        """Let go of the box; the values stay."""
        self._line.close()

    @property
    def _assign(self) -> str:
        return ":" if self.channels > 1 else "="

    def _address(self, channel: int, command: str) -> str:
        return f":CHAN:{channel}:{command}" if self.channels > 1 else f":{command}"
