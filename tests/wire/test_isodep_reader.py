"""The reader's side of ISO-DEP: exact blocks against a script, and against the card's side over a lossy channel."""

from collections.abc import Iterator
from contextlib import suppress
from itertools import chain, repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.wire.errors import WireError
from rig.wire.isodep import CardSide, Granted, Reply, Request
from rig.wire.isodep_blocks import FRAME_SIZES, Ats, checksum
from rig.wire.isodep_reader import MARGIN_S, MAX_WAIT_S, IsoDepError, ReaderSide, Send, run

H = bytes.fromhex


class Script:
    """A card that expects these blocks and answers them so; ``-`` is nothing sound."""

    def __init__(self, *lines: str) -> None:
        self.lines = [tuple(line.split(" > ")) for line in lines]
        self.sent: list[Send] = []

    def __call__(self, send: Send) -> bytes | None:
        self.sent.append(send)
        expected, answer = self.lines.pop(0)
        assert send.block.hex().upper() == expected
        return None if answer == "-" else H(answer)


def active(ats: str = "057880A002", cid: int | None = None) -> ReaderSide:
    side = ReaderSide(cid=cid)
    run(side.activate(), lambda _: H(ats))
    return side


def dialogue(command: str, *lines: str, side: ReaderSide | None = None) -> str:
    script = Script(*lines)
    answer = run((side or active()).transceive(H(command)), script)
    assert not script.lines
    return answer.hex().upper()


def failure(*lines: str, command: str = "55", side: ReaderSide | None = None) -> str:
    side = side or active()
    script = Script(*lines)
    with pytest.raises(IsoDepError) as caught:
        run(side.transceive(H(command)), script)
    assert not script.lines
    with pytest.raises(IsoDepError, match="not active"):
        run(side.transceive(H(command)), script)
    return caught.value.why


def test_activation_with_and_without_identifier() -> None:
    side = ReaderSide(cid=3)
    assert run(side.activate(), Script("E083 > -", "E083 > 057880A002")) == Ats()
    assert run(side.transceive(H("00A4")), Script("0A0300A4 > 0A039000")) == H("9000")
    assert run(ReaderSide(fsdi=5).activate(), Script("E050 > 057880A002")) == Ats()


@pytest.mark.parametrize(
    ("answer", "meaning"),
    [
        ("01", Ats(fsci=2, fwi=4)),
        ("0205", Ats(fsci=5, fwi=4)),
        ("0328A1", Ats(fwi=10, sfgi=1)),
        ("034800", Ats(fwi=4, cid=False)),
        ("032FFF", Ats(fsci=12, fwi=4, sfgi=0)),
        ("04086869", Ats(fwi=4, historical=b"hi")),
        ("0E788090029091929394959697", None),
        ("0D788090029091929394959697", Ats(fwi=9, historical=H("9091929394959697"))),
    ],
)
def test_an_answer_to_select_may_leave_anything_out(answer: str, meaning: Ats | None) -> None:
    side = ReaderSide()
    if meaning is None:
        with pytest.raises(IsoDepError, match="length byte"):
            run(side.activate(), lambda _: H(answer))
    else:
        assert run(side.activate(), lambda _: H(answer)) == meaning


@pytest.mark.parametrize("answer", ["", "00", "0378", "037880", "022F"])
def test_nonsense_for_an_answer_to_select_ends_it(answer: str) -> None:
    with pytest.raises(IsoDepError):
        run(ReaderSide().activate(), lambda _: H(answer))


def test_no_answer_to_select() -> None:
    with pytest.raises(IsoDepError, match="no answer to RATS"):
        run(ReaderSide().activate(), Script("E080 > -", "E080 > -", "E080 > -"))


def test_the_start_up_guard_time_is_kept_once() -> None:
    script = Script("0255 > 029000", "0366 > 039000")
    side = active("057880A402")
    run(side.transceive(H("55")), script)
    run(side.transceive(H("66")), script)
    assert [each.pause_s for each in script.sent] == [pytest.approx(302e-6 * 16, rel=1e-3), 0.0]
    assert [each.wait_s for each in script.sent] == [pytest.approx(0.3093 + MARGIN_S, abs=1e-4)] * 2


