"""What lies on a reader, by dialogues byte for byte, by the cards themselves, and by nonsense."""

import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.cards.bureau import CardBureau
from rig.cards.emv.card import EmvCard
from rig.cards.pcsc import GET_UID, PcscReader
from rig.cards.pn532 import Pn532Presenter
from rig.cards.pn532_reader import Pn532CardReader
from rig.cards.profile import CardProfile, Interface, load_cards
from rig.cards.reading import compare, identify_card
from rig.cards.terminal_commands import Listed
from rig.errors import BenchBusy, CallerMistake, DeviceGone
from rig.history import Redactor, TestRange

H = bytes.fromhex
CARDS = Path(__file__).parents[2] / "fixtures/cards"
REFUSED = H("6A82")


class Script:
    """A reader that answers each command as it is written, and notes those that came."""

    uid: bytes | None = None
    atr: bytes | None = None

    def __init__(self, interface: Interface, dialogue: dict[str, str]) -> None:
        self.interface = interface
        self.sent: list[str] = []
        self._dialogue = dialogue

    def transceive(self, apdu: bytes) -> bytes:
        self.sent.append(apdu.hex().upper())
        return H(self._dialogue.get(self.sent[-1], REFUSED.hex()))


class InMemory:
    """A card that is read without anything between."""

    uid: bytes | None = None
    atr: bytes | None = None

    def __init__(self, card: EmvCard) -> None:
        self.interface = card.interface
        self.transceive = lambda apdu: card.process(apdu).response


CONTACT = {
    "00A404000E315041592E5359532E444446303100": "6F15840E315041592E5359532E4444463031A5038801019000",
    "00B2010C00": "6C13",  # T=0: so many bytes, ask again
    "00B2010C13": "7011 610F 4F07A0000000031010 500456495341 9000",
    "00A4040007A000000003101000": "610D",  # T=0: so many bytes wait
    "00C000000D": "6F0B8407A0000000031010A500 9000",
    "80A8000002830000": "80063C0010010100 9000",
    "00B2011400": "7014 5A084761739001010010 5F2403311231 5F340101 9000",
    "80CA9F3600": "9F36020009 9000",
}


def test_a_contact_card_byte_by_byte(redactor: Redactor) -> None:
    reader = Script(Interface.CONTACT, CONTACT)
    found = identify_card(reader, redactor)
    assert reader.sent == [
        "00A404000E315041592E5359532E444446303100", "00B2010C00", "00B2010C13", "00B2020C00",
        "00A4040007A000000003101000", "00C000000D", "80A8000002830000", "00B2011400", "80CA9F3600",
    ]  # fmt: skip
    assert found.applications == (Listed("A0000000031010", "VISA", 0),)
    assert (found.masked, found.psn, found.expiry, found.atc) == ("476173******0010", "01", "3112", 9)
    assert found.test_card
    assert not found.counted


def test_a_contact_card_without_a_directory_is_asked_by_name(redactor: Redactor) -> None:
    reader = Script(Interface.CONTACT, {"00A4040007A000000004101000": "6F0B8407A0000000041010A5009000"})
    assert identify_card(reader, redactor).applications == (Listed("A0000000041010"),)


def test_every_card_is_known_on_every_interface(bureau: CardBureau, redactor: Redactor) -> None:
    cards = load_cards(CARDS)
    for card in cards.values():
        for interface in set(card.interfaces) - {Interface.STRIPE}:
            found = identify_card(InMemory(bureau.issue(card, interface)), redactor)
            assert compare(found, card, redactor) == [], f"{card.name}, {interface}"
            assert card.pan not in repr(found) + str(found.to_dict())
            tells_by_cryptogram = interface is Interface.CONTACTLESS and card.scheme != "mastercard"
            assert found.counted == tells_by_cryptogram, f"{card.name}, {interface}"


def test_another_card(bureau: CardBureau, redactor: Redactor, visa: CardProfile, unionpay: CardProfile) -> None:
    found = identify_card(InMemory(bureau.issue(visa, Interface.CONTACT)), redactor)
    assert compare(found, unionpay, redactor) == [
        "number: 476173******0010, not 621234*********5128",
        "expiry: 3112, not 3012",
        "application A000000333010101: missing",
        "application A0000000031010: not in the profile",
    ]  # fmt: skip


def test_a_card_without_a_number(redactor: Redactor, visa: CardProfile) -> None:
    found = identify_card(Script(Interface.CONTACTLESS, {}), redactor)
    assert (found.applications, found.masked, found.atc) == ((), None, None)
    assert compare(found, visa, redactor) == ["no number could be read; visa-credit is 476173******0010"]


def test_a_foreign_card_is_masked_too(redactor: Redactor) -> None:
    dialogue = {**CONTACT, "80A8000002830000": "770C 570A4000001234567899D311 9000"}
    found = identify_card(Script(Interface.CONTACT, dialogue), redactor)
    assert (found.masked, found.test_card) == ("400000******7899", False)
    assert "4000001234567899" not in repr(found)


REDACTOR = Redactor.with_new_key([TestRange("476173")])


