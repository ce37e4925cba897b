"""Weinschel (Aeroflex, API Technologies, Spectrum Control) 8320, 8321 and 833x programmable attenuator units.

.. code-block:: yaml

    attenuators:
      rf:
        dialect: weinschel
        resource: TCPIP::192.168.9.63::23::SOCKET   # telnet, or ASRL/dev/ttyUSB0::INSTR

Source: Aeroflex/Weinschel, "IM-608, Models 8320 & 8321"; the Android Open Source Project's connectivity tests drive the
same units over telnet (``acts/controllers/attenuator_lib/aeroflex/telnet.py``). ``*CLS`` and ``ATTN 1 30`` are silent,
``ATTN? 1`` answers ``30.0``, ``RFCONFIG? CHAN`` the number of channels and ``RFCONFIG? ATTN 1`` model, maximum, step
and more, separated by commas. The prompt ``>`` may stand before an answer. No hardware has been tried.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from rig.errors import DeviceNonsense
from rig.instruments.attenuator import check_channel, check_setting, known_settings
from rig.instruments.transcript import Observe, unobserved
from rig.instruments.visa import VisaLine
from rig.units import Decibel

_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def read_channel(answer: str) -> tuple[str, float, float]:
    """Model, maximum and step in dB from the answer to ``RFCONFIG? ATTN 1``.

    Raises:
        ValueError: it is no such answer.
    """
    fields = [field.strip() for field in answer.split(",")]
    if len(fields) < 3 or not fields[0] or not all(map(_NUMBER.fullmatch, fields[1:3])):
        raise ValueError(answer)
    maximum, step = float(fields[1]), float(fields[2])
    if not (0 < step <= maximum and math.isfinite(maximum)):
        raise ValueError(answer)
    return fields[0], maximum, step


class Weinschel:
    """One unit whose channels are all alike; see :class:`rig.instruments.attenuator.Attenuator`.

    Raises:
        DeviceNonsense: the unit is not of this series.
    """

    def __init__(self, line: VisaLine) -> None:
        self._line = line
        line.send("*CLS")
        answer = line.query("RFCONFIG? CHAN")
        if not re.fullmatch(r"[1-9]\d?", answer):
            raise DeviceNonsense(line.name, f"has {answer!r} channels", "is it a Weinschel 832x or 833x?")
        self.channels = int(answer)
        found = {self._configured(channel) for channel in range(1, self.channels + 1)}
        if len(found) > 1:
            raise DeviceNonsense(line.name, f"has unlike channels {sorted(found)}", "such a unit is not supported")
        model, maximum, step = found.pop()
        self.maximum = Decibel(maximum)
        self.step = Decibel(step)
        self.identity = f"{model} × {self.channels}"

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
        """Connect to the unit at a VISA address and identify it."""
        line = VisaLine(address, name=name, lock_folder=lock_folder, timeout_s=timeout_s, prompt=">", observe=observe)
        try:
            return cls(line)
        except BaseException:
            line.close()
            raise

    def set(self, channel: int, attenuation: Decibel) -> Decibel:
        """Attenuate a channel and return what it reads back; errors as ``Attenuator.set`` says."""
        check_setting(self, self._line.name, channel, attenuation)
        self._line.send(f"ATTN {channel} {attenuation:g}")
        read_back = self.get(channel)
        if abs(read_back - attenuation) > self.step / 2:
            raise DeviceNonsense(
                self._line.name,
                f"lies: channel {channel} was sent {attenuation:g} dB and reads back {read_back:g} dB",
                "power-cycle it; if it stays, its relay or driver is broken",
            )
        return read_back

    def get(self, channel: int) -> Decibel:
        """What a channel reads back now."""
        check_channel(self, self._line.name, channel)
        answer = self._line.query(f"ATTN? {channel}")
        value = float(answer) if _NUMBER.fullmatch(answer) else math.nan
        if not 0 <= value <= self.maximum:
            raise DeviceNonsense(
                self._line.name, f"channel {channel} reads back {answer!r}", "power-cycle it, or check the model"
            )
        return Decibel(value)

    def close(self) -> None:
        """Let go of the unit; the values stay."""
        self._line.close()

    def _configured(self, channel: int) -> tuple[str, float, float]:
        answer = self._line.query(f"RFCONFIG? ATTN {channel}")
        try:
            return read_channel(answer)
        except ValueError as error:
            raise DeviceNonsense(
                self._line.name, f"describes channel {channel} as {answer!r}", "is it a Weinschel 832x or 833x?"
            ) from error
