"""The card network: whose card is it, and who answers for its issuer? Routes a card number by its BIN to the bank.

The acquirer's own bank is asked directly, the others over the network. Where an issuer is out, the network stands in
for it up to a limit.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from rig.acquirer.codes import APPROVED, ISSUER_OUT
from rig.acquirer.issuers import Issuer, Ruling
from rig.acquirer.keys import IssuerKeys
from rig.acquirer.profiles import CardProfile
from rig.acquirer.request import Request
from rig.acquirer.rules import CodeCounter, NetworkRules
from rig.errors import CallerMistake

BIN_DIGITS = 8
"""ISO/IEC 7812-1:2017: an issuer identification number has eight digits."""

STAND_IN = "stand-in"

Way = Literal["own bank", "card network"]


class Route(NamedTuple):
    """Where a request goes.

    Attributes:
        issuer: the card's bank.
        way: directly, or over the network.
        out: whether the bank cannot be reached.
    """

    issuer: Issuer
    way: Way
    out: bool


class CardNetwork:
    """Issuers, and the BINs that lead to them.

    Raises:
        CallerMistake: two banks claim the same BIN, or a rule names a bank that has no card.
    """

    def __init__(self, cards: Iterable[CardProfile], keys: IssuerKeys, rules: NetworkRules | None = None) -> None:
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
        self._at_first = rules or NetworkRules()
        self.rules = self._at_first
        self.set_rules(self._at_first)

    def set_rules(self, rules: NetworkRules) -> None:
        """Behave so from now on; counters begin anew. Raises CallerMistake for a bank that has no card."""
        own = [rules.own_bank] if rules.own_bank else []
        named = {*own, *rules.out, *(rule.bank for rule in rules.codes if rule.bank)}
        if unknown := sorted(named - set(self.issuers)):
            known = ", ".join(sorted(self.issuers)) or "none"
            raise CallerMistake("rules", f"no card is of the bank {unknown[0]}", f"banks with cards: {known}")
        self.rules = rules
        self._codes = CodeCounter(rules.codes)

    def restore(self) -> None:
        """As at first."""
        self.set_rules(self._at_first)

    @property
    def restored(self) -> bool:
        """Whether the rules are those of the beginning."""
        return self.rules == self._at_first

    def set_out(self, bank: str, out: bool) -> None:
        """An issuer cannot be reached, or can again. Raises CallerMistake for a bank that has no card."""
        banks = set(self.rules.out) | {bank} if out else set(self.rules.out) - {bank}
        self.set_rules(self.rules.model_copy(update={"out": tuple(sorted(banks))}))

    def route(self, pan: str) -> Route | None:
        """Where a card's requests go; None where no bank of this network has its BIN."""
        issuer = self._routes.get(pan[:BIN_DIGITS])
        if issuer is None:
            return None
        way: Way = "own bank" if issuer.bank == self.rules.own_bank else "card network"
        return Route(issuer, way, issuer.bank in self.rules.out)

    def ruled(self, request: Request, route: Route) -> Ruling | None:
        """What the rules, or who stands in, answer in the issuer's place; None: the issuer is asked."""
        bank = route.issuer.bank
        if self.rules.codes:
            rule = self._codes.code(request.kind, request.amount, route.issuer.name_of(request.pan), bank)
            if rule is not None:
                return Ruling(rule.rc, min(rule.approves or request.amount, request.amount), bank)
        if not route.out:
            return None
        approves = request.kind in ("advice", "refund") or request.amount <= self.rules.stand_in.limit
        return Ruling(APPROVED if approves else ISSUER_OUT, request.amount, f"{STAND_IN} for {bank}")
