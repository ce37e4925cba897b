"""Data objects of one transaction: read strictly, and made into what the host gets.

Source: EMV Book 3, 7.5 (erroneous or missing data), 10.2 (reading of application data), annex A.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from rig.virtual.terminal.emv.card import CardRefused, Purchase
from rig.virtual.terminal.emv.facts import Facts
from rig.virtual.terminal.emv.schemes import Scheme
from rig.wire.errors import WireError
from rig.wire.tlv import parse, walk

Objects = Mapping[int, bytes]
"""Primitive data objects by tag."""

FOR_HOST = (
    0x9F26, 0x9F27, 0x9F10, 0x9F37, 0x9F36, 0x95, 0x9A, 0x9C, 0x9F02, 0x5F2A, 0x82, 0x9F1A, 0x9F03, 0x9F33, 0x9F34,
    0x9F35, 0x9F66, 0x9F6C, 0x9F6E, 0x84, 0x5F34, 0x9F5B, 0x8A, 0x91,
)  # fmt: skip
"""What DE55 holds of them, where it is there."""


class Malformed(CardRefused):
    """The card's data break the rules: its application ends here."""


def told(purchase: Purchase, facts: Facts, scheme: Scheme) -> dict[int, bytes]:
    """The data objects that a card may ask the terminal for (PDOL, CDOL, DDOL), the unpredictable number fresh."""
    return {
        0x9F02: bytes.fromhex(f"{purchase.amount:012d}"),
        0x9F03: bytes.fromhex(f"{purchase.cashback:012d}"),
        0x81: (purchase.amount & 0xFFFFFFFF).to_bytes(4, "big"),
        0x9F04: (purchase.cashback & 0xFFFFFFFF).to_bytes(4, "big"),
        0x9F1A: bytes.fromhex(facts.country),
        0x5F2A: bytes.fromhex(f"0{purchase.currency}"),
        0x5F36: b"\x02",
        0x95: bytes(5),
        0x9A: bytes.fromhex(f"{purchase.when:%y%m%d}"),
        0x9F21: bytes.fromhex(f"{purchase.when:%H%M%S}"),
        0x9C: b"\x09" if purchase.cashback else b"\0",
        0x9F37: secrets.token_bytes(4),
        0x9F33: bytes.fromhex(facts.capabilities),
        0x9F40: bytes.fromhex(facts.additional),
        0x9F35: bytes.fromhex(facts.terminal_type),
        0x9F1B: min(facts.limits.floor, 0xFFFFFFFF).to_bytes(4, "big"),
        0x9F34: bytes.fromhex("3F0000"),
        0x9F09: scheme.version,
    }


def strict(data: bytes, template: int, known: Objects | None = None) -> dict[int, bytes]:
    """The primitive objects in one template.

    Raises:
        Malformed: it is another template, its TLV is wrong, or an object comes twice (also one of ``known``).
    """
    try:
        outer = parse(data)
        if [each.tag for each in outer] != [template]:
            raise Malformed(f"the answer is not one template {template:X}")
        return unique(outer[0].value, known)
    except WireError as error:
        raise Malformed(f"the answer to a command is malformed: {error}") from error


def unique(data: bytes, known: Objects | None = None) -> dict[int, bytes]:
    """The primitive objects of a list, each at most once. Raises Malformed, or WireError for malformed TLV."""
    found: dict[int, bytes] = {}
    for each in walk(data):
        if each.constructed:
            continue
        if each.tag in found or (known is not None and each.tag in known):
            raise Malformed(f"tag {each.tag:X} comes twice")
        found[each.tag] = each.value
    return found


def need(objects: Objects, *tags: int) -> None:
    """Raises Malformed where a mandatory object is absent or empty; it names all of them."""
    missing = [f"{tag:X}" for tag in tags if not objects.get(tag)]
    if missing:
        raise Malformed(f"the card gave no {', '.join(missing)}")


def check_lengths(objects: Objects) -> None:
    """Raises Malformed where an object of fixed length has another (EMV Book 3, annex A; Book C-3, annex A)."""
    for tag, (low, high) in _LENGTHS.items():
        if tag in objects and not low <= len(objects[tag]) <= high:
            raise Malformed(f"tag {tag:X} has {len(objects[tag])} bytes")


def for_host(objects: Objects) -> dict[int, bytes]:
    """The content of DE55."""
    return {tag: objects[tag] for tag in FOR_HOST if tag in objects}


def track2(objects: Objects) -> tuple[str, str, str]:
    """PAN, expiry (YYMM) and track 2 with ``=`` out of 57.

    Raises:
        Malformed: it cannot be read, or 5A says another number.
    """
    pan, _, rest = objects.get(0x57, b"").hex().upper().partition("D")
    rest = rest[:-1] if rest.endswith("F") else rest
    if not (12 <= len(pan) <= 19 and pan.isdigit() and rest.isdigit() and len(rest) >= 7 and "01" <= rest[2:4] <= "12"):
        raise Malformed("track 2 equivalent data is malformed")
    if 0x5A in objects and objects[0x5A].hex().upper().rstrip("F") != pan:
        raise Malformed("track 2 and 5A tell different numbers")
    return pan, rest[:4], f"{pan}={rest}"


def sequence(objects: Objects) -> int:
    """The PAN sequence number (5F34), 0 where there is none. Raises Malformed."""
    text = objects.get(0x5F34, b"\0").hex()
    if not text.isdigit() or len(text) != 2:
        raise Malformed("tag 5F34 is no number of two digits")
    return int(text)


_LENGTHS = {
    0x82: (2, 2), 0x57: (7, 19), 0x5A: (6, 10), 0x9F26: (8, 8), 0x9F27: (1, 1), 0x9F36: (2, 2), 0x9F10: (1, 32),
    0x9F6C: (2, 2), 0x9F07: (2, 2), 0x5F24: (3, 3), 0x5F25: (3, 3), 0x5F28: (2, 2), 0x5F34: (1, 1), 0x9F0D: (5, 5),
    0x9F0E: (5, 5), 0x9F0F: (5, 5), 0x8F: (1, 1), 0x9F08: (2, 2), 0x9F14: (1, 1), 0x9F23: (1, 1), 0x9F42: (2, 2),
}  # fmt: skip
