"""What the entry point and its kernels have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rig.virtual.terminal.emv.card import CardData, CardLost, Purchase, Transceive
from rig.virtual.terminal.emv.facts import Facts
from rig.virtual.terminal.emv.objects import Malformed
from rig.virtual.terminal.emv.schemes import Scheme
from rig.wire.errors import WireError
from rig.wire.tlv import DolEntry, fill_dol, parse_dol

Note = Callable[..., Any]
"""Writes a development event: its kind, and fields by name. No card data."""


class SelectNext(Exception):
    """This application is out; the entry point goes on to the next candidate."""


class SeePhone(CardLost):
    """The phone wants its owner first: look at it, and present it again."""


@dataclass(frozen=True)
class Selected:
    """One application that the card has selected: ``control`` is its file control information by tag."""

    transceive: Transceive
    scheme: Scheme
    aid: bytes
    control: Mapping[int, bytes]
    purchase: Purchase
    facts: Facts
    note: Note = field(repr=False)

    def pdol(self) -> list[DolEntry]:
        """What the card wants to know first (9F38). Raises Malformed."""
        return entries_of(self.control.get(0x9F38, b""))


Kernel = Callable[[Selected], CardData]
"""Runs one application to its end.

Raises:
    CardLost: present the card again.
    CardRefused: it ends here.
    SelectNext: another application of the card may do.
"""


def entries_of(listed: bytes) -> list[DolEntry]:
    """A data object list of the card. Raises Malformed."""
    try:
        return parse_dol(listed)
    except WireError as error:
        raise Malformed(f"a data object list is malformed: {error}") from error


def fill(entries: list[DolEntry], values: Mapping[int, bytes]) -> bytes:
    """What is sent for a data object list. Raises Malformed where it is more than a command can hold."""
    data = fill_dol(entries, values)
    if len(data) > 252:
        raise Malformed(f"a data object list asks for {len(data)} bytes")
    return data
