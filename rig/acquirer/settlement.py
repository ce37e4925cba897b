"""The end of a batch: totals, the upload after unequal ones, and the day's end.

Totals agree, or the settlement is 95 (in UnionPay's dialects 00, and DE48 says 2). Agreed, the batch is closed, and
what comes for it later is 77. After unequal totals a terminal may upload what it has (0320, one transaction each): each
is compared with the ledger, and ``upload_compared`` says what came of it. The end of the upload closes the batch as the
host has it, agreed or not; what was missing is told, and never booked from an upload.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rig.acquirer.bookings import Result
from rig.acquirer.codes import APPROVED, BROKEN, MALFORMED, TOTALS_DIFFER
from rig.acquirer.ledger import Ledger
from rig.acquirer.request import Arrival, Request
from rig.history import Journal
from rig.wire.errors import WireError
from rig.wire.iso8583 import Original, Totals, Usage


class Settlement:
    """Closes batches; works inside the ledger's transaction. The journal gets ``settlement``, ``upload_compared``."""

    def __init__(self, ledger: Ledger, journal: Journal, usage: Usage) -> None:
        self._ledger = ledger
        self._journal = journal
        self._usage = usage

    def settle(self, request: Request, arrival: Arrival, disagree: bool = False) -> Result:
        """Compare totals, and close the batch where they agree; ``disagree`` is a fault: they never do."""
        try:
            claimed = self._usage.totals_of(request.message)
        except WireError:
            return {39: MALFORMED}
        ours = self._ledger.totals(request.tid, request.batch)
        agreed = claimed == ours and not disagree
        try:
            told = self._usage.write_totals(ours, agreed)
        except WireError:  # more than this dialect has digits for
            return {39: BROKEN}
        self._tell(request, ours, claimed, agreed)
        if agreed:
            self._ledger.settle(request.tid, request.batch, arrival.t)
        told_in_totals = self._usage.unionpay_totals
        rc = APPROVED if agreed or told_in_totals else TOTALS_DIFFER
        return {39: rc, 48: told}

    def upload(self, request: Request) -> Result:
        """Compare one transaction of a terminal with the ledger."""
        own = Original("0200", request.stan, batch=request.batch)
        row = self._ledger.by_original(request.tid, request.original or own)
        if row is None:
            found = "missing here"
        elif row.amount != request.amount:
            found = "another amount here"
        else:
            found = "the same" if row.state in ("approved", "voided") else f"{row.state} here"
        self._journal.write(
            "upload_compared", key=request.key, tid=request.tid, batch=request.batch, amount=request.amount, found=found
        )
        return {39: APPROVED}

    def end_upload(self, request: Request, arrival: Arrival) -> Result:
        """Close the batch as the host has it."""
        ours = self._ledger.totals(request.tid, request.batch)
        try:
            claimed = self._usage.totals_of(request.message)
        except WireError:
            claimed = None
        self._tell(request, ours, claimed, claimed == ours)
        self._ledger.settle(request.tid, request.batch, arrival.t)
        return {39: APPROVED}

    def end_day(self, t: int) -> list[tuple[str, str]]:
        """Close every open batch, whoever's it is; returns terminal and batch of each."""
        batches = self._ledger.open_batches()
        for tid, batch in batches:
            self._ledger.settle(tid, batch, t)
            self._journal.write("batch_cut_over", tid=tid, batch=batch)
        return batches

    def _tell(self, request: Request, ours: Totals, claimed: Totals | None, agreed: bool) -> None:
        told: dict[str, Any] = {"tid": request.tid, "batch": request.batch, "agreed": agreed}
        terminal = asdict(claimed) if claimed is not None else None
        self._journal.write("settlement", **told, host=asdict(ours), terminal=terminal)
