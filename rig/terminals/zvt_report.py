"""Puts together what the cash register reports of a ZVT operation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from rig.terminals.base import LastReceipt, OperationResult
from rig.terminals.zvt_belief import Belief, number
from rig.terminals.zvt_dialogue import Dialogue
from rig.units import CURRENCY_NUMERIC, Money
from rig.wire.zvt import Bmp, FieldValue

_Result = TypeVar("_Result", bound=OperationResult)
_KEEP_FIRST, _KEEP_LAST = 6, 4


def report(
    kind: type[_Result], belief: Belief, dialogue: Dialogue, asked: Money | None, before: LastReceipt | None
) -> _Result:
    """The result of an operation: what may be believed, and what the terminal told."""
    fields = dialogue.status or {}
    outcome, why = belief
    code = number(fields, Bmp.RESULT)
    terminal_id = number(fields, Bmp.TERMINAL_ID)
    amount = number(fields, Bmp.AMOUNT)
    return kind(
        outcome=outcome,
        why=why,
        amount=asked.minor if amount is None and asked else amount,
        currency=_currency(fields, asked),
        result_code=code if dialogue.code is None else dialogue.code,
        trace=number(fields, Bmp.TRACE),
        receipt=number(fields, Bmp.RECEIPT),
        terminal_id=None if terminal_id is None else f"{terminal_id:08d}",
        masked_pan=mask(_text(fields, Bmp.PAN)),
        text=_text(fields, Bmp.TEXT),
        print_lines=tuple(dialogue.lines),
        before=before,
    )


def mask(pan: str | None) -> str | None:
    """A card number with stars for what the terminal masked, and for what it should have masked."""
    if pan is None:
        return None
    middle = range(_KEEP_FIRST, len(pan) - _KEEP_LAST)
    return "".join("*" if digit == "E" or place in middle else digit for place, digit in enumerate(pan))


def _currency(fields: Mapping[int, FieldValue], asked: Money | None) -> str:
    numeric = number(fields, Bmp.CURRENCY)
    told = next((name for name, code in CURRENCY_NUMERIC.items() if int(code) == numeric), None)
    return told or (asked.currency if asked else "EUR")


def _text(fields: Mapping[int, FieldValue], bmp: Bmp) -> str | None:
    value = fields.get(bmp)
    return value if isinstance(value, str) else None
