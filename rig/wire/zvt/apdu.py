"""ZVT messages: class, instruction, length, data; and their reassembly from a TCP stream.

Source: PA00P015, chapter "APDU structure"; PA00P016, chapter "TCP/IP" (raw APDUs, no further framing).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from rig.wire.errors import WireError

_EXTENDED = 0xFF
_LONGEST = 0xFFFF


class Command(IntEnum):
    """Class and instruction of the messages that the rig speaks."""

    STATUS_INFO = 0x040F
    INTERMEDIATE_STATUS = 0x04FF
    STATUS_ENQUIRY = 0x0501
    REGISTRATION = 0x0600
    AUTHORISATION = 0x0601
    LOG_OFF = 0x0602
    COMPLETION = 0x060F
    ABORT = 0x061E
    """Terminal to ECR: not completed, with the reason as its first byte."""
    REPEAT_RECEIPT = 0x0620
    REVERSAL = 0x0630
    REFUND = 0x0631
    END_OF_DAY = 0x0650
    DIAGNOSIS = 0x0670
    ECR_ABORT = 0x06B0
    PRINT_LINE = 0x06D1
    PRINT_BLOCK = 0x06D3


_ACKNOWLEDGED, _REFUSED = 0x80, 0x84


@dataclass(frozen=True)
class Apdu:
    """One ZVT message.

    Args:
        command: class and instruction as one number: ``0x0601``; one of :class:`Command`, or any other.
        data: the data block, at most 65535 bytes.

    Raises:
        WireError: the command is no two bytes, or the data are too long.
    """

    command: int
    data: bytes = b""

    def __post_init__(self) -> None:
        if not 0 <= self.command <= 0xFFFF:
            raise WireError(f"{self.command:#x} is no ZVT command: class and instruction are one byte each")
        if len(self.data) > _LONGEST:
            raise WireError(f"{len(self.data)} bytes do not fit into a ZVT message, {_LONGEST} do")

    def encode(self) -> bytes:
        """The message as bytes: one length byte up to FE, else FF and two bytes, low byte first."""
        length = len(self.data)
        size = bytes([length]) if length < _EXTENDED else bytes([_EXTENDED]) + length.to_bytes(2, "little")
        return self.command.to_bytes(2, "big") + size + self.data

    @classmethod
    def decode(cls, data: bytes) -> Apdu:
        """Read exactly one message. Raises WireError for a part of one, or for more than one."""
        end = _end_of_first(data)
        if end is None or end != len(data):
            raise WireError(f"{len(data)} bytes are not one ZVT message: {data[:8].hex(' ')} …")
        return _take(data, end)

    @property
    def answers(self) -> bool:
        """Whether this answers a message (``80 xx`` or ``84 xx``) rather than being one of its own."""
        return self.command >> 8 in (_ACKNOWLEDGED, _REFUSED)

    @property
    def positive(self) -> bool:
        """Whether this is a positive answer; ``84 00`` is one as well as ``80 00``."""
        return self.command in (_ACKNOWLEDGED << 8, _REFUSED << 8)

    @property
    def name(self) -> str:
        """What a person calls this message."""
        if self.positive:
            return "acknowledged"
        if self.command >> 8 == _REFUSED:
            return f"refused {self.command & 0xFF:02X}"
        try:
            return Command(self.command).name.lower().replace("_", " ")
        except ValueError:
            return f"command {self.command >> 8:02X} {self.command & 0xFF:02X}"


POSITIVE = Apdu(_ACKNOWLEDGED << 8)
"""The positive answer ``80 00 00``."""


def negative(code: int) -> Apdu:
    """The answer ``84 code 00``. Code 9C means wait, 9D a partial issue of goods, 00 is positive after all."""
    if not 0 <= code <= 0xFF:
        raise WireError(f"{code:#x} is no code of a negative answer: it is one byte")
    return Apdu(_REFUSED << 8 | code)


class ApduReader:
    """Puts messages together from a TCP stream, however it was cut into pieces.

    Every stream of bytes is some sequence of ZVT messages, so nothing here raises: what makes no sense is found
    by who reads the command. At most one message, 65540 bytes, is held.
    """

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> list[Apdu]:
        """Add bytes; returns the messages that are complete now."""
        self._held += data
        complete = []
        while (end := _end_of_first(self._held)) is not None:
            complete.append(_take(self._held, end))
            del self._held[:end]
        return complete

    @property
    def pending(self) -> bytes:
        """The beginning of a message whose end has not come."""
        return bytes(self._held)


def _header(data: bytes | bytearray) -> int:
    return 5 if data[2] == _EXTENDED else 3


def _end_of_first(data: bytes | bytearray) -> int | None:
    """Where the first message ends, or None as long as it is incomplete."""
    if len(data) < 3 or len(data) < _header(data):
        return None
    length = int.from_bytes(data[3:5], "little") if data[2] == _EXTENDED else data[2]
    end = _header(data) + length
    return end if len(data) >= end else None


def _take(data: bytes | bytearray, end: int) -> Apdu:
    return Apdu(int.from_bytes(data[:2], "big"), bytes(data[_header(data) : end]))
