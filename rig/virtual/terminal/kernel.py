"""The contactless kernel: from a card in the field to the data of one purchase.

Visa-like and UnionPay-like cards, which give everything in the answer to GET PROCESSING OPTIONS (EMV Contactless
Book B for PPSE and selection; Book C-3 and C-7 for the flow). The kernel knows cards as a function from command to
response, and nothing of readers.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from rig.wire.errors import WireError
from rig.wire.tlv import as_mapping, encode, fill_dol, parse_dol, walk

Transceive = Callable[[bytes], bytes]
"""Send a command APDU to the card; returns the response APDU with its status word. Raises CardLost."""

PPSE = b"2PAY.SYS.DDF01"

SUPPORTED = {bytes.fromhex("A000000003"): ("VISA", 10), bytes.fromhex("A000000333"): ("UNIONPAY", 82)}
"""Registered application providers: the name on the receipt, and the ZVT card type (BMP 8A)."""

_CHIP_DATA = (0x9F26, 0x9F27, 0x9F10, 0x9F37, 0x9F36, 0x95, 0x9A, 0x9C, 0x9F02, 0x5F2A, 0x82, 0x9F1A, 0x9F03,
              0x9F33, 0x9F35, 0x9F66, 0x9F6C, 0x84, 0x5F34)  # fmt: skip
_REQUIRED = (0x9F26, 0x9F27, 0x9F36, 0x9F10, 0x82)
_ONLINE_CRYPTOGRAM = 0x80


class CardLost(Exception):
    """The card left the field, or answered what cannot be read, before its data was complete: present it again."""


class CardRefused(Exception):
    """The card is there and cannot be used: no application in common, or it declined by itself."""


@dataclass(frozen=True)
class Purchase:
    """What the terminal tells the card of the purchase. ``amount`` in minor units, ``currency`` ISO 4217 numeric."""

    amount: int
    currency: str
    when: datetime
    country: str = "0276"

    def objects(self) -> dict[int, bytes]:
        """The data objects that a card may ask for in its PDOL."""
        return {
            0x9F02: bytes.fromhex(f"{self.amount:012d}"),
            0x9F03: bytes(6),
            0x9F1A: bytes.fromhex(self.country),
            0x5F2A: bytes.fromhex(f"0{self.currency}"),
            0x95: bytes(5),
            0x9A: bytes.fromhex(f"{self.when:%y%m%d}"),
            0x9F21: bytes.fromhex(f"{self.when:%H%M%S}"),
            0x9C: b"\0",
            0x9F37: secrets.token_bytes(4),
            0x9F66: bytes.fromhex("36804000"),  # qVSDC, online PIN, signature; an online cryptogram is required
            0x9F33: bytes.fromhex("E068C8"),
            0x9F35: b"\x22",
        }


@dataclass(frozen=True)
class ContactlessCard:
    """What one tap gave. ``chip`` is the content of DE55, by tag; the rest never shows in a repr."""

    pan: str = field(repr=False)
    expiry: str = field(repr=False)
    track2: str = field(repr=False)
    sequence: int
    label: str
    type_code: int
    chip: Mapping[int, bytes] = field(repr=False)


def read_card(transceive: Transceive, purchase: Purchase) -> ContactlessCard:
    """Run one contactless purchase up to the card's cryptogram.

    Raises:
        CardLost: the data did not get complete.
        CardRefused: no application in common, or the card did not ask to go online.
    """
    try:
        aid = _choose(_command(transceive, _select(PPSE)))
        control = as_mapping(_command(transceive, _select(aid)))
        told = purchase.objects()
        answer = _processing_options(transceive, control.get(0x9F38, b""), told)
        return _complete(aid, told | answer)
    except WireError as error:
        raise CardLost(f"the card's data cannot be read: {error}") from error


def _processing_options(transceive: Transceive, pdol: bytes, told: Mapping[int, bytes]) -> dict[int, bytes]:
    data = encode(0x83, fill_dol(parse_dol(pdol), told))
    response = _command(transceive, bytes([0x80, 0xA8, 0, 0, len(data)]) + data + b"\0")
    answer = as_mapping(response)
    for record in _records(answer.get(0x94, b"")):
        answer = as_mapping(_command(transceive, record)) | answer
    return answer


def _complete(aid: bytes, objects: Mapping[int, bytes]) -> ContactlessCard:
    missing = [f"{tag:X}" for tag in (*_REQUIRED, 0x57) if not objects.get(tag)]
    if missing:
        raise CardLost(f"the card gave no {', '.join(missing)}")
    if objects[0x9F27][0] & 0xC0 != _ONLINE_CRYPTOGRAM:
        raise CardRefused("the card did not ask to go online")
    pan, _, rest = objects[0x57].hex().upper().rstrip("F").partition("D")
    if not (12 <= len(pan) <= 19 and pan.isdigit() and rest.isdigit() and len(rest) >= 7):
        raise CardLost("track 2 equivalent data is malformed")
    objects = {**objects, 0x84: aid}
    chip = {tag: objects[tag] for tag in _CHIP_DATA if tag in objects}
    name, type_code = SUPPORTED[aid[:5]]
    sequence = int(objects.get(0x5F34, b"\0").hex())
    return ContactlessCard(pan, rest[:4], f"{pan}={rest}", sequence, name, type_code, chip)


def _choose(directory: bytes) -> bytes:
    """The supported application of the best priority (87: 1 is best, 0 or none is last)."""
    found: list[tuple[int, bytes]] = []
    for entry in walk(directory):
        if entry.tag == 0x61:
            objects = as_mapping(entry.value)
            aid = objects.get(0x4F, b"")
            if aid[:5] in SUPPORTED:
                found.append(((objects.get(0x87, b"\0")[0] & 0x0F) or 16, aid))
    if not found:
        raise CardRefused("no application in common")
    return min(found, key=lambda candidate: candidate[0])[1]


def _records(locator: bytes) -> list[bytes]:
    """READ RECORD commands for an application file locator (EMV Book 3, 10.2)."""
    commands = []
    for at in range(0, len(locator) - 3, 4):
        sfi, first, last, _ = locator[at : at + 4]
        commands += [bytes([0x00, 0xB2, number, sfi & 0xF8 | 4, 0]) for number in range(first, last + 1)]
    return commands


def _select(name: bytes) -> bytes:
    return bytes([0x00, 0xA4, 0x04, 0x00, len(name)]) + name + b"\0"


def _command(transceive: Transceive, command: bytes) -> bytes:
    """The data of a response that says 9000."""
    response = transceive(command)
    if len(response) < 2:
        raise CardLost("the card answered nothing")
    status = response[-2:]
    if status == b"\x6a\x82":
        raise CardRefused("the card does not know the application")
    if status != b"\x90\x00":
        raise CardLost(f"the card answered {status.hex().upper()}")
    return response[:-2]
