"""The banks behind the cards: what they know of a card, and what they say to a request for money."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from rig.acquirer.chip import ChipData, came_by_chip
from rig.acquirer.codes import (
    APPROVED,
    DO_NOT_HONOUR,
    EXPIRED,
    INVALID,
    NO_FUNDS,
    NO_SUCH_CARD,
    PARTLY_APPROVED,
    PIN_TRIES_EXCEEDED,
    WRONG_PIN,
)
from rig.acquirer.faults import Rule
from rig.acquirer.keys import IssuerKeys
from rig.acquirer.profiles import CardProfile
from rig.acquirer.request import Request
from rig.errors import CallerMistake
from rig.units import CURRENCY_NUMERIC
from rig.wire.cryptogram import Decision
from rig.wire.errors import WireError

_WITH_MONEY = ("sale", "advice", "authorisation")
_ANSWERED_BY_CHIP = ("sale", "authorisation")
_PIN_TRIES = 3
_STRIPE, _FALLBACK = ("02", "90"), ("80",)
_OFFLINE_APPROVAL: dict[str, tuple[Decision, ...]] = {"Y1": ("TC",), "Y3": ("TC", "ARQC")}
"""DE39 of an advice, and what the card may have said to it. Y3 follows a host that was out of reach: there dialects
take a contactless card's request for approval that was stored; a card that declined has approved nothing."""


@dataclass(frozen=True)
class Judged:
    """What an issuer thinks of a request before it looks at money.

    Attributes:
        cryptogram_ok: whether the card itself made this request's cryptogram; None where that cannot be judged.
        chip: what the chip said, where it said anything.
        pin_ok: whether the online PIN is the card's; None where there is none, or no key or PIN to judge it with.
    """

    cryptogram_ok: bool | None = None
    chip: ChipData | None = field(default=None, repr=False)
    pin_ok: bool | None = None


class Ruling(NamedTuple):
    """What is said to a request for money: the response code, the minor units it is said of, and who said it."""

    rc: str
    amount: int
    bank: str | None = None


_NOTHING = Judged()


