"""What the flows of all schemes share: one selected application from SELECT to the end of its transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rig.cards.counter import CounterExhausted, TransactionCounter
from rig.cards.emv.apdu import CardError, CommandApdu, StatusWord
from rig.cards.emv.personal import Personal
from rig.cards.emv.signing import INFORMATION, Signed
from rig.cards.memory import CardMemory
from rig.wire import tlv
from rig.wire.cryptogram import Decision
from rig.wire.errors import WireError
from rig.wire.tlv import DolEntry

_WISH: dict[str, Decision] = {"online": "ARQC", "decline": "AAC", "offline": "TC"}
_HEIGHT: dict[Decision, int] = {"AAC": 0, "ARQC": 1, "TC": 2}
_RECORD_BY_NUMBER = 0x04


@dataclass(frozen=True)
class Cryptogram:
    """What the card signed: the value of 9F26, the counter that it stands under, and 9F27, which says what it is.

    `last` is the second one of a card in the slot, which ends what the first one began.
    """

    atc: int
    value: bytes
    information: int = INFORMATION["ARQC"]
    last: bool = False

    @property
    def told(self) -> dict[str, int | str]:
        """It as an event has it: decimal counter, hexadecimal cryptogram and 9F27."""
        return {"atc": self.atc, "cryptogram": self.value.hex().upper(), "information": f"{self.information:02X}"}


@dataclass(frozen=True)
class Answer:
    """The data of a response that says 9000, and what it signs, if anything."""

    data: bytes = b""
    cryptogram: Cryptogram | None = None


Handler = Callable[[CommandApdu], Answer]


class Flow:
    """One application between SELECT and the next SELECT.

    Args:
        personal: the application.
        counter: the card's transaction counter.
        memory: what the card remembers.
    """

    def __init__(self, personal: Personal, counter: TransactionCounter, memory: CardMemory) -> None:
        self.personal = personal
        self.counter = counter
        self.memory = memory
        self.locator = b""
        self.records: dict[tuple[int, int], bytes] = {}
        self.pdol_values = b""
        self.values: dict[int, bytes] = {}

    @property
    def blocked(self) -> bool:
        """Whether the issuer blocked this application."""
        return self.personal.application.aid in self.memory.now.blocked

    def commands(self) -> Mapping[str, Handler]:
        """What answers each command, by its name; each raises CardError to refuse."""
        return {"GPO": self.processing_options, "READ RECORD": self.read_record}

    def processing_options(self, command: CommandApdu) -> Answer:
        """GET PROCESSING OPTIONS: begin the transaction (EMV Book 3, 6.5.8)."""
        raise NotImplementedError

    def begin(self, command: CommandApdu) -> None:
        """Take in the terminal's values and count the transaction; refused when it has begun before."""
        if self.values:
            raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
        if command.p1 or command.p2:
            raise CardError(StatusWord.WRONG_PARAMETERS)
        told, self.pdol_values = _command_template(self.personal.pdol, command.data)
        try:
            atc = self.counter.next()
        except CounterExhausted:
            raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED) from None
        own = {0x82: self.personal.interchange_profile, 0x9F36: atc.to_bytes(2, "big")}
        self.values = told | own
        self.show(self.personal.records.contents)
        self.locator = self.personal.records.locator

    def show(self, records: Mapping[tuple[int, int], bytes]) -> None:
        """Let READ RECORD find these."""
        self.records |= records

    def read_record(self, command: CommandApdu) -> Answer:
        """READ RECORD (EMV Book 3, 6.5.11)."""
        self.begun()
        return Answer(record(self.records, command))

    def begun(self) -> None:
        """Refuse a command that comes before GET PROCESSING OPTIONS."""
        if not self.values:
            raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)

    def decide(self, asked: Decision) -> Decision:
        """What the card makes of the terminal's proposal: it only goes down, from approval to online to refusal."""
        wish = "AAC" if self.blocked else _WISH[self.personal.profile.behaviour.decision]
        if wish == "TC" and not self._may_go_offline():
            wish = "ARQC"
        return min(asked, wish, key=_HEIGHT.__getitem__)

    def spend(self) -> None:
        """Remember that this transaction's amount went offline."""
        aid, limit = self.personal.application.aid, self.personal.application.offline_limit
        if limit is not None:
            spent = self.memory.now.spent
            self.memory.change(spent={**spent, aid: spent.get(aid, 0) + self.amount})

    @property
    def amount(self) -> int:
        """9F02 in minor units."""
        digits = self.values.get(0x9F02, b"").hex()
        return int(digits) if digits.isdecimal() else 0

    def cryptogram(self, signed: Signed, *, last: bool = False) -> Cryptogram:
        """What is told of a cryptogram."""
        return Cryptogram(int.from_bytes(self.values[0x9F36], "big"), signed.value, signed.information[0], last)

    def _may_go_offline(self) -> bool:
        left = offline_left(self.personal, self.memory)
        currency = self.personal.home_currency
        return (left is None or self.amount <= left) and self.values.get(0x5F2A, currency) == currency


def offline_left(personal: Personal, memory: CardMemory) -> int | None:
    """What may still go offline in sum, minor units; for stored value the balance. None where nothing limits it."""
    limit = personal.application.offline_limit
    return None if limit is None else max(0, limit - memory.now.spent.get(personal.application.aid, 0))


def record(records: Mapping[tuple[int, int], bytes], command: CommandApdu) -> bytes:
    """The record that P1 and P2 name. Raises CardError."""
    if command.p2 & 0x07 != _RECORD_BY_NUMBER or command.p1 == 0:
        raise CardError(StatusWord.WRONG_PARAMETERS)
    try:
        return records[command.p2 >> 3, command.p1]
    except KeyError:
        raise CardError(StatusWord.RECORD_NOT_FOUND) from None


def template(*objects: tuple[int, bytes]) -> bytes:
    """Response message template format 2: 77 with tags and lengths."""
    return tlv.encode(0x77, *(tlv.encode(tag, value) for tag, value in objects))


def bare(*values: bytes) -> bytes:
    """Response message template format 1: 80 with values alone."""
    return tlv.encode(0x80, *values)


def split(asked: list[DolEntry], data: bytes) -> dict[int, bytes]:
    """The terminal's values for a list. Raises CardError when their length is another."""
    try:
        return tlv.split_dol(asked, data)
    except WireError:
        raise CardError(StatusWord.WRONG_LENGTH) from None


def _command_template(pdol: list[DolEntry], data: bytes) -> tuple[dict[int, bytes], bytes]:
    """What the terminal says of itself: the PDOL's values out of template 83."""
    try:
        objects = tlv.parse(data)
    except WireError:
        raise CardError(StatusWord.WRONG_LENGTH) from None
    if [each.tag for each in objects] != [0x83]:
        raise CardError(StatusWord.WRONG_DATA)
    return split(pdol, objects[0].value), objects[0].value
