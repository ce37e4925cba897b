"""The commands of a terminal, and what it makes of their status words (EMV Book 3, 6.5; Book 1, 11.3)."""

from __future__ import annotations

from dataclasses import dataclass

from rig.virtual.terminal.emv.card import CardLost, Transceive
from rig.virtual.terminal.emv.objects import Malformed, Objects, unique
from rig.wire.errors import WireError
from rig.wire.tlv import encode, parse

OK = 0x9000
MAX_RESPONSE = 258
"""256 bytes of data and the status word: EMV has short lengths alone."""
MAX_RECORDS = 64
"""More than any card has: a file locator that points at more is wrong."""


class StatusError(Exception):
    """The card ended a command with another status word than 9000."""

    def __init__(self, command: bytes, status: int) -> None:
        super().__init__(f"the card answered {command[:2].hex().upper()} with {status:04X}")
        self.status = status


@dataclass(frozen=True)
class Record:
    """One record to read; ``authenticated`` says whether it is part of the static data to be authenticated."""

    sfi: int
    number: int
    authenticated: bool


def command(transceive: Transceive, apdu: bytes) -> bytes:
    """The data of a response that says 9000.

    Raises:
        CardLost: it answered less than a status word, or left.
        Malformed: it answered more than EMV knows.
        StatusError: it said something else.
    """
    response = transceive(apdu)
    if len(response) < 2:
        raise CardLost("the card answered nothing")
    if len(response) > MAX_RESPONSE:
        raise Malformed(f"the card answered with {len(response)} bytes")
    status = int.from_bytes(response[-2:], "big")
    if status != OK:
        raise StatusError(apdu, status)
    return response[:-2]


def select(name: bytes, occurrence: int = 0) -> bytes:
    """SELECT by name; ``occurrence`` 2 asks for the next application whose AID begins so."""
    return bytes([0x00, 0xA4, 0x04, occurrence, len(name)]) + name + b"\0"


def get_processing_options(data: bytes) -> bytes:
    """GET PROCESSING OPTIONS with the filled PDOL."""
    body = encode(0x83, data)
    return bytes([0x80, 0xA8, 0, 0, len(body)]) + body + b"\0"


def read_record(sfi: int, number: int) -> bytes:
    """READ RECORD."""
    return bytes([0x00, 0xB2, number, sfi << 3 | 4, 0])


def generate_ac(control: int, data: bytes) -> bytes:
    """GENERATE AC; ``control`` is P1: AAC 00, TC 40, ARQC 80, plus 10 for CDA."""
    return bytes([0x80, 0xAE, control, 0, len(data)]) + data + b"\0"


def internal_authenticate(data: bytes) -> bytes:
    """INTERNAL AUTHENTICATE with the filled DDOL."""
    return bytes([0x00, 0x88, 0, 0, len(data)]) + data + b"\0"


def external_authenticate(data: bytes) -> bytes:
    """EXTERNAL AUTHENTICATE with tag 91's value."""
    return bytes([0x00, 0x82, 0, 0, len(data)]) + data


def get_data(tag: int) -> bytes:
    """GET DATA of a tag of one or two bytes."""
    return bytes([0x80, 0xCA, tag >> 8, tag & 0xFF, 0])


def records(locator: bytes) -> list[Record]:
    """The records that an application file locator (94) points at, in order.

    Raises:
        Malformed: it is empty, cut, or points at what cannot be (EMV Book 3, 10.2).
    """
    if not locator or len(locator) % 4:
        raise Malformed(f"a file locator of {len(locator)} bytes")
    found = []
    for at in range(0, len(locator), 4):
        file, first, last, authenticated = locator[at : at + 4]
        if file & 7 or not 1 <= file >> 3 <= 30 or first == 0 or last < first or authenticated > last - first + 1:
            raise Malformed("a file locator points at what cannot be")
        found += [Record(file >> 3, n, n - first < authenticated) for n in range(first, last + 1)]
    if len(found) > MAX_RECORDS:
        raise Malformed(f"a file locator points at {len(found)} records")
    return found


def read_records(transceive: Transceive, locator: bytes, known: Objects) -> tuple[dict[int, bytes], bytes]:
    """The objects of all records, and the part of them that is authenticated (without 9F4A's values).

    ``known`` is what the card said before: it may come again, but not with another value.

    Raises:
        CardLost, Malformed, StatusError.
    """
    found: dict[int, bytes] = {}
    static = b""
    for record in records(locator):
        data = command(transceive, read_record(record.sfi, record.number))
        try:
            outer = parse(data)
            if [each.tag for each in outer] != [0x70]:
                raise Malformed("a record is not one template 70")
            found |= unique(outer[0].value, found)
        except WireError as error:
            raise Malformed(f"a record is malformed: {error}") from error
        if record.authenticated:
            static += outer[0].value if record.sfi <= 10 else data
    contradicted = [tag for tag in found if tag in known and found[tag] != known[tag]]
    if contradicted:
        raise Malformed(f"the card tells two values of tag {contradicted[0]:X}")
    return found, static
