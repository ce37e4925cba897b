"""Reversals: what undoes an operation, once, however often it is sent.

A reversal finds its original by DE90 (STAN and DE7), or in UnionPay's dialects by its own STAN and batch, at the same
terminal. Amount, currency and card must be the original's (13, 12). An unknown original is 25, and the reversal is kept
against its late coming. Reversing a void, a completion or a cancel restores what it changed. What was declined, voided
or reversed already is answered 00 and changes nothing; what was settled is 12. The codes 00, 12 and 25 end the matter
for a terminal; after any other it sends the reversal again.
"""

from __future__ import annotations

from typing import Any

from rig.acquirer.bookings import Result
from rig.acquirer.codes import APPROVED, INVALID, UNKNOWN_ORIGINAL, WRONG_AMOUNT
from rig.acquirer.ledger import Ledger
from rig.acquirer.referring import restored_by_reversing
from rig.acquirer.request import Arrival, Request
from rig.acquirer.row import Row
from rig.history import Redactor
from rig.wire.iso8583 import mti_class

FINAL = (APPROVED, INVALID, UNKNOWN_ORIGINAL)
"""The codes after which a terminal does not repeat a reversal."""

_UNDOES = ("01", "02")


class Reversals:
    """Undoes rows; works inside the ledger's transaction."""

    def __init__(self, ledger: Ledger, redactor: Redactor) -> None:
        self._ledger = ledger
        self._redactor = redactor

    def reverse(self, request: Request, arrival: Arrival) -> Result:
        """Undo what the request points at, if it may be undone."""
        row = self.count(request, arrival)
        if row is None:
            return {39: UNKNOWN_ORIGINAL}
        rc = self._code(request, row)
        if rc == APPROVED:
            changes: dict[str, Any] = {"reversal": row.reversal or _particulars(request, arrival)}
            if row.state == "approved":
                changes |= {"state": "reversed", "reversed_t": arrival.t}
                self._restore(row)
            self._ledger.change(row, **changes)
        return {**({37: row.rrn} if row.rrn else {}), 39: rc}

    def count(self, request: Request, arrival: Arrival) -> Row | None:
        """Count a reversal at its original, which is returned; where that is unknown, keep the reversal."""
        original = request.original
        if original is None or mti_class(original.mti) not in _UNDOES:
            return None
        if row := self._ledger.by_original(request.tid, original):
            return self._ledger.change(row, reversals=row.reversals + 1)
        self._ledger.add_early_reversal(request.tid, original, _particulars(request, arrival), arrival.t)
        return None

    def _code(self, request: Request, row: Row) -> str:
        if request.amount not in (row.amount, row.requested):
            return WRONG_AMOUNT
        same_card = not request.pan or request.token(self._redactor) == row.token
        same = same_card and request.message.text(49) == row.currency
        return APPROVED if same and row.state != "settled" else INVALID

    def _restore(self, row: Row) -> None:
        state = restored_by_reversing(row)
        original = self._ledger.row(row.of) if state and row.of else None
        if state and original is not None and original.state in ("voided", "completed", "cancelled"):
            self._ledger.change(original, state=state)


def _particulars(request: Request, arrival: Arrival) -> dict[str, Any]:
    message = request.message
    return {
        "key": request.key, "mti": message.mti, "stan": request.stan, "reason": message.text(39) or None,
        "amount": request.amount, "time": message.text(7), "t": arrival.t,
    }  # fmt: skip
