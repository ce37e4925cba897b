"""End of day and diagnosis: what the terminal settles and checks with its host."""

from __future__ import annotations

from datetime import datetime

from rig.virtual.terminal.bearers import Log
from rig.virtual.terminal.ecr import Session
from rig.virtual.terminal.host import Host, NoAnswer, NotReached
from rig.virtual.terminal.messages import MessageWriter
from rig.virtual.terminal.receipts import batch_report
from rig.virtual.terminal.results import APPROVED, HOST_MUTE, HOST_UNREACHABLE, approves, result_of
from rig.virtual.terminal.reversals import Reversals
from rig.virtual.terminal.settings import Settings
from rig.virtual.terminal.store import Store
from rig.virtual.terminal.transaction import Operation, Settlement
from rig.wire.iso8583 import Totals
from rig.wire.zvt import Apdu, Command

_PLEASE_WAIT, _POST_BOOKINGS = 0x0E, 0x06


class BackOffice:
    """What is between the terminal and its host when nobody pays. Pending reversals always go first."""

    def __init__(self, settings: Settings, store: Store, host: Host, reversals: Reversals, log: Log) -> None:
        self._settings = settings
        self._store = store
        self._host = host
        self._reversals = reversals
        self._log = log
        self._writer = MessageWriter(settings)

    def end_of_day(self, session: Session) -> None:
        """Close the batch, if the host's totals are the terminal's."""
        session.announce(_POST_BOOKINGS)
        with self._reversals.turn:
            result, settlement = self._settle()
        if result == APPROVED and settlement is not None:
            report = batch_report(settlement, self._settings)
            all(session.tell(message) for message in (report if self._settings.print_via_ecr else report[:1]))
        _close(session, result)

    def finish_settlement(self) -> bool:
        """Repeat a settlement that waits for its answer; whether none waits now."""
        if self._store.settling is None:
            return True
        with self._reversals.turn:
            self._settle()
        return self._store.settling is None

    def diagnosis(self, session: Session) -> None:
        """Send what is pending, then see whether the host answers."""
        session.announce(_PLEASE_WAIT)
        with self._reversals.turn:
            result = self._echo() if self._reversals.flush() and self.finish_settlement() else HOST_MUTE
        self._log("terminal_diagnosis", result=result)
        _close(session, result)

    def totals(self) -> Totals:
        """What the open batch comes to, gross: a voided sale counts among the sales and its void among the voids."""
        committed = self._store.committed_in_batch()
        sales = [t.amount for t in committed if t.operation is Operation.SALE]
        voids = [t.amount for t in committed if t.operation is Operation.VOID]
        return Totals(len(sales), sum(sales), len(voids), sum(voids))

    def _settle(self) -> tuple[int, Settlement | None]:
        """Settle, or repeat the settlement that waits; returns the result code and what was asked for."""
        if not self._reversals.flush():
            return HOST_MUTE, None
        waiting = self._store.settling
        settlement = waiting or self._store.settle(self.totals().encode(), datetime.now())
        try:
            rc = self._host.ask(self._writer.settlement(settlement, repeat=waiting is not None)).text(39)
        except NotReached:
            if waiting is None:
                self._store.settled(agreed=False)
            return HOST_UNREACHABLE, settlement
        except NoAnswer:
            return HOST_MUTE, settlement
        self._store.settled(agreed=approves(rc))
        self._log("terminal_settlement", batch=settlement.batch, rc=rc, totals=settlement.totals)
        return (APPROVED if approves(rc) else result_of(rc)), settlement

    def _echo(self) -> int:
        try:
            rc = self._host.ask(self._writer.echo(self._store.number("echo"))).text(39)
        except NotReached:
            return HOST_UNREACHABLE
        except NoAnswer:
            return HOST_MUTE
        return APPROVED if approves(rc) else result_of(rc)


def _close(session: Session, result: int) -> None:
    if result == APPROVED:
        session.end(Apdu(Command.COMPLETION))
    else:
        session.end(Apdu(Command.ABORT, bytes([result])))
