"""The commands by which a terminal reads an EMV card, over whatever carries APDUs. Source: EMV Book 3, chapters 6, 10.

What a card refuses, or says in a form that it must not, is absent here; an exception is the reader's alone.
"""

from __future__ import annotations

import datetime
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rig.cards.emv.apdu import PPSE, PSE
from rig.cards.profile import Interface
from rig.wire import tlv
from rig.wire.errors import WireError

Transceive = Callable[[bytes], bytes]
KNOWN = (
    "A0000000031010", "A0000000032010", "A0000000041010", "A0000000043060",
    "A000000333010101", "A000000333010102", "A000000333010103",
)  # fmt: skip
"""Applications that a card without a directory is asked for (EMV Book 1, 12.3.3)."""
_OK = b"\x90\x00"
_MAX_RECORD = 16


@dataclass(frozen=True)
class Listed:
    """One application of a card's directory. `aid` is upper-case hex; `priority` 1 is best, 0 says nothing."""

    aid: str
    label: str = ""
    priority: int = 0

    @property
    def aid_bytes(self) -> bytes:
        """`aid` in bytes."""
        return bytes.fromhex(self.aid)

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        return dict(self.__dict__)


@dataclass(frozen=True)
class Begun:
    """An answer to GET PROCESSING OPTIONS: whole, and by tag whatever its format."""

    response: bytes
    objects: dict[int, bytes]


def command(cla: int, ins: int, p1: int, p2: int, data: bytes = b"") -> bytes:
    """A command that wants an answer, of any length."""
    return bytes([cla, ins, p1, p2]) + (bytes([len(data)]) + data if data else b"") + b"\0"


def ask(transceive: Transceive, apdu: bytes) -> bytes | None:
    """The data of a good answer, else None; what T=0 leaves to the terminal is done (61xx, 6Cxx: EMV Book 1, 9.3.1)."""
    answer = transceive(apdu)
    if len(answer) == 2 and answer[0] == 0x6C:
        answer = transceive(apdu[:-1] + answer[1:])
    data = b""
    while len(answer) >= 2 and answer[-2] == 0x61:
        data += answer[:-2]
        answer = transceive(bytes([0x00, 0xC0, 0x00, 0x00, answer[-1]]))
    return data + answer[:-2] if answer[-2:] == _OK else None


def select(transceive: Transceive, name: bytes) -> bytes | None:
    """The file control information of the application, or of the directory, with this name."""
    return ask(transceive, command(0x00, 0xA4, 0x04, 0x00, name))


def list_applications(transceive: Transceive, interface: Interface) -> list[Listed]:
    """What the card offers, the best first."""
    contactless = interface is Interface.CONTACTLESS
    try:
        listed = list(_entries(_directory(transceive, contactless)))
    except WireError:
        listed = []
    if not listed and not contactless:
        listed = [Listed(aid) for aid in KNOWN if select(transceive, bytes.fromhex(aid)) is not None]
    return sorted(listed, key=lambda each: each.priority or 16)


def _directory(transceive: Transceive, contactless: bool) -> bytes:
    control = select(transceive, PPSE if contactless else PSE) or b""
    file = tlv.find(control, 0x88)
    if contactless or not file:
        return control
    return b"".join(_records_of(transceive, file[0]))


def _records_of(transceive: Transceive, file: int) -> Iterator[bytes]:
    """Every record of a file until the card has no more."""
    for number in range(1, _MAX_RECORD + 1):
        record = read_record(transceive, file, number)
        if record is None:
            return
        yield record


def _entries(directory: bytes) -> Iterator[Listed]:
    for each in tlv.walk(directory):
        if each.tag != 0x61:
            continue
        entry = tlv.as_mapping(each.value)
        if name := entry.get(0x4F):
            label = entry.get(0x50, b"").decode("latin-1")
            yield Listed(name.hex().upper(), label, entry.get(0x87, b"\0")[-1] & 0x0F)


def read_record(transceive: Transceive, file: int, number: int) -> bytes | None:
    """One record of the file with this short identifier, its template 70 included."""
    return ask(transceive, command(0x00, 0xB2, number, file << 3 | 0x04))


def begin(transceive: Transceive, control: bytes, terminal: Mapping[int, bytes] | None = None) -> Begun | None:
    """GET PROCESSING OPTIONS with what the card's PDOL asks for; the terminal says `TERMINAL` and `terminal`."""
    try:
        wanted = tlv.parse_dol(tlv.find(control, 0x9F38) or b"")
        values = tlv.fill_dol(wanted, {**terminal_objects(), **(terminal or {})})
        answer = ask(transceive, command(0x80, 0xA8, 0x00, 0x00, tlv.encode(0x83, values)))
        return None if answer is None else Begun(answer, _by_tag(answer))
    except WireError:
        return None


def _by_tag(answer: bytes) -> dict[int, bytes]:
    """Format 1 (80: AIP and AFL without tags) or format 2 (77), EMV Book 3, 6.5.8.4."""
    first = tlv.parse(answer)[0] if answer else tlv.Tlv(0x77, b"")
    if first.tag == 0x80:
        return {0x82: first.value[:2], 0x94: first.value[2:]}
    return tlv.as_mapping(answer)


def terminal_objects() -> dict[int, bytes]:
    """What a terminal says of itself and of a sale of 1.00 EUR; online, contact and contactless EMV."""
    now = datetime.datetime.now()
    return {
        0x9F02: bytes.fromhex("000000000100"),
        0x9F03: bytes(6),
        0x9F1A: bytes.fromhex("0276"),
        0x5F2A: bytes.fromhex("0978"),
        0x95: bytes(5),
        0x9A: bytes.fromhex(now.strftime("%y%m%d")),
        0x9C: b"\0",
        0x9F21: bytes.fromhex(now.strftime("%H%M%S")),
        0x9F33: bytes.fromhex("E0F8C8"),
        0x9F34: bytes.fromhex("1F0302"),
        0x9F35: b"\x22",
        0x9F37: secrets.token_bytes(4),
        0x9F40: bytes.fromhex("6000F0A001"),
        0x9F45: bytes(2),
        0x9F66: bytes.fromhex("27004000"),
    }


def read_records(transceive: Transceive, locator: bytes) -> Iterator[tuple[tuple[int, int], bytes]]:
    """The records that an application file locator (94) names, each with its file and number."""
    for at in range(0, len(locator) - 3, 4):
        file, first, last, _ = locator[at : at + 4]
        for number in range(first, last + 1):
            record = read_record(transceive, file >> 3, number)
            if record is not None:
                yield (file >> 3, number), record


def get_data(transceive: Transceive, tag: int) -> bytes | None:
    """A data object that the card gives alone: 9F36, 9F13, 9F17, 9F4F."""
    answer = ask(transceive, command(0x80, 0xCA, tag >> 8, tag & 0xFF))
    try:
        return tlv.find(answer, tag) if answer else None
    except WireError:
        return None
