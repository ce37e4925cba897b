"""A contactless EMV card that goes online: PPSE, one application, one cryptogram a tap.

The answers follow EMV Contactless Book B (PPSE) and the public descriptions of kernel 3 (Visa) and kernel 7
(UnionPay), which share this flow: SELECT PPSE, SELECT AID, GET PROCESSING OPTIONS that already holds the cryptogram.
There are no certificates: the private keys of the schemes' test authorities are not public, so these cards are
online-only, and say so (AIP 0000, no records unless the profile asks for one).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from rig.cards.counter import CounterExhausted, TransactionCounter
from rig.cards.emv.apdu import CommandApdu, StatusWord
from rig.cards.profile import CardProfile
from rig.wire import tlv
from rig.wire.cryptogram import CryptogramData, application_cryptogram
from rig.wire.errors import WireError

PPSE = b"2PAY.SYS.DDF01"
PDOL = tlv.parse_dol(bytes.fromhex("9F66049F02069F03069F1A0295055F2A029A039C019F3704"))
"""What the card wants to know of the terminal: qualifiers, and what the cryptogram covers."""

AIP = bytes(2)
ISSUER_DATA = {
    "visa": bytes.fromhex("06010A03A00000"),  # length, key index 1, cryptogram version 10, card results
    "unionpay": bytes.fromhex("07010103A0000001"),  # ..., version 1, card results, algorithm 01: triple DES
}
CARD_RESULTS_AAC, CARD_RESULTS_ARQC = 0x80, 0xA0  # first byte of the card verification results behind their length


@dataclass(frozen=True)
class Cryptogram:
    """What the card signed: the value of 9F26 and the counter that it stands under."""

    atc: int
    value: bytes


@dataclass(frozen=True)
class Exchange:
    """One command and what the card makes of it.

    Attributes:
        name: the command for people, e.g. ``SELECT AID``.
        response: data and status word.
        selected: an application was selected by this command.
        cryptogram: what this command's answer signs, if anything.
    """

    name: str
    command: bytes
    response: bytes
    selected: bool = False
    cryptogram: Cryptogram | None = None


class CardError(Exception):
    """The card refuses with a status word."""

    def __init__(self, status: StatusWord) -> None:
        super().__init__(status.name)
        self.status = status


class EmvCard:
    """One personalised card.

    Args:
        profile: what it is.
        master_key: its issuer's master key for application cryptograms.
        counter: its transaction counter.
    """

    def __init__(self, profile: CardProfile, master_key: bytes, counter: TransactionCounter) -> None:
        self.profile = profile
        self._master_key = master_key
        self._counter = counter
        self._application = profile.applications[0]
        self._aid = bytes.fromhex(self._application.aid)
        self._selected = self._initiated = False

    def reset(self) -> None:
        """The card lost its field: nothing is selected any more."""
        self._selected = self._initiated = False

    def process(self, raw: bytes) -> Exchange:
        """Answer one command. Never raises for what a terminal sends: a card answers with a status word."""
        try:
            command = CommandApdu.decode(raw)
        except WireError:
            return Exchange("malformed", raw, StatusWord.WRONG_LENGTH.encode())
        name = _name(command)
        try:
            return self._dispatch(name, command, raw)
        except CardError as refusal:
            return Exchange(name, raw, refusal.status.encode())

    def _dispatch(self, name: str, command: CommandApdu, raw: bytes) -> Exchange:
        match command.cla, command.ins:
            case 0x00, 0xA4:
                selected = command.data != PPSE
                return Exchange(name, raw, _ok(self._select(command)), selected=selected)
            case 0x80, 0xA8:
                cryptogram, data = self._processing_options(command)
                return Exchange(name, raw, _ok(data), cryptogram=cryptogram)
            case 0x00, 0xB2:
                return Exchange(name, raw, _ok(self._read_record(command)))
            case 0x80, 0xCA:
                return Exchange(name, raw, _ok(self._get_data(command)))
            case 0x00, 0x84:
                return Exchange(name, raw, _ok(secrets.token_bytes(8)))
            case ((0x00 | 0x80), _):
                raise CardError(StatusWord.WRONG_INSTRUCTION)
        raise CardError(StatusWord.WRONG_CLASS)

    def _select(self, command: CommandApdu) -> bytes:
        if command.p1 != 0x04:
            raise CardError(StatusWord.WRONG_PARAMETERS)
        self.reset()
        if command.data == PPSE and command.p2 == 0:
            return self._directory()
        wanted = len(command.data) >= 5 and self._aid.startswith(command.data)
        if not wanted or command.p2 != 0:  # there is one application, hence no next one
            raise CardError(StatusWord.FILE_NOT_FOUND)
        self._selected = True
        return self._file_control()

    def _directory(self) -> bytes:
        entry = tlv.encode(
            0x61,
            tlv.encode(0x4F, self._aid),
            tlv.encode(0x50, self._application.label.encode()),
            tlv.encode(0x87, b"\x01"),
            tlv.encode(0x9F2A, bytes([self._application.kernel])),
        )
        return tlv.encode(0x6F, tlv.encode(0x84, PPSE), tlv.encode(0xA5, tlv.encode(0xBF0C, entry)))

    def _file_control(self) -> bytes:
        proprietary = tlv.encode(
            0xA5,
            tlv.encode(0x50, self._application.label.encode()),
            tlv.encode(0x87, b"\x01"),
            tlv.encode(0x9F38, tlv.encode_dol(PDOL)),
        )
        return tlv.encode(0x6F, tlv.encode(0x84, self._aid), proprietary)

    def _processing_options(self, command: CommandApdu) -> tuple[Cryptogram, bytes]:
        if not self._selected or self._initiated:
            raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
        asked = _command_template(command.data)
        try:
            cryptogram, issuer_data, information = self._sign(asked)
        except CounterExhausted:
            raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED) from None
        self._initiated = True
        objects = [
            tlv.Tlv(0x82, AIP),
            tlv.Tlv(0x57, self._track2()),
            tlv.Tlv(0x5F34, bytes.fromhex(self.profile.psn)),
            tlv.Tlv(0x9F10, issuer_data),
            tlv.Tlv(0x9F26, cryptogram.value),
            tlv.Tlv(0x9F27, bytes([information])),
            tlv.Tlv(0x9F36, cryptogram.atc.to_bytes(2, "big")),
            tlv.Tlv(0x9F6C, bytes(2)),
        ]
        return cryptogram, tlv.encode(0x77, tlv.encode_all(objects))

    def _sign(self, asked: dict[int, bytes]) -> tuple[Cryptogram, bytes, int]:
        online = self.profile.behaviour.decision == "online"
        issuer_data = bytearray(ISSUER_DATA[self.profile.scheme])
        issuer_data[4] = CARD_RESULTS_ARQC if online else CARD_RESULTS_AAC
        atc = self._counter.next()
        own = {0x82: AIP, 0x9F36: atc.to_bytes(2, "big"), 0x9F10: bytes(issuer_data)}
        value = application_cryptogram(
            self._application.cryptogram, self._master_key, self.profile.pan, self.profile.psn,
            CryptogramData.from_tags(asked | own),
        )  # fmt: skip
        return Cryptogram(atc, value), bytes(issuer_data), 0x80 if online else 0x00

    def _track2(self) -> bytes:
        """57: PAN, separator, expiry, service code 201 (chip, international), five discretionary zeros."""
        digits = f"{self.profile.pan}D{self.profile.expiry}20100000"
        return bytes.fromhex(digits + "F" * (len(digits) % 2))

    def _read_record(self, _: CommandApdu) -> bytes:
        if not self._initiated:
            raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
        raise CardError(StatusWord.RECORD_NOT_FOUND)

    def _get_data(self, command: CommandApdu) -> bytes:
        if command.p1 << 8 | command.p2 != 0x9F36:
            raise CardError(StatusWord.DATA_NOT_FOUND)
        return tlv.encode(0x9F36, self._counter.value.to_bytes(2, "big"))


def _command_template(data: bytes) -> dict[int, bytes]:
    """What the terminal says of itself: the PDOL's values out of template 83."""
    try:
        objects = tlv.parse(data)
        if [each.tag for each in objects] != [0x83]:
            raise CardError(StatusWord.WRONG_DATA)
        return tlv.split_dol(PDOL, objects[0].value)
    except WireError:
        raise CardError(StatusWord.WRONG_LENGTH) from None


def _name(command: CommandApdu) -> str:
    match command.cla, command.ins:
        case 0x00, 0xA4:
            return "SELECT PPSE" if command.data == PPSE else "SELECT AID"
        case 0x80, 0xA8:
            return "GPO"
        case 0x00, 0xB2:
            return "READ RECORD"
        case 0x80, 0xCA:
            return "GET DATA"
        case 0x00, 0x84:
            return "GET CHALLENGE"
        case _, 0xAE:
            return "GENERATE AC"
    return f"{command.cla:02X}{command.ins:02X}"


def _ok(data: bytes) -> bytes:
    return data + StatusWord.OK.encode()