@given(st.lists(st.binary(max_size=40).map(lambda data: data + b"\x90\x00") | st.binary(max_size=40)), st.booleans())
def test_nonsense_is_no_card(answers: Sequence[bytes], contactless: bool) -> None:
    reader = Script(Interface.CONTACTLESS if contactless else Interface.CONTACT, {})
    left = iter(answers)
    reader.transceive = lambda apdu: next(left, REFUSED)  # type: ignore[method-assign]
    identify_card(reader, REDACTOR)


def test_a_card_on_a_pn532(air: Any, bureau: CardBureau, redactor: Redactor, visa: CardProfile) -> None:
    presenter = Pn532Presenter(air.port("bench"), bureau, lambda *_: None, lambda *_: None)
    reader = Pn532CardReader(air.port("terminal"))
    try:
        presenter.arm(visa)
        with reader.card() as card:
            found = identify_card(card, redactor)
    finally:
        reader.close()
        presenter.close()
    assert compare(found, visa, redactor) == []
    assert (found.atc, found.counted) == (1, True)
    assert found.uid is not None
    assert found.uid[0] == 8


# --- PC/SC, with pyscard's shape and without a daemon; the lab has both


class CardGone(Exception):
    """As pyscard's own."""

    __module__ = "smartcard.Exceptions"

    def __init__(self, kind: str = "", hresult: int = 0) -> None:
        super().__init__(kind)
        self.hresult = hresult


class FakeConnection:
    def __init__(self, atr: bytes, answers: dict[bytes, bytes], trouble: Exception | None) -> None:
        self.atr, self.answers, self.trouble = atr, answers, trouble

    def connect(self) -> None:
        if self.trouble:
            raise self.trouble

    def disconnect(self) -> None:
        pass

    def getATR(self) -> list[int]:  # noqa: N802 - pyscard's name
        return list(self.atr)

    def transmit(self, apdu: list[int]) -> tuple[list[int], int, int]:
        answer = self.answers.get(bytes(apdu), REFUSED)
        return list(answer[:-2]), answer[-2], answer[-1]


class FakeReader:
    def __init__(self, name: str, atr: str, answers: dict[bytes, bytes] | None = None, trouble: Any = None) -> None:
        self._name, self._connection = name, FakeConnection(H(atr), answers or {}, trouble)

    def __str__(self) -> str:
        return self._name

    def createConnection(self) -> FakeConnection:  # noqa: N802 - pyscard's name
        return self._connection


@pytest.fixture
def readers(monkeypatch: pytest.MonkeyPatch) -> list[FakeReader]:
    found: list[FakeReader] = []
    system, package = ModuleType("smartcard.System"), ModuleType("smartcard")
    system.readers = lambda: found  # type: ignore[attr-defined]
    package.System = system  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "smartcard", package)
    monkeypatch.setitem(sys.modules, "smartcard.System", system)
    return found


def test_a_contactless_card_in_a_pcsc_reader(readers: list[FakeReader]) -> None:
    readers.append(FakeReader("ACME 00", "3B80800101", {GET_UID: H("08112233 9000")}))
    reader = PcscReader.open("acme")
    assert (reader.interface, reader.uid, reader.atr) == (Interface.CONTACTLESS, H("08112233"), H("3B80800101"))
    assert reader.transceive(H("00A40400")) == REFUSED


def test_a_contact_card_has_no_uid(readers: list[FakeReader]) -> None:
    readers.append(FakeReader("ACME 00", "3B6500002063CB6600"))
    reader = PcscReader.open()
    assert (reader.interface, reader.uid) == (Interface.CONTACT, None)


def test_of_two_readers_the_one_with_a_card(readers: list[FakeReader]) -> None:
    readers += [FakeReader("ACME 00", "", trouble=CardGone()), FakeReader("ACME 01", "3B6500002063CB6600")]
    assert PcscReader.open("acme").name == "ACME 01"
    readers.append(FakeReader("ACME 02", "3B6500002063CB6600"))
    with pytest.raises(CallerMistake, match=r"there are several .name one: ACME 01, ACME 02"):
        PcscReader.open("acme")


def test_pcsc_trouble_is_named_with_its_cure(readers: list[FakeReader], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DeviceGone, match="there is no reader"):
        PcscReader.open()
    readers.append(FakeReader("ACME 00", "", trouble=CardGone("NoCard", 0x8010000C)))
    with pytest.raises(DeviceGone, match=r"ACME 00: no card answers there .put one in"):
        PcscReader.open()
    with pytest.raises(CallerMistake, match=r"reader other: there is none .use one of ACME 00"):
        PcscReader.open("other")
    readers[:] = [FakeReader("ACME 00", "", trouble=CardGone("shared", 0x8010000B - (1 << 32)))]
    with pytest.raises(BenchBusy, match="another program has the card"):
        PcscReader.open()
    monkeypatch.setitem(sys.modules, "smartcard.System", None)
    with pytest.raises(CallerMistake, match=r"pyscard is not installed.*pos-rig\[pcsc\]"):
        PcscReader.open()
