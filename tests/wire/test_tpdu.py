"""Frames: golden bytes, fragmentation, bounds."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.wire.errors import WireError
from rig.wire.tpdu import MAX_FRAME, FrameReader, Tpdu, frame

TO_HOST = Tpdu(destination=0x0003, source=0x0001)


def test_golden_frame() -> None:
    assert frame(TO_HOST, b"0800") == bytes.fromhex("0009 60 0003 0001 30383030")
    assert FrameReader().feed(bytes.fromhex("0009 60 0003 0001 30383030")) == [(TO_HOST, b"0800")]


def test_the_answer_goes_back_where_it_came_from() -> None:
    assert TO_HOST.swapped() == Tpdu(destination=0x0001, source=0x0003)
    assert TO_HOST.swapped().swapped() == TO_HOST


@given(st.lists(st.binary(min_size=1, max_size=200), max_size=6), st.integers(1, 50))
def test_any_fragmentation_gives_the_same_frames(payloads: list[bytes], step: int) -> None:
    stream = b"".join(frame(TO_HOST, payload) for payload in payloads)
    reader = FrameReader()
    got = [each for at in range(0, len(stream), step) for each in reader.feed(stream[at : at + step])]
    assert got == [(TO_HOST, payload) for payload in payloads]
    assert not reader.partial


@given(st.lists(st.binary(max_size=80), max_size=5))
def test_arbitrary_bytes_are_frames_or_a_wire_error(chunks: list[bytes]) -> None:
    reader = FrameReader()
    with contextlib.suppress(WireError):
        for chunk in chunks:
            reader.feed(chunk)


@pytest.mark.parametrize("head", ["0005 60 0003 0001", "0000 60", "FFFF 60", "1001 60", "0009 61"])
def test_a_head_that_cannot_be_is_refused_at_once(head: str) -> None:
    with pytest.raises(WireError, match="begins no frame"):
        FrameReader().feed(bytes.fromhex(head))


def test_whole_frames_before_nonsense_are_not_lost() -> None:
    reader = FrameReader()
    assert reader.feed(frame(TO_HOST, b"0800") + b"\xff\xff\xff") == [(TO_HOST, b"0800")]
    with pytest.raises(WireError):
        reader.feed(b"")


def test_the_longest_frame() -> None:
    payload = bytes(MAX_FRAME - 5)
    assert FrameReader().feed(frame(TO_HOST, payload)) == [(TO_HOST, payload)]
    with pytest.raises(WireError, match="longer"):
        frame(TO_HOST, payload + b"x")


def test_addresses_are_two_bytes() -> None:
    with pytest.raises(WireError):
        Tpdu(0x10000, 0).encode()
    with pytest.raises(WireError):
        Tpdu.decode(b"\x61\0\0\0\0")
