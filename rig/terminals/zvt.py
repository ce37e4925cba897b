"""The ZVT driver: an ECR that asks, believes only what it may, and never sends a payment twice.

In a bench file::

    terminal:
      protocol: zvt
      tcp: {host: 192.0.2.7, port: 20007}      # or serial: {port: /dev/ttyUSB0, baud: 9600}
      password: "000000"
      currency: EUR

Source: PA00P015 and PA00P016, public at https://www.terminalhersteller.de/downloads.aspx
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from rig.errors import BenchTrouble, CallerMistake, DeviceMute
from rig.terminals.base import LastReceipt, Moment, Observe, OperationResult, Outcome, Resolution, SaleResult
from rig.terminals.link import Link, SerialLink, TcpLink, Timeouts
from rig.terminals.transport import SerialTransport, TcpTransport
from rig.terminals.zvt_belief import QUERY, Belief, administration_belief, payment_belief, resolve_belief
from rig.terminals.zvt_dialogue import Conversation, Dialogue, End
from rig.terminals.zvt_report import report
from rig.terminals.zvt_session import PLEASE_WAIT, Session
from rig.units import Money
from rig.wire.zvt import Apdu, Bmp, Command, encode_fields

_MOST = 10**12 - 1
_Result = TypeVar("_Result", bound=OperationResult)


class ZvtTerminal:
    """A terminal that speaks ZVT. Several threads may call it; one operation runs at a time."""

    def __init__(
        self, name: str, link: Link, moment: Moment, timeouts: Timeouts | None = None,
        *, password: str = "000000", currency: str = "EUR",
    ) -> None:  # fmt: skip
        self.name = name
        self._link = link
        self._timeouts = timeouts or Timeouts()
        self._conversation = Conversation(link, self._timeouts, moment)
        self._session = Session(name, link, self._conversation, self._timeouts, password, currency)
        self._lock = threading.RLock()

    @classmethod
    def from_settings(cls, name: str, settings: Mapping[str, Any], observe: Observe, moment: Moment) -> ZvtTerminal:
        """Make a driver from the ``terminal`` part of a bench file. Raises CallerMistake when it names no line."""
        timeouts = Timeouts(
            t3_s=settings.get("t3_s", Timeouts.t3_s), t4_s=settings.get("t4_s", Timeouts.t4_s)
        )  # fmt: skip
        link = _link(name, settings, observe, timeouts)
        password, currency = settings.get("password", "000000"), settings.get("currency", "EUR")
        return cls(name, link, moment, timeouts, password=password, currency=currency)

    @property
    def last_receipt(self) -> LastReceipt | None:
        """What the terminal stored last; None after an unknown outcome, until it was asked."""
        return self._session.stored.last if self._session.stored else None

    @property
    def terminal_id(self) -> str | None:
        """The 8 digits that the terminal told at registration."""
        return self._session.terminal_id

    def connect(self) -> None:
        """Open the line anew, register (06 00), and ask what is stored (06 20).

        Raises:
            DeviceGone: nobody at the other end.
            DeviceMute: no answer, or the line ended meanwhile.
            BenchBusy: the terminal asks to wait.
            DeviceNonsense: the terminal refuses the registration.
        """
        with self._lock:
            self._session.connect(self._timeouts.registration_s)

    def wait_until_up(self, deadline_s: float) -> None:
        """Connect as soon as the terminal is there; raises what the last attempt raised when time is up.

        The last attempt may take a connection's and an answer's time (``Timeouts``) longer.
        """
        last: BenchTrouble | None = None
        with self._lock:
            for timeout_s in self._session.attempts(deadline_s):
                try:
                    return self._session.connect(timeout_s)
                except BenchTrouble as error:
                    last = error
        raise last or DeviceMute(self.name, f"not up within {deadline_s:g} s", "its power, its cable")

    def sale(self, amount: Money) -> SaleResult:
        """Ask for a payment (06 01). After an unknown outcome call :meth:`resolve`, which never sends it again.

        Raises CallerMistake for an amount that is not positive or has more than 12 digits.
        """
        if not 0 < amount.minor <= _MOST:
            raise CallerMistake(self.name, f"{amount} is no amount for a sale", "1 to 999999999999 minor units")
        data = encode_fields({Bmp.AMOUNT: amount.minor, Bmp.CURRENCY: int(amount.numeric)})
        return self._operation(SaleResult, Apdu(Command.AUTHORISATION, data), payment_belief, amount)

    def void(self, receipt: int, amount: Money) -> OperationResult:
        """Take a payment back (06 30) by its receipt number. ``amount`` is the payment's own, for the record."""
        if not 0 < receipt <= 9999:
            raise CallerMistake(self.name, f"{receipt} is no receipt number", "1 to 9999, as the sale's result told")
        command = self._session.command(Command.REVERSAL, {Bmp.RECEIPT: receipt})
        return self._operation(OperationResult, command, payment_belief, amount)

    def end_of_day(self) -> OperationResult:
        """Settle the day with the host (06 50)."""
        command = self._session.command(Command.END_OF_DAY)
        return self._operation(OperationResult, command, administration_belief, None)

    def resolve(self, before: LastReceipt | None, amount: Money) -> Resolution:
        """Ask on a new connection what became of an unknown sale, for as long as ``Timeouts.resolve_s`` allows."""
        if before is None:
            return Resolution(Outcome.UNKNOWN, QUERY, "nobody knows what the terminal had stored before")
        why = "no time to ask"
        with self._lock:
            for timeout_s in self._session.attempts(self._timeouts.resolve_s):
                try:
                    self._session.connect(timeout_s)
                except BenchTrouble as error:
                    why = f"the terminal cannot be asked: {error}"
                    continue
                if self._session.stored is not None:
                    return resolve_belief(self._session.stored, before, amount)
                why = "the terminal does not say what it stored"
        return Resolution(Outcome.UNKNOWN, QUERY, why)

    def flush(self, timeout_s: float) -> bool:
        """Make the terminal talk to its host by a diagnosis (06 70): waiting reversals go first.

        True when the terminal completes it (06 0F); False when it aborts it (06 1E), or cannot be asked.
        """
        with self._lock:
            return self._administer(Apdu(Command.DIAGNOSIS), timeout_s).end is End.COMPLETED

    def idle(self, timeout_s: float) -> bool:
        """Whether the terminal completes a status enquiry (05 01) within this time, and not by asking to wait."""
        with self._lock:
            for left_s in self._session.attempts(timeout_s):
                dialogue = self._administer(self._session.command(Command.STATUS_ENQUIRY), left_s)
                if dialogue.end is End.COMPLETED and not dialogue.completion.startswith(_WAITING):
                    return True
        return False

    def abort(self) -> None:
        """Abort the running operation (06 B0) behind the terminal's next message; for use in a moment."""
        self._conversation.ask_for_abort()

    def log_off(self) -> None:
        """Log off (06 02) and close the line. Raises BenchTrouble when the terminal does not agree."""
        with self._lock:
            self._session.ready()
            dialogue = self._conversation.ask(Apdu(Command.LOG_OFF))
            self._link.close()
            if dialogue.end not in (End.ACCEPTED, End.COMPLETED):
                raise DeviceMute(self.name, f"log off: {dialogue.end.value}", "wait until it is idle")

    def hang_up(self) -> None:
        """Give up the operation under way, whose outcome becomes unknown: the terminal is known to be without power."""
        self._link.hang_up()

    def close(self) -> None:
        """Close the line."""
        self._link.close()

    def _operation(
        self, kind: type[_Result], command: Apdu, believe: Callable[[Dialogue], Belief], amount: Money | None
    ) -> _Result:
        with self._lock:
            try:
                self._session.ready()
            except BenchTrouble as error:
                dialogue = Dialogue(End.NOT_SENT, trouble=str(error))
            else:
                dialogue = self._run(command)
            before = self.last_receipt
            belief = believe(dialogue)
            self._session.note(dialogue, unknown=belief[0] is Outcome.UNKNOWN)
            return report(kind, belief, dialogue, amount, before)

    def _run(self, command: Apdu) -> Dialogue:
        try:
            return self._conversation.operate(command)
        except BaseException:
            self._session.stored = None  # a moment broke it off: the terminal may have stored something
            raise

    def _administer(self, command: Apdu, timeout_s: float) -> Dialogue:
        try:
            self._session.ready()
        except BenchTrouble as error:
            return Dialogue(End.NOT_SENT, trouble=str(error))
        return self._conversation.run(command, timeout_s)


_WAITING = tuple(bytes([code]) for code in PLEASE_WAIT)


def _link(name: str, settings: Mapping[str, Any], observe: Observe, timeouts: Timeouts) -> Link:
    if tcp := settings.get("tcp"):
        return TcpLink(TcpTransport(tcp["host"], tcp.get("port", 20007), timeouts.connect_s), observe)
    if line := settings.get("serial"):
        return SerialLink(SerialTransport(line["port"], line.get("baud", 9600)), observe, timeouts)
    raise CallerMistake(name, "no line to the terminal", "give tcp or serial in the bench file")
