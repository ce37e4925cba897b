"""The data fields ("BMPs") of ZVT messages, such as amount, result code and receipt number.

A field is its number and a value whose form the number tells: packed decimal digits (BCD) and single bytes are
``int``, text is ``str``, the rest is ``bytes``. The card number is a ``str`` of digits, ``E`` for each masked one.
Source: PA00P015, chapter "Summary of utilised BMPs".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol, TypeVar

from rig.wire.errors import WireError
from rig.wire.tlv import encode_length

FieldValue = int | str | bytes
_T = TypeVar("_T", int, str, bytes)

CHARSET = "cp437"
"""ZVT's own character set, unless the ECR asked for another one at registration."""


class Bmp(IntEnum):
    """Names of the fields that the rig uses."""

    SERVICE_BYTE = 0x03
    AMOUNT = 0x04
    TLV = 0x06
    TRACE = 0x0B
    TIME = 0x0C
    DATE = 0x0D
    EXPIRY = 0x0E
    CARD_SEQUENCE = 0x17
    PAYMENT_TYPE = 0x19
    """Also the status byte, in the completion of a registration."""
    PAN = 0x22
    RESULT = 0x27
    TERMINAL_ID = 0x29
    VU_NUMBER = 0x2A
    ORIGINAL_TRACE = 0x37
    AUTHORISATION = 0x3B
    TEXT = 0x3C
    CURRENCY = 0x49
    RECEIPT = 0x87
    TURNOVER = 0x88
    CARD_TYPE = 0x8A
    CARD_NAME = 0x8B
    HOST_RESULT = 0xA0
    AID_PARAMETER = 0xBA


class _Form(Protocol):
    """How one kind of field is written."""

    def encode(self, value: FieldValue) -> bytes: ...

    def decode(self, data: bytes, at: int) -> tuple[FieldValue, int]:
        """The value that begins at ``at``, and where the next field begins."""
        ...


@dataclass(frozen=True)
class _Number:
    """Packed decimal digits, two a byte."""

    width: int

    def encode(self, value: FieldValue) -> bytes:
        number = _typed(value, int)
        if not 0 <= number < 100**self.width:
            raise WireError(f"{number} does not fit into {2 * self.width} digits")
        return bytes.fromhex(f"{number:0{2 * self.width}d}")

    def decode(self, data: bytes, at: int) -> tuple[FieldValue, int]:
        digits = _cut(data, at, self.width).hex()
        if not digits.isdecimal():
            raise WireError(f"{digits} is not packed decimal")
        return int(digits), at + self.width


@dataclass(frozen=True)
class _Byte:
    """One byte as a number."""

    def encode(self, value: FieldValue) -> bytes:
        number = _typed(value, int)
        if not 0 <= number <= 0xFF:
            raise WireError(f"{number} is no byte")
        return bytes([number])

    def decode(self, data: bytes, at: int) -> tuple[FieldValue, int]:
        return _cut(data, at, 1)[0], at + 1


@dataclass(frozen=True)
class _Raw:
    """A fixed number of bytes."""

    width: int

    def encode(self, value: FieldValue) -> bytes:
        raw = _typed(value, bytes)
        if len(raw) != self.width:
            raise WireError(f"{len(raw)} bytes where {self.width} belong")
        return raw

    def decode(self, data: bytes, at: int) -> tuple[FieldValue, int]:
        return _cut(data, at, self.width), at + self.width


@dataclass(frozen=True)
class _PaddedText:
    """Text of a fixed width, filled up with blanks."""

    width: int

    def encode(self, value: FieldValue) -> bytes:
        text = _to_charset(_typed(value, str))
        if len(text) > self.width:
            raise WireError(f"{len(text)} characters where {self.width} fit")
        return text.ljust(self.width)

    def decode(self, data: bytes, at: int) -> tuple[FieldValue, int]:
        return _cut(data, at, self.width).decode(CHARSET).rstrip(" "), at + self.width


@dataclass(frozen=True)
class _Variable:
    """Bytes behind their length in decimal, one digit a byte: ``F1 F7`` is 17 (LLVAR, LLLVAR)."""

    digits: int

    def encode(self, value: FieldValue) -> bytes:
        raw = _typed(value, bytes)
        if len(raw) >= 10**self.digits:
            raise WireError(f"{len(raw)} bytes do not fit behind a length of {self.digits} digits")
        return bytes(0xF0 | int(digit) for digit in f"{len(raw):0{self.digits}d}") + raw

    def decode(self, data: bytes, at: int) -> tuple[bytes, int]:
        length = 0
        for byte in _cut(data, at, self.digits):
            if not 0xF0 <= byte <= 0xF9:
                raise WireError(f"{byte:02X} is no length digit: those are F0 to F9")
            length = 10 * length + (byte & 0x0F)
        begin = at + self.digits
        return _cut(data, begin, length), begin + length


