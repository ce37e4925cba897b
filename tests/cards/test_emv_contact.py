"""Cards on contacts: PSE, dynamic authentication, offline PIN, two cryptograms, the issuer's answer and its scripts."""

from pathlib import Path

import pytest

from rig.cards.bureau import CardBureau
from rig.cards.profile import Behaviour, CardProfile, Interface, load_card
from rig.wire import tlv
from rig.wire.cryptogram import (
    CryptogramData,
    application_cryptogram,
    read_issuer_data,
)
from rig.wire.cryptogram.versions import engine
from rig.wire.oda import AuthenticationFailed, check_combined, check_dynamic, check_static, transaction_data
from tests.cards.dialogue import Dialogue, H, Slot, select

CARDS = Path(__file__).parents[2] / "fixtures/cards"
RIGHT_PIN, WRONG_PIN = "0020008008241234FFFFFFFFFF", "0020008008241111FFFFFFFFFF"


@pytest.fixture
def mastercard_slot(bureau: CardBureau, tmp_path: Path) -> Slot:
    return Slot(bureau, tmp_path / "state", "mastercard-credit")


@pytest.fixture
def visa_slot(bureau: CardBureau, tmp_path: Path) -> Slot:
    return Slot(bureau, tmp_path / "state", "contact-dda")


def with_behaviour(name: str, **fields: object) -> CardProfile:
    return load_card(name, CARDS).model_copy(update={"behaviour": Behaviour.model_validate(fields)})


def test_the_directory_file_lists_the_applications(bureau: CardBureau) -> None:
    dialogue = Dialogue(bureau.issue(load_card("several-applications", CARDS), Interface.CONTACT))
    assert dialogue.ask(select(b"2PAY.SYS.DDF01")) == (b"", "6A82")
    assert dialogue.ask("00B2010C00") == (b"", "6985")
    assert dialogue.send(select(b"1PAY.SYS.DDF01")) == H("6F1A 840E315041592E5359532E4444463031 A508 880101 5F2D02656E")
    assert dialogue.last.name == "SELECT PSE"
    assert dialogue.send("00B2010C00") == H(
        "7038 611D 4F07A0000000041010 500F4D41535445524341524420544553 54 870102"
        "6117 4F07A0000000031010 5009564953412054455354 870101"
    )
    assert dialogue.ask("00B2020C00") == (b"", "6A83")
    assert dialogue.ask("00B2011400") == (b"", "6A83")


def test_answers_of_a_visa_card_have_no_tags(visa_slot: Slot) -> None:
    dialogue = visa_slot.insert()
    assert dialogue.select() == H("6F19 8407A0000000031010 A50E 5009564953412054455354 870101")
    assert dialogue.send("80A8000002830000") == H("800E 3C00 08010100 10010101 18010200")
    dialogue.begin()
    answer = dialogue.send(dialogue.generate_command(0x80))
    assert (answer[:3], len(answer)) == (H("801280"), 20)
    assert dialogue.objects[0x8E] == H("0000000000000000 4103 4203 5E03 1F00")


def test_records_say_who_what_and_when(mastercard_slot: Slot) -> None:
    objects = mastercard_slot.insert().begin().objects
    assert objects[0x82] == H("3900")
    known = {
        0x5A: "5413339000001513", 0x5F20: b"TEST/RIG".hex(), 0x5F24: "311231", 0x5F25: "200101", 0x5F28: "0276",
        0x5F30: "0201", 0x5F34: "01", 0x9F07: "FF00", 0x9F08: "0002", 0x9F42: "0978", 0x9F44: "02", 0x9F4A: "82",
        0x9F0D: "F040AC8000", 0x9F0E: "0010000000", 0x9F0F: "F068BC9800", 0x9F49: "9F3704",
    }  # fmt: skip
    assert {tag: objects[tag] for tag in known} == {tag: H(value) for tag, value in known.items()}
    assert objects.keys() - known.keys() == {
        0x57, 0x82, 0x8C, 0x8D, 0x8E, 0x8F, 0x90, 0x92, 0x94, 0x9F32, 0x9F46, 0x9F47, 0x9F48,
    }  # fmt: skip


