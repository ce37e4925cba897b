"""The contactless dialogue of Visa-like and UnionPay-like cards, byte for byte where the bytes are public."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rig.cards.bureau import CardBureau
from rig.cards.emv.apdu import CommandApdu, command_name
from rig.cards.emv.card import PDOL, EmvCard
from rig.cards.keys import IssuerKeys
from rig.cards.profile import Behaviour, CardProfile, Interface, load_card
from rig.errors import CallerMistake
from rig.wire import tlv
from rig.wire.cryptogram import CryptogramData, application_cryptogram
from rig.wire.errors import WireError
from tests.cards.dialogue import VALUES, Dialogue, H, select

CARDS = Path(__file__).parents[2] / "fixtures/cards"
SELECT_PPSE = select(b"2PAY.SYS.DDF01")
SELECT_VISA = select(H("A0000000031010"))


@pytest.fixture
def card(bureau: CardBureau, visa: CardProfile) -> EmvCard:
    return bureau.issue(visa)


def gpo() -> bytes:
    data = tlv.encode(0x83, tlv.fill_dol(PDOL, VALUES))
    return H("80A80000") + bytes([len(data)]) + data + H("00")


def test_the_directory_offers_the_application_and_its_kernel(card: EmvCard) -> None:
    exchange = card.process(SELECT_PPSE)
    assert exchange.name == "SELECT PPSE"
    assert not exchange.selected
    assert exchange.response == H(
        "6F32 840E325041592E5359532E4444463031 A520 BF0C1D 611B 4F07A0000000031010"
        "5009564953412054455354 870101 9F2A0103 9000"
    )


def test_the_application_asks_for_what_the_cryptogram_covers(card: EmvCard) -> None:
    exchange = card.process(SELECT_VISA)
    assert (exchange.name, exchange.selected) == ("SELECT AID", True)
    assert exchange.response == H(
        "6F34 8407A0000000031010 A529 5009564953412054455354 870101"
        "9F3818 9F66049F02069F03069F1A0295055F2A029A039C019F3704 9000"
    )


@pytest.mark.parametrize("name", ["visa-credit", "visa-debit", "visa-prepaid", "unionpay-debit", "unionpay-credit"])
def test_the_issuer_verifies_the_cryptogram_from_what_the_terminal_sends_it(
    name: str, bureau: CardBureau, tmp_path: Path
) -> None:
    profile = load_card(name, CARDS)
    dialogue = Dialogue(bureau.issue(profile)).begin()
    answer, application = dialogue.objects, profile.applications[0]
    own = {0x9F6E} if profile.scheme == "visa" else set()
    assert {0x82, 0x57, 0x5F34, 0x9F10, 0x9F26, 0x9F27, 0x9F36, 0x9F6C} | own == answer.keys()
    assert answer[0x57].hex().upper().rstrip("F") == f"{profile.pan}D{profile.expiry}20100000"
    assert answer[0x9F27] == b"\x80"
    key = IssuerKeys.load_or_create(tmp_path / "state", []).master_key(profile.bank)
    covered = CryptogramData.from_tags(tlv.split_dol(PDOL, dialogue.sent) | answer)
    expected = application_cryptogram(application.cryptogram, key, profile.pan, profile.psn, covered)
    assert answer[0x9F26] == expected
    cryptogram = Dialogue(bureau.issue(profile)).begin().last.cryptogram
    assert cryptogram is not None
    assert (cryptogram.atc, cryptogram.information) == (2, 0x80)


def test_each_tap_counts_and_get_data_tells(card: EmvCard) -> None:
    for count in (1, 2, 3):
        dialogue = Dialogue(card).begin()
        assert dialogue.last.cryptogram is not None
        assert dialogue.last.cryptogram.atc == count
    assert card.process(H("80CA9F3600")).response == H("9F3602 0003 9000")


def test_a_card_that_declines_says_so_in_cid_and_results(bureau: CardBureau, visa: CardProfile) -> None:
    declining = visa.model_copy(update={"behaviour": Behaviour(decision="decline")})
    answer = Dialogue(bureau.issue(declining)).begin().objects
    assert answer[0x9F27] == b"\x00"
    assert answer[0x9F10] == H("06010A03800000")


@pytest.mark.parametrize(
    ("qualifiers", "cvm", "expected"),
    [
        ("36804000", ("online-pin", "signature"), "0000"),  # no verification wanted
        ("36C04000", ("online-pin", "signature"), "8000"),
        ("32C04000", ("online-pin", "signature"), "4000"),  # the reader has no PIN pad
        ("30C04000", ("online-pin", "signature"), "0000"),
        ("36C04000", ("no-cvm",), "0000"),
        ("36C04000", None, "0000"),
        ("36C04000", ("device", "online-pin"), "0080"),
        ("36804000", ("device",), "0080"),
    ],
)
def test_the_card_says_how_its_holder_is_known(
    qualifiers: str, cvm: tuple[str, ...] | None, expected: str, bureau: CardBureau, visa: CardProfile
) -> None:
    application = visa.applications[0].model_copy(update={"cvm": cvm})
    profile = visa.model_copy(update={"applications": (application,), "device": "phone"})
    answer = Dialogue(bureau.issue(profile), t9F66=H(qualifiers)).begin().objects
    assert answer[0x9F6C] == H(expected)
    assert answer[0x9F6E] == H("23800000")


def test_objects_of_the_profile_stand_in_the_answer_or_in_a_record(bureau: CardBureau, visa: CardProfile) -> None:
    application = visa.applications[0].model_copy(update={"tags": {"9F6C": "2000", "5F28": "0840"}})
    dialogue = Dialogue(bureau.issue(visa.model_copy(update={"applications": (application,)}))).begin()
    assert dialogue.objects[0x9F6C] == H("2000")
    assert dialogue.objects[0x94] == H("10010100")
    assert dialogue.send("00B2011400") == H(
        "7029 5A084761739001010010 5F2403311231 5F2503200101 5F28020840 5F340101 9F0702FF00 9F08020096"
    )


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("00A4040007A000000004101000", "6A82"),
        ("00A4040007A000000003101002", "9000"),
        ("00A4040005A00000000300", "9000"),
        ("00A4040004A000000000", "6A82"),
        ("00A404000E315041592E5359532E444446303100", "6A82"),
        ("00A4040207A000000003101000", "9000"),
        ("00A4000002 3F00", "6A86"),
        ("00A4040107A000000003101000", "6A86"),
        ("80A8000002830000", "6985"),
        ("00B2010C00", "6985"),
        ("80CA9F1700", "6A88"),
        ("80AE800000", "6985"),
        ("8AB0000000", "6E00"),
        ("0044000000", "6D00"),
        ("90CA9F3600", "6E00"),
        ("00A4", "6700"),
        ("00A4040009A000", "6700"),
    ],
)
def test_refusals_have_the_status_word_of_the_standard(card: EmvCard, command: str, status: str) -> None:
    assert card.process(H(command)).response[-2:] == H(status)


@pytest.mark.parametrize(
    ("command", "status"),
    [("00B2010C00", "6A83"), ("00B2010800", "6A86"), ("00B2000C00", "6A86"), ("80AE800000", "6D00"),
     ("0020008008241234FFFFFFFFFF", "6D00"), ("841E000008" + "00" * 8, "6D00")],
)  # fmt: skip
def test_refusals_after_the_cryptogram(card: EmvCard, command: str, status: str) -> None:
    assert Dialogue(card).begin().ask(command) == (b"", status)


@pytest.mark.parametrize(("data", "status"), [("8300", "6700"), ("8400", "6A80"), ("83", "6700")])
def test_a_wrong_gpo_is_refused_and_does_not_count(card: EmvCard, data: str, status: str) -> None:
    card.process(SELECT_VISA)
    assert card.process(H(f"80A80000{len(data) // 2:02X}{data}00")).response == H(status)
    assert card.process(H("80A80100") + gpo()[4:]).response == H("6A86")
    assert card.process(gpo()).response.endswith(H("9000"))
    assert card.process(gpo()).response == H("6985")
    assert card.process(H("80CA9F3600")).response == H("9F36020001 9000")


def test_the_last_transaction_was_the_last(card: EmvCard, tmp_path: Path) -> None:
    counter = tmp_path / "state/cards/visa-credit.atc"
    counter.parent.mkdir(parents=True, exist_ok=True)
    counter.write_text("65535")
    card.process(SELECT_VISA)
    assert card.process(gpo()).response == H("6985")


def test_out_of_the_field_everything_is_forgotten(card: EmvCard) -> None:
    card.process(SELECT_VISA)
    card.reset()
    assert card.process(gpo()).response == H("6985")


def test_a_challenge_is_random(card: EmvCard) -> None:
    first, second = (card.process(H("0084000008")).response for _ in range(2))
    assert len(first) == 10
    assert first != second


@pytest.mark.parametrize("interface", [Interface.STRIPE, Interface.CONTACT])
def test_a_card_is_issued_only_where_it_has_a_chip(interface: Interface, bureau: CardBureau, visa: CardProfile) -> None:
    with pytest.raises(CallerMistake, match=f"visa-credit: it is no {interface} chip card"):
        bureau.issue(visa.model_copy(update={"interfaces": (Interface.CONTACTLESS, Interface.STRIPE)}), interface)


@pytest.mark.parametrize(
    ("command", "name"),
    [("80A8000002830000", "GPO"), ("80AE400000", "GENERATE AC"),
     ("008800000411223344", "INTERNAL AUTHENTICATE"), ("008200000811223344556677 88", "EXTERNAL AUTHENTICATE"),
     ("0020008008241234FFFFFFFFFF", "VERIFY"), ("8424000008" + "00" * 8, "PIN CHANGE/UNBLOCK"),
     ("04DA9F1408" + "00" * 8, "04DA"), ("8CDA9F1408" + "00" * 8, "PUT DATA"), ("0084000000", "GET CHALLENGE")],
)  # fmt: skip
def test_commands_have_the_names_of_the_history(command: str, name: str) -> None:
    assert command_name(CommandApdu.decode(H(command))) == name


@given(st.binary(max_size=300))
def test_any_bytes_decode_or_are_refused(raw: bytes) -> None:
    try:
        CommandApdu.decode(raw)
    except WireError:
        return


HEADERS = st.sampled_from([
    "00A40400", "00A40402", "80A80000", "00B2010C", "00B20114", "00B2011C", "80AE8000", "80AE5000", "80AE0000",
    "00880000", "00820000", "00200080", "80CA9F36", "80CA9F17", "841E0000", "84180000", "84DA9F58", "84240000",
    "00840000",
])  # fmt: skip
BODIES = st.one_of(
    st.binary(max_size=60),
    st.sampled_from([b"2PAY.SYS.DDF01", b"1PAY.SYS.DDF01", H("A0000000031010"), H("A0000000041010"), H("8300")]),
    st.sampled_from([29, 33, 43, 12, 31, 8, 4]).map(bytes),
)
LIKELY = st.builds(lambda header, body: H(header) + (bytes([len(body)]) + body if body else b"\0"), HEADERS, BODIES)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(
    st.sampled_from(["visa-offline", "mastercard-credit", "unionpay-stored-value", "several-applications"]),
    st.sampled_from([Interface.CONTACTLESS, Interface.CONTACT]),
    st.lists(st.one_of(st.binary(max_size=40), LIKELY), max_size=8),
)
def test_a_card_answers_anything_with_a_status_word(
    bureau: CardBureau, name: str, interface: Interface, commands: list[bytes]
) -> None:
    card = bureau.issue(load_card(name, CARDS), interface)
    for command in [*commands, select(H(card.profile.applications[0].aid)), gpo(), H("80A8000002830000")]:
        response = card.process(command).response
        assert 2 <= len(response) <= 258
        assert response[-2] in (0x90, 0x62, 0x63, 0x67, 0x69, 0x6A, 0x6D, 0x6E)
