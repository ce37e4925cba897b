"""Command APDUs and status words (ISO/IEC 7816-4, 5.1 and 5.6; EMV Book 3, 6.3)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from rig.wire.errors import WireError

PPSE = b"2PAY.SYS.DDF01"
PSE = b"1PAY.SYS.DDF01"


class StatusWord(IntEnum):
    """How a card ends its answer."""

    OK = 0x9000
    SELECTED_BLOCKED = 0x6283
    NOT_AUTHENTICATED = 0x6300
    WRONG_PIN = 0x63C0
    WRONG_LENGTH = 0x6700
    WRONG_SECURE_MESSAGING = 0x6988
    METHOD_BLOCKED = 0x6983
    CONDITIONS_NOT_SATISFIED = 0x6985
    WRONG_DATA = 0x6A80
    NOT_SUPPORTED = 0x6A81
    FILE_NOT_FOUND = 0x6A82
    RECORD_NOT_FOUND = 0x6A83
    WRONG_PARAMETERS = 0x6A86
    DATA_NOT_FOUND = 0x6A88
    WRONG_INSTRUCTION = 0x6D00
    WRONG_CLASS = 0x6E00

    def encode(self) -> bytes:
        """The two bytes SW1 SW2."""
        return self.to_bytes(2, "big")


class CardError(Exception):
    """The card refuses with a status word; `detail` is added to it, the tries left of a PIN for example."""

    def __init__(self, status: StatusWord, detail: int = 0) -> None:
        super().__init__(status.name)
        self.answer = (status + detail).to_bytes(2, "big")


@dataclass(frozen=True)
class CommandApdu:
    """One command, of any of the four cases; short lengths alone, as EMV uses them."""

    cla: int
    ins: int
    p1: int
    p2: int
    data: bytes = b""

    @classmethod
    def decode(cls, raw: bytes) -> CommandApdu:
        """Raises WireError when the lengths do not fit together."""
        if len(raw) < 4:
            raise WireError(f"a command has at least 4 bytes, not {len(raw)}")
        body = raw[4:]
        if len(body) <= 1:  # nothing, or Le alone
            return cls(raw[0], raw[1], raw[2], raw[3])
        length, data = body[0], body[1:]
        if length == 0 or len(data) not in (length, length + 1):
            raise WireError(f"Lc says {length}, {len(data)} bytes follow")
        return cls(raw[0], raw[1], raw[2], raw[3], data[:length])

    @property
    def tag(self) -> int:
        """P1 and P2 as the tag that GET DATA and PUT DATA name."""
        return self.p1 << 8 | self.p2


SCRIPT_COMMANDS = {
    0x16: "CARD BLOCK",
    0x18: "APPLICATION UNBLOCK",
    0x1E: "APPLICATION BLOCK",
    0x24: "PIN CHANGE/UNBLOCK",
    0xDA: "PUT DATA",
}
"""The issuer's commands by their instruction, class 84 or 8C: with a MAC (EMV Book 3, 6.5)."""

_NAMES = {
    (0x80, 0xA8): "GPO",
    (0x00, 0xB2): "READ RECORD",
    (0x80, 0xCA): "GET DATA",
    (0x00, 0x84): "GET CHALLENGE",
    (0x80, 0xAE): "GENERATE AC",
    (0x00, 0x88): "INTERNAL AUTHENTICATE",
    (0x00, 0x82): "EXTERNAL AUTHENTICATE",
    (0x00, 0x20): "VERIFY",
}


def command_name(command: CommandApdu) -> str:
    """The command as histories and faults name it: ``SELECT AID``, ``GPO``; four hex digits for one without a name."""
    if (command.cla, command.ins) == (0x00, 0xA4):
        return {PPSE: "SELECT PPSE", PSE: "SELECT PSE"}.get(command.data, "SELECT AID")
    if command.cla in (0x84, 0x8C) and command.ins in SCRIPT_COMMANDS:
        return SCRIPT_COMMANDS[command.ins]
    return _NAMES.get((command.cla, command.ins), f"{command.cla:02X}{command.ins:02X}")
