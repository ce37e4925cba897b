"""Contactless Mastercard-like cards: AIP and AFL, records, one cryptogram for GENERATE AC, signed with it (CDA)."""

from pathlib import Path

import pytest

from rig.cards.bureau import CardBureau
from rig.cards.emv.authority import CardAuthority
from rig.cards.emv.card import EmvCard
from rig.cards.keys import IssuerKeys
from rig.cards.profile import Behaviour, CardProfile, load_card
from rig.wire import tlv
from rig.wire.cryptogram import CryptogramData, application_cryptogram
from rig.wire.oda import AuthenticationFailed, check_combined, check_static, transaction_data
from tests.cards.dialogue import Dialogue, H

CARDS = Path(__file__).parents[2] / "fixtures/cards"
COVERED = "9F02069F03069F1A0295055F2A029A039C019F3704"


@pytest.fixture
def card(bureau: CardBureau, mastercard: CardProfile) -> EmvCard:
    return bureau.issue(mastercard)


def expected_cryptogram(dialogue: Dialogue, answer: dict[int, bytes], state: Path) -> bytes:
    profile = dialogue.card.profile
    key = IssuerKeys.load_or_create(state, []).master_key(profile.bank)
    told = tlv.split_dol(tlv.parse_dol(dialogue.objects[0x8C]), dialogue.sent)
    covered = CryptogramData.from_tags(told | dialogue.objects | answer)
    return application_cryptogram(profile.applications[0].cryptogram, key, profile.pan, profile.psn, covered)


def test_a_card_without_authentication_byte_for_byte(bureau: CardBureau) -> None:
    dialogue = Dialogue(bureau.issue(load_card("mastercard-debit", CARDS)))
    assert dialogue.select() == H("6F20 8407A0000000041010 A515 501044454249 54204D415354455243415244 870101")
    assert dialogue.send("80A8000002830000") == H("770E 82021880 94080802020010010100")
    assert dialogue.ask("00B2010C00") == (b"", "6A83")  # AFL entry 08010100 is passed over by kernel 2
    assert dialogue.send("00B2020C00") == H("701C 570F5413339000001521D311220100000F 5F2008 544553542F524947")
    assert dialogue.send("00B2011400") == H(
        "708190 5A085413339000001521 5F2403311231 5F2503200101 5F28020276 5F340101 9F0702FF00 9F08020002 5F30020201"
        "8E0E 0000000000000000 4203 5E03 1F00 9F0D05F040AC8000 9F0E050010000000 9F0F05F068BC9800 9F42020978 9F440102"
        f"8C21{COVERED}9F35019F45029F4C089F3403 8D0C910A8A0295059F37049F4C08"
    )
    assert dialogue.ask("00B2021400") == (b"", "6A83")


def test_the_cryptogram_in_clear(bureau: CardBureau, tmp_path: Path) -> None:
    dialogue = Dialogue(bureau.issue(load_card("mastercard-debit", CARDS))).begin()
    answer = dialogue.generate(0x80)
    assert list(answer) == [0x9F27, 0x9F36, 0x9F26, 0x9F10]
    assert answer[0x9F27] == b"\x80"
    assert answer[0x9F26] == expected_cryptogram(dialogue, answer, tmp_path / "state")
    cryptogram = dialogue.last.cryptogram
    assert cryptogram is not None
    assert (cryptogram.value, cryptogram.atc, cryptogram.information) == (answer[0x9F26], 1, 0x80)
    assert dialogue.ask(dialogue.generate_command(0x80)) == (b"", "6985")  # there is no second one over the air


@pytest.mark.parametrize("le", [b"", b"\0"], ids=["without Le", "with Le"])
def test_the_cryptogram_in_its_signature(card: EmvCard, tmp_path: Path, le: bytes) -> None:
    dialogue = Dialogue(card).begin()
    assert dialogue.objects[0x82] == H("3980")
    answer = dialogue.generate(0x90, le=le)
    assert list(answer) == [0x9F27, 0x9F36, 0x9F4B, 0x9F10]
    response = tlv.parse(dialogue.last.response[:-2])[0].value
    data = transaction_data(dialogue.sent, response=response)
    key = dialogue.card_key(tmp_path / "state")
    combined = check_combined(key, answer[0x9F4B], H("11223344"), answer[0x9F27], data)
    assert combined.cryptogram == expected_cryptogram(dialogue, answer, tmp_path / "state")


def test_what_is_signed_is_the_profile_that_is_sent(card: EmvCard, tmp_path: Path) -> None:
    dialogue = Dialogue(card).begin()
    assert dialogue.objects[0x9F4A] == b"\x82"
    dialogue.static_data = dialogue.static_data[:-2] + H("1980")
    with pytest.raises(AuthenticationFailed):
        dialogue.card_key(tmp_path / "state")


