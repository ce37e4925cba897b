"""What is heard of a cell, and who reads it: an AT modem, a phone, whatever comes next.

A reader stands at the end of an RF path. It is the terminal's own modem where that can be asked, and else a sentinel: a
modem of the bench behind a splitter on the same path, whose reading stands for the terminal's.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Protocol, runtime_checkable

from rig.errors import BenchTrouble
from rig.units import Dbm, Decibel

_LIKE_LTE = ("LTE", "NB-IoT", "NR")


@dataclass(frozen=True)
class Signal:
    """What a reader tells; None is "not known or not detectable".

    Attributes:
        technology: ``LTE``, ``UTRAN``, ``GSM``, ``NR``: the family whose level is measured; of the service, or without
            service of what is heard.
        level: dBm. LTE and NR: RSRP (3GPP TS 36.214, 5.1.1); UTRAN: RSCP (TS 25.215, 5.1.1); GSM: RXLEV (TS 45.008,
            8.1).
        registered: whether the network lets it in.
        quality: dB. LTE and NR: RSRQ; UTRAN: Ec/No; GSM: none.
        cell: identity of the cell, hexadecimal digits.
        area: tracking or location area, hexadecimal digits.
        channel: number of the carrier (EARFCN, UARFCN, ARFCN), where the reader tells it.
        operator: its name, as the network or the reader writes it.
        sim: "ready", or what is wrong with it: "missing", "SIM PIN", ….
        slot: of the SIM in use, counted from 0.
        address: the IP address that the network gave.
    """

    technology: str | None = None
    level: Dbm | None = None
    registered: bool = False
    quality: Decibel | None = None
    cell: str | None = None
    area: str | None = None
    channel: int | None = None
    operator: str | None = None
    sim: str | None = None
    slot: int | None = None
    address: str | None = None

    @property
    def rsrp(self) -> Dbm | None:
        """The level where it is an RSRP."""
        return self.level if self.technology in _LIKE_LTE else None

    @property
    def rsrq(self) -> Decibel | None:
        """The quality where it is an RSRQ."""
        return self.quality if self.technology in _LIKE_LTE else None

    def same_place_as(self, other: Signal) -> bool:
        """Whether both were heard of one cell, on one channel: only then may their levels be compared."""
        return (self.technology, self.cell, self.channel) == (other.technology, other.cell, other.channel)

    def as_dict(self) -> dict[str, object]:
        """The fields by name, as the event ``signal`` holds them, ``rsrp`` and ``rsrq`` among them."""
        return {**asdict(self), "rsrp": self.rsrp, "rsrq": self.rsrq}

    def __str__(self) -> str:
        parts = [
            self.technology or "no technology",
            "no level" if self.level is None else f"{self.level:g} dBm",
            "registered" if self.registered else "no service",
            f"cell {self.cell}" if self.cell else "",
            f"channel {self.channel}" if self.channel is not None else "",
            f"SIM: {self.sim}" if self.sim not in (None, "ready") else "",
        ]
        return ", ".join(part for part in parts if part)


@runtime_checkable
class SignalReader(Protocol):
    """Who reads a signal."""

    name: str
    identity: str
    """Maker and model, for the inventory."""

    def signal(self) -> Signal:
        """As of now.

        Raises:
            BenchTrouble: the reader is gone, mute, or answers nonsense.
        """

    def wait_until(self, wanted: Callable[[Signal], bool], limit_s: float, poll_s: float = 0.1) -> Signal:
        """Ask until ``wanted`` holds.

        Raises:
            BenchTrouble: it did not hold in time; the error tells the last signal, and what is wrong where the reader
                knows it, such as a missing SIM.
        """

    def close(self) -> None:
        """Let go of the device."""


def wait_for_signal(
    name: str,
    read: Callable[[], Signal],
    pause: Callable[[float], object],
    wanted: Callable[[Signal], bool],
    limit_s: float,
    poll_s: float,
) -> Signal:
    """Read until ``wanted`` holds.

    Args:
        name: of the reader, for the error.
        read: the signal as of now.
        pause: waits that many seconds at most between two readings; less where the device says something by itself.
        wanted: what is awaited.
        limit_s: for how long.
        poll_s: the longest pause.

    Raises:
        BenchTrouble: it did not hold in time.
    """
    deadline = time.monotonic() + limit_s
    while not wanted(signal := read()):
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise BenchTrouble(
                name, f"the signal did not become what was awaited in {limit_s:g} s: {signal}", cure_of(signal)
            )
        pause(min(poll_s, remaining))
    return signal


def cure_of(signal: Signal) -> str:
    """What usually helps where a signal is not as it should be."""
    if signal.sim == "missing":
        return "the SIM is missing: put it in, or choose the other slot"
    if signal.sim not in (None, "ready"):
        return f"the SIM says {signal.sim}: mend that in a telephone"
    return "check the attenuator's value, the antenna path and the SIM"
