"""SNMPv2c messages: get and set of single values, coded by the part of BER that they need.

Sources: RFC 3416 (the PDUs), RFC 1901 (the message with its community), RFC 2578 (the types), ITU-T X.690 (BER).
Values are ``int`` (INTEGER, Counter, Gauge, TimeTicks), ``bytes`` (OCTET STRING, IpAddress, Opaque), an :data:`Oid`,
``None`` (NULL), or a :class:`Missing`, which is how an agent says that it has no such object.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

from rig.wire.errors import WireError

Oid: TypeAlias = tuple[int, ...]

_VERSION_2C = 1
_INTEGER, _OCTETS, _NULL, _OID, _SEQUENCE = 0x02, 0x04, 0x05, 0x06, 0x30
_INTEGERS = (_INTEGER, 0x41, 0x42, 0x43, 0x46)  # and Counter32, Gauge32, TimeTicks, Counter64
_STRINGS = (_OCTETS, 0x40, 0x44)  # and IpAddress, Opaque
_MAX_OCTETS = 1 << 16


class Kind(enum.IntEnum):
    """What a message asks or answers: the tag of its PDU."""

    GET = 0xA0
    GET_NEXT = 0xA1
    RESPONSE = 0xA2
    SET = 0xA3


class Missing(enum.IntEnum):
    """The value of an object that is not there: its tag."""

    NO_SUCH_OBJECT = 0x80
    NO_SUCH_INSTANCE = 0x81
    END_OF_MIB_VIEW = 0x82


Value: TypeAlias = "int | bytes | Oid | Missing | None"

ERRORS = (
    "noError", "tooBig", "noSuchName", "badValue", "readOnly", "genErr", "noAccess", "wrongType", "wrongLength",
    "wrongEncoding", "wrongValue", "noCreation", "inconsistentValue", "resourceUnavailable", "commitFailed",
    "undoFailed", "authorizationError", "notWritable", "inconsistentName",
)  # fmt: skip
"""Error status → its name (RFC 3416, 3)."""


@dataclass(frozen=True)
class Packet:
    """One message.

    Attributes:
        kind: of its PDU.
        community: the password, in clear.
        number: the request's; its response bears the same.
        bindings: objects with their values; in a get they have none.
        error: error status of a response, see :data:`ERRORS`.
        index: which binding the error is about, from 1.
    """

    kind: Kind
    community: bytes
    number: int
    bindings: tuple[tuple[Oid, Value], ...]
    error: int = 0
    index: int = 0

    def encode(self) -> bytes:
        """As it goes over the wire.

        Raises:
            WireError: an object identifier that cannot be.
        """
        bindings = b"".join(_tlv(_SEQUENCE, _oid(oid) + _value(value)) for oid, value in self.bindings)
        head = b"".join(_integer(each) for each in (self.number, self.error, self.index))
        pdu = _tlv(self.kind, head + _tlv(_SEQUENCE, bindings))
        return _tlv(_SEQUENCE, _integer(_VERSION_2C) + _tlv(_OCTETS, self.community) + pdu)

    @classmethod
    def decode(cls, data: bytes) -> Packet:
        """Read a message.

        Raises:
            WireError: it is no SNMPv2c message with a PDU of :class:`Kind`.
        """
        message = _only(data, _SEQUENCE)
        version, community, (tag, pdu) = _fields(message, _INTEGER, _OCTETS, None)
        if _read_integer(version[1]) != _VERSION_2C:
            raise WireError(f"SNMP version field {version[1].hex()}, not 01 (v2c)")
        if tag not in Kind.__members__.values():
            raise WireError(f"no get, set or response: PDU {tag:#04x}")
        number, error, index, listed = _fields(pdu, _INTEGER, _INTEGER, _INTEGER, _SEQUENCE)
        bindings = []
        for kind, content in _elements(listed[1]):
            if kind != _SEQUENCE:
                raise WireError(f"a binding is a sequence, not {kind:#04x}")
            oid, value = _fields(content, _OID, None)
            bindings.append((_read_oid(oid[1]), _read_value(*value)))
        numbers = [_read_integer(each[1]) for each in (number, error, index)]
        return cls(Kind(tag), community[1], numbers[0], tuple(bindings), numbers[1], numbers[2])


def oid(text: str) -> Oid:
    """An object identifier from its dotted form."""
    return tuple(int(each) for each in text.strip(".").split("."))


def dotted(identifier: Oid) -> str:
    """Its dotted form."""
    return ".".join(map(str, identifier))


def _tlv(tag: int, content: bytes) -> bytes:
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def _integer(value: int) -> bytes:
    size = (value + (value < 0)).bit_length() // 8 + 1
    return _tlv(_INTEGER, value.to_bytes(size, "big", signed=True))


def _oid(identifier: Oid) -> bytes:
    if len(identifier) < 2 or min(identifier) < 0 or identifier[0] > 2 or (identifier[0] < 2 and identifier[1] > 39):
        raise WireError(f"no object identifier: {dotted(identifier)}")
    content = bytearray()
    for number in (identifier[0] * 40 + identifier[1], *identifier[2:]):
        septets = [number & 0x7F]
        while number := number >> 7:
            septets.append(0x80 | number & 0x7F)
        content += bytes(reversed(septets))
    return _tlv(_OID, bytes(content))


def _value(value: Value) -> bytes:
    match value:
        case None:
            return _tlv(_NULL, b"")
        case Missing():
            return _tlv(value, b"")
        case int():
            return _integer(value)
        case bytes():
            return _tlv(_OCTETS, value)
        case _:
            return _oid(value)


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content, one after another."""
    at = 0
    while at < len(data):
        if len(data) < at + 2:
            raise WireError("it ends inside an element")
        tag, length, start = data[at], data[at + 1], at + 2
        if length & 0x80:
            size = length & 0x7F
            if not 1 <= size <= 4 or len(data) < start + size:
                raise WireError(f"length field {length:#04x}")
            length, start = int.from_bytes(data[start : start + size], "big"), start + size
        at = start + length
        if length > _MAX_OCTETS or at > len(data):
            raise WireError(f"an element of {length} octets in {len(data) - start}")
        yield tag, data[start:at]


