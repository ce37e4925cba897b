"""The EMV dialogue of the test cards, byte for byte where the bytes are public."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rig.cards.bureau import CardBureau
from rig.cards.emv.apdu import CommandApdu
from rig.cards.emv.card import PDOL, EmvCard
from rig.cards.keys import IssuerKeys
from rig.cards.profile import Behaviour, CardProfile
from rig.wire import tlv
from rig.wire.cryptogram import CryptogramData, application_cryptogram
from rig.wire.errors import WireError

H = bytes.fromhex
SELECT_PPSE = H("00A404000E") + b"2PAY.SYS.DDF01" + H("00")
SELECT_VISA = H("00A4040007A000000003101000")
TERMINAL = {
    0x9F66: H("36000000"), 0x9F02: H("000000001250"), 0x9F1A: H("0276"), 0x5F2A: H("0978"),
    0x9A: H("261122"), 0x9C: H("00"), 0x9F37: H("11223344"),
}  # fmt: skip


def gpo(values: dict[int, bytes] = TERMINAL) -> bytes:
    data = tlv.encode(0x83, tlv.fill_dol(PDOL, values))
    return H("80A80000") + bytes([len(data)]) + data + H("00")


def terminal_saw() -> dict[int, bytes]:
    return tlv.split_dol(PDOL, tlv.fill_dol(PDOL, TERMINAL))


@pytest.fixture
def card(bureau: CardBureau, visa: CardProfile) -> EmvCard:
    return bureau.issue(visa)


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


@pytest.mark.parametrize("name", ["visa", "unionpay"])
def test_the_issuer_verifies_the_cryptogram_from_what_the_terminal_sends_it(
    name: str, bureau: CardBureau, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    profile: CardProfile = request.getfixturevalue(name)
    card = bureau.issue(profile)
    aid = H(profile.aid)
    card.process(H("00A40400") + bytes([len(aid)]) + aid + b"\0")
    exchange = card.process(gpo())
    assert exchange.response.endswith(H("9000"))
    answer = tlv.as_mapping(exchange.response[:-2])
    assert {0x82, 0x57, 0x5F34, 0x9F10, 0x9F26, 0x9F27, 0x9F36, 0x9F6C} == answer.keys()
    assert answer[0x57].hex().upper().rstrip("F") == f"{profile.pan}D{profile.expiry}20100000"
    assert answer[0x9F27] == b"\x80"
    key = IssuerKeys.load_or_create(tmp_path / "state", []).master_key(profile.bank)
    covered = CryptogramData.from_tags(terminal_saw() | answer)
    expected = application_cryptogram(profile.scheme, key, profile.pan, profile.psn, covered)
    assert answer[0x9F26] == expected
    assert exchange.cryptogram is not None
    assert exchange.cryptogram.value == expected
    assert exchange.cryptogram.atc == int.from_bytes(answer[0x9F36], "big") == 1


def test_each_tap_counts_and_get_data_tells(card: EmvCard) -> None:
    for count in (1, 2, 3):
        card.process(SELECT_VISA)
        exchange = card.process(gpo())
        assert exchange.cryptogram is not None
        assert exchange.cryptogram.atc == count
    assert card.process(H("80CA9F3600")).response == H("9F3602 0003 9000")


def test_a_card_that_declines_says_so_in_cid_and_results(bureau: CardBureau, visa: CardProfile) -> None:
    card = bureau.issue(visa.model_copy(update={"behaviour": Behaviour(decision="decline")}))
    card.process(SELECT_VISA)
    answer = tlv.as_mapping(card.process(gpo()).response[:-2])
    assert answer[0x9F27] == b"\x00"
    assert answer[0x9F10] == H("06010A03800000")


def test_a_record_when_the_profile_has_one(bureau: CardBureau, visa: CardProfile) -> None:
    card = bureau.issue(visa.model_copy(update={"behaviour": Behaviour(with_records=True)}))
    card.process(SELECT_VISA)
    assert tlv.find(card.process(gpo()).response[:-2], 0x94) == H("08010100")
    assert card.process(H("00B2010C00")).response == H("700B 5F2403311228 5F28020276 9000")
    assert card.process(H("00B2020C00")).response == H("6A83")


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("00A4040007A000000004101000", "6A82"),
        ("00A4040007A000000003101002", "9000"),
        ("00A4040207A000000003101000", "6A82"),
        ("00A4000002 3F00", "6A86"),
        ("80A8000002830000", "6985"),
        ("00B2010C00", "6985"),
        ("80CA9F1700", "6A88"),
        ("80AE800000", "6D00"),
        ("90CA9F3600", "6E00"),
        ("00A4", "6700"),
        ("00A4040009A000", "6700"),
    ],
)
def test_refusals_have_the_status_word_of_the_standard(card: EmvCard, command: str, status: str) -> None:
    assert card.process(H(command)).response[-2:] == H(status)


@pytest.mark.parametrize(("data", "status"), [("8300", "6700"), ("8400", "6A80"), ("83", "6700")])
def test_a_wrong_gpo_is_refused_and_does_not_count(card: EmvCard, data: str, status: str) -> None:
    card.process(SELECT_VISA)
    assert card.process(H(f"80A80000{len(data) // 2:02X}{data}00")).response == H(status)
    assert card.process(gpo()).response.endswith(H("9000"))
    assert card.process(gpo()).response == H("6985")
    assert card.process(H("80CA9F3600")).response == H("9F36020001 9000")


def test_out_of_the_field_everything_is_forgotten(card: EmvCard) -> None:
    card.process(SELECT_VISA)
    card.reset()
    assert card.process(gpo()).response == H("6985")


def test_a_challenge_is_random(card: EmvCard) -> None:
    first, second = (card.process(H("0084000008")).response for _ in range(2))
    assert len(first) == 10
    assert first != second


@given(st.binary(max_size=300))
def test_any_bytes_decode_or_are_refused(raw: bytes) -> None:
    try:
        CommandApdu.decode(raw)
    except WireError:
        return


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(st.lists(st.one_of(st.binary(max_size=40), st.sampled_from([SELECT_PPSE, SELECT_VISA, gpo()])), max_size=6))
def test_a_card_answers_anything_with_a_status_word(card: EmvCard, commands: list[bytes]) -> None:
    for command in commands:
        assert len(card.process(command).response) >= 2
