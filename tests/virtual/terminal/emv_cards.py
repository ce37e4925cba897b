"""Cards for the terminal's kernels without a reader: the bench's own, spoiled where wanted, and scripted ones."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from rig.cards.bureau import CardBureau
from rig.cards.emv.authority import CardAuthority
from rig.cards.faults import CardFault, Misbehaviour, Spoil, Tear
from rig.cards.profile import CardProfile, Interface, load_card
from rig.history import Redactor, TestRange
from rig.virtual.terminal.emv.card import CardData, CardLost, Purchase
from rig.virtual.terminal.emv.entry import read_card
from rig.virtual.terminal.emv.facts import Facts, Limits
from rig.virtual.terminal.emv.oda import load_authorities
from rig.virtual.terminal.emv.schemes import NAMES
from rig.wire.tlv import encode
from tests.virtual.terminal.card_in_field import TRACK2

CARDS = Path(__file__).parents[3] / "fixtures/cards"
WHEN = datetime(2026, 3, 2, 10, 11, 12)
OK = b"\x90\x00"
OFFLINE = Limits(transaction=1_000_000, cvm=5_000, floor=2_000)


def purchase(amount: int = 1_000) -> Purchase:
    """A purchase in euro."""
    return Purchase(amount, "978", WHEN)


class Notes(list[tuple[str, dict[str, Any]]]):
    """Development events as they come."""

    def __call__(self, kind: str, **fields: Any) -> None:
        self.append((kind, fields))

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The fields of all events of this kind."""
        return [fields for each, fields in self if each == kind]


@dataclass
class Issuer:
    """Issues the bench's cards, and knows what a terminal needs to authenticate them."""

    state: Path
    bureau: CardBureau = field(init=False)

    def __post_init__(self) -> None:
        self.bureau = CardBureau(self.state, Redactor.with_new_key([TestRange(first) for first in "123456789"]))
        self.authorities = load_authorities(CardAuthority(self.state).publish())

    def card(self, name: str | CardProfile, *faults: CardFault, interface: Interface = Interface.CONTACTLESS) -> Tapped:
        """A card in the field, which misbehaves as told."""
        profile = load_card(name, CARDS) if isinstance(name, str) else name
        self.bureau.renew(profile)
        return Tapped(self.bureau.issue(profile, interface), Misbehaviour(faults))

    def facts(self, limits: Limits = OFFLINE, **more: Any) -> dict[str, Facts]:
        """A terminal that knows the authorities."""
        return dict.fromkeys(NAMES, replace(Facts(limits=limits, authorities=self.authorities), **more))


@dataclass
class Tapped:
    """One of the bench's cards as a terminal reaches it; ``names`` are the commands that it got."""

    card: Any
    faults: Misbehaviour
    names: list[str] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)

    def __call__(self, command: bytes) -> bytes:
        exchange = self.card.process(command)
        self.names.append(exchange.name)
        self.sent.append(command)
        response: bytes = exchange.response
        for fault in self.faults.due(exchange.name):
            if isinstance(fault, Spoil):
                response = fault.how.apply(response)
            if isinstance(fault, Tear):
                raise CardLost("it left")
        return response

    def buy(self, facts: dict[str, Facts], amount: int = 1_000, notes: Notes | None = None) -> CardData:
        """Run a purchase with it."""
        return read_card(self, purchase(amount), facts, Notes() if notes is None else notes)


@dataclass
class Scripted:
    """Answers by the beginning of the command in hex, the longest that fits; anything else with 6A82."""

    answers: dict[str, bytes]
    sent: list[str] = field(default_factory=list)

    def __call__(self, command: bytes) -> bytes:
        self.sent.append(command.hex().upper())
        fitting = [start for start in self.answers if self.sent[-1].startswith(start)]
        return self.answers[max(fitting, key=len)] if fitting else b"\x6a\x82"


VISA, VISA_ELECTRON = bytes.fromhex("A0000000031010"), bytes.fromhex("A0000000032010")
UNIONPAY, MASTERCARD = bytes.fromhex("A000000333010101"), bytes.fromhex("A0000000041010")
PDOL = bytes.fromhex("9F66049F02069F03069F1A0295055F2A029A039C019F3704")
PPSE_COMMAND = "00A404000E325041592E5359532E4444463031"


def entry(aid: bytes, priority: int | None = 1, kernel: str = "") -> bytes:
    """One application of a directory."""
    more = [] if priority is None else [encode(0x87, bytes([priority]))]
    return encode(0x61, encode(0x4F, aid), *more, *([encode(0x9F2A, bytes.fromhex(kernel))] if kernel else []))


def directory(*entries: bytes) -> bytes:
    """The answer to SELECT PPSE."""
    return encode(0x6F, encode(0x84, b"2PAY.SYS.DDF01"), encode(0xA5, encode(0xBF0C, *entries))) + OK


def control(aid: bytes, pdol: bytes = PDOL) -> bytes:
    """The answer to SELECT AID."""
    return encode(0x6F, encode(0x84, aid), encode(0xA5, encode(0x50, b"TEST"), encode(0x9F38, pdol))) + OK


def options(**changed: str | None) -> bytes:
    """The answer to GET PROCESSING OPTIONS of a card that goes online; ``t9F27="40"`` replaces, None leaves out."""
    values: dict[str, str | None] = {
        "t82": "2000", "t57": TRACK2.hex(), "t5F34": "01", "t9F10": "06010A03A00000", "t9F26": "1122334455667788",
        "t9F27": "80", "t9F36": "0042", "t9F6C": "0000", **changed,
    }  # fmt: skip
    objects = [encode(int(name[1:], 16), bytes.fromhex(value)) for name, value in values.items() if value is not None]
    return encode(0x77, *objects) + OK


def selecting(aid: bytes) -> str:
    """The command that selects an application."""
    return f"00A40400{len(aid):02X}{aid.hex().upper()}"


def plain_card(aid: bytes = VISA, pdol: bytes = PDOL, gpo: bytes | None = None, **changed: str | None) -> Scripted:
    """A card with one application."""
    answers = {PPSE_COMMAND: directory(entry(aid)), selecting(aid): control(aid, pdol)}
    return Scripted({**answers, "80A8": options(**changed) if gpo is None else gpo})
