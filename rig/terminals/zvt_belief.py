"""What the cash register may believe after a ZVT dialogue. Pure functions; the rules of money.

Approved is a completion (06 0F) behind a status information (04 0F) with result code 00, and nothing else. A status
information alone may still be reversed by the terminal, because it stores the sale only when the ECR acknowledged
everything (PA00P015 2.2.8); an abort (06 1E) does not say whether the host was asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rig.terminals.base import LastReceipt, Outcome, Resolution
from rig.terminals.zvt_dialogue import Dialogue, End
from rig.units import Money
from rig.wire.zvt import Bmp, FieldValue, result_text

QUERY = "repeat receipt"
_TRY_LATER = (0x6C, 0x9C, 0xA0, 0xFF)
"""Aborted, please wait, receiver not ready, system error: these say nothing about what is stored."""

Belief = tuple[Outcome, str]
"""What may be believed, and why in one sentence."""


def payment_belief(dialogue: Dialogue) -> Belief:
    """What to believe of a payment or of its reversal."""
    match dialogue.end:
        case End.COMPLETED:
            return _completed_belief(dialogue)
        case End.ABORTED:
            return Outcome.DECLINED, f"not approved, a reversal may be pending: {_code_text(dialogue.code)}"
        case End.REFUSED:
            return Outcome.FAILED, f"the terminal refused the command: {_code_text(dialogue.code)}"
        case End.NOT_SENT:
            return Outcome.FAILED, f"the command did not leave: {dialogue.trouble}"
        case End.LOST | End.ACCEPTED:
            heard = "a status information came, " if dialogue.status is not None else ""
            return Outcome.UNKNOWN, f"{heard}the end was never heard: {dialogue.trouble}"


def administration_belief(dialogue: Dialogue) -> Belief:
    """What to believe of an operation without a payment, such as the end of day: its completion is enough."""
    if dialogue.end is End.COMPLETED and number(dialogue.status or {}, Bmp.RESULT) in (None, 0):
        return Outcome.APPROVED, "completed"
    return payment_belief(dialogue)


def _completed_belief(dialogue: Dialogue) -> Belief:
    if dialogue.status is None:
        return Outcome.UNKNOWN, "completed without a status information"
    code = number(dialogue.status, Bmp.RESULT)
    if code is None:
        return Outcome.UNKNOWN, "completed, but its status information holds no result code"
    if code == 0:
        return Outcome.APPROVED, "completed after a status information with result code 00"
    return Outcome.DECLINED, f"the terminal's result: {_code_text(code)}"


@dataclass(frozen=True)
class Stored:
    """The transaction that the terminal stored last, as its repeated receipt tells it."""

    last: LastReceipt
    amount: int | None = None
    result_code: int | None = None


def stored_from(dialogue: Dialogue) -> Stored | None:
    """What a repeat of the last receipt (06 20) says is stored; None where it says nothing either way.

    A terminal that never sold anything completes without a status information, or refuses.
    """
    if dialogue.end in (End.NOT_SENT, End.LOST, End.ACCEPTED) or dialogue.code in _TRY_LATER:
        return None
    fields = dialogue.status or {}
    return Stored(last_receipt(fields), number(fields, Bmp.AMOUNT), number(fields, Bmp.RESULT))


def last_receipt(fields: Mapping[int, FieldValue]) -> LastReceipt:
    """Receipt and trace number of a status information; 0 is none."""
    return LastReceipt(number(fields, Bmp.RECEIPT) or None, number(fields, Bmp.TRACE) or None)


def resolve_belief(stored: Stored, before: LastReceipt, amount: Money) -> Resolution:
    """Settle an unknown sale by what the terminal has stored now.

    What is stored may be the previous sale: it is this one only if its numbers have gone on and the amount is right.
    Something newer of another amount is not this sale as asked for, yet nobody can say that this sale is not in it
    (a partial approval, a wrong amount): that stays unknown, for people to look at.
    """
    if not stored.last.newer_than(before):
        return Resolution(Outcome.DECLINED, QUERY, "not this sale: the terminal has stored nothing since")
    facts = f"receipt {stored.last.receipt}, trace {stored.last.trace}, amount {stored.amount}"
    if stored.amount != amount.minor:
        outcome, why = Outcome.UNKNOWN, f"newer, but not the amount {amount.minor}: {facts}"
    elif stored.result_code is None:
        outcome, why = Outcome.UNKNOWN, f"this sale, but without a result code: {facts}"
    else:
        outcome = Outcome.DECLINED if stored.result_code else Outcome.APPROVED
        why = f"this sale, {_code_text(stored.result_code)}: {facts}"
    return Resolution(
        outcome, QUERY, why, stored.amount, stored.result_code, stored.last.trace, stored.last.receipt
    )  # fmt: skip


def number(fields: Mapping[int, FieldValue], bmp: Bmp) -> int | None:
    """A field that is a number; None where it is missing."""
    value = fields.get(bmp)
    return value if isinstance(value, int) else None


def _code_text(code: int | None) -> str:
    return "no code" if code is None else f"{code:02X} {result_text(code)}"
