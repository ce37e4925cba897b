"""BER-TLV and data object lists, from published coding rules and from arbitrary bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.wire import tlv
from rig.wire.errors import WireError
from rig.wire.tlv import DolEntry, Tlv

H = bytes.fromhex
TAGS = st.sampled_from([0x57, 0x5A, 0x82, 0x9F02, 0x9F26, 0x5F34, 0xBF0C, 0x6F, 0xA5, 0xDF8129])
FCI = H("6F20 8407A0000000031010 A515 500456495341 8701019F38099F66049F02069F3704")


def test_a_select_answer_is_read_object_by_object() -> None:
    assert [each.tag for each in tlv.walk(FCI)] == [0x6F, 0x84, 0xA5, 0x50, 0x87, 0x9F38]
    assert tlv.find(FCI, 0x50) == b"VISA"
    assert tlv.find(FCI, 0x9F12) is None
    assert tlv.as_mapping(FCI)[0x87] == b"\1"


def test_lengths_take_the_shortest_form() -> None:
    assert tlv.encode(0x70, bytes(127))[:2] == H("707F")
    assert tlv.encode(0x70, bytes(128))[:3] == H("708180")
    assert tlv.encode(0x9F4B, bytes(256))[:5] == H("9F4B820100")


def test_padding_between_objects_is_skipped() -> None:
    assert tlv.parse(H("0000 870101 00 820200FF 00")) == [Tlv(0x87, b"\1"), Tlv(0x82, H("00FF"))]


@pytest.mark.parametrize("broken", ["9F", "5A", "5A8200", "5A0312", "5A80", "5A8400000001FF", "1F818181"])
def test_broken_data_is_refused(broken: str) -> None:
    with pytest.raises(WireError):
        tlv.parse(H(broken))


@pytest.mark.parametrize("number", [0, -1, 0x9F, 0x8201, 0x1F818101])
def test_an_integer_that_is_no_tag_is_refused(number: int) -> None:
    with pytest.raises(WireError):
        tlv.encode_tag(number)


def test_a_terminal_fills_what_the_card_splits() -> None:
    entries = tlv.parse_dol(H("9F66049F02069F1A0295059C01"))
    assert [(entry.tag, entry.length) for entry in entries] == [
        (0x9F66, 4), (0x9F02, 6), (0x9F1A, 2), (0x95, 5), (0x9C, 1),
    ]  # fmt: skip
    sent = tlv.fill_dol(entries, {0x9F02: H("1250"), 0x9F1A: H("0276"), 0x9F66: H("36"), 0x9C: H("FF00")})
    assert sent == H("36000000 000000001250 0276 0000000000 00")
    assert tlv.split_dol(entries, sent)[0x9F02] == H("000000001250")
    with pytest.raises(WireError, match="asks for 18 bytes, 17 came"):
        tlv.split_dol(entries, sent[:-1])
    with pytest.raises(WireError):
        tlv.parse_dol(H("9F66049F02"))


@given(st.lists(st.builds(Tlv, TAGS, st.binary(max_size=300))))
def test_what_is_encoded_is_parsed_again(objects: list[Tlv]) -> None:
    assert tlv.parse(tlv.encode_all(objects)) == objects


@given(st.lists(st.builds(DolEntry, TAGS, st.integers(0, 255))))
def test_a_list_comes_back(entries: list[DolEntry]) -> None:
    assert tlv.parse_dol(tlv.encode_dol(entries)) == entries
    filled = tlv.fill_dol(entries, {entry.tag: b"\x12" * 9 for entry in entries})
    assert len(filled) == sum(entry.length for entry in entries)


@given(st.binary(max_size=400))
def test_arbitrary_bytes_parse_or_are_refused(data: bytes) -> None:
    for read in (tlv.parse, tlv.parse_dol, tlv.as_mapping):
        try:
            read(data)
        except WireError:
            continue
