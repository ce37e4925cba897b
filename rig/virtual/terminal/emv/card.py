"""What reading a card gives, whichever way it was read: the types that readers, kernels and the sale share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

Transceive = Callable[[bytes], bytes]
"""Send a command APDU to the card; returns the response APDU with its status word. Raises CardLost."""


class CardLost(Exception):
    """The card left, or what it answered got lost on the way, before its data was complete: present it again."""


class CardRefused(Exception):
    """The card is there and cannot be used: no application in common, it declined by itself, or its data is wrong.

    ``other_interface`` says that it may be good by contact chip or stripe: the cardholder is asked to insert it.
    """

    def __init__(self, why: str, other_interface: bool = False) -> None:
        super().__init__(why)
        self.other_interface = other_interface


class EntryMode(StrEnum):
    """How the card's number came in; the value is DE22, with PIN entry possible."""

    CONTACTLESS = "071"
    CONTACT = "051"
    STRIPE = "021"
    FALLBACK = "801"
    """The stripe of a card whose chip could not be read."""


class Cvm(StrEnum):
    """How the cardholder is known for this purchase."""

    NONE = "none"
    SIGNATURE = "signature"
    ONLINE_PIN = "online-pin"
    OFFLINE_PIN = "offline-pin"
    DEVICE = "device"
    """The phone asked its owner (CDCVM)."""


class Decision(StrEnum):
    """What card and terminal have agreed on. A refusal is no decision: it is CardRefused."""

    ONLINE = "online"
    OFFLINE_APPROVED = "offline-approved"


@dataclass(frozen=True)
class Purchase:
    """What is to be paid. ``amount`` and ``cashback`` in minor units, ``currency`` ISO 4217 numeric."""

    amount: int
    currency: str
    when: datetime
    cashback: int = 0


@dataclass(frozen=True)
class HostAnswer:
    """What the host said of an online request: DE39, DE38 and the bytes of DE55 (91, 71, 72)."""

    rc: str
    auth: str = ""
    chip: bytes = b""


@dataclass(frozen=True)
class Completion:
    """How a contact card ended the transaction.

    ``approved`` is what card and host agree on: an approval of the host that the card turned down must be reversed.
    ``chip`` is what the card said last (9F26, 9F27, 95, 9F5B …), for the reversal or advice.
    """

    approved: bool
    chip: Mapping[int, bytes] = field(default_factory=dict, repr=False)
    why: str = ""


Finish = Callable[[HostAnswer | None], Completion]
"""Takes the host's answer to a card that is still there; ``None``: the host was not reached."""


@dataclass(frozen=True)
class CardData:
    """What one card gave, complete. ``chip`` is the content of DE55 by tag; card data never shows in a repr.

    ``expiry`` is YYMM, ``track2`` has ``=`` as its separator, ``type_code`` is the ZVT card type (BMP 8A).
    ``pin_block`` is DE52, enciphered; ``finish`` is there where a card waits for the host's answer.
    """

    entry_mode: EntryMode
    pan: str = field(repr=False)
    expiry: str = field(repr=False)
    track2: str = field(repr=False)
    sequence: int
    label: str
    type_code: int
    chip: Mapping[int, bytes] = field(default_factory=dict, repr=False)
    cvm: Cvm = Cvm.NONE
    decision: Decision = Decision.ONLINE
    finish: Finish | None = field(default=None, repr=False)
    pin_block: bytes | None = field(default=None, repr=False)
