"""The card's side of ISO-DEP, block by block, as ISO/IEC 14443-4 annex B shows it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.wire.errors import WireError
from rig.wire.isodep import Ats, CardSide, Deselected, Granted, Reply, Request, Silence

H = bytes.fromhex


def active(rats: str = "E080", ats: Ats | None = None) -> CardSide:
    side = CardSide(ats or Ats())
    assert side.receive(H(rats)) == Reply(side.ats.encode())
    return side


def test_the_answer_to_select_keeps_ta_so_that_readers_find_tb() -> None:
    assert Ats().encode() == H("057880A002")
    assert Ats(fsci=2, fwi=14, sfgi=1, cid=False, historical=b"hi").encode() == H("07 7280E100") + b"hi"
    assert Ats(fwi=10).frame_waiting_s == pytest.approx(0.3093, abs=1e-4)


@pytest.mark.parametrize("wrong", [{"fsci": 13}, {"fwi": 15}, {"sfgi": -1}, {"historical": bytes(16)}])
def test_an_impossible_answer_to_select_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(WireError):
        Ats(**wrong)  # type: ignore[arg-type]


def test_two_commands_alternate_the_block_number() -> None:
    side = active()
    assert side.receive(H("0200A404")) == Request(H("00A404"))
    assert side.answer(H("9000")) == H("029000")
    assert side.receive(H("0380CA")) == Request(H("80CA"))
    assert side.answer(H("6A88")) == H("036A88")


def test_the_reader_chains() -> None:
    side = active()
    assert side.receive(H("12AABB")) == Reply(H("A2"))
    assert side.receive(H("13CC")) == Reply(H("A3"))
    assert side.receive(H("02DD")) == Request(H("AABBCCDD"))


def test_the_card_chains_when_the_reader_takes_small_frames() -> None:
    side = active("E000")  # 16 bytes, so 13 a block
    assert side.receive(H("0255")) == Request(H("55"))
    assert side.answer(bytes(range(30))) == H("12") + bytes(range(13))
    assert side.receive(H("A3")) == Reply(H("13") + bytes(range(13, 26)))
    assert side.receive(H("A2")) == Reply(H("02") + bytes(range(26, 30)))


def test_a_lost_answer_is_sent_again() -> None:
    side = active()
    side.receive(H("0255"))
    answer = side.answer(H("9000"))
    assert side.receive(H("B2")) == Reply(answer)
    assert side.receive(H("A2")) == Reply(answer)


def test_a_lost_command_is_asked_for_again_and_runs_once() -> None:
    side = active()
    side.receive(H("0255"))
    side.answer(H("9000"))
    assert side.receive(H("B3")) == Reply(H("A2"))  # the reader's block 1 never came
    assert side.receive(H("0366")) == Request(H("66"))


def test_the_card_asks_for_time() -> None:
    side = active()
    side.receive(H("0255"))
    assert side.extend(4) == H("F204")
    assert side.receive(H("B2")) == Reply(H("F204"))  # it was lost
    assert side.receive(H("F204")) == Granted()
    assert side.extend(59) == H("F23B")
    assert side.receive(H("F23B")) == Granted()
    assert side.answer(H("9000")) == H("029000")
    assert side.receive(H("F204")) == Silence()


@pytest.mark.parametrize("multiplier", [0, 60])
def test_time_has_bounds(multiplier: int) -> None:
    side = active()
    with pytest.raises(WireError, match="waits for no response"):
        side.extend(1)
    side.receive(H("0255"))
    with pytest.raises(WireError, match="not 1 to 59"):
        side.extend(multiplier)


def test_a_card_identifier_is_obeyed() -> None:
    side = active("E085")
    assert side.receive(H("0255")) == Silence()
    assert side.receive(H("0A0655")) == Silence()
    assert side.receive(H("0A0555")) == Request(H("55"))
    assert side.extend(2) == H("FA0502")
    assert side.receive(H("FA0502")) == Granted()
    assert side.answer(H("9000")) == H("0A059000")
    assert side.receive(H("CA05")) == Deselected(H("CA05"))


def test_bit_rates_are_agreed_once_and_only_to_106() -> None:
    side = active()
    assert side.receive(H("D01115")) == Silence()
    assert side.receive(H("D01100")) == Reply(H("D0"))
    assert side.receive(H("D01100")) == Silence()


def test_after_deselect_the_card_waits_for_rats_and_starts_afresh() -> None:
    side = active()
    side.receive(H("0255"))
    side.answer(H("9000"))
    assert side.receive(H("C2")) == Deselected(H("C2"))
    assert side.receive(H("0355")) == Silence()
    assert side.receive(H("E080")) == Reply(Ats().encode())
    assert side.receive(H("0255")) == Request(H("55"))
    assert side.answer(H("9000")) == H("029000")


@pytest.mark.parametrize("block", ["", "E0", "E08F", "5000", "0255", "C2"])
def test_before_rats_there_is_silence(block: str) -> None:
    assert CardSide().receive(H(block)) == Silence()


@pytest.mark.parametrize("block", ["", "0600AA", "E080", "A3", "FF", "0A", "C6"])
def test_what_makes_no_sense_is_met_with_silence(block: str) -> None:
    assert active().receive(H(block)) == Silence()


@given(st.lists(st.binary(max_size=20), max_size=40))
def test_no_block_makes_the_card_fail(blocks: list[bytes]) -> None:
    side = active()
    for block in blocks:
        if isinstance(side.receive(block), Request):
            side.answer(H("6D00"))


@given(st.binary(max_size=700), st.binary(max_size=700), st.integers(0, 8))
def test_any_command_and_response_arrive_whole(command: bytes, response: bytes, fsdi: int) -> None:
    side, number = active(f"E0{fsdi}0"), 0
    parts = [command[at : at + 13] for at in range(0, len(command), 13)] or [b""]
    for part in parts[:-1]:
        assert side.receive(bytes([0x12 | number]) + part) == Reply(bytes([0xA2 | number]))
        number ^= 1
    assert side.receive(bytes([0x02 | number]) + parts[-1]) == Request(command)
    block, received = side.answer(response), b""
    while block[0] & 0x10:
        received, number = received + block[1:], number ^ 1
        reaction = side.receive(bytes([0xA2 | number]))
        assert isinstance(reaction, Reply)
        block = reaction.block
    assert received + block[1:] == response
