"""The air between antennas: who transmits a field, who listens as a card, and what a reader hears.

One thread owns it all. It knows ISO/IEC 14443-3 as far as a reader's host can tell: no card, one card, several cards
at once, a field that goes away, a card that falls silent. Several cards are told apart by their UIDs, as a reader's
anticollision loop does (6.5.3); two cards with the same UID talk at the same time for ever.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


class Listener(Protocol):
    """The chip behind an antenna."""

    def heard(self, frame: bytes) -> None:
        """The partner sent a frame; an empty one is a frame whose checksum was wrong."""

    def field_lost(self) -> None:
        """The reader that had selected this card switched its field off. The card is still there, unselected."""

    def card_came(self) -> None:
        """A card begins to listen somewhere in the air."""


@dataclass(frozen=True)
class Identity:
    """What a card says in anticollision: SENS_RES, its UID and SEL_RES."""

    sens_res: bytes
    uid: bytes
    sel_res: int


@dataclass(eq=False)
class Antenna:
    """One chip's place in the air."""

    name: str
    listener: Listener
    transmits: bool = False
    identity: Identity | None = None
    partner: Antenna | None = None


class UnresolvedCollision(Exception):
    """Two cards say the same UID, so that no reader can tell them apart."""


class Air:
    """The antennas that can reach each other. `changed` is called when the field or the cards in it change."""

    def __init__(self, changed: Callable[[str, list[str]], None]) -> None:
        self._antennas: list[Antenna] = []
        self._changed = changed
        self._told: tuple[str, list[str]] = ("off", [])

    def join(self, name: str, listener: Listener) -> Antenna:
        """A place for a new chip."""
        antenna = Antenna(name, listener)
        self._antennas.append(antenna)
        return antenna

    def leave(self, antenna: Antenna) -> None:
        """The antenna was carried out of this air, card or not."""
        self.withdraw(antenna)
        self.fall_silent(antenna)
        self._antennas.remove(antenna)

    def others_transmit(self, antenna: Antenna) -> bool:
        """Whether this antenna sits in somebody else's field."""
        return any(other.transmits for other in self._antennas if other is not antenna)

    def waiting_cards(self) -> list[Antenna]:
        """The cards that would answer a reader now."""
        return [each for each in self._antennas if each.identity and not each.partner]

    def transmit(self, reader: Antenna) -> None:
        """Switch a field on; the antenna is no card any more."""
        self.withdraw(reader)
        reader.transmits = True
        self._tell()

    def fall_silent(self, reader: Antenna) -> None:
        """Switch a field off; the card in it is told."""
        card, reader.partner, reader.transmits = reader.partner, None, False
        if card:
            card.partner = None
            card.listener.field_lost()
        self._tell()

    def listen(self, card: Antenna, identity: Identity) -> None:
        """Become a card in the field; readers that wait for one are told."""
        self.withdraw(card)
        self.fall_silent(card)
        card.identity = identity
        self._tell()
        for other in self._antennas:
            if other.transmits:
                other.listener.card_came()

    def withdraw(self, card: Antenna) -> None:
        """The card is gone. Its reader notices only that nothing answers."""
        if card.identity is None:
            return
        if card.partner:
            card.partner.partner = None
        card.identity = card.partner = None
        self._tell()

    def resolve(self) -> list[Antenna]:
        """The waiting cards in the order in which an anticollision loop finds them.

        Where two UIDs differ the loop goes on with the card whose bit is 1 (ISO/IEC 14443-3, 6.5.3.1), lowest bit
        first. Raises UnresolvedCollision when two UIDs are the same.
        """
        cards = self.waiting_cards()
        uids = [card.identity.uid for card in cards if card.identity]
        if len(set(uids)) != len(uids):
            raise UnresolvedCollision
        return sorted(cards, key=_bits, reverse=True)

    def select(self, reader: Antenna, card: Antenna) -> None:
        """From now on these two talk."""
        if reader.partner:
            reader.partner.partner = None
        reader.partner, card.partner = card, reader

    def send(self, sender: Antenna, frame: bytes) -> None:
        """Carry a frame to the partner, if there is one."""
        if sender.partner:
            sender.partner.listener.heard(frame)

    def _tell(self) -> None:
        state = "on" if any(each.transmits for each in self._antennas) else "off"
        cards = [each.name for each in self._antennas if each.identity]
        if (state, cards) != self._told:
            self._told = (state, cards)
            self._changed(state, cards)


def _bits(card: Antenna) -> str:
    """The card's UID as it goes over the air: the lowest bit of each byte first."""
    return "".join(f"{byte:08b}"[::-1] for byte in card.identity.uid) if card.identity else ""