def test_bit_rates() -> None:
    script = Script("D21100 > -", "D21100 > D2")
    run(active(cid=2).select_parameters(), script)
    with pytest.raises(IsoDepError, match="PPS"):
        run(active().select_parameters(), Script("D01100 > -", "D01100 > D1", "D01100 > 00"))


def test_block_numbers_alternate() -> None:
    side = active()
    assert dialogue("00A4", "0200A4 > 029000", side=side) == "9000"
    assert dialogue("80CA", "0380CA > 036A88", side=side) == "6A88"


def test_chains_of_both_sides() -> None:
    command = bytes(range(30)).hex().upper()
    lines = [
        f"12{command[:26]} > A2", f"13{command[26:52]} > A3", f"02{command[52:]} > 12AABB", "A3 > 13CC", "A2 > 029000",
    ]  # fmt: skip
    assert dialogue(command, *lines, side=active("057080A002")) == "AABBCC9000"


def test_what_was_lost_is_asked_for_again() -> None:
    assert dialogue("55", "0255 > -", "B2 > 029000") == "9000"  # the answer was lost: rule 4
    assert dialogue("55", "0255 > -", "B2 > A3", "0255 > 029000") == "9000"  # the command was: rule 6
    assert dialogue("55", "0255 > 12AA", "A3 > -", "A3 > 03BB") == "AABB"  # a part was: rule 5


def test_a_reader_gives_up_after_so_many_losses() -> None:
    assert failure("0255 > -", "B2 > -", "B2 > -") == "the card fell silent"
    assert failure("0255 > 12AA", "A3 > -", "A3 > -", "A3 > -") == "the card fell silent"
    assert failure("0255 > A3", "0255 > A3", "0255 > A3") == "the card keeps asking for the same block"


@pytest.mark.parametrize(
    "wrong", ["", "FF", "0355", "069000", "0A009000", "B2", "A2", "12", "F2", "F200", "F23C", "C2"]
)
def test_a_block_that_no_card_may_send_is_asked_for_again(wrong: str) -> None:
    assert dialogue("55", f"0255 > {wrong}", "B2 > 029000") == "9000"
    why = failure(f"0255 > {wrong}", f"B2 > {wrong}", f"B2 > {wrong}")
    assert why == "the card broke the protocol"


def test_a_frame_longer_than_the_reader_takes() -> None:
    side = ReaderSide(fsdi=0)
    run(side.activate(), lambda _: Ats().encode())
    assert dialogue("55", f"0255 > 02{'00' * 14}", f"B2 > 02{'00' * 13}", side=side) == "00" * 13


def test_time_is_granted_in_bounds() -> None:
    script = Script("0255 > F204", "F204 > F2FB", "F23B > 029000")
    assert run(active().transceive(H("55")), script) == H("9000")
    assert [round(each.wait_s - MARGIN_S, 3) for each in script.sent] == [0.309, 1.237, round(MAX_WAIT_S, 3)]
    side = active()
    side.max_extensions = 2
    assert failure("0255 > F201", "F201 > F201", "F201 > F201", side=side) == "the card asked for more time 3 times"


def test_time_inside_a_chained_response() -> None:
    lines = ["0255 > 12AA", "A3 > F202", "F202 > -", "A3 > F202", "F202 > 13BB", "A2 > 029000"]
    assert dialogue("55", *lines) == "AABB9000"


def test_a_card_that_chains_without_end() -> None:
    number = 0

    def endless(_: Send) -> bytes:
        nonlocal number
        number ^= 1
        return bytes([0x13 - number]) + bytes(250)

    with pytest.raises(IsoDepError, match="without end"):
        run(active().transceive(H("55")), endless)


def test_deselect_is_tried_and_then_left() -> None:
    side = active()
    assert run(side.deselect(), Script("C2 > -", "C2 > C2"))
    with pytest.raises(IsoDepError, match="not active"):
        run(side.deselect(), Script())
    assert not run(active().deselect(), Script("C2 > -", "C2 > 029000", "C2 > C200"))
    assert run(active(cid=1).deselect(), Script("CA01 > CA01"))


# --- against the card's side, over a channel that loses and spoils ---------------------------------------------------

OK, LOST, SPOILED = range(3)


