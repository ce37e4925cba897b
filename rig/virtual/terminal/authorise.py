"""One online request and what the terminal concludes from its end. It is in the journal before a byte leaves."""

from __future__ import annotations

from dataclasses import dataclass

from rig.virtual.terminal.bearers import Log
from rig.virtual.terminal.defects import Defect
from rig.virtual.terminal.host import Exchange, Host, NoAnswer, NotReached
from rig.virtual.terminal.messages import NO_RESPONSE, OTHER_REASON, kept_elements
from rig.virtual.terminal.results import (
    APPROVED,
    HOST_MUTE,
    HOST_UNREACHABLE,
    approves,
    leaves_money_at_host,
    result_of,
)
from rig.virtual.terminal.reversals import Reversals
from rig.virtual.terminal.settings import Settings
from rig.virtual.terminal.store import Store
from rig.virtual.terminal.transaction import Transaction
from rig.virtual.terminal.vault import Vault
from rig.wire.iso8583 import Message

_TOO_LATE_S = 5.0


@dataclass(frozen=True)
class Decision:
    """A ZVT result code, and the reason for a reversal (DE39) where one is due."""

    result: int
    reverse: str | None = None


class Authoriser:
    """Asks the host for one transaction."""

    def __init__(
        self, settings: Settings, store: Store, vault: Vault, host: Host, reversals: Reversals, log: Log
    ) -> None:
        self._response_timeout_s = settings.host.response_timeout_s
        self._believes_late_answers = Defect.APPROVES_LATE_ANSWER in settings.defects
        self._store = store
        self._vault = vault
        self._host = host
        self._reversals = reversals
        self._log = log

    def authorise(self, transaction: Transaction, request: Message) -> Decision:
        """Send the request and decide. Pending reversals go first: without them no new request."""
        with self._reversals.turn:
            if not self._reversals.flush():
                return Decision(HOST_MUTE)
            try:
                exchange = self._host.open(request)
            except NotReached:
                return Decision(HOST_UNREACHABLE)
            with_answer = self._ask(transaction, request, exchange)
        with exchange:
            return with_answer or self._without_answer(transaction, exchange)

    def _ask(self, transaction: Transaction, request: Message, exchange: Exchange) -> Decision | None:
        public, secret = kept_elements(request)
        self._store.sending(transaction, public, self._vault.seal(transaction.trace, secret))
        try:
            exchange.send(self._response_timeout_s)
            return self._decide(transaction, exchange.answer(self._response_timeout_s))
        except NoAnswer as failure:
            self._log("terminal_no_answer", trace=transaction.trace, why=str(failure))
            return None

    def _decide(self, transaction: Transaction, answer: Message) -> Decision:
        rc = answer.text(39)
        self._store.answered(transaction, rc, answer.text(38), answer.text(37))
        if approves(rc):
            return Decision(APPROVED)
        return Decision(result_of(rc), OTHER_REASON if leaves_money_at_host(rc) else None)

    def _without_answer(self, transaction: Transaction, exchange: Exchange) -> Decision:
        """No valid answer came in time. What comes now is discarded with its connection."""
        if not self._believes_late_answers:
            return Decision(HOST_MUTE, NO_RESPONSE)
        self._reversals.fail(transaction, HOST_MUTE, NO_RESPONSE)
        try:
            return self._decide(transaction, exchange.answer(_TOO_LATE_S))
        except NoAnswer:
            return Decision(HOST_MUTE)
