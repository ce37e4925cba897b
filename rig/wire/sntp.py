"""SNTP (RFC 4330): the 48 bytes by which a client asks a server for the time, and by which it is answered."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from rig.wire.errors import WireError

PORT = 123
_PACKET = struct.Struct("!BBbbII4s4Q")
_TO_UNIX = 2_208_988_800
"""Seconds from 1900-01-01, where era 0 of NTP begins, to 1970-01-01."""
_ERA = 1 << 32
_CLIENT, _SERVER = 3, 4


@dataclass(frozen=True, slots=True)
class TimeAnswer:
    """What a server answered. Times are seconds since 1970.

    Attributes:
        originate: what the client had put into its question, as 64 raw bits.
        transmit: the server's time when the answer left.
        stratum: 1 to 15; 0 is a server that refuses.
    """

    originate: int
    transmit: float
    stratum: int = 1


def timestamp(seconds: float) -> int:
    """Seconds since 1970 as 64 bits of NTP: 32 of seconds, which begin anew in 2036, and 32 of their fraction."""
    units = round(seconds * _ERA)
    return (units + _TO_UNIX * _ERA) & 0xFFFF_FFFF_FFFF_FFFF


def seconds_of(stamp: int) -> float:
    """A timestamp as seconds since 1970; a first bit of 0 belongs to the era from 2036 (RFC 4330, 3)."""
    era = 0 if stamp >> 63 else _ERA
    return (stamp >> 32) + era - _TO_UNIX + (stamp & 0xFFFF_FFFF) / _ERA


def encode_time_question(transmit: int) -> bytes:
    """A client's question, version 4. ``transmit`` is repeated by the answer, and may be anything but 0."""
    return _PACKET.pack(4 << 3 | _CLIENT, 0, 0, 0, 0, 0, b"", 0, 0, 0, transmit)


def decode_time_question(data: bytes) -> tuple[int, int]:
    """A client's version and the transmit timestamp of its question.

    Raises:
        WireError: it is no client's question.
    """
    fields = _fields(data)
    if fields[0] & 7 != _CLIENT:
        raise WireError("no SNTP client's question")
    return fields[0] >> 3 & 7, fields[10]


def encode_time_answer(answer: TimeAnswer, received: float, version: int = 4) -> bytes:
    """A server's answer, which is synchronised to a clock of its own (``LOCL``).

    Args:
        answer: what it says.
        received: when the question came, seconds since 1970, by the same clock as ``answer.transmit``.
        version: that of the question.
    """
    now = timestamp(answer.transmit)
    return _PACKET.pack(
        version << 3 | _SERVER, answer.stratum, 6, -20, 0, 0, b"LOCL", now, answer.originate, timestamp(received), now
    )


def decode_time_answer(data: bytes) -> TimeAnswer:
    """Read a server's answer.

    Raises:
        WireError: it is none, or the server says that it does not know the time.
    """
    fields = _fields(data)
    unsynchronised = fields[0] >> 6 == 3 or not 1 <= fields[1] <= 15
    if fields[0] & 7 != _SERVER or unsynchronised or not fields[10]:
        raise WireError("no SNTP server's answer that could be used")
    return TimeAnswer(fields[8], seconds_of(fields[10]), fields[1])


def _fields(data: bytes) -> tuple[int, ...]:
    if len(data) < _PACKET.size:
        raise WireError("an SNTP message that ends too early")
    fields: tuple[int, ...] = _PACKET.unpack_from(data)
    return fields
