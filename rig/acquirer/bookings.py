"""What enters the ledger: each operation gets a row, its reference number (DE37) and, approved, its code (DE38).

A reversal that came before its original has the row refused with 68, whatever the issuer says.
"""

from __future__ import annotations

import json
from dataclasses import replace

from rig.acquirer.codes import APPROVALS, INVALID, TOO_LATE, WRONG_AMOUNT, WRONG_BATCH
from rig.acquirer.day import BusinessDay
from rig.acquirer.issuers import Ruling
from rig.acquirer.ledger import Ledger
from rig.acquirer.request import Arrival, Kind, Request
from rig.acquirer.row import Operation, Row
from rig.acquirer.vault import PanVault
from rig.history import Redactor

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

    def row(self, request: Request, arrival: Arrival, content: str, of: Row | None = None) -> Row:
        """The row of a request that was not decided yet; ``of`` is what it changes, whose card it has."""
        message, pan = request.message, request.pan
        ours = of is not None and not pan
        return Row(
            unique_key=request.unique_key, key=request.key, tid=request.tid, mid=request.mid, stan=request.stan,
            mti=message.mti, time=message.text(7), date=request.date, operation=_OPERATIONS[request.kind],
            amount=request.amount, requested=request.amount, currency=message.text(49), batch=request.batch,
            received_t=arrival.t,
            token=of.token if ours and of else request.token(self._redactor) or None,
            masked=of.masked if ours and of else self._redactor.mask(pan) if pan else None,
            sealed=of.sealed if ours and of else self._vault.seal(pan) if pan else None,
            atc=request.atc, of=of.unique_key if of else None, content=content,
        )  # fmt: skip

    def enter(self, row: Row, ruling: Ruling) -> Result:
        """Enter a row as it was decided; returns what the answer says."""
        number = self._ledger.next_reference
        rrn = f"{self._day.reference_prefix()}{number % 1_000_000:06d}"
        row = replace(row, rrn=rrn, rc=ruling.rc, amount=ruling.amount, bank=ruling.bank)
        if early := self._ledger.early_reversal(row):
            row = replace(row, rc=TOO_LATE, reversal=early.reversal, reversed_t=early.t, reversals=early.count)
        elif row.rc in APPROVALS:
            row = replace(row, state="approved", auth=f"A{number % 100_000:05d}")
        result: Result = {37: rrn, 39: row.rc}
        if row.auth:
            result[38] = row.auth
        if row.amount != row.requested:
            result[4] = f"{row.amount:012d}"
        if date := self._day.settlement_date():
            result[15] = date
        self._ledger.add(replace(row, answer=json.dumps(result, separators=(",", ":"))))
        return result
