"""The card's side of ISO-DEP, block by block, as ISO/IEC 14443-4 annex B shows it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.wire.errors import WireError
from rig.wire.isodep import MAX_COMMAND, Ats, CardSide, Deselected, Granted, Reply, Request, Silence

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


@pytest.mark.parametrize(
    ("rats", "takes"), [("E000", 16), ("E07E", 128), ("E081", 256), ("E0C0", 4096), ("E0F0", 4096)]
)
def test_rats_says_what_the_reader_takes(rats: str, takes: int) -> None:
    side = active(rats)
    assert side.reader_takes == takes
    cid = rats[3:] if rats[3] != "0" else ""
    assert side.receive(H(f"0A0{cid}55" if cid else "0255")) == Request(H("55"))
    assert len(side.answer(bytes(5000))) == min(takes, side.frame_limit) - 2  # two bytes are the checksum's


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


@pytest.mark.parametrize("request_", ["D01100", "D001"])
def test_bit_rates_are_agreed_once_and_only_to_106(request_: str) -> None:
    side = active()
    assert side.receive(H(request_)) == Reply(H("D0"))
    assert side.receive(H(request_)) == Silence()


@pytest.mark.parametrize("other", ["D01115", "D0110000", "D011", "D0", "D10111", "D021", "0255"])
def test_another_block_in_place_of_bit_rates_ends_the_time_for_them(other: str) -> None:
    side = active()
    side.receive(H(other))
    assert side.receive(H("D01100")) == Silence()  # 5.6.2.2 b and c


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


@pytest.mark.parametrize("block", ["", "0600AA", "E080", "A3", "FF", "0A", "C6", "B200", "F204", "F0", "0355", "AA01"])
def test_what_makes_no_sense_is_met_with_silence(block: str) -> None:
    assert active().receive(H(block)) == Silence()


def test_a_card_without_identifiers_takes_blocks_without_them_alone() -> None:
    side = active("E085", Ats(cid=False))
    assert side.receive(H("0A0555")) == Silence()
    assert side.receive(H("0255")) == Request(H("55"))
    assert side.answer(H("9000")) == H("029000")


def test_a_card_with_identifier_0_takes_blocks_with_it_and_without() -> None:
    side = active()
    assert side.receive(H("0A0055")) == Request(H("55"))
    assert side.answer(H("9000")) == H("0A009000")
    assert side.receive(H("0366")) == Request(H("66"))
    assert side.answer(H("9000")) == H("039000")


def test_a_command_that_comes_twice_unasked_runs_once() -> None:
    side = active()
    assert side.receive(H("0255")) == Request(H("55"))
    assert side.receive(H("0255")) == Silence()
    answer = side.answer(H("9000"))
    assert side.receive(H("0255")) == Silence()
    assert side.receive(H("B2")) == Reply(answer)
    assert side.receive(H("1366")) == Reply(H("A3"))
    assert side.receive(H("1366")) == Silence()  # nor is a part of a chain taken twice
    assert side.receive(H("0277")) == Request(H("6677"))


def test_presence_checks_of_both_kinds() -> None:
    side = active()
    assert side.receive(H("B2")) == Reply(H("A3"))  # 7.5.5, method 2
    assert side.receive(H("02")) == Request(b"")  # method 1
    assert side.answer(b"") == H("02")


def test_lost_blocks_of_both_chains() -> None:
    side = active("E000")
    assert side.receive(H("B2")) == Reply(H("A3"))  # the first part never came: rule 12
    assert side.receive(H("12AA")) == Reply(H("A2"))
    assert side.receive(H("B2")) == Reply(H("A2"))  # its receipt was lost: rule 11
    assert side.receive(H("B3")) == Reply(H("A2"))  # the last part never came: rule 12
    assert side.receive(H("03BB")) == Request(H("AABB"))
    first = side.answer(bytes(20))
    assert side.receive(H("B3")) == Reply(first)  # rule 11
    second = Reply(H("02") + bytes(7))
    assert side.receive(H("A2")) == second  # rules 13 and E
    assert side.receive(H("A2")) == second  # it was lost: rules 5 and 11


def test_time_inside_a_chained_response() -> None:
    side = active("E000")
    side.receive(H("0255"))
    side.answer(bytes(range(20)))
    due = side.receive(H("A3"))
    assert isinstance(due, Reply)
    assert side.postpone(due, 7) == H("F207")
    assert side.receive(H("A3")) == Reply(H("F207"))  # it was lost
    assert side.receive(H("F206")) == Silence()  # another multiplier than the card's
    assert side.receive(H("F207")) == Reply(H("03") + bytes(range(13, 20)))
    assert side.receive(H("A3")) == Reply(H("03") + bytes(range(13, 20)))


def test_time_inside_a_chained_command() -> None:
    side = active()
    due = side.receive(H("1255"))
    assert isinstance(due, Reply)
    assert side.postpone(due, 1) == H("F201")
    assert side.receive(H("0366")) == Silence()
    assert side.receive(H("F201")) == Reply(H("A2"))
    assert side.receive(H("0366")) == Request(H("5566"))
    with pytest.raises(WireError, match="can be postponed"):
        side.postpone(Reply(H("A2")), 1)


def test_a_reader_may_deselect_while_an_answer_is_owed() -> None:
    side = active()
    side.receive(H("0255"))
    side.extend(1)
    assert side.receive(H("C200")) == Silence()
    assert side.receive(H("C2")) == Deselected(H("C2"))
    with pytest.raises(WireError, match="waits for no response"):
        side.answer(H("9000"))
    assert side.receive(H("E080")) == Reply(Ats().encode())
    assert side.receive(H("B3")) == Silence()  # nothing of the old conversation comes back
    assert side.receive(H("0255")) == Request(H("55"))


def test_a_command_without_end_makes_the_card_deaf_until_it_is_deselected() -> None:
    side, number = active(), 0
    for _ in range(MAX_COMMAND // 200 + 1):
        side.receive(bytes([0x12 | number]) + bytes(200))
        number ^= 1
    assert side.receive(bytes([0x02 | number]) + H("00A4")) == Silence()
    assert side.receive(H("C2")) == Deselected(H("C2"))


def test_a_block_longer_than_the_card_takes_is_not_taken() -> None:
    side = active(ats=Ats(fsci=0))
    assert side.receive(H("02") + bytes(14)) == Silence()
    assert side.receive(H("02") + bytes(13)) == Request(bytes(13))


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