@dataclass(frozen=True)
class _VariableText:
    """Text behind its length; ``ending`` is written behind it, and is optional when read."""

    digits: int
    ending: bytes = b""

    def encode(self, value: FieldValue) -> bytes:
        return _Variable(self.digits).encode(_to_charset(_typed(value, str)) + self.ending)

    def decode(self, data: bytes, at: int) -> tuple[FieldValue, int]:
        raw, end = _Variable(self.digits).decode(data, at)
        return raw.removesuffix(self.ending).decode(CHARSET), end


@dataclass(frozen=True)
class _Pan:
    """A card number: packed digits, E where masked, F to fill the last byte up. LLVAR, counted in bytes."""

    def encode(self, value: FieldValue) -> bytes:
        digits = _typed(value, str)
        if set(digits) - set("0123456789E"):
            raise WireError("a card number holds digits, and E where it is masked")
        return _Variable(2).encode(bytes.fromhex(digits + "F" * (len(digits) % 2)))

    def decode(self, data: bytes, at: int) -> tuple[FieldValue, int]:
        raw, end = _Variable(2).decode(data, at)
        digits = raw.hex().upper().removesuffix("F")
        if set(digits) - set("0123456789E"):
            raise WireError("a card number holds digits, E where it is masked, and F at its end")
        return digits, end


@dataclass(frozen=True)
class _Container:
    """BER-TLV objects behind their length in bytes, which is BER as well. The value is the objects, unparsed."""

    def encode(self, value: FieldValue) -> bytes:
        raw = _typed(value, bytes)
        if len(raw) > 0xFFFF:
            raise WireError(f"{len(raw)} bytes do not fit into a ZVT TLV container")
        return encode_length(len(raw)) + raw

    def decode(self, data: bytes, at: int) -> tuple[FieldValue, int]:
        first = _cut(data, at, 1)[0]
        at += 1
        if first > 0x82 or first == 0x80:
            raise WireError(f"{first:02X} is no length of a ZVT TLV container")
        extra = first - 0x80 if first > 0x80 else 0
        length = int.from_bytes(_cut(data, at, extra), "big") if extra else first
        return _cut(data, at + extra, length), at + extra + length


_FORMS: Mapping[int, _Form] = {
    0x01: _Byte(),  # time-out
    0x02: _Byte(),  # most status informations
    0x03: _Byte(),  # service byte
    0x04: _Number(6),
    0x05: _Byte(),  # pump number
    0x06: _Container(),
    0x0B: _Number(3),
    0x0C: _Number(3),  # HHMMSS
    0x0D: _Number(2),  # MMDD
    0x0E: _Number(2),  # YYMM
    0x17: _Number(2),
    0x19: _Byte(),
    0x22: _Pan(),
    0x27: _Byte(),
    0x29: _Number(4),
    0x2A: _PaddedText(15),
    0x37: _Number(3),
    0x3B: _Raw(8),
    0x3C: _VariableText(3),
    0x49: _Number(2),
    0x60: _Variable(3),  # individual totals of the end of day
    0x87: _Number(2),
    0x88: _Number(3),
    0x8A: _Byte(),
    0x8B: _VariableText(2, ending=b"\0"),
    0x8C: _Byte(),  # card type of the network operator
    0x9A: _Variable(3),  # GeldKarte record
    0xA0: _Byte(),
    0xA7: _Variable(2),  # chip data
    0xAA: _Number(3),  # YYMMDD
    0xAF: _Variable(3),  # chip data
    0xBA: _Raw(5),
}


def encode_fields(fields: Mapping[int, FieldValue]) -> bytes:
    """The fields as bytes, in the mapping's order.

    Raises:
        WireError: an unknown field, or a value of another form or size than its field has.
    """
    return b"".join(_encode_field(number, value) for number, value in fields.items())


def decode_fields(data: bytes) -> dict[int, FieldValue]:
    """Read all fields of a data block. Of a field that comes twice the last one stands.

    Raises:
        WireError: an unknown field (its length cannot be known), or a value that its field cannot have.
    """
    fields: dict[int, FieldValue] = {}
    at = 0
    while at < len(data):
        number = data[at]
        try:
            fields[number], at = _form(number).decode(data, at + 1)
        except WireError as error:
            raise WireError(f"field {number:02X} at byte {at}: {error}") from error
    return fields


def _encode_field(number: int, value: FieldValue) -> bytes:
    try:
        return bytes([number]) + _form(number).encode(value)
    except WireError as error:
        raise WireError(f"field {number:02X}: {error}") from error


def _form(number: int) -> _Form:
    form = _FORMS.get(number)
    if form is None:
        raise WireError("unknown")
    return form


def _cut(data: bytes, at: int, length: int) -> bytes:
    piece = data[at : at + length]
    if len(piece) != length:
        raise WireError(f"{length} bytes announced, {len(piece)} there")
    return piece


def _to_charset(text: str) -> bytes:
    try:
        return text.encode(CHARSET)
    except UnicodeEncodeError as error:
        raise WireError(f"{text!r} cannot be written in {CHARSET}") from error


def _typed(value: object, kind: type[_T]) -> _T:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise WireError(f"a value of type {type(value).__name__} where {kind.__name__} belongs")
    return value
