"""The cash register's commands, one method each: check, answer, work off."""

from __future__ import annotations

import threading
from collections.abc import Callable

from rig.virtual.terminal.bearers import Log
from rig.virtual.terminal.ecr import Session
from rig.virtual.terminal.endofday import BackOffice
from rig.virtual.terminal.results import (
    ALREADY_REVERSED,
    END_OF_DAY_OPEN,
    MALFORMED,
    NOT_POSSIBLE,
    NOT_REGISTERED,
    REVERSAL_IMPOSSIBLE,
    SYSTEM_ERROR,
    WRONG_CURRENCY,
)
from rig.virtual.terminal.reversals import Reversals
from rig.virtual.terminal.sale import Sales
from rig.virtual.terminal.settings import Settings
from rig.virtual.terminal.store import Store
from rig.virtual.terminal.transaction import Operation, State, Transaction
from rig.wire.errors import WireError
from rig.wire.zvt import (
    POSITIVE,
    Apdu,
    Bmp,
    Command,
    FieldValue,
    decode_fields,
    encode_fields,
    negative,
    split_password,
)

_READY = 0x00
_WITHOUT_PRINTING = 0x03
"""Service byte of 06 20: the status information alone."""


class Operations:
    """What the terminal can do for a cash register."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        sales: Sales,
        office: BackOffice,
        reversals: Reversals,
        cancelled: threading.Event,
        log: Log,
    ) -> None:
        self._settings = settings
        self._store = store
        self._sales = sales
        self._office = office
        self._reversals = reversals
        self._cancelled = cancelled
        self._log = log
        self._open: dict[int, Callable[[Session, Apdu], None]] = {
            Command.REGISTRATION: self._registration,
            Command.LOG_OFF: self._log_off,
            Command.STATUS_ENQUIRY: self._status_enquiry,
        }
        self._registered: dict[int, Callable[[Session, Apdu], None]] = {
            Command.AUTHORISATION: self._payment,
            Command.REVERSAL: self._reversal,
            Command.REPEAT_RECEIPT: self._repeat_receipt,
            Command.END_OF_DAY: self._end_of_day,
            Command.DIAGNOSIS: self._diagnosis,
        }

    def handle(self, session: Session, apdu: Apdu) -> None:
        """Work a command off. One that makes no sense is refused; an error of the terminal ends as a reboot would."""
        try:
            self._dispatch(session, apdu)
        except Exception as error:  # noqa: BLE001 - whatever it is, the terminal must be idle and its money safe again
            if isinstance(error, WireError) and not session.replied:
                self._log("terminal_command_refused", name=apdu.name, why=str(error))
                session.reply(negative(MALFORMED))
                return
            self._log("terminal_system_error", name=apdu.name, why=repr(error))
            self._reversals.recover()
            session.end(Apdu(Command.ABORT, bytes([SYSTEM_ERROR])))

    def _dispatch(self, session: Session, apdu: Apdu) -> None:
        if handler := self._open.get(apdu.command):
            handler(session, apdu)
        elif (handler := self._registered.get(apdu.command)) is None:
            session.reply(negative(NOT_POSSIBLE))
        elif self._store.registration is None:
            session.reply(negative(NOT_REGISTERED))
        else:
            handler(session, apdu)

    def _registration(self, session: Session, apdu: Apdu) -> None:
        """06 00: password, configuration byte, currency and more, of which only the first two matter here."""
        _, rest = split_password(apdu.data)
        if not rest:
            raise WireError("a registration without a configuration byte")
        self._store.register(rest[0])
        session.reply(POSITIVE)
        known = {
            Bmp.PAYMENT_TYPE: _READY,
            Bmp.TERMINAL_ID: int(self._settings.terminal_id),
            Bmp.CURRENCY: int(self._settings.currency),
        }
        session.end(Apdu(Command.COMPLETION, encode_fields({int(bmp): value for bmp, value in known.items()})))

    def _log_off(self, session: Session, _: Apdu) -> None:
        session.reply(POSITIVE)

    def _status_enquiry(self, session: Session, _: Apdu) -> None:
        session.reply(POSITIVE)
        session.end(Apdu(Command.COMPLETION, bytes([_READY])))

    def _payment(self, session: Session, apdu: Apdu) -> None:
        fields = decode_fields(apdu.data)
        amount = _number(fields, Bmp.AMOUNT)
        if fields.get(Bmp.CURRENCY, int(self._settings.currency)) != int(self._settings.currency):
            session.reply(negative(WRONG_CURRENCY))
            return
        if amount == 0:
            session.reply(negative(NOT_POSSIBLE))
            return
        if not self._office.finish_settlement():
            session.reply(negative(END_OF_DAY_OPEN))
            return
        self._sales.sale(session, amount, self._cancelled)

    def _reversal(self, session: Session, apdu: Apdu) -> None:
        """06 30: undo the sale with this receipt number."""
        _, rest = split_password(apdu.data)
        original = self._store.by_receipt(_number(decode_fields(rest), Bmp.RECEIPT))
        session.reply(POSITIVE)
        if not self._office.finish_settlement():
            session.end(Apdu(Command.ABORT, bytes([END_OF_DAY_OPEN])))
        elif original is None or not self._can_be_voided(original):
            session.end(Apdu(Command.ABORT, bytes([REVERSAL_IMPOSSIBLE])))
        elif original.voided:
            session.end(Apdu(Command.ABORT, bytes([ALREADY_REVERSED])))
        else:
            self._sales.void(session, original)

    def _can_be_voided(self, original: Transaction) -> bool:
        sold = original.operation is Operation.SALE and original.state is State.COMMITTED
        return sold and original.batch == self._store.batch

    def _repeat_receipt(self, session: Session, apdu: Apdu) -> None:
        """06 20: the result of the last transaction, whatever it was; with its receipt, unless asked not to print."""
        _, rest = split_password(apdu.data)
        printing = decode_fields(rest).get(Bmp.SERVICE_BYTE) != _WITHOUT_PRINTING
        session.reply(POSITIVE)
        last = self._store.last_final()
        if last is None:
            session.end(Apdu(Command.ABORT, bytes([NOT_POSSIBLE])))
        else:
            self._sales.show(session, last, printing)
            session.end(Apdu(Command.COMPLETION))

    def _end_of_day(self, session: Session, apdu: Apdu) -> None:
        split_password(apdu.data)
        session.reply(POSITIVE)
        self._office.end_of_day(session)

    def _diagnosis(self, session: Session, _: Apdu) -> None:
        session.reply(POSITIVE)
        self._office.diagnosis(session)


def _number(fields: dict[int, FieldValue], bmp: Bmp) -> int:
    value = fields.get(bmp)
    if not isinstance(value, int):
        raise WireError(f"field {bmp:02X} is missing")
    return value