class Issuer:
    """One bank.

    Args:
        bank: its name.
        cards: its cards.
        keys: where its master keys are; without them cryptograms are neither judged nor answered.

    Raises:
        CallerMistake: a card is a token of a card that the bank does not have, or that is a token itself.
    """

    def __init__(self, bank: str, cards: Iterable[CardProfile], keys: IssuerKeys) -> None:
        self.bank = bank
        self._cards = {card.pan: card for card in cards}
        self._keys = keys
        self._by_name = {card.name: card for card in self._cards.values()}
        self._wrong_pins: dict[str, int] = {}
        self._purses: dict[str, list[str]] = {}
        for card in self._cards.values():
            if card.funding is not None and self._funding(card).funding is not None:
                raise CallerMistake(f"card {card.name}", "its funding is a token too", "name the card that pays")

    def name_of(self, pan: str) -> str:
        """The card's name; empty where the bank has none with this number."""
        card = self._cards.get(pan)
        return card.name if card else ""

    def judge(self, request: Request, pin: str | None = None) -> Judged:
        """Look at the PIN, where the host could read one, and at the chip's part of a request.

        A chip sale without a cryptogram, or whose cryptogram covers another amount than DE4, is wrong. Of a magnetic
        stripe there is none to judge.
        """
        card = self._cards.get(request.pan)
        if request.kind not in _WITH_MONEY or card is None:
            return _NOTHING
        pin_ok = pin == card.pin if pin is not None and card.pin is not None else None
        if not came_by_chip(request) or (keys := self._keys.of(self.bank)) is None:
            return Judged(pin_ok=pin_ok)
        try:
            chip = ChipData.read(request, card)
            return Judged(chip.is_of(card, keys, request), chip, pin_ok)
        except WireError:
            return Judged(cryptogram_ok=False, pin_ok=pin_ok)

    def purse(self, pan: str) -> list[str]:
        """The numbers of the cards that spend one account with this one: the card and the tokens of it."""
        card = self._cards.get(pan)
        if card is None:
            return [pan]
        if pan not in self._purses:
            owner = self._funding(card)
            self._purses[pan] = [each.pan for each in self._cards.values() if self._funding(each) is owner]
        return self._purses[pan]

    def authorise(self, request: Request, spent: int, judged: Judged, today: datetime.date) -> Ruling:
        """The ruling on a sale or an authorisation; ``spent`` is what the account holds already, in minor units."""
        card = self._cards.get(request.pan)
        rc = self._against(request, card, judged, today)
        if rc is not None or card is None:
            return Ruling(rc or NO_SUCH_CARD, request.amount, self.bank)
        owner = self._funding(card)
        left = owner.funds - spent
        if request.amount <= left:
            return Ruling(APPROVED, request.amount, self.bank)
        if owner.account.partial and left > 0 and request.kind == "sale":
            return Ruling(PARTLY_APPROVED, left, self.bank)
        return Ruling(NO_FUNDS, request.amount, self.bank)

    def _against(self, request: Request, card: CardProfile | None, judged: Judged, today: datetime.date) -> str | None:
        """What speaks against a request before money is looked at."""
        if card is None:
            return NO_SUCH_CARD
        asks = judged.chip is None or judged.chip.decision == "ARQC"
        if judged.cryptogram_ok is False or not asks or _suspicious_stripe(request, card):
            return DO_NOT_HONOUR
        if refused := self._pin_code(card, judged):
            return refused
        owner = self._funding(card)
        if declined := card.account.decline or owner.account.decline:
            return declined
        month = f"{today:%y%m}"
        if month > card.expiry or request.message.text(14, card.expiry) != card.expiry:
            return EXPIRED
        if month < card.effective:
            return DO_NOT_HONOUR
        return None if request.message.text(49) == CURRENCY_NUMERIC[owner.account.currency] else INVALID

    def _pin_code(self, card: CardProfile, judged: Judged) -> str | None:
        """Three wrong PINs in a row block the card's PIN; the host's start forgets them."""
        if judged.pin_ok is None:
            return None
        wrong = self._wrong_pins.get(card.name, 0)
        if wrong >= _PIN_TRIES:
            return PIN_TRIES_EXCEEDED
        self._wrong_pins[card.name] = 0 if judged.pin_ok else wrong + 1
        return None if judged.pin_ok else WRONG_PIN

    def take_back(self, request: Request) -> Ruling:
        """The ruling on a refund: money comes, and the card must only be one of the bank's."""
        known = request.pan in self._cards
        return Ruling(APPROVED if known else NO_SUCH_CARD, request.amount, self.bank)

    def honour(self, request: Request, judged: Judged) -> Ruling:
        """The ruling on an advice of a sale that card and terminal approved offline.

        It is paid, whatever the account holds; but only the card's own certificate (TC) is a promise, which a magnetic
        stripe cannot give.
        """
        if request.pan not in self._cards:
            return Ruling(NO_SUCH_CARD, request.amount, self.bank)
        promises = _OFFLINE_APPROVAL.get(request.message.text(39), ())
        says_else = judged.chip is not None and judged.chip.decision not in promises
        proven = came_by_chip(request) and judged.cryptogram_ok is not False
        return Ruling(APPROVED if proven and not says_else else DO_NOT_HONOUR, request.amount, self.bank)

    def answer_chip(self, request: Request, judged: Judged, rc: str, fault: Rule | None) -> bytes:
        """DE55 of the answer to a sale; empty where the chip said nothing, or nothing that the issuer believes."""
        if request.kind not in _ANSWERED_BY_CHIP or judged.chip is None or not judged.cryptogram_ok:
            return b""
        card, keys = self._cards.get(request.pan), self._keys.of(self.bank)
        if card is None or keys is None:
            return b""
        return judged.chip.answer(card, keys, rc, fault)

    def _funding(self, card: CardProfile) -> CardProfile:
        """The card whose account pays: its own, or for a wallet's token the one behind it."""
        if card.funding is None:
            return card
        try:
            return self._by_name[card.funding]
        except KeyError:
            what = f"field funding: {self.bank} has no card {card.funding}"
            raise CallerMistake(f"card {card.name}", what, "name a card of the same bank") from None


def _suspicious_stripe(request: Request, card: CardProfile) -> bool:
    """A stripe that is not the card's (number, expiry, service code), or one that was read though the card has a chip
    and that had not failed."""
    mode = request.message.text(22)
    if not mode.startswith(_STRIPE + _FALLBACK):
        return False
    number, _, rest = request.message.text(35).replace("D", "=").partition("=")
    its_own = (number, rest[:7]) == (card.pan, card.expiry + card.service_code)
    return not its_own or (mode.startswith(_STRIPE) and card.has_chip)