@pytest.mark.parametrize(
    ("decision", "asked", "information"),
    [
        ("online", 0x90, 0x80), ("online", 0x50, 0x80), ("online", 0x10, 0x00),
        ("offline", 0x90, 0x80), ("offline", 0x50, 0x40), ("offline", 0x10, 0x00),
        ("decline", 0x90, 0x00), ("decline", 0x50, 0x00), ("decline", 0x10, 0x00),
    ],
)  # fmt: skip
def test_a_card_only_goes_down(
    decision: str, asked: int, information: int, bureau: CardBureau, mastercard: CardProfile
) -> None:
    behaving = Behaviour.model_validate({"decision": decision})
    dialogue = Dialogue(bureau.issue(mastercard.model_copy(update={"behaviour": behaving}))).begin()
    answer = dialogue.generate(asked)
    assert answer[0x9F27] == bytes([information])
    assert (0x9F4B in answer) == (information != 0)  # a refusal is not signed (EMV Book 2, 6.6.1)
    assert dialogue.last.cryptogram is not None
    assert dialogue.last.cryptogram.information == information


@pytest.mark.parametrize(("p1", "p2", "missing", "status"), [
    (0xD0, 0, 0, "6A86"), (0x80, 1, 0, "6A86"), (0x80, 0, 1, "6700"),
])  # fmt: skip
def test_a_wrong_request_is_refused_and_may_be_repeated(
    card: EmvCard, p1: int, p2: int, missing: int, status: str
) -> None:
    dialogue = Dialogue(card).begin()
    command = bytearray(dialogue.generate_command(p1, le=b""))
    command[3] = p2
    if missing:
        del command[-missing:]
        command[4] -= missing
    assert dialogue.ask(bytes(command)) == (b"", status)
    assert dialogue.generate(0x80)[0x9F27] == b"\x80"


@pytest.mark.parametrize(
    "command",
    ["80AE800000", "00B2010C00", "008800000411223344", "0082000008" + "00" * 8, "0020008008241234FFFFFFFFFF",
     "841E000008" + "00" * 8],
)  # fmt: skip
def test_nothing_before_the_options(card: EmvCard, command: str) -> None:
    dialogue = Dialogue(card)
    assert dialogue.ask(command) == (b"", "6985")
    dialogue.select()
    assert dialogue.ask(command)[1] in ("6985", "6D00")


def test_a_wallet_says_that_it_knows_its_owner(bureau: CardBureau) -> None:
    dialogue = Dialogue(bureau.issue(load_card("wallet-mastercard", CARDS))).begin()
    assert dialogue.objects[0x82] == H("3B80")
    assert dialogue.objects[0x8E] == H("0000000000000000 1F00")


def test_no_list_and_an_empty_list_differ(bureau: CardBureau, mastercard: CardProfile) -> None:
    bare = Dialogue(bureau.issue(load_card("no-cvm-list", CARDS))).begin()
    assert 0x8E not in bare.objects
    assert bare.objects[0x82] == H("2980")
    application = mastercard.applications[0].model_copy(update={"cvm": ()})
    empty = Dialogue(bureau.issue(mastercard.model_copy(update={"applications": (application,)}))).begin()
    assert empty.objects[0x8E] == bytes(8)


def test_a_static_signature_and_a_wrong_one(bureau: CardBureau, mastercard: CardProfile, tmp_path: Path) -> None:
    static = mastercard.applications[0].model_copy(update={"authentication": "sda"})
    sound = Dialogue(bureau.issue(mastercard.model_copy(update={"applications": (static,)}))).begin()
    assert sound.objects[0x82] == H("5880")
    check_static(sound.issuer_key(tmp_path / "state"), sound.objects[0x93], sound.static_data)
    broken = Dialogue(bureau.issue(load_card("broken-signature", CARDS))).begin()
    with pytest.raises(AuthenticationFailed):
        check_static(broken.issuer_key(tmp_path / "state"), broken.objects[0x93], broken.static_data)


def test_a_foreign_authority_is_not_believed(bureau: CardBureau, tmp_path: Path) -> None:
    CardAuthority(tmp_path / "state").publish()
    dialogue = Dialogue(bureau.issue(load_card("foreign-authority", CARDS))).begin()
    with pytest.raises(AuthenticationFailed):
        dialogue.issuer_key(tmp_path / "state")


def test_several_applications_are_found_one_after_the_other(bureau: CardBureau) -> None:
    card = bureau.issue(load_card("several-applications", CARDS))
    dialogue = Dialogue(card)
    directory = dialogue.send("00A404000E325041592E5359532E444446303100")
    entries = [tlv.as_mapping(each.value) for each in tlv.walk(directory) if each.tag == 0x61]
    assert [(entry[0x4F], entry[0x87], entry[0x9F2A]) for entry in entries] == [
        (H("A0000000041010"), b"\x02", b"\x02"),
        (H("A0000000031010"), b"\x01", b"\x03"),
    ]
    first, second = "00A4040005A00000000400", "00A4040205A00000000400"
    assert tlv.find(dialogue.send(first), 0x84) == H("A0000000041010")
    assert dialogue.ask(second) == (b"", "6A82")


def test_the_next_occurrence_of_a_name(bureau: CardBureau, mastercard: CardProfile) -> None:
    one = mastercard.applications[0]
    two = one.model_copy(update={"aid": "A0000000043060", "label": "MAESTRO TEST"})
    dialogue = Dialogue(bureau.issue(mastercard.model_copy(update={"applications": (one, two)})))
    found = [dialogue.ask(f"00A404{p2}05A00000000400") for p2 in ("00", "02", "02")]
    assert [tlv.find(data, 0x84) for data, _ in found[:2]] == [H("A0000000041010"), H("A0000000043060")]
    assert found[2] == (b"", "6A82")