def test_the_last_day_of_a_month(bureau: CardBureau, mastercard: CardProfile) -> None:
    for expiry, day in [("2802", "280229"), ("2902", "290228"), ("2904", "290430"), ("2912", "291231")]:
        card = bureau.issue(mastercard.model_copy(update={"expiry": expiry}), Interface.CONTACT)
        assert Dialogue(card).begin().objects[0x5F24] == H(day)


def test_dynamic_authentication(visa_slot: Slot) -> None:
    dialogue = visa_slot.insert()
    assert dialogue.ask("00880000041122334400") == (b"", "6985")
    dialogue.begin()
    assert dialogue.ask("0088000003112233") == (b"", "6700")
    signature = dialogue.send("00880000041122334400")
    assert signature[:3] == H("808180")
    check_dynamic(dialogue.card_key(visa_slot.state), tlv.parse(signature)[0].value, H("11223344"))
    dialogue.generate(0x80)
    assert dialogue.ask("00880000041122334400") == (b"", "6985")


def test_a_wrong_dynamic_signature_is_seen(bureau: CardBureau, tmp_path: Path) -> None:
    slot = Slot(bureau, tmp_path / "state", with_behaviour("mastercard-credit", signature="corrupt"))
    dialogue = slot.dialogue.begin()
    answer = tlv.as_mapping(dialogue.send("00880000041122334400"))
    with pytest.raises(AuthenticationFailed):
        check_dynamic(dialogue.card_key(slot.state), answer[0x9F4B], H("11223344"))


def test_static_authentication(bureau: CardBureau, tmp_path: Path) -> None:
    dialogue = Slot(bureau, tmp_path / "state", "contact-sda").dialogue.begin()
    assert dialogue.objects[0x82] == H("5C00")
    check_static(dialogue.issuer_key(tmp_path / "state"), dialogue.objects[0x93], dialogue.static_data)
    assert dialogue.ask("00880000041122334400") == (b"", "6985")


def test_the_pin_has_three_tries_and_they_are_remembered(visa_slot: Slot) -> None:
    slot = visa_slot
    dialogue = slot.insert()
    assert dialogue.ask(RIGHT_PIN) == (b"", "6985")
    dialogue.begin()
    assert dialogue.send("80CA9F1700") == H("9F170103")
    assert dialogue.ask(WRONG_PIN) == (b"", "63C2")
    assert dialogue.ask(RIGHT_PIN) == (b"", "9000")
    assert dialogue.send("80CA9F1700") == H("9F170103")
    assert [dialogue.ask(WRONG_PIN)[1] for _ in range(3)] == ["63C2", "63C1", "63C0"]
    assert slot.insert().begin().ask(RIGHT_PIN) == (b"", "6983")
    assert slot.dialogue.ask("0020008808241234FFFFFFFFFF") == (b"", "6A86")
    slot.request = slot.dialogue.generate(0x80)
    assert slot.dialogue.ask("8424000008" + "00" * 8) == (b"", "6988")
    unblock = H("8424000008")
    atc, arqc = slot.request[0x9F36], slot.request[0x9F26]
    card = engine(slot.profile.applications[0].cryptogram, slot.profile.pan, slot.profile.psn, mk_smi=slot.keys.mk_smi)
    mac = card.generate_command_mac(unblock, arqc, atc, b"")
    assert slot.dialogue.ask(unblock + mac) == (b"", "9000")
    assert slot.insert().begin().ask(RIGHT_PIN) == (b"", "9000")


def test_a_card_without_an_offline_pin(mastercard_slot: Slot) -> None:
    dialogue = mastercard_slot.insert().begin()
    assert dialogue.ask(RIGHT_PIN) == (b"", "6A88")
    assert dialogue.ask("80CA9F1700") == (b"", "6A88")
    assert dialogue.send("80CA9F1300") == H("9F13020000")
    assert dialogue.send("80CA9F4F00") == H("9F4F11 9F36029A039F21039F02065F2A029F2701")


