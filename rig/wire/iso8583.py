"""ISO 8583 messages of the 1987 edition: types, data elements, dialects. Their frames are in :mod:`rig.wire.tpdu`.

The one dialect here, :data:`ASCII87`, is ASCII throughout: digits and text as they are, bitmaps and binary elements
(DE52, 55, 64, 96, 128) as upper-case hexadecimal. So Wireshark's ``iso8583`` dissector reads it in its default
settings but for the length, which is big-endian; it skips no TPDU. Field formats: ISO 8583:1987, table of data
elements, as in pyiso8583's ``default_ascii``.

Whatever is malformed raises :class:`~rig.wire.errors.WireError`, whose text never holds what a field contained.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import iso8583
from iso8583.specs import default_ascii

from rig.wire.errors import WireError
from rig.wire.tpdu import MAX_FRAME, FrameReader, Tpdu, frame

__all__ = [
    "ASCII87", "BINARY", "MAX_FRAME", "NUMERIC", "Dialect", "FrameReader", "Message", "Original", "Totals", "Tpdu",
    "de90", "frame", "is_advice", "is_repeat", "is_response", "message_name", "mti_class", "parse_de90", "response_mti",
]  # fmt: skip

BINARY = frozenset({52, 55, 64, 96, 128})
"""The data elements whose value is ``bytes``; all others are ``str``."""

NUMERIC = frozenset({*range(2, 28), 32, 33, 53, *range(66, 91), 92, 93, 99, 100})
"""The data elements of digits only."""

_BITMAPS = frozenset({1, 65})


@dataclass(frozen=True)
class Message:
    """One message: its type (four digits) and its data elements by number.

    DE52, 55, 64, 96 and 128 are bytes, the rest text exactly as wide as the element is.
    """

    mti: str
    fields: Mapping[int, str | bytes] = field(default_factory=dict)

    def text(self, number: int, default: str = "") -> str:
        """A text element, or ``default`` where the message has none."""
        value = self.fields.get(number, default)
        return value if isinstance(value, str) else default

    def data(self, number: int) -> bytes:
        """A binary element; empty where the message has none."""
        value = self.fields.get(number, b"")
        return value if isinstance(value, bytes) else b""

    @property
    def name(self) -> str:
        """What people call this message: "sale request", "reversal repeat", "settlement response"."""
        return message_name(self.mti, self.text(3))


@dataclass(frozen=True)
class Dialect:
    """How one family of terminals writes ISO 8583.

    Attributes:
        name: what the bench file calls it.
        spec: pyiso8583's table of encodings.
    """

    name: str
    spec: Mapping[str, Mapping[str, Any]] = field(repr=False)

    def encode(self, message: Message) -> bytes:
        """The bytes of a message, without frame and TPDU. Raises WireError for what the dialect cannot say."""
        _check_mti(message.mti)
        document = {"t": message.mti}
        for number, value in message.fields.items():
            document[str(number)] = _to_document(number, value)
        try:
            encoded, _ = iso8583.encode(document, self.spec)
        except iso8583.EncodeError as error:
            raise WireError(f"{message.mti}: {error}") from None
        return bytes(encoded)

    def decode(self, data: bytes) -> Message:
        """Read a message. Raises WireError for anything that is not exactly one message of this dialect."""
        try:
            document, parts = iso8583.decode(data, self.spec)
        except iso8583.DecodeError as error:
            raise WireError(str(error)) from None
        _check_mti(document["t"])
        if document.get("1", "0")[0] not in "01234567":
            raise WireError("a third bitmap: the 1987 edition has none")
        fields: dict[int, str | bytes] = {}
        for key, value in document.items():
            if not key.isdigit() or int(key) in _BITMAPS:
                continue
            if not parts[key]["len"].isdigit() and parts[key]["len"]:
                raise WireError(f"the length of DE{key} is not of digits")
            fields[int(key)] = _from_document(int(key), value)
        return Message(document["t"], dict(sorted(fields.items())))


ASCII87 = Dialect("ascii-1987", default_ascii)


def _to_document(number: int, value: str | bytes) -> str:
    if number in _BITMAPS or not 2 <= number <= 128:
        raise WireError(f"DE{number} is no data element of a message")
    if number in BINARY:
        if not isinstance(value, bytes):
            raise WireError(f"DE{number} is binary and wants bytes")
        return value.hex().upper()
    if not isinstance(value, str):
        raise WireError(f"DE{number} is text and wants a str")
    _check_text(number, value)
    return value


def _from_document(number: int, value: str) -> str | bytes:
    if number in BINARY:
        try:
            return bytes.fromhex(value) if value.isalnum() or not value else _not_hex(number)
        except ValueError:
            return _not_hex(number)
    _check_text(number, value)
    return value


def _not_hex(number: int) -> bytes:
    raise WireError(f"DE{number} is not hexadecimal")


def _check_text(number: int, value: str) -> None:
    if number in NUMERIC and not (value.isascii() and value.isdigit()):
        raise WireError(f"DE{number} is not of digits")
    if not (value.isascii() and value.isprintable()):
        raise WireError(f"DE{number} holds characters that do not print")


def _check_mti(mti: str) -> None:
    if len(mti) != 4 or not (mti.isascii() and mti.isdigit()):
        raise WireError("a message type is four digits")


# Message types ---------------------------------------------------------------------------------------------------

_CLASSES = {"1": "authorisation", "2": "financial", "3": "batch upload", "4": "reversal", "5": "settlement",
            "6": "administration", "8": "network management"}  # fmt: skip
_FUNCTIONS = {"0": "request", "1": "response", "2": "advice", "3": "advice response"}
_PROCESSING = {"00": "sale", "20": "void"}


def is_repeat(mti: str) -> bool:
    """Whether a type says that its message was sent before (0201, 0401, 0421 …)."""
    _check_mti(mti)
    return mti[3] in "135"


def is_response(mti: str) -> bool:
    """Whether a type is an answer (0210, 0430 …)."""
    _check_mti(mti)
    return mti[2] in "13"


def is_advice(mti: str) -> bool:
    """Whether a type tells of what was done already (0220, 0221, 0420 …) rather than ask for it."""
    _check_mti(mti)
    return mti[2] == "2"


def response_mti(mti: str) -> str:
    """The type of the answer: 0200 and 0201 → 0210, 0420 and 0421 → 0430. Raises WireError for an answer's type."""
    if is_response(mti) or mti[2] not in "02":
        raise WireError(f"{mti} is no request and has no answer")
    return f"{mti[:2]}{int(mti[2]) + 1}0"