class Channel:
    """Carries blocks with their checksum between a reader and a card that asks for time as `times` says.

    Every transmission takes its fate from `fates`; three turned bits are what CRC_A always notices.
    """

    def __init__(self, card: CardSide, fates: Iterator[int], times: Iterator[bool], responses: list[bytes]) -> None:
        self.card, self.responses = card, responses
        self.commands: list[bytes] = []
        self._fates, self._times = fates, times

    def __call__(self, send: Send) -> bytes | None:
        heard = self._carry(send.block)
        answer = self._answer(heard) if heard is not None else None
        return self._carry(answer) if answer is not None else None

    def _carry(self, block: bytes) -> bytes | None:
        frame = bytearray(block + checksum(block))
        fate = next(self._fates)
        if fate == SPOILED:
            for bit in {0, len(frame) * 4, len(frame) * 8 - 1}:
                frame[bit // 8] ^= 1 << bit % 8
        sound = checksum(bytes(frame[:-2])) == frame[-2:]
        return bytes(frame[:-2]) if sound and fate != LOST else None

    def _answer(self, block: bytes) -> bytes | None:
        reaction = self.card.receive(block)
        match reaction:
            case Request(apdu):
                self.commands.append(apdu)
                return self._answer_or_extend()
            case Granted():
                return self._answer_or_extend()
            case Reply(ready):
                with suppress(WireError):
                    return self.card.postpone(reaction, 5) if next(self._times) else ready
                return ready
        return None

    def _answer_or_extend(self) -> bytes:
        if next(self._times):
            return self.card.extend(3)
        return self.card.answer(self.responses[len(self.commands) - 1])


APDUS = st.lists(st.tuples(st.binary(min_size=1, max_size=90), st.binary(min_size=2, max_size=90)), max_size=4)
SIDES = st.tuples(st.integers(0, 8), st.integers(0, 8), st.sampled_from([None, 0, 7]), st.booleans())


def talk(sides: tuple[int, int, int | None, bool], apdus: list[tuple[bytes, bytes]], channel: list[int],
         times: list[bool]) -> tuple[list[bytes], Channel, IsoDepError | None]:  # fmt: skip
    fsdi, fsci, cid, knows_cid = sides
    reader = ReaderSide(fsdi=fsdi, cid=cid, max_extensions=100)
    air = Channel(
        CardSide(Ats(fsci=fsci, cid=knows_cid)), chain([OK, OK], channel, repeat(OK)), chain(times, repeat(False)),
        [response for _, response in apdus],
    )  # fmt: skip
    run(reader.activate(), air)
    received: list[bytes] = []
    try:
        for command, _ in apdus:
            received.append(run(reader.transceive(command), air))
    except IsoDepError as error:
        return received, air, error
    return received, air, None


@given(
    SIDES,
    APDUS,
    st.lists(st.sampled_from([OK, OK, OK, LOST, SPOILED]), max_size=60),
    st.lists(st.booleans(), max_size=30),
)
def test_over_a_bad_channel_the_reader_has_the_exact_responses_or_its_own_error(
    sides: tuple[int, int, int | None, bool], apdus: list[tuple[bytes, bytes]], channel: list[int], times: list[bool]
) -> None:
    received, air, error = talk(sides, apdus, channel, times)
    assert received == [response for _, response in apdus][: len(received)]
    assert len(received) == len(apdus) or error is not None
    assert air.commands == [command for command, _ in apdus][: len(air.commands)]  # each once, in order, whole
    assert len(received) <= len(air.commands) <= len(received) + 1


@given(SIDES, APDUS, st.integers(0, 80), st.integers(0, 80), st.lists(st.booleans(), max_size=30))
def test_two_losses_anywhere_are_always_overcome(
    sides: tuple[int, int, int | None, bool], apdus: list[tuple[bytes, bytes]], one: int, other: int, times: list[bool]
) -> None:
    channel = [OK] * 81
    channel[one], channel[other] = LOST, SPOILED
    received, air, error = talk(sides, apdus, channel, times)
    assert error is None
    assert received == [response for _, response in apdus]
    assert air.commands == [command for command, _ in apdus]


def test_the_checksum_is_that_of_the_standard() -> None:
    assert checksum(H("0000")) == H("A01E")  # ISO/IEC 14443-3, annex B
    assert checksum(H("1234")) == H("26CF")
    assert FRAME_SIZES[8] == 256
