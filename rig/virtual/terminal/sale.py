"""A sale and a void, from the cash register's command to its end.

The fail-safe core (PA00P015 §2.2.8): an approval is final only after the cash register has acknowledged the status
information and every line that it is to print. Until then nothing but a reversal can follow; and after an approval
that the host does not know of, nothing at all.
"""

from __future__ import annotations

import threading
from datetime import datetime

from rig.virtual.terminal.acceptor import INSERT_CARD, Acceptor
from rig.virtual.terminal.authorise import Authoriser, Decision
from rig.virtual.terminal.bearers import Log
from rig.virtual.terminal.defects import Defect
from rig.virtual.terminal.ecr import Session
from rig.virtual.terminal.emv.card import CardData, CardRefused, Purchase
from rig.virtual.terminal.emv.card import Decision as CardDecision
from rig.virtual.terminal.messages import OTHER_REASON, MessageWriter
from rig.virtual.terminal.reader import Cancelled, NoCard
from rig.virtual.terminal.receipts import receipt, status_information
from rig.virtual.terminal.results import (
    ABORTED,
    APPROVED,
    CARD_REFUSED,
    CARD_UNREADABLE,
    HOST_MUTE,
    NOT_ACKNOWLEDGED,
    PROCESSING_ERROR,
)
from rig.virtual.terminal.reversals import Reversals
from rig.virtual.terminal.settings import Settings
from rig.virtual.terminal.store import Store
from rig.virtual.terminal.transaction import CardFace, Operation, Transaction
from rig.virtual.terminal.vault import Vault
from rig.wire.zvt import POSITIVE, Apdu, Command

_AUTO_REVERSAL, _WAITING_FOR_HOST = 0x05, 0x04


class Sales:
    """The transaction state machine."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        vault: Vault,
        acceptor: Acceptor,
        authoriser: Authoriser,
        reversals: Reversals,
        log: Log,
    ) -> None:
        self._settings = settings
        self._store = store
        self._vault = vault
        self._acceptor = acceptor
        self._authoriser = authoriser
        self._reversals = reversals
        self._log = log
        self._writer = MessageWriter(settings)

    def sale(self, session: Session, amount: int, cancelled: threading.Event) -> None:
        """Sell for ``amount`` minor units; ``cancelled`` ends the wait for the card.

        The sale has its number before the cash register hears of it: whatever happens after, asking for the last
        receipt tells what became of this sale.
        """
        transaction = self._store.begin(Operation.SALE, amount, datetime.now())
        session.reply(POSITIVE)
        self._log("terminal_sale", trace=transaction.trace, amount=amount)
        session.announce(INSERT_CARD)
        try:
            card = self._card(session, transaction, cancelled)
            if isinstance(card, Decision):
                self._refuse(session, transaction, card)
            else:
                self._pay(session, transaction, card)
        finally:
            self._acceptor.release()

    def _pay(self, session: Session, transaction: Transaction, card: CardData) -> None:
        self._store.show_card(transaction, _face(card))
        if Defect.DECLINES_EVERYTHING in self._settings.defects:
            self._refuse(session, transaction, Decision(PROCESSING_ERROR))
            return
        request = self._writer.sale(transaction, card)
        if card.decision is CardDecision.OFFLINE_APPROVED:
            decision = self._authoriser.approve_offline(transaction, request)
        else:
            session.announce(_WAITING_FOR_HOST)
            decision = self._authoriser.authorise(transaction, request, card.finish)
        self._finish(session, transaction, decision)

    def void(self, session: Session, original: Transaction) -> None:
        """Undo a committed sale of the open batch; the command is answered already."""
        transaction = self._store.begin(Operation.VOID, original.amount, datetime.now(), original.trace)
        self._log("terminal_void", trace=transaction.trace, original=original.trace)
        if original.face:
            self._store.show_card(transaction, original.face)
        session.announce(_WAITING_FOR_HOST)
        # The host gives the sale its reference (DE37) when it hears of it; without that, nothing can point at it.
        if original.advice is not None and not self._reversals.flush():
            self._refuse(session, transaction, Decision(HOST_MUTE))
            return
        secret = self._vault.open(original.trace, original.sealed)
        decision = self._authoriser.authorise(transaction, self._writer.void(transaction, original, secret))
        self._finish(session, transaction, decision)

    def show(self, session: Session, transaction: Transaction, printing: bool = True) -> bool:
        """Send the status information and the receipt; whether all of it was acknowledged."""
        messages = [status_information(transaction, self._settings)]
        if printing and self._settings.print_via_ecr:
            messages += receipt(transaction, self._settings)
        return all(session.tell(message) for message in messages)

    def _card(self, session: Session, transaction: Transaction, cancelled: threading.Event) -> CardData | Decision:
        purchase = Purchase(transaction.amount, self._settings.currency, transaction.when)
        try:
            return self._acceptor.read(purchase, self._settings.card_timeout_s, cancelled, session.prompt)
        except NoCard as failure:
            return Decision(CARD_UNREADABLE if failure.seen else ABORTED)
        except Cancelled:
            return Decision(ABORTED)
        except CardRefused as refusal:
            self._log("terminal_card_refused", why=str(refusal))
            return Decision(CARD_REFUSED)

    def _finish(self, session: Session, transaction: Transaction, decision: Decision) -> None:
        if decision.result != APPROVED:
            self._refuse(session, transaction, decision)
        elif self.show(session, transaction):
            self._store.committed(transaction)
            self._log("terminal_committed", trace=transaction.trace)
            if transaction.advice is not None:
                self._reversals.advise()
            session.end(Apdu(Command.COMPLETION))
        else:
            self._undo(session, transaction)
            session.end(Apdu(Command.ABORT, bytes([NOT_ACKNOWLEDGED])))

    def _undo(self, session: Session, transaction: Transaction) -> None:
        """An approval that the cash register did not take: reversed, unless the host never heard of it."""
        if transaction.advice is not None:
            self._reversals.fail(transaction, NOT_ACKNOWLEDGED)
            self._log("terminal_offline_undone", trace=transaction.trace)
            return
        session.announce(_AUTO_REVERSAL)
        self._reversals.fail(transaction, NOT_ACKNOWLEDGED, OTHER_REASON)
        self._log("terminal_auto_reversal", trace=transaction.trace)

    def _refuse(self, session: Session, transaction: Transaction, decision: Decision) -> None:
        """End without an approval. It is decided, and a reversal on its way, before anybody is told."""
        if not transaction.final:
            self._reversals.fail(transaction, decision.result, decision.reverse)
        self._log("terminal_refused", trace=transaction.trace, result=decision.result)
        self.show(session, transaction)
        session.end(Apdu(Command.ABORT, bytes([decision.result])))


def _face(card: CardData) -> CardFace:
    masked = card.pan[:6] + "E" * (len(card.pan) - 10) + card.pan[-4:]
    aid = card.chip.get(0x84, b"").hex().upper()
    return CardFace(masked, card.pan[-4:], card.sequence, card.label, card.type_code, card.entry_mode.value, aid)
