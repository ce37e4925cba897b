"""What enters the ledger: each operation gets a row, its reference number (DE37) and, approved, its code (DE38).

A reversal that came before its original has the row refused with 68, whatever the issuer says.
"""

from __future__ import annotations

import json

from rig.acquirer.codes import APPROVALS, INVALID, TOO_LATE, WRONG_AMOUNT, WRONG_BATCH
from rig.acquirer.day import BusinessDay
from rig.acquirer.issuers import Ruling
from rig.acquirer.ledger import REFERENCES, Ledger
from rig.acquirer.request import Arrival, Kind, Request
from rig.acquirer.row import Operation, Row
from rig.acquirer.vault import PanVault
from rig.history import Redactor

_encode = json.JSONEncoder(separators=(",", ":")).encode

Result = dict[int, str | bytes]
"""The data elements that the host itself puts into an answer: 4, 15, 37, 38, 39, 48, 62."""

_OPERATIONS: dict[Kind, Operation] = {
    "sale": "sale", "advice": "sale", "refund": "refund", "authorisation": "authorisation", "void": "void",
    "completion": "completion", "cancel": "cancel",
}  # fmt: skip


class Bookings:
    """Makes rows; works inside the ledger's transaction. ``currency`` is ISO 4217 digits."""

    def __init__(self, ledger: Ledger, redactor: Redactor, vault: PanVault, currency: str, day: BusinessDay) -> None:
        self._ledger = ledger
        self._redactor = redactor
        self._vault = vault
        self._currency = currency
        self._day = day

    def refusal(self, request: Request) -> str | None:
        """What is wrong with a request for money, whoever asks."""
        if self._ledger.is_settled(request.tid, request.batch):
            return WRONG_BATCH
        if request.amount <= 0:
            return WRONG_AMOUNT
        return INVALID if request.message.text(49) != self._currency else None

    def enter(self, request: Request, arrival: Arrival, content: str, ruling: Ruling, of: Row | None = None) -> Result:
        """Enter a request as it was decided; returns what the answer says.

        ``of`` is the row that it changes, whose card it has where it names none.
        """
        message, pan = request.message, request.pan
        number = self._ledger.next_reference
        rrn = f"{self._day.reference_prefix()}{number % REFERENCES:06d}"
        early = self._ledger.early_reversal(request.tid, request.stan, message.text(7), request.batch)
        rc = TOO_LATE if early else ruling.rc
        approved = rc in APPROVALS
        auth = f"A{number % 100_000:05d}" if approved else None
        result: Result = {37: rrn, 39: rc}
        if auth:
            result[38] = auth
        if ruling.amount != request.amount:
            result[4] = f"{ruling.amount:012d}"
        if date := self._day.settlement_date():
            result[15] = date
        ours = of is not None and not pan
        row = Row(
            unique_key=request.unique_key, key=request.key, tid=request.tid, mid=request.mid, stan=request.stan,
            mti=message.mti, time=message.text(7), date=request.date, operation=_OPERATIONS[request.kind],
            amount=ruling.amount, requested=request.amount, currency=message.text(49), batch=request.batch,
            received_t=arrival.t,
            token=of.token if ours and of else request.token(self._redactor) or None,
            masked=of.masked if ours and of else self._redactor.mask(pan) if pan else None,
            sealed=of.sealed if ours and of else self._vault.seal(pan) if pan else None,
            atc=request.atc, of=of.unique_key if of else None, bank=ruling.bank, rrn=rrn, auth=auth, rc=rc,
            state="approved" if approved else "declined", content=content,
            reversed_t=early.t if early else None, reversal=early.reversal if early else None,
            reversals=early.count if early else 0, answer=_encode(result),
        )  # fmt: skip
        self._ledger.add(row)
        return result