@pytest.mark.parametrize("name", ["contact-dda", "contact-sda", "visa-prepaid"])
def test_the_issuer_is_heard_by_external_authenticate(name: str, bureau: CardBureau, tmp_path: Path) -> None:
    slot = Slot(bureau, tmp_path / "state", name)
    slot.insert().begin()
    assert slot.dialogue.ask("0082000008" + "00" * 8) == (b"", "6985")
    slot.ask_for()
    answer = slot.issuer_says("00")
    command = H("00820000") + bytes([len(answer)]) + answer
    assert slot.dialogue.ask(command) == (b"", "9000")
    assert slot.dialogue.ask(command) == (b"", "6985")
    second = slot.dialogue.generate(0x40, 0x8D, t8A=b"00")
    assert second[0x9F27] == b"\x40"
    told = read_issuer_data(slot.profile.applications[0].cryptogram, second[0x9F10])
    assert (told.decision, told.first) == ("TC", "ARQC")
    given = slot.dialogue.last.cryptogram
    assert given is not None
    assert given.told == {"atc": given.atc, "cryptogram": second[0x9F26].hex().upper(), "information": "40"}
    assert (given.last, given.atc) == (True, int.from_bytes(slot.request[0x9F36], "big"))
    assert slot.dialogue.ask(slot.dialogue.generate_command(0x40, 0x8D)) == (b"", "6985")
    assert slot.insert().begin().send("80CA9F1300") == H("9F1302") + slot.request[0x9F36]


def test_what_is_not_the_issuers_answer_makes_the_card_refuse(visa_slot: Slot) -> None:
    visa_slot.ask_for()
    wrong = bytearray(visa_slot.issuer_says("00"))
    wrong[0] ^= 1
    assert visa_slot.dialogue.ask(H("0082000004") + wrong[:4]) == (b"", "6700")
    assert visa_slot.dialogue.ask(H("00820000") + bytes([len(wrong)]) + wrong) == (b"", "6300")
    assert visa_slot.dialogue.generate(0x40, 0x8D, t8A=b"00")[0x9F27] == b"\x00"


@pytest.mark.parametrize(
    ("said", "told", "asked", "information"),
    [
        ("00", None, 0x40, 0x40),
        ("00", None, 0x00, 0x00),
        ("05", None, 0x40, 0x00),  # the terminal approves what the issuer refused
        ("00", "wrong", 0x40, 0x00),
        ("00", "absent", 0x40, 0x40),
        ("00", "absent", 0x00, 0x00),
    ],
)
def test_the_issuer_is_heard_with_the_second_cryptogram(
    mastercard_slot: Slot, said: str, told: str | None, asked: int, information: int
) -> None:
    slot = mastercard_slot
    slot.ask_for()
    answer = bytearray(slot.issuer_says(said))
    if told == "wrong":
        answer[0] ^= 1
    values = {} if told == "absent" else {"t91": bytes(answer)}
    second = slot.dialogue.generate(asked, 0x8D, t8A=said.encode(), **values)
    assert second[0x9F27] == bytes([information])
    covered = slot.covered
    own = {0x9F10: second[0x9F10], 0x9F36: second[0x9F36]}
    data = CryptogramData.from_tags({f: getattr(covered, f"tag_{f:x}") for f in (
        0x9F02, 0x9F03, 0x9F1A, 0x95, 0x5F2A, 0x9A, 0x9C, 0x9F37, 0x82)} | own)  # fmt: skip
    expected = application_cryptogram("mastercard-17", slot.keys.mk_ac, slot.profile.pan, slot.profile.psn, data)
    assert second[0x9F26] == expected
    assert slot.dialogue.ask("0082000008" + "00" * 8) == (b"", "6985")


def test_the_second_cryptogram_is_signed_too(mastercard_slot: Slot) -> None:
    slot = mastercard_slot
    slot.ask_for(0x90)
    signed = slot.dialogue.generate(0x50, 0x8D, t8A=b"Y3", t9F37=H("55667788"))
    response = tlv.parse(slot.dialogue.last.response[:-2])[0].value
    data = transaction_data(slot.dialogue.sent, response=response)
    key = slot.dialogue.card_key(slot.state)
    combined = check_combined(key, signed[0x9F4B], H("55667788"), signed[0x9F27], data)
    assert combined.information == b"\x40"


