"""The other half of an EMV dialogue, the terminal's and the issuer's, as small as a test needs it."""

import datetime
from pathlib import Path

from rig.cards.bureau import CardBureau
from rig.cards.emv.authority import authorities
from rig.cards.emv.card import EmvCard, Exchange
from rig.cards.keys import IssuerKeys, MasterKeys
from rig.cards.profile import CardProfile, Interface, load_card
from rig.wire import tlv
from rig.wire.cryptogram import CryptogramData, issuer_authentication_data, script_command
from rig.wire.cryptogram.script import Instruction
from rig.wire.oda import PublicKey, find_authority, recover_card, recover_issuer

H = bytes.fromhex
CARDS = Path(__file__).parents[2] / "fixtures/cards"
TODAY = datetime.date(2026, 11, 22)
ONLINE_ONLY, OFFLINE_TOO = H("36804000"), H("36004080")  # terminal transaction qualifiers, 9F66
VALUES = {
    0x9F66: ONLINE_ONLY, 0x9F02: H("000000001250"), 0x9F1A: H("0276"), 0x5F2A: H("0978"), 0x9A: H("261122"),
    0x9C: H("00"), 0x9F37: H("11223344"), 0x9F35: H("22"),
}  # fmt: skip


def select(name: bytes, p2: int = 0) -> bytes:
    return bytes([0x00, 0xA4, 0x04, p2, len(name)]) + name + b"\0"


class Dialogue:
    """One transaction with one card; `values` is what the terminal says of itself, `objects` what the card said."""

    def __init__(self, card: EmvCard, **values: bytes) -> None:
        self.card = card
        self.values = VALUES | {int(tag.removeprefix("t"), 16): value for tag, value in values.items()}
        self.objects: dict[int, bytes] = {}
        self.sent = b""  # the values for PDOL and CDOLs, one after the other
        self.static_data = b""
        self.last: Exchange = card.process(b"")

    def send(self, command: bytes | str) -> bytes:
        """The response's data; its status word must be 9000."""
        data, status = self.ask(command)
        assert status == "9000"
        return data

    def ask(self, command: bytes | str) -> tuple[bytes, str]:
        """The response's data, and its status word in hex."""
        self.last = self.card.process(H(command) if isinstance(command, str) else command)
        return self.last.response[:-2], self.last.response[-2:].hex().upper()

    def select(self) -> bytes:
        """Select the card's first application; returns its FCI."""
        return self.send(select(H(self.card.profile.applications[0].aid)))

    def begin(self) -> "Dialogue":
        """SELECT, GET PROCESSING OPTIONS, and all records of the AFL."""
        pdol = tlv.find(self.select(), 0x9F38) or b""
        self.sent = tlv.fill_dol(tlv.parse_dol(pdol), self.values)
        answer = self.send(self.gpo())
        if answer[0] == 0x80:
            self.objects = {0x82: answer[2:4], 0x94: answer[4:]}
        else:
            self.objects = tlv.as_mapping(answer)
        self._read(self.objects.get(0x94, b""))
        return self

    def gpo(self) -> bytes:
        """The command with what the PDOL asked for."""
        data = tlv.encode(0x83, self.sent)
        return H("80A80000") + bytes([len(data)]) + data + b"\0"

    def generate(self, p1: int, asked: int = 0x8C, le: bytes = b"\0", **values: bytes) -> dict[int, bytes]:
        """GENERATE AC with the values for CDOL1 (8C) or CDOL2 (8D); returns its data objects."""
        answer = self.send(self.generate_command(p1, asked, le, **values))
        if answer[0] == 0x80:
            body = answer[2:]
            return {0x9F27: body[:1], 0x9F36: body[1:3], 0x9F26: body[3:11], 0x9F10: body[11:]}
        return tlv.as_mapping(answer)

    def generate_command(self, p1: int, asked: int = 0x8C, le: bytes = b"\0", **values: bytes) -> bytes:
        self.values |= {int(tag.removeprefix("t"), 16): value for tag, value in values.items()}
        data = tlv.fill_dol(tlv.parse_dol(self.objects[asked]), self.values)
        self.sent += data
        return bytes([0x80, 0xAE, p1, 0, len(data)]) + data + le

    def card_key(self, state: Path) -> PublicKey:
        """The card's public key, by its certificates and the bench's published authorities."""
        return recover_card(self.issuer_key(state), self.objects, self.static_data, self.card.profile.pan, TODAY)

    def issuer_key(self, state: Path) -> PublicKey:
        """The issuer's public key, by its certificate."""
        aid = H(self.card.profile.applications[0].aid)
        authority = find_authority(authorities(state), aid, self.objects[0x8F][0], TODAY)
        return recover_issuer(authority, self.objects, self.card.profile.pan, TODAY)

    def _read(self, locator: bytes) -> None:
        for at in range(0, len(locator), 4):
            sfi, first, last, signed = locator[at : at + 4]
            for number in range(first, last + 1):
                record = self.send(bytes([0x00, 0xB2, number, sfi | 0x04, 0x00]))
                self.objects = tlv.as_mapping(record) | self.objects
                if number < first + signed:
                    self.static_data += tlv.parse(record)[0].value
        if 0x9F4A in self.objects:
            self.static_data += self.objects[0x82]


class Slot:
    """A terminal's slot, and the issuer behind it, for one card."""

    def __init__(self, bureau: CardBureau, state: Path, profile: CardProfile | str) -> None:
        self.profile = load_card(profile, CARDS) if isinstance(profile, str) else profile
        self.bureau, self.state = bureau, state
        self.dialogue = self.insert()
        self.request: dict[int, bytes] = {}

    def insert(self) -> Dialogue:
        self.dialogue = Dialogue(self.bureau.issue(self.profile, Interface.CONTACT))
        return self.dialogue

    def ask_for(self, p1: int = 0x80) -> dict[int, bytes]:
        """Begin a transaction with the first GENERATE AC."""
        self.insert().begin()
        self.request = self.dialogue.generate(p1)
        return self.request

    @property
    def keys(self) -> MasterKeys:
        return IssuerKeys.load_or_create(self.state, []).of(self.profile.bank)

    @property
    def covered(self) -> CryptogramData:
        return CryptogramData.from_tags(self.dialogue.values | {0x9F03: bytes(6), 0x95: bytes(5)}
                                        | self.dialogue.objects | self.request)  # fmt: skip

    def issuer_says(self, rc: str) -> bytes:
        """Tag 91."""
        version, psn = self.profile.applications[0].cryptogram, self.profile.psn
        return issuer_authentication_data(
            version, self.keys.mk_ac, self.profile.pan, psn, self.covered, self.request[0x9F26], rc
        )

    def script(self, instruction: Instruction, number: int = 0, tag: int | None = None, value: bytes = b"") -> bytes:
        """A command of the issuer's, in answer to the last request."""
        return script_command(
            self.profile.applications[0].cryptogram, self.keys.mk_smi, self.profile.pan, self.profile.psn,
            self.request[0x9F36], self.request[0x9F26], instruction, number=number, tag=tag, value=value,
        )  # fmt: skip
