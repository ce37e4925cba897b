"""What the host must still be told: the sales that card and terminal approved without it (store and forward).

An offline approval is on the disk, with all that its advice will say, before the cash register hears of it, and
becomes due by the very record that makes it final. So a result that the cash register never acknowledged is undone
by itself: the host does not know of it. Once due, the advice goes out until the host has answered it, as 0221 from
its second time on, and before any other request.
"""

from __future__ import annotations

from rig.virtual.terminal.bearers import Log
from rig.virtual.terminal.host import Host, NoAnswer
from rig.virtual.terminal.messages import MessageWriter
from rig.virtual.terminal.settings import Settings
from rig.virtual.terminal.store import Store
from rig.virtual.terminal.transaction import Advice, Transaction
from rig.virtual.terminal.vault import Vault

_ASK_AGAIN = frozenset({"91", "96"})
"""The host could not take it now (ISO 8583, DE39); every other answer is the end of it."""


class Advices:
    """The queue. Whoever sends from it holds the turn to talk to the host."""

    def __init__(self, settings: Settings, store: Store, vault: Vault, host: Host, log: Log) -> None:
        self._response_timeout_s = settings.host.response_timeout_s
        self._writer = MessageWriter(settings)
        self._store = store
        self._vault = vault
        self._host = host
        self._log = log

    def pending(self) -> bool:
        """Whether there is something to tell."""
        return bool(self._store.pending_advices())

    def flush(self) -> bool:
        """Try every advice once, oldest first; whether none is left.

        Raises:
            NotReached: no bearer reaches the host.
        """
        due = [(t, t.advice) for t in self._store.pending_advices() if t.advice]
        finished = [self._try(transaction, advice) for transaction, advice in due]
        return all(finished)

    def _try(self, transaction: Transaction, advice: Advice) -> bool:
        secret = self._vault.open(transaction.trace, transaction.sealed)
        message = self._writer.advice(transaction, advice, secret)
        try:
            with self._host.open(message) as exchange:
                self._store.advising(transaction)
                exchange.send(self._response_timeout_s)
                answer = exchange.answer(self._response_timeout_s)
        except NoAnswer as failure:
            self._log("terminal_advice_unanswered", trace=transaction.trace, why=str(failure))
            return False
        rc = answer.text(39)
        if rc in _ASK_AGAIN:
            self._log("terminal_advice_refused", trace=transaction.trace, rc=rc)
            return False
        self._store.advised(transaction, rc, answer.text(37))
        self._log("terminal_advice_done", trace=transaction.trace, rc=rc)
        return True
