"""The terminal's own journal on its own disk: what is true of every transaction, whatever moment the power goes.

One JSON record a line, appended and on the disk before the call returns; the state in memory is nothing but the
records applied in order, at boot as in service. A record is one line, so that a decision (this sale failed *and*
must be reversed) is there wholly or not at all. A kill tears the last line at most, which is cut off at boot: a
record that never got whole was never acted upon. A journal that has grown long is made short at boot: what is final,
settled and not the last is forgotten.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from rig.errors import DeviceNonsense
from rig.virtual.terminal.transaction import Advice, CardFace, Operation, Reversal, Settlement, State, Transaction

_OF_A_TRANSACTION = frozenset({
    "begun", "card", "sending", "answered", "offline", "committed", "failed", "reversing", "reversed", "advising",
    "advised",
})  # fmt: skip
_LONG = 256 * 1024
"""Bytes of journal from which on a boot makes it short; reading so many takes about 10 ms."""


class Store:
    """The journal and the state that follows from it. May be used from several threads.

    Raises:
        DeviceNonsense: the journal is damaged elsewhere than at its torn end.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = folder / "journal.jsonl"
        self.transactions: dict[int, Transaction] = {}
        self.trace = 0
        self.receipt = 0
        self.batch = 1
        self.registration: int | None = None
        self.settling: Settlement | None = None
        """A settlement without an answer. Until it has one, the batch can take nothing more."""
        self._lock = threading.RLock()
        self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._replay()
        if self.path.stat().st_size > _LONG:
            self._shorten()

    def close(self) -> None:
        """Let go of the journal; the terminal's own process never does."""
        os.close(self._fd)

    # What the terminal does ------------------------------------------------------------------------------------

    def register(self, configuration: int) -> None:
        """Keep the cash register's registration (ZVT configuration byte)."""
        self._append("registered", configuration=configuration)

    def number(self, purpose: str) -> int:
        """A fresh trace number for a message that is no transaction."""
        with self._lock:
            self._append("numbered", trace=self._next_trace(), purpose=purpose)
            return self.trace

    def begin(self, operation: Operation, amount: int, when: datetime, original: int | None = None) -> Transaction:
        """Begin a transaction under fresh numbers."""
        with self._lock:
            trace = self._next_trace()
            self._append(
                "begun", trace=trace, receipt=self.receipt % 9999 + 1, batch=self.batch, operation=operation,
                amount=amount, when=when.isoformat(timespec="seconds"), original=original,
            )  # fmt: skip
            return self.transactions[trace]

    def show_card(self, transaction: Transaction, face: CardFace) -> None:
        """Remember what may be seen of the card."""
        self._append("card", trace=transaction.trace, face=asdict(face))

    def sending(self, transaction: Transaction, public: Mapping[int, str], sealed: str) -> None:
        """The request is about to leave: from now on a power cut means a reversal."""
        elements = {str(number): value for number, value in public.items()}
        self._append("sending", trace=transaction.trace, public=elements, sealed=sealed)

    def answered(self, transaction: Transaction, rc: str, auth: str, rrn: str) -> None:
        """The host's valid answer has come in time."""
        self._append("answered", trace=transaction.trace, rc=rc, auth=auth, rrn=rrn)

    def offline(self, transaction: Transaction, rc: str, public: Mapping[int, str], sealed: str) -> None:
        """Card and terminal have approved (DE39 ``rc``); the elements are those of the advice that will be due."""
        elements = {str(number): value for number, value in public.items()}
        self._append("offline", trace=transaction.trace, rc=rc, public=elements, sealed=sealed)

    def committed(self, transaction: Transaction) -> None:
        """The cash register has acknowledged everything: the approval is final."""
        self._append("committed", trace=transaction.trace)

    def failed(self, transaction: Transaction, result: int, reverse: str | None = None) -> None:
        """The transaction is final and not approved; with ``reverse`` (DE39) it must be undone at the host."""
        self._append("failed", trace=transaction.trace, result=result, reverse=reverse)

    def reversing(self, transaction: Transaction) -> None:
        """A reversal is about to leave."""
        self._append("reversing", trace=transaction.trace)

    def reversed(self, transaction: Transaction, rc: str) -> None:
        """The host has finished the reversal with this response code."""
        self._append("reversed", trace=transaction.trace, rc=rc)

    def advising(self, transaction: Transaction) -> None:
        """An advice is about to leave."""
        self._append("advising", trace=transaction.trace)

    def advised(self, transaction: Transaction, rc: str, rrn: str) -> None:
        """The host has answered the advice."""
        self._append("advised", trace=transaction.trace, rc=rc, rrn=rrn)

    def settle(self, totals: str, when: datetime) -> Settlement:
        """The request to close the batch is about to leave."""
        with self._lock:
            trace, moment = self._next_trace(), when.isoformat(timespec="seconds")
            self._append("settling", trace=trace, batch=self.batch, totals=totals, when=moment)
            return Settlement(trace, self.batch, totals, when)

    def settled(self, agreed: bool) -> None:
        """The settlement has its answer, or never left; where the host agreed, the next batch begins."""
        self._append("settled", batch=self.batch, agreed=agreed)

    # What is known -----------------------------------------------------------------------------------------------

    def pending_reversals(self) -> list[Transaction]:
        """The transactions that the host must still undo, oldest first."""
        with self._lock:
            return [t for t in self.transactions.values() if t.reversal and t.reversal.done is None]

    def pending_advices(self) -> list[Transaction]:
        """The final offline approvals that the host does not know of yet, oldest first."""
        with self._lock:
            return [
                t
                for t in self.transactions.values()
                if t.state is State.COMMITTED and t.advice and t.advice.done is None
            ]

    def undecided(self) -> list[Transaction]:
        """The transactions that were begun and have no end: after a boot, what the power cut left."""
        with self._lock:
            return [t for t in self.transactions.values() if not t.final]

    def last_final(self) -> Transaction | None:
        """The last transaction with a result."""
        with self._lock:
            return next((t for t in reversed(list(self.transactions.values())) if t.final), None)

    def committed_in_batch(self) -> list[Transaction]:
        """What the open batch holds."""
        with self._lock:
            return [t for t in self.transactions.values() if t.state is State.COMMITTED and t.batch == self.batch]

    def by_receipt(self, receipt: int) -> Transaction | None:
        """The last transaction with this receipt number."""
        with self._lock:
            return next((t for t in reversed(list(self.transactions.values())) if t.receipt == receipt), None)

    # The journal -------------------------------------------------------------------------------------------------

    def _next_trace(self) -> int:
        return self.trace % 999_999 + 1

    def _append(self, record: str, **data: Any) -> None:
        entry = {"record": record, **data}
        with self._lock:
            os.write(self._fd, _line(entry))
            os.fdatasync(self._fd)
            self._apply(entry)

    def _replay(self) -> None:
        *lines, torn = self.path.read_bytes().split(b"\n")
        if torn:
            os.ftruncate(self._fd, self.path.stat().st_size - len(torn))
        for number, line in enumerate(lines, start=1):
            try:
                self._apply(json.loads(line))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                cure = "this is not what a power cut leaves: replace the terminal's disk folder"
                raise DeviceNonsense(str(self.path), f"line {number} is damaged: {error!r}", cure) from error

    def _shorten(self) -> None:
        """Write the journal anew without what nobody will ask for again; it is replaced as a whole."""
        last = self.last_final()
        kept = {
            t.trace
            for t in self.transactions.values()
            if not t.final or t.batch == self.batch or t is last or (t.reversal and t.reversal.done is None)
        } | {t.trace for t in self.pending_advices()}
        entries = [json.loads(line) for line in self.path.read_bytes().splitlines()]
        short = [e for e in entries if e["record"] in _OF_A_TRANSACTION and e["trace"] in kept]
        short += [e for e in entries if self.settling and e["record"] == "settling"][-1:]
        short += [e for e in entries if e["record"] == "registered"][-1:]
        short.append({"record": "numbers", "trace": self.trace, "receipt": self.receipt, "batch": self.batch})
        fresh = self.path.with_suffix(".new")
        fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.writelines(_line(entry) for entry in short)
            file.flush()
            os.fsync(fd)
        fresh.replace(self.path)
        os.close(self._fd)
        self._fd = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        self.transactions = {trace: t for trace, t in self.transactions.items() if trace in kept}

    def _apply(self, entry: Mapping[str, Any]) -> None:
        getattr(self, f"_on_{entry['record']}")(entry)

    def _on_registered(self, entry: Mapping[str, Any]) -> None:
        self.registration = entry["configuration"]

    def _on_numbers(self, entry: Mapping[str, Any]) -> None:
        self.trace, self.receipt, self.batch = entry["trace"], entry["receipt"], entry["batch"]

    def _on_numbered(self, entry: Mapping[str, Any]) -> None:
        self.trace = entry["trace"]

    def _on_begun(self, entry: Mapping[str, Any]) -> None:
        self.trace, self.receipt = entry["trace"], entry["receipt"]
        # A number that comes again after a million others is a new transaction at the end of the order.
        self.transactions.pop(self.trace, None)
        self.transactions[self.trace] = Transaction(
            self.trace, self.receipt, entry["batch"], Operation(entry["operation"]), entry["amount"],
            datetime.fromisoformat(entry["when"]), entry["original"],
        )  # fmt: skip

    def _on_card(self, entry: Mapping[str, Any]) -> None:
        self.transactions[entry["trace"]].face = CardFace(**entry["face"])

    def _on_sending(self, entry: Mapping[str, Any]) -> None:
        transaction = self.transactions[entry["trace"]]
        transaction.state = State.SENDING
        transaction.public = {int(number): value for number, value in entry["public"].items()}
        transaction.sealed = entry["sealed"]

    def _on_answered(self, entry: Mapping[str, Any]) -> None:
        transaction = self.transactions[entry["trace"]]
        transaction.state, transaction.result = State.ANSWERED, None
        transaction.rc, transaction.auth, transaction.rrn = entry["rc"], entry["auth"], entry["rrn"]

    def _on_offline(self, entry: Mapping[str, Any]) -> None:
        self._on_sending(entry)
        transaction = self.transactions[entry["trace"]]
        transaction.state, transaction.rc, transaction.advice = State.OFFLINE, entry["rc"], Advice()

    def _on_committed(self, entry: Mapping[str, Any]) -> None:
        transaction = self.transactions[entry["trace"]]
        transaction.state, transaction.result = State.COMMITTED, 0
        if transaction.operation is Operation.VOID and transaction.original in self.transactions:
            self.transactions[transaction.original].voided = True

    def _on_failed(self, entry: Mapping[str, Any]) -> None:
        transaction = self.transactions[entry["trace"]]
        transaction.state, transaction.result = State.FAILED, entry["result"]
        if entry["reverse"] is not None:
            transaction.reversal = Reversal(entry["reverse"])

    def _on_reversing(self, entry: Mapping[str, Any]) -> None:
        if reversal := self.transactions[entry["trace"]].reversal:
            reversal.attempts += 1

    def _on_reversed(self, entry: Mapping[str, Any]) -> None:
        if reversal := self.transactions[entry["trace"]].reversal:
            reversal.done = entry["rc"]

    def _on_advising(self, entry: Mapping[str, Any]) -> None:
        if advice := self.transactions[entry["trace"]].advice:
            advice.attempts += 1

    def _on_advised(self, entry: Mapping[str, Any]) -> None:
        transaction = self.transactions[entry["trace"]]
        if transaction.advice:
            transaction.advice.done, transaction.rrn = entry["rc"], entry["rrn"]

    def _on_settling(self, entry: Mapping[str, Any]) -> None:
        self.trace = entry["trace"]
        when = datetime.fromisoformat(entry["when"])
        self.settling = Settlement(entry["trace"], entry["batch"], entry["totals"], when)

    def _on_settled(self, entry: Mapping[str, Any]) -> None:
        self.settling = None
        if entry["agreed"]:
            self.batch = entry["batch"] % 999_999 + 1


def _line(entry: Mapping[str, Any]) -> bytes:
    return json.dumps(entry, separators=(",", ":")).encode() + b"\n"
