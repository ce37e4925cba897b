"""What changes a row that is there: void, completion, cancel, refund. Each finds its original and says what it may.

A row is found by DE37, by DE38 (an authorisation's code), or by DE90 or DE61, at the same terminal; where a request
names it twice, both must be the same. Amount and card must be the original's, but a completion may be up to 15 % above
its authorisation, and a refund may give back a part.
"""

from __future__ import annotations

from collections.abc import Callable

from rig.acquirer.codes import APPROVED, INVALID, UNKNOWN_ORIGINAL, WRONG_AMOUNT
from rig.acquirer.ledger import Ledger
from rig.acquirer.request import Kind, Request
from rig.acquirer.row import Row, State
from rig.history import Redactor

COMPLETION_PERCENT = 115
"""UnionPay's rule: a completion is at most 115 % of the authorised amount."""

_EFFECTS: dict[Kind, State] = {"void": "voided", "completion": "completed", "cancel": "cancelled"}


class Referring:
    """Finds originals, and changes them; works inside the ledger's transaction."""

    def __init__(self, ledger: Ledger, redactor: Redactor) -> None:
        self._ledger = ledger
        self._redactor = redactor
        self._checks: dict[Kind, Callable[[Request, Row], str]] = {
            "void": self._void, "completion": self._completion, "cancel": self._cancel, "refund": self._refund,
        }  # fmt: skip

    def original(self, request: Request) -> Row | None:
        """The row that a request refers to; None where it names none, an unknown one, or two."""
        message = request.message
        found: list[Row | None] = []
        if rrn := message.text(37):
            found.append(self._ledger.by_rrn(request.tid, rrn))
        if request.original is not None:
            found.append(self._ledger.by_original(request.tid, request.original))
        if not found and (code := message.text(38)) and request.kind in ("completion", "cancel"):
            found.append(self._ledger.by_authorisation(request.tid, code, request.token(self._redactor) or None))
        keys = {row.unique_key if row else None for row in found}
        return found[0] if len(keys) == 1 else None

    def code(self, request: Request, original: Row | None) -> str:
        """The response code of a request that refers to a row."""
        if original is None:
            return UNKNOWN_ORIGINAL
        if request.pan and request.token(self._redactor) != original.token:
            return INVALID
        return self._checks[request.kind](request, original)

    def apply(self, request: Request, original: Row) -> None:
        """What an approved request does to its original."""
        if state := _EFFECTS.get(request.kind):
            self._ledger.change(original, state=state)

    @staticmethod
    def _void(request: Request, original: Row) -> str:
        if request.amount != original.amount:
            return WRONG_AMOUNT
        stands = original.operation in ("sale", "completion") and original.state == "approved"
        return APPROVED if stands else INVALID

    @staticmethod
    def _completion(request: Request, original: Row) -> str:
        if original.operation != "authorisation" or original.state != "approved":
            return INVALID
        return APPROVED if request.amount * 100 <= original.amount * COMPLETION_PERCENT else WRONG_AMOUNT

    @staticmethod
    def _cancel(request: Request, original: Row) -> str:
        if original.operation != "authorisation" or original.state != "approved":
            return INVALID
        return APPROVED if request.amount == original.amount else WRONG_AMOUNT

    def _refund(self, request: Request, original: Row) -> str:
        if original.operation not in ("sale", "completion") or original.state not in ("approved", "settled"):
            return INVALID
        left = original.amount - self._ledger.given_back(original.unique_key)
        return APPROVED if request.amount <= left else WRONG_AMOUNT


def restored_by_reversing(row: Row) -> State | None:
    """The state that a row's original returns to when the row is reversed: what stood before it."""
    return "approved" if row.operation in ("void", "completion", "cancel") else None
