"""Adaura Technologies AD-USB programmable attenuators, over their USB serial port.

.. code-block:: yaml

    attenuators:
      rf:
        dialect: adaura
        resource: ASRL/dev/serial/by-id/usb-Adaura_…::INSTR
        settings: {step: 0.25}    # of the model, in dB; 0.25 where left out

Source: Adaura's Python example, https://adauratech.com/attenuators/python-example/, and the public library that was
made after it and tried on an AD-USB4AR36G95 with firmware 1.21. ``set 1 30.25`` answers ``Channel 1 successfully set
to 30.25``, ``status`` a line ``Channel 1: 30.25`` a channel, ``info`` some twenty lines, among them ``Model:`` and
``SN:``.
Channels and maximum are read from the model's name. The box has a ``ramp`` of its own, whose end nobody can ask for:
the rig plays fades itself. Its telnet, which wants a login, is not supported. This rig has not met the hardware.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from rig.errors import BenchTrouble, DeviceNonsense
from rig.instruments.attenuator import check_channel, check_setting, known_settings, positive
from rig.instruments.transcript import Observe, unobserved
from rig.instruments.visa import VisaLine
from rig.units import Decibel

_MODEL = re.compile(r"AD-USB(?P<channels>\d+)[A-Z]+\d+G(?P<maximum>\d+)\w*", re.IGNORECASE)
_CHANNEL = re.compile(r"Channel (?P<channel>\d+): (?P<db>\d+(?:\.\d+)?)", re.IGNORECASE)
_DONE = re.compile(r"Channel (?P<channel>\d+) successfully set to (?P<db>\d+(?:\.\d+)?)\.?", re.IGNORECASE)
_SETTINGS = {"step": 0.25, "baud": 9600}


def read_info(lines: list[str]) -> dict[str, str]:
    """The fields of the answer to ``info``, such as ``model`` and ``sn``; what is no field is left out."""
    fields = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            fields[name.strip().lower()] = value.strip()
    return fields


def read_status(lines: list[str]) -> dict[int, float]:
    """The attenuation of each channel, in dB, from the answer to ``status``; what is no channel is left out."""
    return {int(match["channel"]): float(match["db"]) for match in map(_CHANNEL.fullmatch, lines) if match}


class Adaura:
    """One AD-USB box; see :class:`rig.instruments.attenuator.Attenuator`.

    Raises:
        DeviceNonsense: the box is not of this series.
    """

    def __init__(self, line: VisaLine, step: float) -> None:
        self._line = line
        info = read_info(line.query_lines("info"))
        model = _MODEL.fullmatch(info.get("model", ""))
        if not model:
            raise DeviceNonsense(line.name, f"tells of itself {info}", "is it an Adaura AD-USB attenuator?")
        self.channels = int(model["channels"])
        self.maximum = Decibel(float(model["maximum"]))
        self.step = Decibel(step)
        self.identity = f"{model[0]} {info.get('sn', 'without a serial number')}"

    @staticmethod
    def check(settings: Mapping[str, Any]) -> None:
        """Know the settings ``step`` (dB) and ``baud``."""
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
            baud_rate=int(chosen["baud"]),
            observe=observe,
        )
        try:
            return cls(line, float(chosen["step"]))
        except BaseException:
            line.close()
            raise

    def set(self, channel: int, attenuation: Decibel) -> Decibel:
        """Attenuate a channel and return what it reads back; errors as ``Attenuator.set`` says."""
        check_setting(self, self._line.name, channel, attenuation)
        answer = self._line.query(f"SET {channel} {attenuation:g}")
        done = _DONE.fullmatch(answer)
        if not done or int(done["channel"]) != channel or abs(float(done["db"]) - attenuation) > self.step / 2:
            raise BenchTrouble(
                self._line.name, f"refuses {attenuation:g} dB on channel {channel}: {answer!r}", "power-cycle it"
            )
        read_back = self.get(channel)
        if abs(read_back - attenuation) > self.step / 2:
            raise DeviceNonsense(
                self._line.name,
                f"lies: channel {channel} confirmed {attenuation:g} dB and reads back {read_back:g} dB",
                "power-cycle it; if it stays, its driver is broken",
            )
        return read_back

    def get(self, channel: int) -> Decibel:
        """What a channel reads back now."""
        check_channel(self, self._line.name, channel)
        levels = read_status(self._line.query_lines("STATUS", count=self.channels))
        value = levels.get(channel, math.nan)
        if not 0 <= value <= self.maximum:
            raise DeviceNonsense(
                self._line.name,
                f"channel {channel} reads back {levels or 'nothing'}",
                "power-cycle it, or check the model",
            )
        return Decibel(value)

    def close(self) -> None:
        """Let go of the box; the values stay."""
        self._line.close()
