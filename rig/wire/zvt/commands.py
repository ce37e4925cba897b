"""Data blocks that are more than a list of fields: passwords, the registration's settings, printed lines.

Source: PA00P015, chapters 06 00, 06 D1 and 06 D3.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag

from rig.wire.errors import WireError
from rig.wire.tlv import Tlv, encode, parse
from rig.wire.zvt.apdu import Apdu, Command
from rig.wire.zvt.fields import CHARSET, Bmp, decode_fields, encode_fields

_TEXT_BLOCK, _LINE, _ATTRIBUTE = 0x25, 0x07, 0x09
_PASSWORD_BYTES = 3


class RegistrationConfig(IntFlag):
    """The configuration byte of a registration (06 00)."""

    ECR_PRINTS_PAYMENTS = 0x02
    ECR_PRINTS_ADMINISTRATION = 0x04
    INTERMEDIATE_STATUS = 0x08
    ECR_CONTROLS_PAYMENT = 0x10
    ECR_CONTROLS_ADMINISTRATION = 0x20
    PRINT_LINES = 0x80
    """The ECR prints what 06 D1 and 06 D3 bring, rather than making receipts up from the status information."""


@dataclass(frozen=True)
class PrintedLine:
    """A line for the receipt: its text, and the attribute byte (00 normal, 40 centred, …)."""

    text: str
    attribute: int = 0


def encode_with_password(password: str, rest: bytes = b"") -> bytes:
    """A data block that begins with the six digits of a password. Raises WireError for any other password."""
    if len(password) != 2 * _PASSWORD_BYTES or not (password.isascii() and password.isdigit()):
        raise WireError("a ZVT password is six digits")
    return bytes.fromhex(password) + rest


def split_password(data: bytes) -> tuple[str, bytes]:
    """The six digits of the password that a data block begins with, and the rest of it. Raises WireError."""
    password = data[:_PASSWORD_BYTES].hex()
    if len(password) != 2 * _PASSWORD_BYTES or not password.isdigit():
        raise WireError("no password of six digits at the beginning")
    return password, data[_PASSWORD_BYTES:]


def encode_print_line(line: PrintedLine) -> Apdu:
    """The message 06 D1 for one line. Raises WireError for text that the character set has not."""
    return Apdu(Command.PRINT_LINE, bytes([line.attribute]) + _charset(line.text))


def encode_print_block(lines: list[PrintedLine]) -> Apdu:
    """The message 06 D3 for several lines. Raises WireError as :func:`encode_print_line` does."""
    objects = b"".join(
        (encode(_ATTRIBUTE, bytes([line.attribute])) if line.attribute else b"") + encode(_LINE, _charset(line.text))
        for line in lines
    )
    return Apdu(Command.PRINT_BLOCK, encode_fields({Bmp.TLV: encode(_TEXT_BLOCK, objects)}))


def printed_lines(apdu: Apdu) -> list[PrintedLine]:
    """What a message 06 D1 or 06 D3 wants printed. Raises WireError for any other message and for a broken one."""
    if apdu.command == Command.PRINT_LINE and apdu.data:
        return [PrintedLine(apdu.data[1:].decode(CHARSET), apdu.data[0])]
    if apdu.command == Command.PRINT_BLOCK:
        container = decode_fields(apdu.data).get(Bmp.TLV)
        objects = parse(container) if isinstance(container, bytes) else []
        blocks = [each.value for each in objects if each.tag == _TEXT_BLOCK]
        return _block_lines([each for block in blocks for each in parse(block)])
    raise WireError(f"{apdu.name} prints nothing")


def _block_lines(objects: list[Tlv]) -> list[PrintedLine]:
    """In a block an attribute holds for the line behind it."""
    lines: list[PrintedLine] = []
    attribute = 0
    for each in objects:
        if each.tag == _ATTRIBUTE and each.value:
            attribute = each.value[0]
        elif each.tag == _LINE:
            lines.append(PrintedLine(each.value.decode(CHARSET), attribute))
            attribute = 0
    return lines


def _charset(text: str) -> bytes:
    try:
        return text.encode(CHARSET)
    except UnicodeEncodeError as error:
        raise WireError(f"{text!r} cannot be written in {CHARSET}") from error
