"""Command APDUs and status words (ISO/IEC 7816-4, 5.1 and 5.6; EMV Book 3, 6.3)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from rig.wire.errors import WireError


class StatusWord(IntEnum):
    """How a card ends its answer."""

    OK = 0x9000
    WRONG_LENGTH = 0x6700
    CONDITIONS_NOT_SATISFIED = 0x6985
    WRONG_DATA = 0x6A80
    FILE_NOT_FOUND = 0x6A82
    RECORD_NOT_FOUND = 0x6A83
    WRONG_PARAMETERS = 0x6A86
    DATA_NOT_FOUND = 0x6A88
    WRONG_INSTRUCTION = 0x6D00
    WRONG_CLASS = 0x6E00

    def encode(self) -> bytes:
        """The two bytes SW1 SW2."""
        return self.to_bytes(2, "big")


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
