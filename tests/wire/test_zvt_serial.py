"""ZVT serial framing. Golden frames: the unit tests of ecrterm, a foreign implementation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.wire.errors import WireError
from rig.wire.zvt import BadFrame, Frame, FrameReader, LinkAck, LinkNak, crc16, encode_frame

GOLDEN = [
    ("0600061234 56BA0978", "10 02 06 00 06 12 34 56 BA 09 78 10 03 24 C3"),
    ("06930312 3456", "10 02 06 93 03 12 34 56 10 03 CA A4"),
    ("06010A04000000011000490978", "10 02 06 01 0A 04 00 00 00 01 10 10 00 49 09 78 10 03 F2 FF"),
    ("067000", "10 02 06 70 00 10 03 D9 F9"),
    ("800000", "10 02 80 00 00 10 03 F5 1F"),
    ("849C00", "10 02 84 9C 00 10 03 C3 41"),
    ("050103123456", "10 02 05 01 03 12 34 56 10 03 E0 43"),
]


def test_the_check_sum_is_crc_16_kermit() -> None:
    assert crc16(b"123456789") == 0x2189
    assert crc16(b"") == 0


@pytest.mark.parametrize(("apdu", "frame"), GOLDEN)
def test_frames_are_those_of_a_foreign_implementation(apdu: str, frame: str) -> None:
    assert encode_frame(bytes.fromhex(apdu)) == bytes.fromhex(frame)
    assert FrameReader().feed(bytes.fromhex(frame)) == [Frame(bytes.fromhex(apdu))]


def test_a_10_in_the_check_sum_is_not_doubled() -> None:
    apdu = next(n.to_bytes(2, "big") for n in range(0xFFFF) if 0x10 in crc16(n.to_bytes(2, "big") + b"\3").to_bytes(2))
    frame = encode_frame(apdu)
    assert len(frame.removeprefix(b"\x10\x02")) == len(apdu.replace(b"\x10", b"\x10\x10")) + 4
    assert FrameReader().feed(frame) == [Frame(apdu)]


def test_acknowledgements_stand_alone_between_frames() -> None:
    frame = encode_frame(b"\x80\x00\x00")
    events = FrameReader().feed(b"\x06" + frame + b"\x15" + b"\x06")
    assert events == [LinkAck(), Frame(b"\x80\x00\x00"), LinkNak(), LinkAck()]


def test_an_acknowledgement_byte_inside_a_frame_is_data() -> None:
    assert FrameReader().feed(encode_frame(b"\x06\x15\x06")) == [Frame(b"\x06\x15\x06")]


def test_noise_between_frames_is_ignored() -> None:
    assert FrameReader().feed(b"\xff\x00\x10\x55" + encode_frame(b"ok")) == [Frame(b"ok")]


def test_a_wrong_check_sum_is_a_bad_frame_and_the_next_one_is_read() -> None:
    good = encode_frame(b"\x06\x0f\x00")
    bad = good[:-1] + bytes([good[-1] ^ 1])
    first, second = FrameReader().feed(bad + good)
    assert isinstance(first, BadFrame)
    assert "check sum" in first.why
    assert second == Frame(b"\x06\x0f\x00")


def test_a_lone_10_inside_a_frame_is_a_bad_frame() -> None:
    assert FrameReader().feed(b"\x10\x02\x06\x10\x55") == [BadFrame("10 55 inside a frame")]


def test_a_frame_that_begins_again_replaces_the_first() -> None:
    assert FrameReader().feed(b"\x10\x02\x06\x01" + encode_frame(b"again")) == [Frame(b"again")]


def test_a_frame_is_open_until_its_check_sum_and_can_be_abandoned() -> None:
    reader = FrameReader()
    frame = encode_frame(b"\x06\x0f\x00")
    for byte in frame[:-1]:
        assert reader.feed(bytes([byte])) == []
        assert reader.inside
    assert reader.feed(frame[-1:]) == [Frame(b"\x06\x0f\x00")]
    assert not reader.inside
    reader.feed(frame[:5])
    reader.abandon()
    assert reader.feed(frame) == [Frame(b"\x06\x0f\x00")]


def test_no_frame_is_longer_than_a_message() -> None:
    longest = bytes(5 + 0xFFFF)
    assert FrameReader().feed(encode_frame(longest)) == [Frame(longest)]
    with pytest.raises(WireError, match="no ZVT message"):
        encode_frame(longest + b"\0")
    assert BadFrame("longer than any ZVT message") in FrameReader().feed(b"\x10\x02" + longest + b"\0")


@given(st.lists(st.binary(max_size=80), max_size=4), st.integers(1, 7))
def test_frames_come_back_as_they_went(apdus: list[bytes], step: int) -> None:
    line = b"".join(encode_frame(apdu) for apdu in apdus)
    reader = FrameReader()
    got = [event for at in range(0, len(line), step) for event in reader.feed(line[at : at + step])]
    assert got == [Frame(apdu) for apdu in apdus]


@given(st.binary(max_size=300))
def test_an_arbitrary_line_raises_nothing_and_a_frame_behind_it_is_read(noise: bytes) -> None:
    reader = FrameReader()
    reader.feed(noise)
    reader.abandon()
    assert reader.feed(encode_frame(b"\x80\x00\x00")) == [Frame(b"\x80\x00\x00")]


@given(st.binary(min_size=1, max_size=60), st.data())
def test_one_flipped_bit_is_never_read_as_the_frame(apdu: bytes, data: st.DataObject) -> None:
    frame = bytearray(encode_frame(apdu))
    place = data.draw(st.integers(0, len(frame) - 1))
    frame[place] ^= 1 << data.draw(st.integers(0, 7))
    assert Frame(apdu) not in FrameReader().feed(bytes(frame))