def test_a_card_whose_second_cryptogram_is_a_refusal(bureau: CardBureau, tmp_path: Path) -> None:
    slot = Slot(bureau, tmp_path / "state", "second-declines")
    slot.ask_for()
    second = slot.dialogue.generate(0x40, 0x8D, t8A=b"00", t91=slot.issuer_says("00"))
    assert second[0x9F27] == b"\x00"
    assert read_issuer_data("mastercard-17", second[0x9F10]).decision == "AAC"


@pytest.mark.parametrize(("decision", "asked"), [("online", 0x00), ("decline", 0x80), ("offline", 0x40)])
def test_there_is_no_second_cryptogram_unless_the_issuer_was_asked(
    decision: str, asked: int, bureau: CardBureau, tmp_path: Path
) -> None:
    slot = Slot(bureau, tmp_path / "state", with_behaviour("mastercard-credit", decision=decision))
    slot.ask_for(asked)
    assert slot.dialogue.ask(slot.dialogue.generate_command(0x40, 0x8D)) == (b"", "6985")


def test_the_second_cryptogram_cannot_ask_the_issuer_again(mastercard_slot: Slot) -> None:
    mastercard_slot.ask_for()
    assert mastercard_slot.dialogue.ask(mastercard_slot.dialogue.generate_command(0x80, 0x8D)) == (b"", "6A86")
    assert mastercard_slot.dialogue.generate(0x40, 0x8D)[0x9F27] == b"\x40"


def test_an_application_is_blocked_and_stays_so_until_it_is_unblocked(mastercard_slot: Slot) -> None:
    slot = mastercard_slot
    dialogue = slot.insert()
    dialogue.select()
    assert dialogue.ask("841E000008" + "00" * 8) == (b"", "6985")
    slot.ask_for()
    assert slot.dialogue.ask("841E000008" + "00" * 8) == (b"", "6988")
    assert slot.dialogue.ask(slot.script("application-block")) == (b"", "9000")
    assert slot.dialogue.last.name == "APPLICATION BLOCK"
    objects, blocked = slot.dialogue.objects, slot.insert()
    data, status = blocked.ask(select(H("A0000000041010")))
    assert (tlv.find(data, 0x84), status, blocked.last.selected) == (H("A0000000041010"), "6283", False)
    over_the_air = Dialogue(slot.bureau.issue(slot.profile))
    assert over_the_air.ask(select(H("A0000000041010")))[1] == "6283"
    assert over_the_air.ask("80A8000002830000") == (b"", "6985")
    blocked.objects = objects
    blocked.send("80A8000002830000")
    slot.request = blocked.generate(0x80)
    assert slot.request[0x9F27] == b"\x00"
    assert blocked.ask(slot.script("application-unblock")) == (b"", "9000")
    assert slot.ask_for()[0x9F27] == b"\x80"


def test_scripts_are_counted(mastercard_slot: Slot) -> None:
    slot = mastercard_slot
    slot.ask_for()
    slot.dialogue.generate(0x40, 0x8D)
    first = slot.script("put-data", tag=0x9F58, value=b"\x05")
    second = slot.script("put-data", number=1, tag=0x9F36, value=b"\x00\x01")
    assert slot.dialogue.ask(second) == (b"", "6988")
    assert slot.dialogue.ask(first) == (b"", "9000")
    assert slot.dialogue.ask(second) == (b"", "6A88")  # the counter is the card's own
    assert slot.insert().begin().send("80CA9F5800") == H("9F580105")


def test_a_blocked_card_is_dead(mastercard_slot: Slot) -> None:
    slot = mastercard_slot
    slot.ask_for()
    assert slot.dialogue.ask(slot.script("card-block")) == (b"", "9000")
    assert slot.dialogue.ask(slot.dialogue.generate_command(0x40, 0x8D)) == (b"", "6985")
    for name in (b"1PAY.SYS.DDF01", H("A0000000041010")):
        assert slot.insert().ask(select(name)) == (b"", "6A81")
    slot.bureau.renew(slot.profile)
    assert slot.ask_for()[0x9F27] == b"\x80"
