"""Host frames of the NXP PN532: what goes over its serial line, and the numbers of its commands.

Source: NXP UM0701-02 "PN532 User Manual", 6.2.1 (frames) and 7 (commands). A frame holds a direction byte (D4 from
the host, D5 from the chip), a command and its data. Up to 255 of these bytes make a normal frame, more an extended
one; ACK, NACK and the error frame stand apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TypeVar

from rig.wire.errors import WireError

ACK = bytes.fromhex("0000FF00FF00")
NACK = bytes.fromhex("0000FFFF0000")
TO_CHIP, FROM_CHIP = 0xD4, 0xD5
ERROR = 0x7F  # the one byte of the chip's "syntax error" frame
MAX_DATA = 265  # direction byte, command and 263 bytes: the longest frame that the chip takes


class Command(IntEnum):
    """The commands that a reader or an emulated card needs; an answer carries the number plus one."""

    DIAGNOSE = 0x00
    GET_FIRMWARE_VERSION = 0x02
    GET_GENERAL_STATUS = 0x04
    READ_REGISTER = 0x06
    WRITE_REGISTER = 0x08
    SET_SERIAL_BAUD_RATE = 0x10
    SET_PARAMETERS = 0x12
    SAM_CONFIGURATION = 0x14
    POWER_DOWN = 0x16
    RF_CONFIGURATION = 0x32
    IN_DATA_EXCHANGE = 0x40
    IN_COMMUNICATE_THRU = 0x42
    IN_DESELECT = 0x44
    IN_LIST_PASSIVE_TARGET = 0x4A
    IN_RELEASE = 0x52
    IN_SELECT = 0x54
    TG_GET_DATA = 0x86
    TG_GET_INITIATOR_COMMAND = 0x88
    TG_GET_TARGET_STATUS = 0x8A
    TG_INIT_AS_TARGET = 0x8C
    TG_SET_DATA = 0x8E
    TG_RESPONSE_TO_INITIATOR = 0x90

    @property
    def title(self) -> str:
        """The name as the manual writes it, e.g. ``TgInitAsTarget``."""
        return "".join(part.capitalize() for part in self.name.split("_"))


class Status(IntEnum):
    """The first byte of many answers: 00 or why the radio part failed (UM0701-02, 7.1)."""

    OK = 0x00
    TIMEOUT = 0x01
    CRC = 0x02
    COLLISION = 0x06
    INVALID_STATE = 0x25
    WRONG_CONTEXT = 0x27
    RELEASED = 0x29


@dataclass(frozen=True)
class Frame:
    """An information frame: direction byte, command, data."""

    data: bytes

    def encode(self) -> bytes:
        """The bytes on the line. Raises WireError when the frame is empty or longer than the chip takes."""
        if not 1 <= len(self.data) <= MAX_DATA:
            raise WireError(f"a PN532 frame holds 1 to {MAX_DATA} bytes, not {len(self.data)}")
        return b"\x00\x00\xff" + self._length() + self.data + bytes([-sum(self.data) & 0xFF, 0])

    def _length(self) -> bytes:
        if len(self.data) <= 0xFF:
            return bytes([len(self.data), -len(self.data) & 0xFF])
        length = len(self.data).to_bytes(2, "big")
        return b"\xff\xff" + length + bytes([-sum(length) & 0xFF])


@dataclass(frozen=True)
class Ack:
    """The frame was understood; from the host: stop what you are doing."""


@dataclass(frozen=True)
class Nack:
    """Please send that again."""


@dataclass(frozen=True)
class BadFrame:
    """Bytes that began like a frame and broke a rule; the reader has gone on behind them."""

    why: str


def command(number: Command, data: bytes = b"") -> bytes:
    """A command of the host, ready for the line."""
    return Frame(bytes([TO_CHIP, number]) + data).encode()


def response(number: Command, data: bytes = b"") -> bytes:
    """The chip's answer to a command, ready for the line."""
    return Frame(bytes([FROM_CHIP, number + 1]) + data).encode()


Simple = TypeVar("Simple", Ack, Nack, BadFrame)


class FrameReader:
    """Cuts a stream of bytes into frames. Preambles, wake-up bytes and noise between frames are skipped."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> list[Frame | Ack | Nack | BadFrame]:
        """Take what came in, in any fragmentation, and return what is complete."""
        self._buffer += data
        found: list[Frame | Ack | Nack | BadFrame] = []
        while (item := self._next()) is not None:
            found.append(item)
        return found

    @property
    def inside_a_frame(self) -> bool:
        """Whether more bytes are due before the next item is complete."""
        return len(self._buffer) > 1

    def reset(self) -> None:
        """Forget what has begun; for a line on which the sender fell silent in the middle."""
        self._buffer = b""

    def _next(self) -> Frame | Ack | Nack | BadFrame | None:
        start = self._buffer.find(b"\x00\xff")
        if start < 0:
            self._buffer = self._buffer[-1:] if self._buffer.endswith(b"\0") else b""
            return None
        self._buffer = self._buffer[start:]
        body = self._buffer[2:]
        if len(body) < 2:
            return None
        if body[:2] == b"\x00\xff":
            return self._take(4, Ack())
        if body[:2] == b"\xff\x00":
            return self._take(4, Nack())
        if body[:2] == b"\xff\xff":
            return self._extended(body)
        if sum(body[:2]) & 0xFF or not body[0]:
            return self._take(2, BadFrame("the length checksum is wrong"))
        return self._information(head=2, length=body[0])

    def _extended(self, body: bytes) -> Frame | BadFrame | None:
        if len(body) < 5:
            return None
        length = int.from_bytes(body[2:4], "big")
        if sum(body[2:5]) & 0xFF:
            return self._take(2, BadFrame("the extended length checksum is wrong"))
        if not 1 <= length <= MAX_DATA:
            return self._take(2, BadFrame(f"{length} bytes are no frame"))
        return self._information(head=5, length=length)

    def _information(self, head: int, length: int) -> Frame | BadFrame | None:
        end = 2 + head + length
        if len(self._buffer) <= end:
            return None
        data, checksum = self._buffer[2 + head : end], self._buffer[end]
        if (sum(data) + checksum) & 0xFF:
            return self._take(2, BadFrame("the data checksum is wrong"))
        self._buffer = self._buffer[end + 1 :]
        return Frame(data)

    def _take(self, count: int, item: Simple) -> Simple:
        self._buffer = self._buffer[count:]
        return item
