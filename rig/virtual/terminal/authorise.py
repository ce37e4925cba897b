"""One online request and what the terminal concludes from its end. It is in the journal before a byte leaves.

A chip card that still waits in the slot has the last word (EMV Book 3, 10.9 to 10.11): what the host approved and the
card turns down is reversed. Where the host was not reached, not a byte having left, card and terminal may approve by
themselves; where the request may have left, they may not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from rig.virtual.terminal.bearers import Log
from rig.virtual.terminal.defects import Defect
from rig.virtual.terminal.emv.card import Completion, Finish, HostAnswer
from rig.virtual.terminal.host import Exchange, Host, NoAnswer, NotReached
from rig.virtual.terminal.messages import NO_RESPONSE, OTHER_REASON, WRONG_CODE, advice_elements, kept_elements
from rig.virtual.terminal.results import (
    APPROVED,
    CARD_REFUSED,
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
from rig.wire.tlv import Tlv, encode_all

OFFLINE_APPROVED, UNABLE_APPROVED, UNABLE_DECLINED = "Y1", "Y3", "Z3"
"""DE39 of what the host did not decide (EMV Book 4, annex A6, 8A): approved offline; unable to go online and approved,
or declined."""
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

    def authorise(self, transaction: Transaction, request: Message, finish: Finish | None = None) -> Decision:
        """Send the request and decide. What is pending goes first: without it no new request.

        Args:
            transaction: what is asked for.
            request: how it is asked.
            finish: takes the host's answer to the card, where it waits for that.
        """
        with self._reversals.turn:
            if not self._reversals.flush():
                return self._without_host(transaction, request, finish, HOST_MUTE)
            try:
                exchange = self._host.open(request)
            except NotReached:
                return self._without_host(transaction, request, finish, HOST_UNREACHABLE)
            answer = self._ask(transaction, request, exchange)
        with exchange:
            if isinstance(answer, Message):
                return self._decide(transaction, answer, finish)
            return self._without_answer(transaction, exchange, finish, answer)

    def approve_offline(self, transaction: Transaction, request: Message, rc: str = OFFLINE_APPROVED) -> Decision:
        """Card and terminal approve: write down what the host will be told, before anybody else is."""
        public, secret = advice_elements(request)
        self._store.offline(transaction, rc, public, self._vault.seal(transaction.trace, secret))
        self._log("terminal_offline_approval", trace=transaction.trace, rc=rc)
        return Decision(APPROVED)

    def _ask(self, transaction: Transaction, request: Message, exchange: Exchange) -> Message | NoAnswer:
        public, secret = kept_elements(request)
        self._store.sending(transaction, public, self._vault.seal(transaction.trace, secret))
        try:
            exchange.send(self._response_timeout_s)
            return exchange.answer(self._response_timeout_s)
        except NoAnswer as failure:
            self._log("terminal_no_answer", trace=transaction.trace, why=str(failure))
            return failure

    def _decide(self, transaction: Transaction, answer: Message, finish: Finish | None) -> Decision:
        rc = answer.text(39)
        self._store.answered(transaction, rc, answer.text(38), answer.text(37))
        completion = self._complete(transaction, finish, HostAnswer(rc, answer.text(38), answer.data(55)))
        if not approves(rc):
            return Decision(result_of(rc), OTHER_REASON if leaves_money_at_host(rc) else None)
        return Decision(APPROVED) if completion.approved else Decision(CARD_REFUSED, OTHER_REASON)

    def _complete(self, transaction: Transaction, finish: Finish | None, answer: HostAnswer | None) -> Completion:
        """The card's last word; one that has left, or never waited, has none."""
        if finish is None:
            return Completion(approved=answer is not None)
        completion = finish(answer)
        self._log("terminal_completion", trace=transaction.trace, approved=completion.approved, why=completion.why)
        return completion

    def _without_host(self, transaction: Transaction, request: Message, finish: Finish | None, result: int) -> Decision:
        """Nothing has left the terminal: card and terminal may decide by themselves."""
        completion = self._complete(transaction, finish, None)
        if not completion.approved:
            return Decision(result)
        chip = encode_all(Tlv(tag, value) for tag, value in completion.chip.items())
        return self.approve_offline(transaction, replace(request, fields={**request.fields, 55: chip}), UNABLE_APPROVED)

    def _without_answer(
        self, transaction: Transaction, exchange: Exchange, finish: Finish | None, failure: NoAnswer
    ) -> Decision:
        """No valid answer came in time. What comes now is discarded with its connection."""
        reason = WRONG_CODE if failure.code_was_wrong else NO_RESPONSE
        if not self._believes_late_answers:
            self._complete(transaction, finish, HostAnswer(UNABLE_DECLINED))
            return Decision(HOST_MUTE, reason)
        self._reversals.fail(transaction, HOST_MUTE, reason)
        try:
            return self._decide(transaction, exchange.answer(_TOO_LATE_S), finish)
        except NoAnswer:
            return Decision(HOST_MUTE)
