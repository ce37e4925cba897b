"""The contact flow byte by byte, with scripted cards: selection, first cryptogram, completion, scripts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType, SimpleNamespace

import pytest

from rig.cards.faults import At, Spoil
from rig.cards.profile import Interface
from rig.cards.spoil import CutShort, Scrambled, Spoiling, Status, Without
from rig.virtual.terminal.contact import ChipFailed, contact_facts, read_card
from rig.virtual.terminal.contact_selection import PSE
from rig.virtual.terminal.emv.card import CardData, CardLost, CardRefused, Cvm, Decision, EntryMode, HostAnswer
from rig.virtual.terminal.emv.facts import Facts
from rig.virtual.terminal.emv.schemes import NAMES
from rig.wire.tlv import encode
from tests.virtual.terminal.emv_cards import (
    MASTERCARD,
    OK,
    UNIONPAY,
    VISA,
    VISA_ELECTRON,
    Issuer,
    Notes,
    Scripted,
    entry,
    purchase,
    selecting,
)

H = bytes.fromhex
PSE_COMMAND = f"00A404000E{PSE.hex().upper()}"
DIRECTORY = "00B2010C"
CDOL1, CDOL2 = H("9F02069F1A0295055F2A029A039C019F3704"), H("8A02910A9505")
ARQC, TC, AAC = "80", "40", "00"


@pytest.fixture(autouse=True)
def known_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """9F37 is always the same."""
    known = SimpleNamespace(token_bytes=lambda _: b"\x11\x22\x33\x44")
    monkeypatch.setattr("rig.virtual.terminal.emv.objects.secrets", known)


def pse(*entries: bytes) -> dict[str, bytes]:
    """A payment system environment whose directory has one record."""
    found = encode(0x6F, encode(0x84, PSE), encode(0xA5, encode(0x88, b"\x01"))) + OK
    return {PSE_COMMAND: found, DIRECTORY: encode(0x70, *entries) + OK, "00B2020C": b"\x6a\x83"}


def control(aid: bytes, priority: int = 1) -> bytes:
    return encode(0x6F, encode(0x84, aid), encode(0xA5, encode(0x50, b"TEST"), encode(0x87, bytes([priority])))) + OK


def cryptogram(information: str, value: str = "1122334455667788") -> bytes:
    """Format 1: 9F27, 9F36, 9F26, 9F10."""
    return encode(0x80, H(information), H("0042"), H(value), H("06010A03A00000")) + OK


Changed = Mapping[int, bytes | None]


def card(
    first: str = ARQC, second: str = TC, profile: str = "1800", changed: Changed = MappingProxyType({})
) -> Scripted:
    """A Visa application with one record and no list of verifications but a signature."""
    values: dict[int, bytes | None] = {
        0x57: H("4761739001010010D3112201000000000F"), 0x5A: H("4761739001010010"), 0x5F24: H("311231"),
        0x5F34: H("01"), 0x8C: CDOL1, 0x8D: CDOL2, 0x8E: H("0000000000000000 1E00"),
        **changed,
    }  # fmt: skip
    record = b"".join(encode(tag, value) for tag, value in values.items() if value is not None)
    return Scripted({
        **pse(entry(VISA)), selecting(VISA): control(VISA), "80A8": encode(0x80, H(profile), H("10010100")) + OK,
        "00B20114": encode(0x70, record) + OK, "80AE": cryptogram(first), "80AE40001130": cryptogram(second),
        "80AE400011": cryptogram(second), "80AE000011": cryptogram(AAC, "8877665544332211"), "0082": OK,
    })  # fmt: skip


def read(card: Scripted, floor: int = 0, notes: Notes | None = None) -> CardData:
    facts = contact_facts(dict.fromkeys(NAMES, Facts()), floor)
    return read_card(card, purchase(), facts, Notes() if notes is None else notes)


def complete(card: Scripted, rc: str = "00", chip: bytes = b"", floor: int = 0) -> tuple[bool, list[str]]:
    """Whether the card approved in the end, and the commands after its first cryptogram."""
    data = read(card, floor)
    assert data.finish is not None
    before = len(card.sent)
    completion = data.finish(HostAnswer(rc, chip=chip) if rc else None)
    return completion.approved, card.sent[before:]


def test_the_whole_dialogue() -> None:
    scripted = card()
    data = read(scripted)
    tvr = "8000008000"  # not authenticated offline, floor limit exceeded
    assert scripted.sent == [
        PSE_COMMAND + "00", DIRECTORY + "00", "00B2020C00", selecting(VISA) + "00", "80A8000002830000", "00B2011400",
        f"80AE8000170000000010000276{tvr}0978260302001122334400",
    ]  # fmt: skip
    assert (data.entry_mode, data.decision, data.cvm, data.sequence, data.label) == (
        EntryMode.CONTACT, Decision.ONLINE, Cvm.SIGNATURE, 1, "VISA",
    )  # fmt: skip
    assert (data.chip[0x95].hex(), data.chip[0x9F34].hex(), data.chip[0x9F26].hex()) == (
        tvr, "1e0000", "1122334455667788",
    )  # fmt: skip
    assert data.finish is not None
    completion = data.finish(HostAnswer("00", chip=encode(0x91, H("AABBCCDDEEFF00113030"))))
    assert completion.approved
    assert scripted.sent[7:] == [f"80AE4000113030AABBCCDDEEFF00113030{tvr}00"]  # 91 in CDOL2: the AIP knows no command


def test_external_authenticate_where_the_card_can_it() -> None:
    told = encode(0x91, H("AABBCCDDEEFF00113030"))
    approved, sent = complete(card(profile="1C00"), chip=told)
    assert approved
    assert sent[0] == "008200000AAABBCCDDEEFF00113030"
    scripted = card(profile="1C00")
    scripted.answers["0082"] = b"\x63\x00"
    approved, sent = complete(scripted, chip=told)
    assert sent[1] == "80AE4000113030AABBCCDDEEFF00113030800000804000"  # issuer authentication failed


@pytest.mark.parametrize(
    ("rc", "second", "approved", "asked"),
    [("00", TC, True, "40"), ("00", AAC, False, "40"), ("00", ARQC, False, "40"), ("51", TC, False, "00"),
     ("Z3", TC, False, "00")],
)  # fmt: skip
def test_the_last_word(rc: str, second: str, approved: bool, asked: str) -> None:
    said, sent = complete(card(second=second), rc)
    assert said is approved
    assert sent == [f"80AE{asked}0011{rc.encode().hex().upper()}00000000000000000000800000800000"]


def test_without_the_host_the_codes_decide() -> None:
    lenient = {0x9F0D: bytes(5), 0x9F0F: b"\xff" * 5}
    said, sent = complete(card(changed=lenient), "", floor=2000)
    assert (said, sent[0][:14]) == (False, "80AE0000115A33")  # the terminal's default code: not authenticated offline
    facts = dict.fromkeys(NAMES, replace(Facts(), action_codes=replace(Facts().action_codes, default="00" * 5)))
    scripted = card(changed=lenient)
    data = read_card(scripted, purchase(), contact_facts(facts, 2000), Notes())
    assert data.finish is not None
    completion = data.finish(None)
    assert (completion.approved, scripted.sent[-1][:14]) == (True, "80AE4000115933")


def test_scripts_before_and_after_the_last_word() -> None:
    def script(tag: int, identifier: str, *commands: str) -> bytes:
        return encode(tag, encode(0x9F18, H(identifier)), *(encode(0x86, H(each)) for each in commands))

    scripted = card()
    scripted.answers |= {"841E": OK, "8424": b"\x69\x88", "84DA": b"\x62\x00"}
    chip = script(0x72, "00000002", "841E000000", "84DA9F1400") + script(
        0x71, "00000001", "841E000000", "8424000000", "84DA9F1400"
    )
    data = read(scripted)
    assert data.finish is not None
    completion = data.finish(HostAnswer("00", chip=chip))
    assert completion.approved
    assert [each[:4] for each in scripted.sent[7:]] == ["841E", "8424", "80AE", "841E", "84DA"]
    assert completion.chip[0x9F5B].hex() == "1200000001" + "2000000002"
    assert completion.chip[0x95].hex() == "8000008020"
    assert scripted.sent[9].endswith("800000802000")


@pytest.mark.parametrize("chip", [b"\x91", b"\x71\x05ab", b"\x71\x03\x86\x09a", b"\x00\x00", b"\xff" * 40])
def test_an_answer_that_cannot_be_read_holds_nothing_for_the_card(chip: bytes) -> None:
    assert complete(card(), chip=chip)[0]


def test_an_application_that_does_not_want_this_purchase_makes_room_for_the_next() -> None:
    scripted = card()
    scripted.answers |= pse(entry(MASTERCARD, 1), entry(VISA, 2)) | {selecting(MASTERCARD): control(MASTERCARD)}
    scripted.answers[selecting(MASTERCARD)] = b"\x6a\x82"
    assert read(scripted).label == "VISA"
    scripted.answers["80A8"] = b"\x69\x85"
    with pytest.raises(CardRefused, match="6985"):
        read(scripted)


@pytest.mark.parametrize(
    "broken",
    [
        {PSE_COMMAND: b"\x6a\x82"}, {PSE_COMMAND: b"\x62\x83"}, {DIRECTORY: b"\x6a\x83"},
        {DIRECTORY: b"\x70\x05ab\x90\x00"},
        {PSE_COMMAND: encode(0x6F, encode(0x84, PSE)) + OK}, {"00B2020C": b"\x6f\x00"},
        pse(entry(H("D2760000850101"))),
    ],
)  # fmt: skip
def test_without_a_sound_directory_each_application_is_asked_for(broken: dict[str, bytes]) -> None:
    scripted = card()
    scripted.answers |= broken
    assert read(scripted).label == "VISA"
    assert selecting(UNIONPAY) + "00" in scripted.sent


def test_an_application_that_is_known_by_the_beginning_of_its_name() -> None:
    longer = VISA + b"\x01"
    scripted = card()
    again = selecting(VISA).replace("00A40400", "00A40402")
    scripted.answers |= {
        PSE_COMMAND: b"\x6a\x82", selecting(VISA): control(longer, 3), again: control(longer[:-1] + b"\x02", 2),
        selecting(longer): control(longer), selecting(longer[:-1] + b"\x02"): control(longer[:-1] + b"\x02"),
    }  # fmt: skip
    assert read(scripted).chip[0x84] == VISA + b"\x02"


@pytest.mark.parametrize("status", ["6F00", "6A82", "6D00"])
def test_no_application_at_all_is_a_technical_failure(status: str) -> None:
    with pytest.raises(ChipFailed):
        read(Scripted({"00A4": H(status)}))


@pytest.mark.parametrize(
    "answers",
    [{PSE_COMMAND: b"\x6a\x81"}, {PSE_COMMAND: b"\x6a\x82", "00A40400": b"\x6a\x81"}, {selecting(VISA): b"\x62\x83"}],
)
def test_a_blocked_card_is_refused(answers: dict[str, bytes]) -> None:
    scripted = card()
    scripted.answers |= answers
    with pytest.raises(CardRefused, match="blocked"):
        read(scripted)


@pytest.mark.parametrize(
    "changed",
    [{0x5A: None}, {0x5F24: None}, {0x8C: None}, {0x8D: None}, {0x57: None}, {0x5A: H("4761739001010011")},
     {0x8C: H("9F")}, {0x5F24: H("319999")}, {0x8E: H("00")}],
    ids=str,
)  # fmt: skip
def test_a_card_whose_data_is_wrong_is_refused(changed: Changed) -> None:
    with pytest.raises(CardRefused):
        read(card(changed=changed))


def test_a_card_that_gives_more_than_it_was_asked_for_is_refused() -> None:
    with pytest.raises(CardRefused, match="ARQC was asked for"):
        read(card(first=TC))


def test_electron_is_not_visa() -> None:
    scripted = card()
    scripted.answers |= pse(entry(VISA_ELECTRON)) | {selecting(VISA_ELECTRON): control(VISA_ELECTRON)}
    assert read(scripted).label == "VISA ELECTRON"


SPOILS: list[Spoiling] = [Status(0x6F00), CutShort(), Scrambled(), Without(0x9F36)]


@pytest.mark.parametrize("name", ["contact-dda", "mastercard-credit"])
def test_whatever_is_spoiled_the_end_is_a_plain_one(issuer: Issuer, name: str) -> None:
    """No answer of the card makes the terminal fail, or believe a card that cannot be."""
    facts = contact_facts(issuer.facts(), 2000)
    whole = issuer.card(name, interface=Interface.CONTACT)
    read_card(whole, purchase(), facts, Notes())
    for at in set(whole.names):
        for spoil in SPOILS:
            for number in (1, 2) if at == "GENERATE AC" or whole.names.count(at) > 1 else (1,):
                spoiled = issuer.card(name, Spoil(At(at, number), spoil), interface=Interface.CONTACT)
                try:
                    data = read_card(spoiled, purchase(), facts, Notes())
                except (CardLost, CardRefused, ChipFailed):
                    continue
                assert data.decision is Decision.ONLINE
                assert data.finish is not None
                data.finish(HostAnswer("05"))
