"""PN532 host frames: the bytes that nfcpy and the manual write, fragmented, broken, and random."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.wire.errors import WireError
from rig.wire.pn532 import (
    ACK,
    MAX_DATA,
    NACK,
    Ack,
    BadFrame,
    Command,
    Frame,
    FrameReader,
    Nack,
    command,
    response,
)

H = bytes.fromhex


def test_the_frames_that_nfcpy_sends_at_open() -> None:
    assert command(Command.GET_FIRMWARE_VERSION) == H("0000FF02FED4022A00")
    assert command(Command.SAM_CONFIGURATION, H("010000")) == H("0000FF05FBD4140100001700")
    assert response(Command.SAM_CONFIGURATION) == H("0000FF02FED5151600")
    assert response(Command.GET_FIRMWARE_VERSION, H("32010607")).startswith(H("0000FF06FAD50332"))


def test_more_than_255_bytes_make_an_extended_frame() -> None:
    frame = command(Command.DIAGNOSE, bytes(254))
    assert frame[:8] == H("0000FFFFFF0100FF")
    assert FrameReader().feed(frame) == [Frame(H("D400") + bytes(254))]


def test_a_wake_up_preamble_and_several_frames_at_once() -> None:
    stream = H("5555") + bytes(10) + command(Command.GET_FIRMWARE_VERSION) + ACK + NACK + H("AA") + ACK
    assert FrameReader().feed(stream) == [Frame(H("D402")), Ack(), Nack(), Ack()]


def test_a_frame_byte_by_byte() -> None:
    reader, frame = FrameReader(), command(Command.TG_RESPONSE_TO_INITIATOR, bytes(range(200)))
    found = [item for byte in frame for item in reader.feed(bytes([byte]))]
    assert found == [Frame(H("D490") + bytes(range(200)))]


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        ("0000FF02FDD4022A00", "length checksum"),
        ("0000FF02FED4022B00", "data checksum"),
        ("0000FFFFFF0100FE", "extended length checksum"),
        ("0000FFFFFFFFFF02", "65535 bytes are no frame"),
    ],
)
def test_a_broken_frame_is_told_and_the_next_one_is_found(broken: str, why: str) -> None:
    first, *rest = FrameReader().feed(H(broken) + ACK)
    assert isinstance(first, BadFrame)
    assert why in first.why
    assert rest[-1] == Ack()


def test_a_sender_that_died_in_the_middle_can_be_forgotten() -> None:
    reader = FrameReader()
    assert reader.feed(H("0000FF20E0D402")) == []
    assert reader.inside_a_frame
    reader.reset()
    assert reader.feed(ACK) == [Ack()]


@pytest.mark.parametrize("length", [0, MAX_DATA + 1])
def test_what_does_not_fit_is_refused(length: int) -> None:
    with pytest.raises(WireError):
        Frame(bytes(length)).encode()


@given(st.lists(st.binary(min_size=1, max_size=MAX_DATA), max_size=4), st.data())
def test_frames_survive_any_fragmentation(contents: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(Frame(content).encode() for content in contents)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    reader, found = FrameReader(), []
    for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += reader.feed(stream[begin:end])
    assert found == [Frame(content) for content in contents]


@given(st.binary(max_size=600))
def test_noise_never_raises_and_never_blocks_what_follows_a_pause(noise: bytes) -> None:
    reader = FrameReader()
    reader.feed(noise)
    reader.reset()
    assert reader.feed(ACK) == [Ack()]
