"""The message authentication code of a message: DE64, or DE128 where an element above 64 is there.

It covers everything from the type to the element before it, as the dialect writes it, frame and header excluded.
"""

from __future__ import annotations

from rig.wire.errors import WireError
from rig.wire.iso8583.dialect import Dialect
from rig.wire.iso8583.message import Message
from rig.wire.keys import mac as codes

PRIMARY, SECONDARY = 64, 128


def code_element(message: Message) -> int:
    """Where a message has its code, or would have it."""
    return SECONDARY if any(number > PRIMARY for number in message.fields) else PRIMARY


def seal(dialect: Dialect, message: Message, key: bytes) -> bytes:
    """The bytes of a message with its code. Raises WireError where the dialect has none, or the key does not fit."""
    if dialect.mac is None:
        raise WireError(f"{dialect.name} has no message authentication code")
    fields = {number: value for number, value in message.fields.items() if number not in (PRIMARY, SECONDARY)}
    place = code_element(Message(message.mti, fields))
    data = dialect.encode(Message(message.mti, {**fields, place: bytes(codes.LENGTH)}))
    covered = data[: -_width(dialect)]
    code = codes.mac(dialect.mac, key, covered)
    return covered + (code if _width(dialect) == codes.LENGTH else code.hex().upper().encode())


def is_sealed(message: Message) -> bool:
    """Whether a message has a code."""
    return PRIMARY in message.fields or SECONDARY in message.fields


def verify(dialect: Dialect, data: bytes, message: Message, key: bytes) -> bool:
    """Whether the code in a message is right; ``data`` are the bytes that it was read from. Raises WireError."""
    if dialect.mac is None:
        raise WireError(f"{dialect.name} has no message authentication code")
    code = message.data(code_element(message))
    return codes.verify(dialect.mac, key, data[: -_width(dialect)], code)


def _width(dialect: Dialect) -> int:
    """How many bytes DE64 has on the wire."""
    return codes.LENGTH if dialect.spec["64"]["data_enc"] == "b" else 2 * codes.LENGTH
