"""ZVT on a serial line: frames with byte stuffing and a check sum, single-byte acknowledgements.

A frame is ``10 02 APDU 10 03 CRC-low CRC-high``. A 10 inside the APDU is doubled on the line; the doubling counts in
neither the check sum nor the APDU's length. The check sum is CRC-16/KERMIT over the APDU and the closing 03.
Source: PA00P016, chapter "serial transport protocol"; the check value is that of the CRC catalogue at
https://reveng.sourceforge.io/crc-catalogue/16.htm#crc.cat.crc-16-kermit
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from rig.wire.errors import WireError

STX, ETX, ACK, DLE, NAK = 0x02, 0x03, 0x06, 0x10, 0x15

_LONGEST_APDU = 5 + 0xFFFF


@dataclass(frozen=True)
class Frame:
    """A frame with the right check sum; its APDU is unstuffed."""

    apdu: bytes


@dataclass(frozen=True)
class LinkAck:
    """The other side received a frame."""


@dataclass(frozen=True)
class LinkNak:
    """The other side received a frame badly and wants it again."""


@dataclass(frozen=True)
class BadFrame:
    """A frame that must be asked for again, and why."""

    why: str


Received = Frame | LinkAck | LinkNak | BadFrame


def crc16(data: bytes) -> int:
    """CRC-16/KERMIT: reflected polynomial 8408, initial value 0; 2189 for ``123456789``."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x8408 if crc & 1 else 0)
    return crc


def encode_frame(apdu: bytes) -> bytes:
    """Wrap an APDU for the line. Raises WireError for one longer than ZVT knows."""
    if len(apdu) > _LONGEST_APDU:
        raise WireError(f"{len(apdu)} bytes are no ZVT message")
    stuffed = apdu.replace(b"\x10", b"\x10\x10")
    return b"\x10\x02" + stuffed + b"\x10\x03" + crc16(apdu + b"\x03").to_bytes(2, "little")


class _At(Enum):
    OUTSIDE = auto()
    OUTSIDE_DLE = auto()
    INSIDE = auto()
    INSIDE_DLE = auto()
    CRC_LOW = auto()
    CRC_HIGH = auto()


class FrameReader:
    """Finds frames and acknowledgements in what a serial line delivers.

    Noise between frames is ignored: a NAK for it would make the other side repeat a frame that came well.
    """

    def __init__(self) -> None:
        self._at = _At.OUTSIDE
        self._apdu = bytearray()
        self._crc_low = 0

    @property
    def inside(self) -> bool:
        """Whether a frame has begun and not ended: the time between bytes (T1) runs."""
        return self._at is not _At.OUTSIDE

    def abandon(self) -> None:
        """Forget a frame whose end did not come in time."""
        self._at = _At.OUTSIDE

    def feed(self, data: bytes) -> list[Received]:
        """Add bytes; returns what is complete now, in its order."""
        return [event for byte in data if (event := self._byte(byte)) is not None]

    def _byte(self, byte: int) -> Received | None:
        match self._at:
            case _At.OUTSIDE:
                return self._outside(byte)
            case _At.OUTSIDE_DLE:
                return self._begin() if byte == STX else self._outside(byte)
            case _At.INSIDE:
                return self._inside(byte)
            case _At.INSIDE_DLE:
                return self._escaped(byte)
            case _At.CRC_LOW:
                self._crc_low, self._at = byte, _At.CRC_HIGH
                return None
            case _At.CRC_HIGH:
                return self._end(byte << 8 | self._crc_low)

    def _outside(self, byte: int) -> Received | None:
        self._at = _At.OUTSIDE_DLE if byte == DLE else _At.OUTSIDE
        if byte == ACK:
            return LinkAck()
        return LinkNak() if byte == NAK else None

    def _begin(self) -> Received | None:
        self._at = _At.INSIDE
        self._apdu.clear()
        return None

    def _inside(self, byte: int) -> Received | None:
        if byte == DLE:
            self._at = _At.INSIDE_DLE
            return None
        return self._add(byte)

    def _escaped(self, byte: int) -> Received | None:
        self._at = _At.INSIDE
        if byte == DLE:
            return self._add(byte)
        if byte == ETX:
            self._at = _At.CRC_LOW
            return None
        if byte == STX:  # the other side gave its frame up and began again
            return self._begin()
        self._at = _At.OUTSIDE
        return BadFrame(f"10 {byte:02X} inside a frame")

    def _add(self, byte: int) -> Received | None:
        if len(self._apdu) >= _LONGEST_APDU:
            self._at = _At.OUTSIDE
            return BadFrame("longer than any ZVT message")
        self._apdu.append(byte)
        return None

    def _end(self, received: int) -> Received:
        self._at = _At.OUTSIDE
        apdu = bytes(self._apdu)
        computed = crc16(apdu + bytes([ETX]))
        if received != computed:
            return BadFrame(f"check sum {received:04X} where {computed:04X} belongs")
        return Frame(apdu)
