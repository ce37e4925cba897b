"""Issuer scripts: commands that the issuer sends to a card through the terminal, each with a MAC of its own.

A script is a template 71 (before the second GENERATE AC) or 72 (after it) with an identifier 9F18 and commands 86 (EMV
Book 3 10.10). The MAC is secure messaging format 2 (EMV Book 2 9.2, class byte 84, 8 bytes): over the header, 9F36, the
request's 9F26, and the data, under a session key of the master key for integrity, as pyemv has it for each version.
Mastercard counts 9F26 up by one a command (pyemv ``MasterCardCVN16.generate_command_mac``).
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import Literal

from rig.wire import tlv
from rig.wire.cryptogram.versions import CryptogramVersion, engine
from rig.wire.errors import WireError

Instruction = Literal["application-block", "application-unblock", "card-block", "put-data"]

_HEADERS: dict[Instruction, bytes] = {
    "application-block": b"\x84\x1e\x00\x00",
    "application-unblock": b"\x84\x18\x00\x00",
    "card-block": b"\x84\x16\x00\x00",
    "put-data": b"\x84\xda",  # P1 P2: the tag
}
_MAC = 8
_IDENTIFIER, _COMMAND = 0x9F18, 0x86
BEFORE, AFTER = 0x71, 0x72
"""The templates: carried out before, and after, the second GENERATE AC."""


def script_command(
    version: CryptogramVersion,
    mk_smi: bytes,
    pan: str,
    psn: str,
    atc: bytes,
    arqc: bytes,
    instruction: Instruction,
    *,
    tag: int | None = None,
    value: bytes = b"",
    number: int = 0,
) -> bytes:
    """One command for a card, with its MAC.

    Args:
        version: whose rules.
        mk_smi: the issuer's 16-byte master key for secure messaging, integrity.
        pan: the card number, digits.
        psn: the PAN sequence number, two digits.
        atc: 9F36 of the request that is answered, 2 bytes.
        arqc: 9F26 of it, 8 bytes.
        instruction: what the card is to do.
        tag: for ``put-data``, the data object, of two bytes.
        value: for ``put-data``, its new value.
        number: how many commands went before it in this answer.

    Raises:
        WireError: an argument has the wrong length or does not belong to the instruction.
    """
    if len(atc) != 2 or len(arqc) != 8:
        raise WireError("a script needs 9F36 of 2 bytes and 9F26 of 8")
    if (instruction == "put-data") != (tag is not None) or (value and tag is None):
        raise WireError("put-data, and no other command, needs a tag and a value")
    if len(value) > 255 - _MAC or (tag is not None and not 0x100 <= tag <= 0xFFFF):
        raise WireError("put-data takes a tag of two bytes and at most 247 bytes")
    header = _HEADERS[instruction] + (tag.to_bytes(2, "big") if tag is not None else b"")
    header += bytes([len(value) + _MAC])
    return header + value + _mac(version, mk_smi, pan, psn, atc, _counted(version, arqc, number), header, value)


def check_script(
    version: CryptogramVersion, mk_smi: bytes, pan: str, psn: str, atc: bytes, arqc: bytes, command: bytes,
    number: int = 0,
) -> bool:  # fmt: skip
    """Whether a command comes from the card's issuer, in answer to this cryptogram; arguments as above."""
    well_formed = len(command) >= 5 + _MAC and command[4] == len(command) - 5
    if not well_formed or len(atc) != 2 or len(arqc) != 8:
        return False
    header, value, told = command[:5], command[5:-_MAC], command[-_MAC:]
    expected = _mac(version, mk_smi, pan, psn, atc, _counted(version, arqc, number), header, value)
    return hmac.compare_digest(expected, told)


def script_template(commands: Sequence[bytes], template: int = AFTER, identifier: bytes = bytes(4)) -> bytes:
    """The data object 71 or 72 with its commands, as DE55 of an answer carries it."""
    objects = [tlv.Tlv(_IDENTIFIER, identifier), *(tlv.Tlv(_COMMAND, command) for command in commands)]
    return tlv.encode(template, tlv.encode_all(objects))


def _counted(version: CryptogramVersion, arqc: bytes, number: int) -> bytes:
    if not version.startswith("mastercard"):
        return arqc
    return ((int.from_bytes(arqc, "big") + number) % (1 << 64)).to_bytes(8, "big")


def _mac(
    version: CryptogramVersion, mk_smi: bytes, pan: str, psn: str, atc: bytes, arqc: bytes, header: bytes, value: bytes
) -> bytes:
    return engine(version, pan, psn, mk_smi=mk_smi).generate_command_mac(header, arqc, atc, value)
