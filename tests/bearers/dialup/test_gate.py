"""What goes on to the other side, and when."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.bearers.dialup.gate import CheckedDown, CheckedUp, FrameGate, make_gates
from rig.errors import CallerMistake
from rig.wire.hdlc import encode_frame
from rig.wire.tpdu import Tpdu, frame

TPDU = Tpdu(1, 2)
messages = st.lists(st.binary(min_size=1, max_size=60), max_size=4)


@given(messages, st.integers(1, 9))
def test_checked_messages_change_their_frame_and_nothing_else(payloads: list[bytes], size: int) -> None:
    by_line = b"".join(encode_frame(TPDU.encode() + each) for each in payloads)
    by_tcp = b"".join(frame(TPDU, each) for each in payloads)
    up, down = CheckedUp(), CheckedDown()
    assert b"".join(up.feed(by_line[at : at + size]) for at in range(0, len(by_line), size)) == by_tcp
    assert b"".join(down.feed(by_tcp[at : at + size]) for at in range(0, len(by_tcp), size)) == by_line
    assert up.frames == down.frames == len(payloads)


def test_a_damaged_message_goes_nowhere() -> None:
    up = CheckedUp()
    octets = bytearray(encode_frame(TPDU.encode() + b"amount 100"))
    octets[10] ^= 1
    assert up.feed(bytes(octets)) == b""
    assert (up.frames, up.damaged) == (0, 1)


@given(messages, st.integers(1, 9))
def test_plain_messages_pass_when_they_are_whole(payloads: list[bytes], size: int) -> None:
    stream = b"".join(frame(TPDU, each) for each in payloads)
    gate = FrameGate()
    assert b"".join(gate.feed(stream[at : at + size]) for at in range(0, len(stream), size)) == stream
    assert gate.frames == len(payloads)
    assert gate.feed(frame(TPDU, b"half")[:-1]) == b""


def test_plain_framing_passes_what_is_no_frame_from_there_on() -> None:
    gate = FrameGate()
    assert gate.feed(frame(TPDU, b"one") + b"\x02text\x03") == frame(TPDU, b"one") + b"\x02text\x03"
    assert gate.torn
    assert gate.feed(b"x") == b"x"


def test_there_is_no_other_framing() -> None:
    with pytest.raises(CallerMistake, match=r"answering\.framing: is 'sdlc'"):
        make_gates("sdlc")  # type: ignore[arg-type]
