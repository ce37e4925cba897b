"""A ZVT terminal's connection: opened, registered, and known by what the terminal stored last."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from rig.errors import BenchBusy, DeviceMute, DeviceNonsense
from rig.terminals.base import LastReceipt
from rig.terminals.link import Link, Timeouts, discard_stale
from rig.terminals.zvt_belief import Stored, last_receipt, stored_from
from rig.terminals.zvt_dialogue import Conversation, Dialogue, End
from rig.units import CURRENCY_NUMERIC
from rig.wire.errors import WireError
from rig.wire.zvt import (
    Apdu,
    Bmp,
    Command,
    FieldValue,
    RegistrationConfig,
    decode_fields,
    encode_fields,
    encode_with_password,
    result_text,
)

CONFIG = (
    RegistrationConfig.ECR_PRINTS_PAYMENTS
    | RegistrationConfig.ECR_PRINTS_ADMINISTRATION
    | RegistrationConfig.INTERMEDIATE_STATUS
    | RegistrationConfig.PRINT_LINES
)
"""What the registration asks for: every message that shows what the terminal does comes to the ECR."""

PLEASE_WAIT = (0x9C, 0xA0)
"""Codes of a terminal that is busy: please wait, receiver not ready."""

_STATUS_WITHOUT_PRINTING = 0x03  # service byte of 06 20: send the status information, print nothing
_PAUSE_S = 0.1


class Session:
    """Keeps a terminal registered.

    Attributes:
        stored: what the terminal stored last; None where nobody knows, as after an unknown outcome.
        terminal_id: 8 digits, as the terminal told them at registration.
    """

    def __init__(
        self, name: str, link: Link, conversation: Conversation, timeouts: Timeouts, password: str, currency: str
    ) -> None:
        self.stored: Stored | None = None
        self.terminal_id: str | None = None
        self._name = name
        self._link = link
        self._conversation = conversation
        self._timeouts = timeouts
        self._password = password
        self._currency = currency

    def command(self, command: Command, fields: Mapping[int, FieldValue] | None = None) -> Apdu:
        """A command that begins with the password."""
        return Apdu(command, encode_with_password(self._password, encode_fields(fields or {})))

    def connect(self, within_s: float) -> None:
        """Open the line anew, register, and ask what is stored. Raises BenchTrouble."""
        self._link.close()
        self._link.open()
        self._register(within_s)
        self.stored = self._ask_stored(within_s)

    def ready(self) -> None:
        """Connect where the line has ended, or nobody knows what is stored. Raises BenchTrouble."""
        discard_stale(self._link)
        if not self._link.is_open or self.stored is None:
            self.connect(self._timeouts.registration_s)

    def note(self, dialogue: Dialogue, *, unknown: bool) -> None:
        """Remember what an operation left at the terminal."""
        if unknown:
            self.stored = None
        elif dialogue.status is not None:
            before = self.stored.last if self.stored else LastReceipt()
            self.stored = Stored(before.advanced_to(last_receipt(dialogue.status)))

    def attempts(self, deadline_s: float) -> Iterator[float]:
        """Yields a time-out for each attempt to connect, until the deadline; at least once."""
        end = time.monotonic() + deadline_s
        while True:
            left_s = end - time.monotonic()
            yield max(_PAUSE_S, min(left_s, self._timeouts.registration_s))
            if time.monotonic() + _PAUSE_S >= end:
                return
            time.sleep(_PAUSE_S)  # a terminal that starts up announces nothing: it can only be polled

    def _register(self, within_s: float) -> None:
        data = encode_with_password(self._password, bytes([CONFIG]) + _currency_code(self._currency))
        dialogue = self._conversation.run(Apdu(Command.REGISTRATION, data), within_s)
        if dialogue.end in (End.NOT_SENT, End.LOST):
            raise DeviceMute(
                self._name, f"no registration: {dialogue.trouble}", "its power, its cable, its ECR setting"
            )
        if dialogue.end is not End.COMPLETED:
            raise self._refusal(dialogue.code)
        self.terminal_id = _terminal_id(dialogue.completion) or self.terminal_id

    def _refusal(self, code: int | None) -> BenchBusy | DeviceNonsense:
        reason = "no code" if code is None else f"{code:02X} {result_text(code)}"
        if code in PLEASE_WAIT:
            return BenchBusy(self._name, f"registration refused: {reason}", "wait until it is idle")
        return DeviceNonsense(self._name, f"registration refused: {reason}", "its password, its currency, its state")

    def _ask_stored(self, within_s: float) -> Stored | None:
        repeat = self.command(Command.REPEAT_RECEIPT, {Bmp.SERVICE_BYTE: _STATUS_WITHOUT_PRINTING})
        dialogue = self._conversation.run(repeat, within_s)
        if dialogue.end in (End.NOT_SENT, End.LOST):
            raise DeviceMute(self._name, f"no word of the last receipt: {dialogue.trouble}", "its power, its cable")
        return stored_from(dialogue)


def _currency_code(currency: str) -> bytes:
    return bytes.fromhex(f"0{CURRENCY_NUMERIC[currency]}")


def _terminal_id(completion: bytes) -> str | None:
    try:
        number = decode_fields(completion).get(Bmp.TERMINAL_ID)
    except WireError:  # the registration stands whatever else its completion says
        return None
    return f"{number:08d}" if isinstance(number, int) else None
