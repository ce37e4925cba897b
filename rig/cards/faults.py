"""How a card may misbehave at one command of a transaction: plain data, which every emulator carries out alike.

Each fault names the command that it waits for as the history does (``GPO``, ``READ RECORD``, ``GENERATE AC``, see
`rig.cards.emv.apdu.command_name`), and which of them it means: the first, unless told otherwise. It happens once each
time that it is armed, so the terminal's second try meets a sound card.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from rig.cards.presenter import Capability
from rig.cards.spoil import Spoiling
from rig.errors import CallerMistake

Place = Literal["before", "inside", "after"]
BlockFault = Literal["bad-pcb", "wrong-number", "lost", "bad-crc", "nak-storm", "overlong"]
"""What is wrong with a block of ISO/IEC 14443-4: a control byte that is none, the other block number, no block at all,
a wrong checksum, one R(NAK) after the other, or more bytes than the reader said it takes."""


@dataclass(frozen=True)
class At:
    """The command that a fault waits for: the `number`-th, from 1, of this name since the card was armed."""

    command: str
    number: int = 1

    def __post_init__(self) -> None:
        if self.number < 1:
            raise CallerMistake("card fault", f"there is no command number {self.number}", "count from 1")

    def __str__(self) -> str:
        return self.command if self.number == 1 else f"{self.command} {self.number}"


@dataclass(frozen=True)
class Tear:
    """The card leaves the terminal: before it answers the command, with the answer half sent, or right after it.

    With `comes_back` it is put there again as soon as the terminal has let go of it, as a patient cardholder does.
    """

    at: At
    place: Place = "before"
    comes_back: bool = False
    needs: ClassVar[Capability] = Capability.TEAR

    @property
    def name(self) -> str:
        """The fault in words."""
        return f"tear {self.place} {self.at}" + (", and back again" if self.comes_back else "")


@dataclass(frozen=True)
class WaitStorm:
    """The card asks for more time (S(WTX)) so many times before it answers."""

    at: At
    times: int
    needs: ClassVar[Capability] = Capability.PROTOCOL_FAULTS

    @property
    def name(self) -> str:
        """The fault in words."""
        return f"{self.times} waiting time extensions at {self.at}"


@dataclass(frozen=True)
class Late:
    """The card answers, without asking for time, so many seconds after its frame waiting time was over."""

    at: At
    by_s: float
    needs: ClassVar[Capability] = Capability.PROTOCOL_FAULTS

    @property
    def name(self) -> str:
        """The fault in words."""
        return f"answer to {self.at} late by {self.by_s:g} s"


@dataclass(frozen=True)
class BadBlocks:
    """So many blocks on the way of the answer are wrong, then the right one comes."""

    at: At
    kind: BlockFault
    times: int = 1

    @property
    def needs(self) -> Capability:
        """What a presenter must be able to do for it."""
        return Capability.WRONG_CHECKSUMS if self.kind == "bad-crc" else Capability.PROTOCOL_FAULTS

    @property
    def name(self) -> str:
        """The fault in words."""
        return f"{self.times} blocks {self.kind} at {self.at}"


@dataclass(frozen=True)
class Spoil:
    """The content of the answer is wrong."""

    at: At
    how: Spoiling
    needs: ClassVar[Capability] = Capability.RESPONSES

    @property
    def name(self) -> str:
        """The fault in words."""
        return f"{self.how.name} in {self.at}"


CardFault = Tear | WaitStorm | Late | BadBlocks | Spoil


class Misbehaviour:
    """The faults of one card while it is presented. One thread uses it."""

    def __init__(self, faults: tuple[CardFault, ...] = ()) -> None:
        self._waiting = list(faults)
        self._seen: dict[str, int] = {}

    def due(self, command: str) -> list[CardFault]:
        """The faults that this command meets, in the order in which they were armed; each comes once."""
        self._seen[command] = count = self._seen.get(command, 0) + 1
        met = [fault for fault in self._waiting if fault.at == At(command, count)]
        self._waiting = [fault for fault in self._waiting if fault not in met]
        return met