def mti_class(mti: str) -> str:
    """Version and class of a type, the same for a message, its repeat and its answer: ``"02"`` or ``"04"``."""
    _check_mti(mti)
    return mti[:2]


def message_name(mti: str, processing: str = "") -> str:
    """What people call a message, from its type and processing code (DE3)."""
    _check_mti(mti)
    subject = _CLASSES.get(mti[1], f"class {mti[1]}")
    if mti[1] == "2":
        subject = _PROCESSING.get(processing[:2], subject)
    function = _FUNCTIONS.get(mti[2], f"function {mti[2]}")
    return f"{subject} {'repeat' if function == 'request' and is_repeat(mti) else function}"


# Original data elements (DE90) and settlement totals (DE48) ----------------------------------------------------------


@dataclass(frozen=True)
class Original:
    """What DE90 says of the message that is reversed or voided: its type, STAN and transmission time (DE7)."""

    mti: str
    stan: str
    time: str


def de90(original_mti: str, stan: str, de7: str) -> str:
    """The 42 digits of DE90: type, STAN, DE7, and two institution codes of 11 zeros."""
    text = f"{original_mti}{stan}{de7}{'0' * 22}"
    if len(original_mti) != 4 or len(stan) != 6 or len(de7) != 10 or not (text.isascii() and text.isdigit()):
        raise WireError("DE90 is made of a type (4 digits), a STAN (6) and a DE7 (10)")
    return text


def parse_de90(text: str) -> Original:
    """Read DE90. Raises WireError where it is not 42 digits."""
    if len(text) != 42 or not (text.isascii() and text.isdigit()):
        raise WireError("DE90 is not 42 digits")
    return Original(text[:4], text[4:10], text[10:20])


@dataclass(frozen=True)
class Totals:
    """The totals of a batch as DE48 of a settlement carries them; sums in minor units.

    They are gross: a sale that was voided counts among the sales, and its void among the voids. What was reversed or
    declined counts nowhere.
    """

    sales: int = 0
    sales_sum: int = 0
    voids: int = 0
    voids_sum: int = 0

    def encode(self) -> str:
        """``NNNN AAAAAAAAAAAA NNNN AAAAAAAAAAAA`` without blanks. Raises WireError for what does not fit."""
        text = f"{self.sales:04d}{self.sales_sum:012d}{self.voids:04d}{self.voids_sum:012d}"
        if len(text) != 32 or not text.isdigit():
            raise WireError("totals are counts of 4 digits and sums of 12")
        return text

    @classmethod
    def decode(cls, text: str) -> Totals:
        """Read DE48 of a settlement. Raises WireError where it is not 32 digits."""
        if len(text) != 32 or not (text.isascii() and text.isdigit()):
            raise WireError("DE48 of a settlement is not 32 digits")
        return cls(int(text[:4]), int(text[4:16]), int(text[16:20]), int(text[20:]))
