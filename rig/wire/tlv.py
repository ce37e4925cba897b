"""BER-TLV as EMV uses it, and data object lists (DOLs).

Source: EMV Book 3 annex B (coding of BER-TLV data objects) and 5.4 (rules for using a DOL).
A tag is written as the integer of its bytes: ``0x9F02``, ``0x5A``, ``0xBF0C``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from rig.wire.errors import WireError

MAX_TAG_BYTES = 3  # EMV knows tags of one and two bytes; three lets ISO 8825 private ones through
MAX_LENGTH_BYTES = 3


@dataclass(frozen=True)
class Tlv:
    """One data object: its tag and the bytes of its value."""

    tag: int
    value: bytes

    def encode(self) -> bytes:
        """The object as BER-TLV bytes with the shortest length."""
        return encode_tag(self.tag) + encode_length(len(self.value)) + self.value

    @property
    def constructed(self) -> bool:
        """Whether the value is itself a list of data objects (bit 6 of the first tag byte)."""
        return bool(encode_tag(self.tag)[0] & 0x20)


@dataclass(frozen=True)
class DolEntry:
    """One entry of a data object list: the object asked for and how many bytes of it."""

    tag: int
    length: int


def encode(tag: int, *parts: bytes) -> bytes:
    """One data object whose value is `parts` put together: ``encode(0x6F, encode(0x84, name), …)``."""
    return Tlv(tag, b"".join(parts)).encode()


def encode_all(objects: Iterable[Tlv]) -> bytes:
    """Several data objects, one after the other."""
    return b"".join(each.encode() for each in objects)


def encode_tag(tag: int) -> bytes:
    """The bytes of a tag. Raises WireError for an integer that is no well-formed tag."""
    data = tag.to_bytes(max(1, (tag.bit_length() + 7) // 8), "big") if tag > 0 else b""
    if not data or _take_tag(data + b"\0", 0) != (tag, len(data)):
        raise WireError(f"{tag:#x} is no BER-TLV tag")
    return data


def encode_length(length: int) -> bytes:
    """A length field: one byte up to 127, else 81, 82 or 83 and the length."""
    if length < 0x80:
        return bytes([length])
    body = length.to_bytes((length.bit_length() + 7) // 8, "big")
    if len(body) > MAX_LENGTH_BYTES:
        raise WireError(f"a value of {length} bytes is too long for EMV")
    return bytes([0x80 | len(body)]) + body


def parse(data: bytes) -> list[Tlv]:
    """The data objects of `data`, values untouched; zero bytes between objects are skipped (Book 3 B1).

    Raises WireError for a cut or malformed tag, length or value.
    """
    found, at = [], 0
    while at < len(data):
        if data[at] == 0:
            at += 1
            continue
        tag, at = _take_tag(data, at)
        length, at = _take_length(data, at)
        if at + length > len(data):
            raise WireError(f"tag {tag:X} says {length} bytes, {len(data) - at} are left")
        found.append(Tlv(tag, bytes(data[at : at + length])))
        at += length
    return found


def walk(data: bytes) -> Iterator[Tlv]:
    """Every data object in `data`, parents before their children. Raises WireError as `parse` does."""
    for each in parse(data):
        yield each
        if each.constructed:
            yield from walk(each.value)


def find(data: bytes, tag: int) -> bytes | None:
    """The value of the first object with `tag`, however deep; None when it is absent."""
    return next((each.value for each in walk(data) if each.tag == tag), None)


def as_mapping(data: bytes) -> dict[int, bytes]:
    """The primitive objects of `data` by tag, templates opened; the first of a repeated tag counts."""
    found: dict[int, bytes] = {}
    for each in walk(data):
        if not each.constructed:
            found.setdefault(each.tag, each.value)
    return found


def parse_dol(data: bytes) -> list[DolEntry]:
    """The entries of a data object list (PDOL, CDOL, DDOL). Raises WireError when it is cut."""
    entries, at = [], 0
    while at < len(data):
        tag, at = _take_tag(data, at)
        if at >= len(data):
            raise WireError(f"the list ends before the length of tag {tag:X}")
        entries.append(DolEntry(tag, data[at]))
        at += 1
    return entries


def encode_dol(entries: Iterable[DolEntry]) -> bytes:
    """A data object list as bytes."""
    return b"".join(encode_tag(each.tag) + bytes([each.length]) for each in entries)


def fill_dol(entries: Iterable[DolEntry], values: Mapping[int, bytes]) -> bytes:
    """The data a terminal sends for a list: absent objects are zeros, longer values are cut, shorter ones
    padded with zeros: numeric ones (n, Book 3 annex A) on the left, the rest on the right."""
    return b"".join(_fit(each, values.get(each.tag, b"")) for each in entries)


def split_dol(entries: Iterable[DolEntry], data: bytes) -> dict[int, bytes]:
    """What a card reads out of the data for its list. Raises WireError when the lengths differ."""
    values, at = {}, 0
    for each in entries:
        values[each.tag] = bytes(data[at : at + each.length])
        at += each.length
    if at != len(data):
        raise WireError(f"the list asks for {at} bytes, {len(data)} came")
    return values


NUMERIC = frozenset({0x9F02, 0x9F03, 0x9F1A, 0x5F2A, 0x9A, 0x9C, 0x9F35, 0x9F21, 0x5F36, 0x5F34})


def _fit(entry: DolEntry, value: bytes) -> bytes:
    if entry.tag in NUMERIC:
        return value[-entry.length :].rjust(entry.length, b"\0") if entry.length else b""
    return value[: entry.length].ljust(entry.length, b"\0")


def _take_tag(data: bytes, at: int) -> tuple[int, int]:
    end = at + 1
    if data[at] & 0x1F == 0x1F:
        while end < len(data) and data[end] & 0x80:
            end += 1
        end += 1
    if end > len(data):
        raise WireError("the data ends inside a tag")
    if end - at > MAX_TAG_BYTES:
        raise WireError(f"a tag of {end - at} bytes is longer than {MAX_TAG_BYTES}")
    if data[at] == 0:
        raise WireError("a tag cannot start with 00")
    return int.from_bytes(data[at:end], "big"), end


def _take_length(data: bytes, at: int) -> tuple[int, int]:
    if at >= len(data):
        raise WireError("the data ends before a length")
    first = data[at]
    if first < 0x80:
        return first, at + 1
    count = first & 0x7F
    if not 1 <= count <= MAX_LENGTH_BYTES:
        raise WireError(f"a length field {first:02X} is not used in EMV")
    if at + 1 + count > len(data):
        raise WireError("the data ends inside a length")
    return int.from_bytes(data[at + 1 : at + 1 + count], "big"), at + 1 + count
