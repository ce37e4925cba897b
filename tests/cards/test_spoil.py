"""What spoils an answer changes what it says it changes, and nothing that holds it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.cards.spoil import CutShort, Flipped, Instead, Scrambled, Spoiling, Status, Twice, Without
from rig.wire import tlv
from rig.wire.errors import WireError

OK = b"\x90\x00"
TRACK2, TEMPLATE = tlv.Tlv(0x57, bytes(19)), 0x77
RESPONSE = tlv.encode(TEMPLATE, tlv.encode(0x82, bytes(2)), TRACK2.encode(), tlv.encode(0x9F36, bytes(2))) + OK


def tags(response: bytes) -> list[int]:
    return [each.tag for each in tlv.walk(response[:-2])]


@pytest.mark.parametrize(
    ("how", "left"),
    [
        (Without(0x57), [0x77, 0x82, 0x9F36]),
        (Twice(0x57), [0x77, 0x82, 0x57, 0x57, 0x9F36]),
        (Instead(0x57, b"\x01"), [0x77, 0x82, 0x57, 0x9F36]),
        (Flipped(0x57), [0x77, 0x82, 0x57, 0x9F36]),
        (Without(0x77), []),
    ],
)
def test_an_object_deep_inside_is_edited_and_the_lengths_around_it_fit(how: Spoiling, left: list[int]) -> None:
    spoiled = how.apply(RESPONSE)
    assert spoiled[-2:] == OK
    assert tags(spoiled) == left


def test_a_flipped_bit_is_one_bit() -> None:
    found = tlv.find(Flipped(0x57).apply(RESPONSE)[:-2], 0x57)
    assert found is not None
    assert sum(byte.bit_count() for byte in found) == 1


def test_a_status_word_stands_alone() -> None:
    assert Status(0x6985).apply(RESPONSE) == b"\x69\x85"


@pytest.mark.parametrize("how", [CutShort(), CutShort(missing=1), Scrambled()])
def test_a_malformed_answer_cannot_be_read(how: Spoiling) -> None:
    spoiled = how.apply(RESPONSE)
    assert spoiled[-2:] == OK
    with pytest.raises(WireError):
        tlv.parse(spoiled[:-2])


@given(st.binary(min_size=2, max_size=80))
def test_whatever_the_answer_a_spoiled_one_ends_in_a_status_word(response: bytes) -> None:
    for how in (Without(0x57), Twice(0x57), Instead(0x57, b""), Flipped(0x57), CutShort(), Scrambled()):
        spoiled = how.apply(response)
        assert len(spoiled) >= 2
        assert spoiled[-2:] == response[-2:]
