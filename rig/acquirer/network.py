"""The card network: whose card is it? Routes a card number by its BIN to the bank that issued it."""

from __future__ import annotations

from collections.abc import Iterable

from rig.acquirer.issuers import Issuer
from rig.acquirer.keys import IssuerKeys
from rig.acquirer.profiles import CardProfile
from rig.errors import CallerMistake

BIN_DIGITS = 8
"""ISO/IEC 7812-1:2017: an issuer identification number has eight digits."""


class CardNetwork:
    """Issuers, and the BINs that lead to them.

    Raises:
        CallerMistake: two banks claim the same BIN.
    """

    def __init__(self, cards: Iterable[CardProfile], keys: IssuerKeys) -> None:
        by_bank: dict[str, list[CardProfile]] = {}
        banks: dict[str, str] = {}
        for card in cards:
            by_bank.setdefault(card.bank, []).append(card)
            owner = banks.setdefault(card.pan[:BIN_DIGITS], card.bank)
            if owner != card.bank:
                what = f"its BIN {card.pan[:BIN_DIGITS]} belongs to {owner} already, not to {card.bank}"
                raise CallerMistake(f"card {card.name}", what, "give each bank BINs of its own")
        self.issuers = {bank: Issuer(bank, its, keys) for bank, its in by_bank.items()}
        self._routes = {bin_: self.issuers[bank] for bin_, bank in banks.items()}

    def route(self, pan: str) -> Issuer | None:
        """The issuer of a card; None where no bank of this network has its BIN."""
        return self._routes.get(pan[:BIN_DIGITS])
