"""What the host answers, and what it writes into the ledger before it does.

Terminal + merchant + date + batch + STAN + class of type is one request. The same content again gets the stored answer
and leaves the ledger as it was; other content is 94. Should an operation have been reversed meanwhile, its repeat is
68, and never the stored approval. Entries: :mod:`rig.acquirer.bookings`; what refers to one:
:mod:`rig.acquirer.referring`; reversals: :mod:`rig.acquirer.reversals`; batches: :mod:`rig.acquirer.settlement`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rig.acquirer.bookings import Bookings, Result
from rig.acquirer.codes import (
    APPROVED,
    DUPLICATE,
    MALFORMED,
    NO_SUCH_CARD,
    TOO_LATE,
    UNKNOWN_TERMINAL,
    WRONG_MAC,
    WRONG_MERCHANT,
)
from rig.acquirer.day import BusinessDay
from rig.acquirer.faults import Rule
from rig.acquirer.issuers import Judged, Ruling
from rig.acquirer.ledger import Ledger
from rig.acquirer.management import Management
from rig.acquirer.network import CardNetwork, Route
from rig.acquirer.referring import Referring
from rig.acquirer.request import Arrival, Request, card_numbers
from rig.acquirer.reversals import FINAL, Reversals
from rig.acquirer.security import NONE, LineKeys, Security
from rig.acquirer.settlement import Settlement
from rig.acquirer.vault import PanVault
from rig.history import Journal, Redactor
from rig.wire.errors import WireError
from rig.wire.iso8583 import Dialect, Message, response_mti

_ECHOED = (3, 4, 7, 11, 12, 13, 41, 42, 49, 60, 70)
_ROWS = ("sale", "advice", "refund", "authorisation", "void", "completion", "cancel")
_REFERS = ("void", "completion", "cancel")
_NOTHING = Judged()


class Refused(Exception):
    """A request that is not served and recorded only as refused; ``answer`` goes back where its type has one."""

    def __init__(self, why: str, answer: Message | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.answer = answer


class Host:
    """The acquirer's rules over one ledger.

    Args:
        dialect: what its terminals speak.
        ledger: where money is booked.
        network: whom to ask.
        security: the terminals' keys.
        vault: seals card numbers for the ledger.
        redactor: the bench's test ranges and tokens.
        journal: gets ``request_received``, ``settlement``, ``cryptogram_replayed``, ``counter_went_back`` and more.
        merchants: the terminals that this host serves, each with its merchant; None: every terminal.
        currency: ISO 4217 digits of the one currency it books.
    """

    def __init__(
        self,
        dialect: Dialect,
        ledger: Ledger,
        network: CardNetwork,
        security: Security,
        vault: PanVault,
        redactor: Redactor,
        journal: Journal,
        merchants: Mapping[str, str] | None,
        currency: str,
    ) -> None:
        self.dialect = dialect
        self.network = network
        self.day = BusinessDay(ledger)
        self.settlement = Settlement(ledger, journal, dialect.usage)
        self.security = security
        self.ledger = ledger
        self._redactor = redactor
        self._journal = journal
        self._merchants = dict(merchants) if merchants is not None else None
        self._bookings = Bookings(ledger, redactor, vault, currency, self.day)
        self._referring = Referring(ledger, redactor)
        self._reversals = Reversals(ledger, redactor)
        self._management = Management(dialect.usage, security, journal)

    def admit(self, message: Message, data: bytes = b"", keys: LineKeys = NONE) -> Request:
        """Take a message, read from ``data``, as a request.

        Raises Refused, for a foreign card before anything else is looked at, and for a wrong message code.
        """
        for pan in card_numbers(message):
            if not self._redactor.allows(pan):
                raise self._refusal("a card outside the bench's test ranges", message, NO_SUCH_CARD)
        try:
            request = Request.read(message, self.dialect)
        except WireError as error:
            raise self._refusal(str(error), message, MALFORMED) from None
        if self.security.code_is_right(request, data, keys) is False:
            raise self._refusal("the message authentication code is wrong", message, WRONG_MAC)
        return request

    def serve(self, request: Request, arrival: Arrival, fault: Rule | None = None, keys: LineKeys = NONE) -> Message:
        """Record, book inside the ledger's transaction that has begun, and return the answer.

        A fault may decline the request by its code. What but an entry is so declined is not remembered, so that its
        repeat can succeed. What the chip is told (DE55) follows from request and code, and is not remembered.
        """
        route = self.network.route(request.pan) if request.pan else None
        pin = self.security.pin(request, keys)
        judged = route.issuer.judge(request, pin) if route else _NOTHING
        told = request.event(self._redactor) | {"cryptogram_ok": judged.cryptogram_ok}
        if judged.pin_ok is not None:
            told["pin_ok"] = judged.pin_ok
        if unjudged := self.security.not_judged(request, keys):
            told["not_judged"] = unjudged
        if route is not None:
            told["way"] = route.way
        self._journal.write("request_received", **told, peer=arrival.peer, local=arrival.local)
        forced = fault.rc if fault else None
        result = self._stranger(request) or self._book(request, arrival, route, judged, forced, fault)
        code = result[39]
        chip = route.issuer.answer_chip(request, judged, str(code), fault) if route and judged.chip else b""
        return answer_to(request.message, result, chip)

    def _stranger(self, request: Request) -> Result | None:
        if self._merchants is None:
            return None
        merchant = self._merchants.get(request.tid)
        if merchant is None:
            return {39: UNKNOWN_TERMINAL}
        return None if merchant == request.mid else {39: WRONG_MERCHANT}

    def _book(
        self, request: Request, arrival: Arrival, route: Route | None, judged: Judged, forced: str | None,
        fault: Rule | None,
    ) -> Result:  # fmt: skip
        if request.kind == "network":
            return {39: forced} if forced else self._management.answer(request)
        content = request.content(self._redactor)
        if request.kind in _ROWS:
            return self._enter(request, arrival, content, route, judged, forced)
        unique_key = request.unique_key
        if before := self.ledger.remembered(unique_key):
            return self._repeat(request, arrival, before.content == content, before.answer)
        if forced:
            return {39: forced}
        if request.kind == "reversal":
            result = self._reversals.reverse(request, arrival)
            if result[39] not in FINAL:
                return result
        elif request.kind == "settlement":
            result = self.settlement.settle(request, arrival, bool(fault and fault.action == "unequal"))
        elif request.kind == "upload":
            result = self.settlement.upload(request)
        elif request.kind == "upload_end":
            result = self.settlement.end_upload(request, arrival)
        else:
            self._journal.write("script_result", key=request.key, tid=request.tid, data=request.message.data(55))
            result = {39: APPROVED}
        self.ledger.remember(unique_key, content, {str(number): str(text) for number, text in result.items()})
        return result

    def _repeat(self, request: Request, arrival: Arrival, same: bool, answer: Mapping[str, str]) -> Result:
        if not same:
            return {39: DUPLICATE}
        if request.kind == "reversal":
            self._reversals.count(request, arrival)
        return {int(number): text for number, text in answer.items()}

    def _enter(
        self, request: Request, arrival: Arrival, content: str, route: Route | None, judged: Judged, forced: str | None
    ) -> Result:
        """A request that gets a row."""
        if row := self.ledger.row(request.unique_key):
            if row.content != content:
                return {39: DUPLICATE}
            self.ledger.change(row, requests=row.requests + 1, duplicates=row.duplicates + 1)
            if row.state == "reversed":
                return {39: TOO_LATE}
            return {int(number): text for number, text in json.loads(row.answer).items()}
        if forced and request.kind == "advice":
            return {39: forced}  # not remembered: its repeat can succeed
        if request.kind in _REFERS or (request.kind == "refund" and self._names_original(request)):
            return self._refer(request, arrival, content, forced)
        self._note_counter(request)
        refusal = forced or self._bookings.refusal(request)
        ruling = Ruling(refusal, request.amount) if refusal else self._rule(request, route, judged)
        return self._bookings.enter(request, arrival, content, ruling)

    def _rule(self, request: Request, route: Route | None, judged: Judged) -> Ruling:
        if route is None:
            return Ruling(NO_SUCH_CARD, request.amount)
        if ruled := self.network.ruled(request, route):
            return ruled
        issuer = route.issuer
        if request.kind == "advice":
            return issuer.honour(request, judged)
        if request.kind == "refund":
            return issuer.take_back(request)
        purse = [self._redactor.token(pan) for pan in issuer.purse(request.pan)]
        return issuer.authorise(request, self.ledger.spent(purse), judged, self.day.date)

    @staticmethod
    def _names_original(request: Request) -> bool:
        return request.original is not None or bool(request.message.text(37))

    def _refer(self, request: Request, arrival: Arrival, content: str, forced: str | None) -> Result:
        original = self._referring.original(request)
        code = forced or self._bookings.refusal(request) or self._referring.code(request, original)
        result = self._bookings.enter(request, arrival, content, Ruling(code, request.amount), original)
        if result[39] == APPROVED and original is not None:
            self._referring.apply(request, original)
        return result

    def _note_counter(self, request: Request) -> None:
        """Of the card's counter: one that came before, or one below the last. Noted, and no reason to refuse."""
        atc = request.atc
        if atc is None:
            return
        token = request.token(self._redactor)
        told: dict[str, Any] = {"key": request.key, "token": token, "atc": atc}
        # A contact card may approve by itself, under the same counter, what the host's answer did not reach.
        if first := self.ledger.by_counter(token, atc, live=request.kind == "advice"):
            self._journal.write("cryptogram_replayed", **told, of=first.key)
        elif (last := self.ledger.last_counter(token)) is not None and atc < last:
            self._journal.write("counter_went_back", **told, last=last)

    def _refusal(self, why: str, message: Message, rc: str) -> Refused:
        try:
            return Refused(why, answer_to(message, {39: rc}))
        except WireError:
            return Refused(why)


def answer_to(request: Message, result: Result, chip: bytes = b"") -> Message:
    """The answer to a message. It never names the card. Raises WireError for a type that has no answer."""
    told: dict[int, str | bytes] = {number: request.fields[number] for number in _ECHOED if number in request.fields}
    told.update(result)
    if chip:
        told[55] = chip
    return Message(response_mti(request.mti), told)
