"""End of day and diagnosis: what the terminal settles and checks with its host."""

from __future__ import annotations

from rig.virtual.terminal.bearers import Log
from rig.virtual.terminal.ecr import Session
from rig.virtual.terminal.host import Host, NoAnswer, NotReached
from rig.virtual.terminal.messages import MessageWriter
from rig.virtual.terminal.receipts import batch_report
from rig.virtual.terminal.results import APPROVED, HOST_MUTE, HOST_UNREACHABLE, approves, result_of
from rig.virtual.terminal.reversals import Reversals
from rig.virtual.terminal.settings import Settings
from rig.virtual.terminal.store import Operation, Store
from rig.wire.iso8583 import Message, Totals
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
            batch, totals, trace = self._store.batch, self.totals(), self._store.number("settlement")
            result = self._ask(self._writer.settlement(trace, batch, totals))
            if result == APPROVED:
                self._store.close_batch()
        self._log("terminal_settlement", batch=batch, result=result, totals=totals.encode())
        if result == APPROVED:
            report = batch_report(batch, trace, totals, self._settings)
            all(session.tell(message) for message in (report if self._settings.print_via_ecr else report[:1]))
        _close(session, result)

    def diagnosis(self, session: Session) -> None:
        """Send what is pending, then see whether the host answers."""
        session.announce(_PLEASE_WAIT)
        with self._reversals.turn:
            result = self._ask(self._writer.echo(self._store.number("echo")))
        self._log("terminal_diagnosis", result=result)
        _close(session, result)

    def totals(self) -> Totals:
        """What the open batch comes to, gross: a voided sale counts among the sales and its void among the voids."""
        committed = self._store.committed_in_batch()
        sales = [t.amount for t in committed if t.operation is Operation.SALE]
        voids = [t.amount for t in committed if t.operation is Operation.VOID]
        return Totals(len(sales), sum(sales), len(voids), sum(voids))

    def _ask(self, request: Message) -> int:
        """The result code of a request that can be asked again at will."""
        if not self._reversals.flush():
            return HOST_MUTE
        try:
            rc = self._host.ask(request).text(39)
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
