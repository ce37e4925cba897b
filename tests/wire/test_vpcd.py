"""Messages between a virtual reader and its card."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.wire.errors import WireError
from rig.wire.vpcd import Control, Decoder, control, encode


def test_a_message_is_its_length_and_itself() -> None:
    assert encode(bytes.fromhex("3B80800101")) == bytes.fromhex("0005 3B80800101")
    assert encode(bytes(258))[:2] == bytes.fromhex("0102")


def test_a_message_that_is_too_long() -> None:
    with pytest.raises(WireError, match="65535"):
        encode(bytes(0x10000))


@pytest.mark.parametrize(("message", "means"), [("00", Control.OFF), ("01", Control.ON), ("02", Control.RESET)])
def test_one_byte_controls_the_card(message: str, means: Control) -> None:
    assert control(bytes.fromhex(message)) is means


@pytest.mark.parametrize("message", ["", "03", "80", "0400", "00A4040000"])
def test_what_is_no_control_is_a_command(message: str) -> None:
    assert control(bytes.fromhex(message)) is None


@given(st.lists(st.binary(max_size=300)), st.integers(1, 7))
def test_messages_come_out_as_they_went_in_however_they_are_cut(messages: list[bytes], piece: int) -> None:
    stream = b"".join(encode(message) for message in messages)
    decoder = Decoder()
    got = [each for at in range(0, len(stream), piece) for each in decoder.feed(stream[at : at + piece])]
    assert got == messages
