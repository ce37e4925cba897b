"""What the host answers, and what it writes into the ledger before it does.

Terminal + merchant + date + batch + STAN + class of type is one request. The same content again gets the stored answer
and leaves the ledger as it was; other content is 94. Should a sale have been reversed meanwhile, its repeat is 68, and
never the stored approval. A settlement (DE48, gross totals) agrees or is 95; agreed, its batch is closed, and what
comes for it later is 77. Sales and voids: :mod:`rig.acquirer.bookings`; reversals: :mod:`rig.acquirer.reversals`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rig.acquirer.bookings import Bookings, Result
from rig.acquirer.codes import (
    APPROVED,
    DUPLICATE,
    MALFORMED,
    NO_SUCH_CARD,
    TOO_LATE,
    TOTALS_DIFFER,
    UNKNOWN_TERMINAL,
    WRONG_MERCHANT,
)
from rig.acquirer.faults import Rule
from rig.acquirer.issuers import Issuer, Judged
from rig.acquirer.ledger import Ledger, Remembered
from rig.acquirer.network import CardNetwork
from rig.acquirer.request import Arrival, Request, card_numbers
from rig.acquirer.reversals import FINAL, Reversals
from rig.history import Journal, Redactor
from rig.wire.errors import WireError
from rig.wire.iso8583 import Message, Totals, response_mti

_ECHOED = (3, 4, 7, 11, 12, 13, 41, 42, 49, 60, 70)


class Refused(Exception):
    """A request that is not served and recorded only as refused; ``answer`` goes back where its type has one."""

    def __init__(self, why: str, answer: Message | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.answer = answer


class Host:
    """The acquirer's rules over one ledger.

    Args:
        ledger: where money is booked.
        network: whom to ask.
        redactor: the bench's test ranges and tokens.
        journal: gets ``request_received``, ``settlement``, ``cryptogram_replayed`` and ``counter_went_back``.
        merchants: the terminals that this host serves, each with its merchant.
        currency: ISO 4217 digits of the one currency it books.
    """

    def __init__(
        self,
        ledger: Ledger,
        network: CardNetwork,
        redactor: Redactor,
        journal: Journal,
        merchants: Mapping[str, str],
        currency: str,
    ) -> None:
        self._ledger = ledger
        self._network = network
        self._redactor = redactor
        self._journal = journal
        self._merchants = dict(merchants)
        self._bookings = Bookings(ledger, redactor, currency)
        self._reversals = Reversals(ledger, redactor)

    def admit(self, message: Message) -> Request:
        """Take a message as a request. Raises Refused, for a foreign card before anything else is looked at."""
        if not all(self._redactor.allows(pan) for pan in card_numbers(message)):
            raise _refusal("a card outside the bench's test ranges", message, NO_SUCH_CARD)
        try:
            return Request.read(message)
        except WireError as error:
            raise _refusal(str(error), message, MALFORMED) from None

    def serve(self, request: Request, arrival: Arrival, fault: Rule | None = None) -> Message:
        """Record, book durably, and return the answer.

        A fault may decline the request by its code. An advice, a reversal or a settlement so declined is not
        remembered, so that its repeat can succeed. What the chip is told (DE55) follows from request and code, and is
        not remembered.
        """
        issuer = self._network.route(request.pan)
        judged = issuer.judge(request) if issuer else Judged()
        particulars = request.event(self._redactor) | {"cryptogram_ok": judged.cryptogram_ok}
        self._journal.write("request_received", **particulars, peer=arrival.peer, local=arrival.local)
        with self._ledger.transaction():
            forced = fault.rc if fault else None
            result = self._stranger(request) or self._book(request, arrival, issuer, judged, forced)
        chip = issuer.answer_chip(request, judged, result[39], fault) if issuer else b""
        return _answer(request.message, result, chip)

    def _stranger(self, request: Request) -> Result | None:
        if request.tid not in self._merchants:
            return {39: UNKNOWN_TERMINAL}
        return {39: WRONG_MERCHANT} if self._merchants[request.tid] != request.mid else None

    def _book(
        self, request: Request, arrival: Arrival, issuer: Issuer | None, judged: Judged, forced: str | None
    ) -> Result:
        if request.kind == "network":
            return {39: forced or APPROVED}
        content = request.content(self._redactor)
        if before := self._ledger.remembered(request.unique_key):
            return self._repeat(request, arrival, before, content)
        if forced and request.kind not in ("sale", "void"):
            return {39: forced}
        if request.kind in ("sale", "advice"):
            self._note_counter(request)
            result = self._bookings.sale(request, arrival, issuer, judged, forced)
        elif request.kind == "void":
            result = self._bookings.void(request, arrival, forced)
        elif request.kind == "settlement":
            result = self._settle(request, arrival)
        else:
            result = self._reversals.reverse(request, arrival)
            if result[39] not in FINAL:
                return result
        self._ledger.remember(request.unique_key, content, {str(number): text for number, text in result.items()})
        return result

    def _repeat(self, request: Request, arrival: Arrival, before: Remembered, content: str) -> Result:
        if before.content != content:
            return {39: DUPLICATE}
        if request.kind == "reversal":
            self._reversals.count(request, arrival)
        elif row := self._ledger.row(request.unique_key):
            self._ledger.change(row, requests=row.requests + 1, duplicates=row.duplicates + 1)
            if row.state == "reversed":
                return {39: TOO_LATE}
        return {int(number): text for number, text in before.answer.items()}

    def _note_counter(self, request: Request) -> None:
        """Of the card's counter: one that came before, or one below the last. Noted, and no reason to refuse."""
        token, atc = request.token(self._redactor), request.atc
        if atc is None:
            return
        told: dict[str, Any] = {"key": request.key, "token": token, "atc": atc}
        # A contact card may approve by itself, under the same counter, what the host's answer did not reach.
        if first := self._ledger.by_counter(token, atc, live=request.kind == "advice"):
            self._journal.write("cryptogram_replayed", **told, of=first.key)
        elif (last := self._ledger.last_counter(token)) is not None and atc < last:
            self._journal.write("counter_went_back", **told, last=last)

    def _settle(self, request: Request, arrival: Arrival) -> Result:
        try:
            claimed = Totals.decode(request.message.text(48))
        except WireError:
            return {39: MALFORMED}
        ours = self._ledger.totals(request.tid, request.batch)
        agreed = claimed == ours
        told: dict[str, Any] = {"tid": request.tid, "batch": request.batch, "agreed": agreed}
        self._journal.write("settlement", **told, host=asdict(ours), terminal=asdict(claimed))
        if agreed:
            self._ledger.settle(request.tid, request.batch, arrival.t)
        return {39: APPROVED if agreed else TOTALS_DIFFER, 48: ours.encode()}


def _answer(request: Message, result: Result, chip: bytes = b"") -> Message:
    """The answer to a message. It never names the card. Raises WireError for a type that has no answer."""
    echoed = {number: request.fields[number] for number in _ECHOED if number in request.fields}
    told = {**echoed, **result, **({55: chip} if chip else {})}
    return Message(response_mti(request.mti), dict(sorted(told.items())))


def _refusal(why: str, message: Message, rc: str) -> Refused:
    try:
        return Refused(why, _answer(message, {39: rc}))
    except WireError:
        return Refused(why)
