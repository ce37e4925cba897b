"""Where a card may come from: the contactless reader, the chip slot, the magnetic head, whichever has one first.

The slot and the head ring one bell, on which the wait for a contactless card ends too. A chip is preferred: the
stripe of a card that has one counts only after its chip could not be read (fallback), and a card that the
contactless reader sends away is asked for by the slot.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from rig.virtual.terminal.bearers import Log
from rig.virtual.terminal.contact import ChipFailed
from rig.virtual.terminal.emv.card import CardData, CardLost, CardRefused, EntryMode, Purchase, Transceive
from rig.virtual.terminal.reader import Cancelled, CardReader, NoCard
from rig.virtual.terminal.slot import Inserted, NoAnswerToReset, Slot
from rig.virtual.terminal.stripe import StripeHead, Track

ReadCard = Callable[[Transceive, Purchase], CardData]
"""Runs a purchase with a card. Raises CardLost, CardRefused, and for a contact chip ChipFailed."""
TakeSwipe = Callable[[Track, EntryMode], CardData]
"""Makes a purchase's card of a swipe."""

INSERT_CARD, NOT_READABLE, PRESENT_AGAIN = 0x0A, 0x0C, 0xC7
"""ZVT intermediate statuses (PA00P015, table of 04 FF)."""
_CHIP_TRIES = 2


class Announced(threading.Event):
    """An event that rings a bell as well, so that one wait covers both."""

    def __init__(self, bell: threading.Event) -> None:
        super().__init__()
        self._bell = bell

    def set(self) -> None:
        """Set both."""
        super().set()
        self._bell.set()


@dataclass
class _Wait:
    """What one wait for a card has found so far."""

    purchase: Purchase
    cancelled: threading.Event
    announce: Callable[[int], None]
    deadline: float
    contactless: bool = True
    fallback: bool = False
    seen: bool = False
    given_up: Inserted | None = None
    """The card in the slot that is not tried again."""


class Acceptor:
    """Gets one card for one purchase.

    Args:
        reader, contactless: the contactless reader, and what is done with a card in its field.
        slot, contact: the chip slot, if there is one, and what is done with a card in it.
        stripe, swiped: the magnetic head, if there is one, and what is made of a swipe.
        bell: rung by slot, head, and whoever cancels.
        log: the terminal's development log.
    """

    def __init__(
        self,
        reader: CardReader,
        contactless: ReadCard,
        slot: Slot | None,
        contact: ReadCard,
        stripe: StripeHead | None,
        swiped: TakeSwipe,
        bell: threading.Event,
        log: Log,
    ) -> None:
        self._reader = reader
        self._read_contactless = contactless
        self._slot = slot
        self._read_contact = contact
        self._stripe = stripe
        self._take_swipe = swiped
        self._bell = bell
        self._log = log

    def read(
        self, purchase: Purchase, timeout_s: float, cancelled: threading.Event, announce: Callable[[int], None]
    ) -> CardData:
        """Wait for a card and run the purchase with it, up to what only the host can say.

        Raises:
            NoCard: nothing was read in time.
            Cancelled: ``cancelled`` was set.
            CardRefused: the card cannot be used.
        """
        wait = _Wait(purchase, cancelled, announce, time.monotonic() + timeout_s)
        while time.monotonic() < wait.deadline:
            self._bell.clear()
            if cancelled.is_set():
                raise Cancelled
            try:
                if card := self._inserted(wait) or self._swiped(wait) or self._tapped(wait):
                    return card
            except CardLost as lost:
                wait.seen = True
                self._log("terminal_card_lost", why=str(lost))
                announce(PRESENT_AGAIN)
        raise NoCard(wait.seen)

    def release(self) -> None:
        """The purchase is over: a card in the slot loses its power, and a swipe is not kept for the next one."""
        if self._stripe is not None:
            self._stripe.take()
        if self._slot is not None and (card := self._slot.card) is not None:
            card.power_off()

    def _inserted(self, wait: _Wait) -> CardData | None:
        card = self._slot.card if self._slot is not None else None
        if card is None or card is wait.given_up:
            return None
        for _ in range(_CHIP_TRIES):
            try:
                card.power_on()
                return self._read_contact(card.transceive, wait.purchase)
            except (NoAnswerToReset, ChipFailed) as failure:
                self._log("terminal_chip_failed", why=str(failure))
            except CardLost:
                wait.given_up = card  # one that fell silent must be pulled and inserted again
                raise
        wait.given_up, wait.seen, wait.fallback = card, True, True
        card.power_off()
        wait.announce(NOT_READABLE)
        return None

    def _swiped(self, wait: _Wait) -> CardData | None:
        track = self._stripe.take() if self._stripe is not None else None
        if track is None:
            return None
        if not track.has_chip or self._slot is None:
            return self._take_swipe(track, EntryMode.STRIPE)
        if wait.fallback:
            return self._take_swipe(track, EntryMode.FALLBACK)
        self._log("terminal_swipe_of_chip_card")
        wait.seen = True
        wait.announce(INSERT_CARD)
        return None

    def _tapped(self, wait: _Wait) -> CardData | None:
        """Wait for a contactless card, or for the bell."""
        remaining = max(wait.deadline - time.monotonic(), 0.0)
        if not wait.contactless:
            self._bell.wait(remaining)
            return None
        try:
            return self._reader.read(
                lambda transceive: self._read_contactless(transceive, wait.purchase),
                remaining,
                self._bell,
                again=lambda: wait.announce(PRESENT_AGAIN),
            )
        except Cancelled:
            return None
        except NoCard as failure:
            raise NoCard(failure.seen or wait.seen) from failure
        except CardRefused as refusal:
            if not refusal.other_interface or (self._slot is None and self._stripe is None):
                raise
            self._log("terminal_use_other_interface", why=str(refusal))
            wait.contactless, wait.seen = False, True
            wait.announce(INSERT_CARD)
            return None
