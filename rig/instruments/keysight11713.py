"""Keysight (Agilent) 11713B and 11713C attenuator/switch drivers, and the step attenuators that are plugged to them.

.. code-block:: yaml

    attenuators:
      rf:
        dialect: keysight-11713
        resource: TCPIP::192.168.9.64::5025::SOCKET     # or TCPIP::192.168.9.64::INSTR, GPIB0::28::INSTR
        settings:
          bank1: {x: [1, 2, 4, 4], y: [10, 20, 40, 40]}  # the sections in dB, here of an 8494 and an 8496 in series
          bank2: {y: 8495}                               # or the model, which is then compared with the box's own

A bank is a channel: what hangs on its X and Y lies in series and is set as one sum. Channels count the banks of the
settings. Source: Keysight, "11713B/C Attenuator/Switch Drivers, Operating and Service Manual"; the sections by the data
sheets of the 8494 to 8497 and 84904 to 84908. ``ATT:BANK1:X 7`` is silent, the box chooses the sections by the model
configured for the bank (``CONF:BANK1:X?``). **Its read-back is the command's echo**: the box drives coils and senses
no RF, so a broken coil reads as set; only the signal behind it proves an attenuation. No hardware has been tried.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from rig.errors import BenchTrouble, DeviceNonsense
from rig.instruments.attenuator import check_channel, check_setting
from rig.instruments.keysight_bank import banks_of, models_of
from rig.instruments.transcript import Observe, unobserved
from rig.instruments.visa import VisaLine
from rig.units import Decibel

_LEVEL = re.compile(r"(?:[A-Z0-9]+:)*\s*\+?(?P<db>\d+(?:\.\d+)?)", re.IGNORECASE)
_ERROR = re.compile(r"(?P<number>[+-]?\d+)\s*,.*")


def read_level(answer: str) -> float:
    """The level in dB from the answer to ``ATT:BANK1:X?``, which some firmware heads with the command.

    Raises:
        ValueError: it is no such answer.
    """
    if not (level := _LEVEL.fullmatch(answer)):
        raise ValueError(answer)
    return float(level["db"])


class Keysight11713:
    """One box with its step attenuators; see :class:`rig.instruments.attenuator.Attenuator`.

    Raises:
        DeviceNonsense: another box, or other attenuators are configured in it.
    """

    def __init__(self, line: VisaLine, settings: Mapping[str, Any]) -> None:
        self._line = line
        self._banks = banks_of(settings)
        identity = line.query("*IDN?")
        if not re.search(r"\b11713[BC]\b", identity):
            raise DeviceNonsense(line.name, f"identifies as {identity!r}", "is it a Keysight 11713B or C?")
        self.identity = identity
        self.channels = len(self._banks)
        self.maximum = Decibel(min(bank.maximum for bank in self._banks))
        self.step = Decibel(max(bank.step for bank in self._banks))
        self._last: dict[str, float] = {}
        for place, model in models_of(settings).items():
            configured = line.query(f"CONF:{place}?")
            if model not in re.findall(r"\d+", configured):
                raise DeviceNonsense(line.name, f"has {configured!r} at {place}, not {model}", "mend its configuration")

    @staticmethod
    def check(settings: Mapping[str, Any]) -> None:
        """Know the settings ``bank1`` and ``bank2``, each ``{x: […], y: […]}`` or with the name of a model."""
        banks_of(settings)

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
        cls.check(settings or {})
        line = VisaLine(
            address, name=name, lock_folder=lock_folder, timeout_s=timeout_s, termination="\n", observe=observe
        )
        try:
            return cls(line, settings or {})
        except BaseException:
            line.close()
            raise

    def set(self, channel: int, attenuation: Decibel) -> Decibel:
        """Attenuate a channel and return what the box repeats; errors as ``Attenuator.set`` says."""
        check_setting(self, self._line.name, channel, attenuation)
        bank = self._banks[channel - 1]
        way = {f"BANK{bank.number}:{side.upper()}": db for side, db in bank.way(attenuation).items()}
        # What grows goes first: on the way there is never less attenuation than before and after.
        for place in sorted(way, key=lambda place: self._last.get(place, 0.0) - way[place]):
            self._line.send(f"ATT:{place} {way[place]:g}")
        self._last |= way
        if (done := self._line.query("*OPC?")) != "1":
            raise DeviceNonsense(self._line.name, f"answered '*OPC?' with {done!r}", "power-cycle it")
        self._check_errors(channel, attenuation)
        read_back = self.get(channel)
        if abs(read_back - attenuation) > self.step / 2:
            raise DeviceNonsense(
                self._line.name,
                f"lies: channel {channel} was sent {attenuation:g} dB and repeats {read_back:g} dB",
                "are the attenuators configured in the box those of `settings`?",
            )
        return read_back

    def get(self, channel: int) -> Decibel:
        """What the box repeats of a channel now: what it was told, not what it senses."""
        check_channel(self, self._line.name, channel)
        bank = self._banks[channel - 1]
        total = 0.0
        for side in bank.sides:
            answer = self._line.query(f"ATT:BANK{bank.number}:{side.upper()}?")
            try:
                total += read_level(answer)
            except ValueError as error:
                raise DeviceNonsense(
                    self._line.name, f"bank {bank.number} {side} reads back {answer!r}", "power-cycle it"
                ) from error
        if total > bank.maximum:
            raise DeviceNonsense(
                self._line.name,
                f"channel {channel} reads back {total:g} dB, more than its sections make",
                "mend `settings`, or its configuration",
            )
        return Decibel(total)

    def close(self) -> None:
        """Let go of the box; the values stay."""
        self._line.close()

    def _check_errors(self, channel: int, attenuation: Decibel) -> None:
        answer = self._line.query("SYST:ERR?")
        error = _ERROR.fullmatch(answer)
        if error is None:
            raise DeviceNonsense(self._line.name, f"answered 'SYST:ERR?' with {answer!r}", "power-cycle it")
        if int(error["number"]):
            raise BenchTrouble(
                self._line.name,
                f"refuses {attenuation:g} dB on channel {channel}: {answer}",
                "are the attenuators configured in the box those of `settings`?",
            )
