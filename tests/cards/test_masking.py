"""What a fault left of a card's number is masked in the events all the same."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.cards.masking import without_number
from rig.cards.profile import load_card
from rig.cards.spoil import CutShort, Flipped
from rig.wire import tlv

CARD = load_card("visa-credit", Path(__file__).parents[2] / "fixtures/cards")
OK = b"\x90\x00"
TRACK2 = tlv.encode(0x57, bytes.fromhex(CARD.pan + "D31122010000000F"))
RECORD = tlv.encode(0x70, tlv.encode(0x5F20, b"TEST/RIG"), TRACK2) + OK


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (tlv.encode(0x5A, bytes.fromhex(CARD.pan)) + OK, "5A08 476173EEEEEE0010 9000"),
        (RECORD, "701D 5F2008544553542F524947 5710476173EEEEEE0010DEEEEEEEEEEEEEEF 9000"),
        (bytes.fromhex("0" + CARD.pan + "F"), "0476173EEEEEE0010F"),
        (Flipped(0x5A).apply(tlv.encode(0x5A, bytes.fromhex(CARD.pan)) + OK), "5A08 476173EEEEEE0010 9000"),
        (CutShort(3).apply(tlv.encode(0x5A, bytes.fromhex(CARD.pan)) + OK), "5A08 476173EEEE 9000"),
        (bytes.fromhex(CARD.pan[:8]), "476173EE"),
        (bytes.fromhex("A0000000031010") + OK, "A0000000031010 9000"),
        (b"", ""),
    ],
)
def test_byte_by_byte(response: bytes, expected: str) -> None:
    assert without_number(response, CARD) == bytes.fromhex(expected)


@given(st.integers(0, len(RECORD) * 8 - 1))
def test_one_bit_turned_anywhere_shows_no_more(bit: int) -> None:
    spoiled = bytearray(RECORD)
    spoiled[bit // 8] ^= 1 << bit % 8
    assert CARD.pan[6:-4] not in without_number(bytes(spoiled), CARD).hex()


@given(st.integers(1, len(RECORD)))
def test_cut_anywhere_shows_no_more(missing: int) -> None:
    assert CARD.pan[:8] not in without_number(CutShort(missing).apply(RECORD), CARD).hex()


@given(st.binary(max_size=60))
def test_other_answers_are_told_as_they_are(response: bytes) -> None:
    told = without_number(response, CARD)
    assert len(told) == len(response)
    if CARD.pan[:3] not in response.hex() and CARD.pan[3:6] not in response.hex():
        assert told == response
