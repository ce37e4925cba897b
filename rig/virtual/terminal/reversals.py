"""What must still be undone at the host: queued on the disk, sent before any other request, repeated until answered.

A transaction is reversed when its request may have left the terminal and it did not become final: no valid answer in
time, the cash register never acknowledged the result, or the power went. The reversal keeps the original's STAN in
DE11, points at it in DE90, and is sent as 0401 from its second time on. 00, 12 and 25 finish it; anything else, or
nothing, keeps it. What the host must be told of offline approvals goes the same way, after the reversals.
"""

from __future__ import annotations

import threading

from rig.virtual.terminal.advices import Advices
from rig.virtual.terminal.bearers import Log
from rig.virtual.terminal.defects import Defect
from rig.virtual.terminal.host import Host, NoAnswer, NotReached
from rig.virtual.terminal.messages import NO_RESPONSE, OTHER_REASON, MessageWriter
from rig.virtual.terminal.results import HOST_MUTE, INTERRUPTED, leaves_money_at_host, result_of
from rig.virtual.terminal.settings import Settings
from rig.virtual.terminal.store import Store
from rig.virtual.terminal.transaction import Reversal, State, Transaction
from rig.virtual.terminal.vault import Vault

_FINISHED = frozenset({"00", "12", "25"})


class Reversals:
    """The queue, and the thread that works on it. ``turn`` is held by whoever talks to the host."""

    def __init__(self, settings: Settings, store: Store, vault: Vault, host: Host, log: Log) -> None:
        self.turn = threading.RLock()
        self._defects = settings.defects
        self._retry_s = settings.reversal_retry_s
        self._response_timeout_s = settings.host.response_timeout_s
        self._writer = MessageWriter(settings)
        self._store = store
        self._vault = vault
        self._host = host
        self._log = log
        self._advices = Advices(settings, store, vault, host, log)
        self._wake = threading.Event()

    def recover(self) -> None:
        """After a boot: decide what the power cut left undecided."""
        if Defect.REVERSAL_LOST_AT_POWER_CUT in self._defects:
            for transaction in self._store.pending_reversals():
                self._store.reversed(transaction, "lost")
        for transaction in self._store.undecided():
            result, reverse = _after_power_cut(transaction)
            if Defect.REVERSAL_LOST_AT_POWER_CUT in self._defects:
                reverse = None
            self._log("terminal_recovered", trace=transaction.trace, state=transaction.state, reverse=reverse)
            self.fail(transaction, result, reverse)

    def start(self) -> None:
        """Begin to send what is pending, now and whenever something is added."""
        self._wake.set()
        threading.Thread(target=self._work, name="reversals", daemon=True).start()

    def fail(self, transaction: Transaction, result: int, reverse: str | None = None) -> None:
        """End a transaction without an approval; with ``reverse`` (DE39) its reversal is queued and goes out."""
        if Defect.NEVER_REVERSES in self._defects:
            reverse = None
        self._store.failed(transaction, result, reverse)
        if reverse is not None:
            self._log("terminal_reversal_pending", trace=transaction.trace, reason=reverse)
            self._wake.set()

    def advise(self) -> None:
        """An offline approval has become final: the host is to be told."""
        self._wake.set()

    def flush(self) -> bool:
        """Try every pending reversal once, then every advice, oldest first; whether none is left."""
        with self.turn:
            pending = [(t, t.reversal) for t in self._store.pending_reversals() if t.reversal]
            try:
                finished = [self._try(transaction, reversal) for transaction, reversal in pending]
                return all([*finished, self._advices.flush()])
            except NotReached as failure:
                self._log("terminal_reversals_wait", pending=len(pending), why=str(failure))
                return False

    def _try(self, transaction: Transaction, reversal: Reversal) -> bool:
        secret = self._vault.open(transaction.trace, transaction.sealed)
        message = self._writer.reversal(transaction, reversal, secret)
        try:
            with self._host.open(message) as exchange:
                self._store.reversing(transaction)
                exchange.send(self._response_timeout_s)
                rc = exchange.answer(self._response_timeout_s).text(39)
        except NoAnswer as failure:
            self._log("terminal_reversal_unanswered", trace=transaction.trace, why=str(failure))
            return False
        if rc not in _FINISHED:
            self._log("terminal_reversal_refused", trace=transaction.trace, rc=rc)
            return False
        self._store.reversed(transaction, rc)
        self._log("terminal_reversal_done", trace=transaction.trace, rc=rc)
        return True

    def _work(self) -> None:
        while True:
            waits = bool(self._store.pending_reversals()) or self._advices.pending()
            self._wake.wait(self._retry_s if waits else None)
            self._wake.clear()
            self.flush()


def _after_power_cut(transaction: Transaction) -> tuple[int, str | None]:
    """The result of a transaction that the power cut ended, and why it must be reversed, if it must."""
    if transaction.state is State.SENDING:
        return HOST_MUTE, NO_RESPONSE
    if transaction.state is State.ANSWERED:
        if leaves_money_at_host(transaction.rc):
            return INTERRUPTED, OTHER_REASON
        return result_of(transaction.rc), None
    return INTERRUPTED, None
