"""Frames with a check: what comes out is what went in, or nothing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rig.wire.hdlc import FrameDecoder, encode_frame

LONGEST = 4096
payloads = st.binary(min_size=1, max_size=200)


def test_the_check_value_of_the_well_known_digits() -> None:
    """CRC-16/X-25 of "123456789" is 906E, sent low octet first."""
    assert encode_frame(b"123456789") == b"\x7e123456789\x6e\x90\x7e"


def test_what_a_modem_listens_for_is_stuffed() -> None:
    octets = encode_frame(b"+++\r\nNO CARRIER\r\n\x11\x13\x7e\x7d")
    assert b"+" not in octets
    assert b"\r" not in octets
    assert octets.count(b"\x7e") == 2
    assert FrameDecoder(LONGEST).feed(octets) == [b"+++\r\nNO CARRIER\r\n\x11\x13\x7e\x7d"]


@given(st.lists(payloads, max_size=4), st.integers(1, 7))
def test_frames_come_out_whole_however_they_were_cut(messages: list[bytes], size: int) -> None:
    octets = b"".join(encode_frame(each) for each in messages)
    decoder = FrameDecoder(LONGEST)
    found = [each for at in range(0, len(octets), size) for each in decoder.feed(octets[at : at + size])]
    assert found == messages
    assert decoder.damaged == 0


@given(payloads, st.data())
def test_one_turned_bit_never_changes_a_message(payload: bytes, data: st.DataObject) -> None:
    octets = bytearray(encode_frame(payload))
    octets[data.draw(st.integers(0, len(octets) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert set(FrameDecoder(LONGEST).feed(bytes(octets))) <= {payload}


@given(payloads)
def test_after_damage_the_next_frame_is_found(payload: bytes) -> None:
    decoder = FrameDecoder(LONGEST)
    assert decoder.feed(encode_frame(payload + b"ab")[:-4] + b"\x7e" + encode_frame(b"next")) == [b"next"]
    assert decoder.damaged == 1


def test_what_never_ends_is_no_frame() -> None:
    decoder = FrameDecoder(10)
    assert decoder.feed(b"\x7e" + b"." * 1000 + encode_frame(b"next")) == [b"next"]
    assert decoder.damaged == 1


def test_what_stands_before_the_first_flag_is_nobodys() -> None:
    decoder = FrameDecoder(LONGEST)
    assert decoder.feed(b"\r\nCONNECT 1200\r\n" + encode_frame(b"message")) == [b"message"]
    assert decoder.damaged == 0


@given(st.binary(max_size=300))
def test_anything_may_come(noise: bytes) -> None:
    FrameDecoder(20).feed(noise)
