"""One row of the ledger: a sale, or what else moves money, and what became of it."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

Operation = Literal["sale", "void", "refund", "authorisation", "completion", "cancel"]
State = Literal["approved", "declined", "reversed", "voided", "settled", "completed", "cancelled"]

_HOLDS = ("sale", "completion", "authorisation")
_STANDS = ("approved", "settled")


class Row(NamedTuple):
    """One row.

    Attributes:
        unique_key: terminal, merchant, date, batch, STAN and class of type.
        key: ``TID/STAN``, the name that the history uses.
        mti: the type it came as.
        time: DE7, by which a DE90 points at it; empty in dialects that have none.
        date: MMDD, as the terminal said.
        amount: what was booked, minor units of ``currency`` (ISO 4217 digits); ``requested``: what was asked for.
        rc: the response code it was answered with.
        state: what stands now. ``voided`` is a sale that a void undid; the void itself is ``approved``; an
            authorisation is ``completed`` or ``cancelled``.
        token: the keyed token of the card; ``masked``: first six and last four digits; ``sealed``: the number
            encrypted under the bench's key.
        rrn: DE37; ``auth``: DE38; None where it was declined.
        atc: the card's transaction counter.
        of: the ``unique_key`` of the row that this one voids, completes, cancels or gives back.
        bank: who decided, or who stood in for it.
        received_t: monotonic nanoseconds; ``reversed_t`` likewise.
        reversal: the particulars of the first reversal that named it.
        requests: how often it was received; ``duplicates``: how many of those were repeats.
        reversals: how many reversals named it.
        content: the digest that a repeat must have too; ``answer``: what was answered, for the repeats.
    """

    unique_key: str
    key: str
    tid: str
    mid: str
    stan: str
    mti: str
    time: str
    date: str
    operation: Operation
    amount: int
    requested: int
    currency: str
    batch: str
    received_t: int
    token: str | None
    masked: str | None
    sealed: bytes | None
    atc: int | None
    of: str | None = None
    bank: str | None = None
    rrn: str | None = None
    auth: str | None = None
    rc: str = ""
    state: State = "declined"
    reversed_t: int | None = None
    reversal: dict[str, Any] | None = None
    requests: int = 1
    reversals: int = 0
    duplicates: int = 0
    content: str = ""
    answer: str = ""

    @property
    def held(self) -> int:
        """What it takes from the card's account now, in minor units; a refund gives."""
        if self.state not in _STANDS:
            return 0
        return self.amount if self.operation in _HOLDS else -self.amount if self.operation == "refund" else 0

    def to_json(self) -> dict[str, Any]:
        """The row as the history and the control socket tell it."""
        return {
            "key": self.key, "tid": self.tid, "stan": self.stan, "mti": self.mti, "operation": self.operation,
            "amount": self.amount, "requested": self.requested, "currency": self.currency, "rc": self.rc,
            "state": self.state, "token": self.token, "masked": self.masked, "rrn": self.rrn, "auth": self.auth,
            "atc": self.atc, "batch": self.batch, "bank": self.bank, "received_t": self.received_t,
            "reversed_t": self.reversed_t, "reversal": self.reversal,
            "counts": {"requests": self.requests, "reversals": self.reversals, "duplicates": self.duplicates},
        }  # fmt: skip
