"""Sales, advices of sales, and voids: asked of the issuer, entered into the ledger.

An advice tells of a sale that card and terminal approved offline; it is entered as an approved sale.

A void finds its sale by DE37, or by DE90, at the same terminal. It needs the sale's amount and card, and a sale that
stands: neither reversed, nor voided, nor settled. What was reversed before it came is refused with 68.
"""

from __future__ import annotations

import datetime
from dataclasses import replace

from rig.acquirer.codes import (
    APPROVED,
    INVALID,
    NO_SUCH_CARD,
    TOO_LATE,
    UNKNOWN_ORIGINAL,
    WRONG_AMOUNT,
    WRONG_BATCH,
)
from rig.acquirer.issuers import Issuer, Judged
from rig.acquirer.ledger import Ledger
from rig.acquirer.request import Arrival, Request
from rig.acquirer.row import Row
from rig.history import Redactor

Result = dict[int, str]
"""The data elements that the host itself puts into an answer: 37, 38, 39, 48."""


class Bookings:
    """Enters sales and voids; works inside the ledger's transaction. ``currency`` is ISO 4217 digits."""

    def __init__(self, ledger: Ledger, redactor: Redactor, currency: str) -> None:
        self._ledger = ledger
        self._redactor = redactor
        self._currency = currency

    def sale(
        self, request: Request, arrival: Arrival, issuer: Issuer | None, judged: Judged, forced: str | None
    ) -> Result:
        """Ask the issuer for the money, unless the answer is clear without it; ``forced`` is a fault's code."""
        rc = forced or self._wrong(request)
        if rc is None and issuer is None:
            rc = NO_SUCH_CARD
        elif rc is None and issuer is not None and request.kind == "advice":
            rc = issuer.honour(request, judged)
        elif rc is None and issuer is not None:
            purse = [self._redactor.token(pan) for pan in issuer.purse(request.pan)]
            rc = issuer.authorise(request, self._ledger.spent(purse), judged, datetime.date.today())
        return self._enter(self._row(request, arrival), rc or NO_SUCH_CARD)

    def void(self, request: Request, arrival: Arrival, forced: str | None) -> Result:
        """Undo a sale that stands."""
        sale = self._voided_sale(request)
        row = self._row(request, arrival)
        if sale is not None:
            row = replace(row, of=sale.unique_key, token=sale.token, masked=sale.masked)
        result = self._enter(row, forced or self._wrong(request) or self._void_code(request, sale))
        if result[39] == APPROVED and sale is not None:
            self._ledger.change(sale, state="voided")
        return result

    def _wrong(self, request: Request) -> str | None:
        if self._ledger.is_settled(request.tid, request.batch):
            return WRONG_BATCH
        if request.amount <= 0:
            return WRONG_AMOUNT
        return INVALID if request.message.text(49) != self._currency else None

    def _voided_sale(self, request: Request) -> Row | None:
        rrn = request.message.text(37)
        found = self._ledger.by_rrn(request.tid, rrn) if rrn else None
        if request.original is None:
            return found
        named = self._ledger.by_original(request.tid, request.original)
        return named if not rrn or (found and named and found.unique_key == named.unique_key) else None

    def _void_code(self, request: Request, sale: Row | None) -> str:
        if sale is None:
            return UNKNOWN_ORIGINAL
        if request.amount != sale.amount:
            return WRONG_AMOUNT
        stands = sale.operation == "sale" and sale.state == "approved"
        same_card = not request.pan or request.token(self._redactor) == sale.token
        return APPROVED if stands and same_card else INVALID

    def _row(self, request: Request, arrival: Arrival) -> Row:
        return Row(
            unique_key=request.unique_key,
            key=request.key,
            tid=request.tid,
            mid=request.mid,
            stan=request.stan,
            mti=request.message.mti,
            time=request.message.text(7),
            operation="void" if request.kind == "void" else "sale",
            amount=request.amount,
            currency=request.message.text(49),
            token=request.token(self._redactor) or None,
            masked=self._redactor.mask(request.pan) if request.pan else None,
            atc=request.atc,
            batch=request.batch,
            received_t=arrival.t,
        )

    def _enter(self, row: Row, rc: str) -> Result:
        number = self._ledger.next_reference()
        rrn = f"{datetime.datetime.now():%y%j%H}"[1:] + f"{number % 1_000_000:06d}"
        row = replace(row, rrn=rrn, rc=rc)
        early = self._ledger.early_reversal(row.tid, row.stan, row.time)
        if early:
            row = replace(row, rc=TOO_LATE, reversal=early.reversal, reversed_t=early.t, reversals=early.count)
        elif rc == APPROVED:
            row = replace(row, state="approved", auth=f"A{number % 100_000:05d}")
        self._ledger.add(row)
        return {37: rrn, **({38: row.auth} if row.auth else {}), 39: row.rc}
