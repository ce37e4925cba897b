"""A dialect: how one family of terminals writes ISO 8583, put together from parts.

The parts are the encoding of elements (a table of pyiso8583), the header before each message, the message
authentication code, the frames, and the use of messages. Whatever is malformed raises
:class:`~rig.wire.errors.WireError`, whose text never holds what an element contained.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import iso8583

from rig.wire.errors import WireError
from rig.wire.iso8583.message import BINARY, NUMERIC, Message, check_mti
from rig.wire.iso8583.packing import TRACKS, Spec
from rig.wire.iso8583.plain import Kind, NotPlain, PlainCodec
from rig.wire.iso8583.usage import Usage
from rig.wire.keys.mac import MacAlgorithm
from rig.wire.tpdu import WITH_TPDU, Framing

_BITMAPS = frozenset({1, 65})


@dataclass(frozen=True)
class Dialect:
    """How one family of terminals writes ISO 8583.

    Attributes:
        name: what a bench file calls it.
        spec: pyiso8583's table of encodings.
        usage: which message asks for what.
        framing: what is around a message.
        header: what a terminal puts between frame and message; a host gives back what came. Empty: there is none.
        mac: the algorithm of the code in DE64, or DE128 where an element above 64 is there; None: there is none.
        digits: elements of digits beside those that are so in every dialect.
        binary: elements of bytes beside those that are so in every dialect.
    """

    name: str
    spec: Spec = field(repr=False)
    usage: Usage = field(repr=False)
    framing: Framing = WITH_TPDU
    header: bytes = b""
    mac: MacAlgorithm | None = None
    digits: frozenset[int] = frozenset()
    binary: frozenset[int] = frozenset()
    _kinds: dict[str, tuple[int, Kind]] = field(init=False, repr=False, compare=False)
    _text_lengths: frozenset[str] = field(init=False, repr=False, compare=False)
    _packs_tracks: bool = field(init=False, repr=False, compare=False)
    _plain: PlainCodec = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        numbers = [number for number in range(2, 129) if number not in _BITMAPS]
        kinds = {str(number): (number, self._kind(number)) for number in numbers}
        lengths = (key for key in kinds if self.spec[key]["len_type"] and self.spec[key]["len_enc"] != "bcd")
        object.__setattr__(self, "_kinds", kinds)
        object.__setattr__(self, "_text_lengths", frozenset(lengths))
        object.__setattr__(self, "_packs_tracks", self.spec["35"]["data_enc"] == "b")
        object.__setattr__(self, "_plain", PlainCodec(self.spec, dict(kinds.values())))

    def _kind(self, number: int) -> Kind:
        if number in BINARY or number in self.binary:
            return Kind.BYTES
        if number in TRACKS:
            return Kind.TRACK
        return Kind.DIGITS if number in NUMERIC or number in self.digits else Kind.TEXT

    def encode(self, message: Message) -> bytes:
        """The bytes of a message, without frame and header. Raises WireError for what the dialect cannot say."""
        try:
            return self._plain.encode(message.mti, message.fields)
        except NotPlain:
            pass
        return self.encode_by_library(message)

    def decode(self, data: bytes) -> Message:
        """Read a message. Raises WireError for anything that is not exactly one message of this dialect."""
        try:
            return Message(*self._plain.decode(data))
        except NotPlain:
            pass
        return self.decode_by_library(data)

    def encode_by_library(self, message: Message) -> bytes:
        """The same, by pyiso8583 alone: the reference."""
        check_mti(message.mti)
        document = {"t": message.mti}
        for number, value in message.fields.items():
            document[str(number)] = self._written(number, value)
        try:
            encoded, _ = iso8583.encode(document, self.spec)
        except iso8583.EncodeError as error:
            raise WireError(f"{message.mti}: {error}") from None
        return bytes(encoded)

    def decode_by_library(self, data: bytes) -> Message:
        """The same, by pyiso8583 alone: the reference."""
        try:
            document, parts = iso8583.decode(data, self.spec)
        except iso8583.DecodeError as error:
            raise WireError(str(error)) from None
        check_mti(document["t"])
        if document.get("1", "0")[0] not in "01234567":
            raise WireError("a third bitmap: the 1987 edition has none")
        fields: dict[int, str | bytes] = {}
        for key, value in document.items():
            if key not in self._kinds:
                continue
            if key in self._text_lengths and not parts[key]["len"].isdigit():
                raise WireError(f"the length of DE{key} is not of digits")
            number, kind = self._kinds[key]
            if kind is Kind.TEXT:
                if not (value.isascii() and value.isprintable()):
                    raise WireError(f"DE{number} holds characters that do not print")
                fields[number] = value
            elif kind is Kind.DIGITS:
                if not (value.isdigit() and value.isascii()):
                    raise WireError(f"DE{number} is not of digits")
                fields[number] = value
            elif kind is Kind.BYTES:
                fields[number] = _from_hexadecimal(number, value)
            else:
                fields[number] = self._read_track(number, value)
        return Message(document["t"], fields)

    def split(self, payload: bytes) -> tuple[bytes, bytes]:
        """Header and message of a frame's payload. Raises WireError where it is shorter than the header."""
        if len(payload) < len(self.header):
            raise WireError(f"{len(payload)} bytes are shorter than the header")
        return payload[: len(self.header)], payload[len(self.header) :]

    def is_binary(self, number: int) -> bool:
        """Whether an element's value is bytes."""
        return number in BINARY or number in self.binary

    def _written(self, number: int, value: str | bytes) -> str:
        """An element as pyiso8583 takes it: hexadecimal where it is binary or packed."""
        if str(number) not in self._kinds:
            raise WireError(f"DE{number} is no data element of a message")
        _, kind = self._kinds[str(number)]
        if kind is Kind.BYTES:
            if not isinstance(value, bytes):
                raise WireError(f"DE{number} is binary and wants bytes")
            return value.hex().upper()
        if not isinstance(value, str):
            raise WireError(f"DE{number} is text and wants a str")
        if kind is Kind.DIGITS and not (value.isascii() and value.isdigit()):
            raise WireError(f"DE{number} is not of digits")
        if kind is Kind.TRACK and self._packs_tracks:
            value = value.replace("=", "D")
            if not value or value.strip("0123456789D"):
                raise WireError(f"DE{number} is not of digits and a separator")
        if not (value.isascii() and value.isprintable()):
            raise WireError(f"DE{number} holds characters that do not print")
        return value

    def _read_track(self, number: int, value: str) -> str:
        if self._packs_tracks:
            if not value or value.strip("0123456789D"):
                raise WireError(f"DE{number} is not of digits and a separator")
            return value.replace("D", "=")
        if not (value.isascii() and value.isprintable()):
            raise WireError(f"DE{number} holds characters that do not print")
        return value


def _from_hexadecimal(number: int, value: str) -> bytes:
    try:
        if value.isalnum() or not value:  # fromhex passes blanks over
            return bytes.fromhex(value)
    except ValueError:
        pass
    raise WireError(f"DE{number} is not hexadecimal")