def _fields(data: bytes, *tags: int | None) -> list[tuple[int, bytes]]:
    """Exactly these elements; a tag of None stands for any."""
    found = list(_elements(data))
    if len(found) != len(tags) or any(tag not in (None, got) for tag, (got, _) in zip(tags, found, strict=False)):
        raise WireError(f"elements {' '.join(f'{tag:02x}' for tag, _ in found) or 'none'} in place of {len(tags)}")
    return found


def _only(data: bytes, tag: int) -> bytes:
    return _fields(data, tag)[0][1]


def _read_integer(content: bytes) -> int:
    if not 1 <= len(content) <= 9:
        raise WireError(f"an integer of {len(content)} octets")
    return int.from_bytes(content, "big", signed=True)


def _read_oid(content: bytes) -> Oid:
    ends = [-1, *(at for at, octet in enumerate(content) if not octet & 0x80)]
    if not content or ends[-1] != len(content) - 1:
        raise WireError("an object identifier ends in the middle of a number")
    numbers = []
    for before, end in pairwise(ends):
        number = 0
        for octet in content[before + 1 : end + 1]:
            number = number << 7 | octet & 0x7F
        numbers.append(number)
    first = min(numbers[0] // 40, 2)
    return (first, numbers[0] - 40 * first, *numbers[1:])


def _read_value(tag: int, content: bytes) -> Value:
    if tag in _INTEGERS:
        return _read_integer(content)
    if tag in _STRINGS:
        return content
    if tag == _OID:
        return _read_oid(content)
    if tag == _NULL:
        return None
    if tag in Missing.__members__.values():
        return Missing(tag)
    raise WireError(f"a value of type {tag:#04x}")
