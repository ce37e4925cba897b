"""The simulated PN532, driven by bytes and a clock that the test holds."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.virtual.air import Air
from rig.virtual.pn532_chip import Chip
from rig.wire.pn532 import ACK, NACK, Command, Frame, FrameReader, command

H = bytes.fromhex
AS_CARD = H("01 0400 112233 20") + bytes(28) + H("0000")
POLL = H("0100")


class Host:
    """One chip and what it said; the clock is shared."""

    def __init__(self, name: str, air: Air, log: list[dict[str, Any]], clock: Callable[[], float]) -> None:
        self.sent = b""
        self.chip = Chip(name, air, self._take, lambda kind, **data: log.append({"kind": kind, **data}), clock)

    def _take(self, data: bytes) -> None:
        self.sent += data

    def said(self) -> list[str]:
        """The contents of the answers since the last look, ACKs left out."""
        items, self.sent = FrameReader().feed(self.sent), b""
        return [item.data.hex().upper() for item in items if isinstance(item, Frame)]

    def ask(self, number: Command, data: bytes = b"") -> list[str]:
        self.chip.feed(command(number, data))
        return self.said()


class World:
    """Three chips in one field."""

    def __init__(self) -> None:
        self.now = 0.0
        self.log: list[dict[str, Any]] = []
        self.states: list[tuple[str, list[str]]] = []
        air = Air(lambda state, cards: self.states.append((state, cards)))
        self.card, self.other, self.reader = (
            Host(name, air, self.log, lambda: self.now) for name in ("card", "other", "reader")
        )

    def activate(self) -> None:
        self.card.ask(Command.TG_INIT_AS_TARGET, AS_CARD)
        self.reader.ask(Command.IN_LIST_PASSIVE_TARGET, POLL)
        self.reader.ask(Command.IN_COMMUNICATE_THRU, H("E080"))
        assert self.card.said() == ["D58D00E080"]


@pytest.fixture
def world() -> World:
    return World()


def test_every_command_is_acknowledged_then_answered(world: World) -> None:
    world.reader.chip.feed(bytes(10) + command(Command.GET_FIRMWARE_VERSION))
    assert world.reader.sent == ACK + H("0000FF06FAD50332010607E800")
    world.reader.chip.feed(NACK)
    assert world.reader.sent.count(H("D503320106")) == 2


def test_the_line_diagnosis_of_the_longest_frame_comes_back(world: World) -> None:
    data = b"\0" + bytes(at & 0xFF for at in range(262))
    assert world.reader.ask(Command.DIAGNOSE, data) == ["D501" + data.hex().upper()]


@pytest.mark.parametrize("content", ["D4", "D4FF", "D502", "D44A", "D40863"])
def test_what_it_does_not_know_is_a_syntax_error(world: World, content: str) -> None:
    world.reader.chip.feed(Frame(H(content)).encode())
    assert world.reader.said() == ["7F"]


def test_a_poll_without_a_card_ends_after_its_tries(world: World) -> None:
    world.reader.ask(Command.RF_CONFIGURATION, H("05010001"))
    assert world.reader.ask(Command.IN_LIST_PASSIVE_TARGET, POLL) == []
    assert world.reader.chip.deadline == pytest.approx(0.02)
    world.now = 0.03
    world.reader.chip.tick()
    assert world.reader.said() == ["D54B00"]
    assert world.reader.ask(Command.READ_REGISTER, H("6339")) == ["D50726"]  # the unanswered SENS_REQ
    assert world.reader.chip.deadline is None


def test_a_poll_that_waits_finds_the_card_that_comes(world: World) -> None:
    world.reader.ask(Command.RF_CONFIGURATION, H("050100FF"))
    assert world.reader.ask(Command.IN_LIST_PASSIVE_TARGET, POLL) == []
    assert world.reader.chip.deadline is None
    world.card.ask(Command.TG_INIT_AS_TARGET, AS_CARD)
    assert world.reader.said() == ["D54B" + "01" + "01" + "0004" + "20" + "04" + "08112233"]
    assert world.states == [("on", []), ("on", ["card"])]


def test_blocks_go_both_ways(world: World) -> None:
    world.activate()
    assert world.card.ask(Command.TG_RESPONSE_TO_INITIATOR, H("057880A002")) == ["D59100"]
    assert world.reader.said() == ["D54300057880A002"]
    world.reader.ask(Command.IN_COMMUNICATE_THRU, H("0200"))  # before the card listens again: it is kept
    assert world.card.ask(Command.TG_GET_INITIATOR_COMMAND) == ["D589000200"]
    assert world.card.ask(Command.TG_GET_TARGET_STATUS) == ["D58B0100"]


def test_a_card_that_thinks_too_long_is_too_late(world: World) -> None:
    world.activate()
    world.reader.ask(Command.RF_CONFIGURATION, H("020A0B06"))  # 100 µs × 2^5
    world.reader.ask(Command.IN_COMMUNICATE_THRU, H("0200"))
    assert world.reader.chip.deadline == pytest.approx(0.0032)
    world.now = 1.0
    world.reader.chip.tick()
    assert world.reader.said() == ["D54301"]
    assert world.card.ask(Command.TG_RESPONSE_TO_INITIATOR, H("0290")) == ["D59100"]
    assert world.reader.said() == []


def test_field_off_releases_the_card(world: World) -> None:
    world.activate()
    world.card.ask(Command.TG_RESPONSE_TO_INITIATOR, H("05"))
    assert world.card.ask(Command.TG_GET_INITIATOR_COMMAND) == []
    assert world.card.ask(Command.GET_GENERAL_STATUS)[-1] == "D50500010000"
    world.card.ask(Command.TG_INIT_AS_TARGET, AS_CARD)
    world.reader.ask(Command.IN_LIST_PASSIVE_TARGET, POLL)
    world.reader.ask(Command.IN_COMMUNICATE_THRU, H("E080"))
    world.card.said()
    world.card.ask(Command.TG_GET_INITIATOR_COMMAND)
    world.reader.ask(Command.RF_CONFIGURATION, H("0102"))
    assert world.card.said() == ["D58929"]
    assert world.card.ask(Command.TG_RESPONSE_TO_INITIATOR, H("05")) == ["D59129"]
    assert world.card.ask(Command.GET_GENERAL_STATUS) == ["D50500000000"]


def test_an_ack_of_the_host_ends_its_command_and_the_card_is_gone(world: World) -> None:
    world.activate()
    world.card.ask(Command.TG_GET_INITIATOR_COMMAND)
    world.card.chip.feed(ACK)
    assert world.states[-1] == ("on", [])
    assert world.card.ask(Command.TG_GET_TARGET_STATUS) == ["D58B0000"]
    world.reader.ask(Command.IN_COMMUNICATE_THRU, H("0200"))
    assert world.card.said() == []
    world.now = 10.0
    world.reader.chip.tick()
    assert world.reader.said() == ["D54301"]
    assert {"kind": "device_rx", "chip": "card", "name": "abort", "command": "TgGetInitiatorCommand"} in world.log


def as_card(uid: str, mode: int = 1) -> bytes:
    return bytes([mode]) + H("0400" + uid + "20") + bytes(28) + H("0000")


def target(number: int, uid: str) -> str:
    return f"{number:02}" + "0004" + "20" + "04" + "08" + uid


def test_two_cards_of_the_same_uid_collide_and_the_registers_say_so(world: World) -> None:
    for host in (world.card, world.other):
        host.ask(Command.TG_INIT_AS_TARGET, AS_CARD)
    assert world.reader.ask(Command.IN_LIST_PASSIVE_TARGET, POLL) == ["D54B00"]
    assert world.reader.ask(Command.READ_REGISTER, H("6336")) == ["D50708"]
    assert {"kind": "field", "state": "collision", "cards": ["card", "other"]} in world.log


def test_of_two_cards_the_chip_activates_the_one_that_anticollision_finds_first(world: World) -> None:
    world.card.ask(Command.TG_INIT_AS_TARGET, as_card("000002"))
    world.other.ask(Command.TG_INIT_AS_TARGET, as_card("000001"))  # bit 1 of the last byte goes out first
    assert world.reader.ask(Command.IN_LIST_PASSIVE_TARGET, POLL) == ["D54B01" + target(1, "000001")]
    assert world.reader.ask(Command.READ_REGISTER, H("6336")) == ["D50700"]
    world.reader.ask(Command.IN_COMMUNICATE_THRU, H("E080"))
    assert (world.card.said(), world.other.said()) == ([], ["D58D00E080"])


def test_a_host_that_asks_for_two_targets_sees_both_cards(world: World) -> None:
    world.card.ask(Command.TG_INIT_AS_TARGET, as_card("000001"))
    world.other.ask(Command.TG_INIT_AS_TARGET, as_card("000002"))
    both = "D54B02" + target(1, "000001") + target(2, "000002")
    assert world.reader.ask(Command.IN_LIST_PASSIVE_TARGET, H("0200")) == [both]
    world.reader.ask(Command.RF_CONFIGURATION, H("0102"))
    world.other.chip.feed(ACK)
    assert world.reader.ask(Command.IN_LIST_PASSIVE_TARGET, H("0200")) == ["D54B01" + target(1, "000001")]
    world.reader.ask(Command.IN_COMMUNICATE_THRU, H("E080"))
    assert world.card.said() == ["D58D00E080"]


def test_a_card_that_was_only_selected_still_listens_when_the_field_returns(world: World) -> None:
    world.card.ask(Command.TG_INIT_AS_TARGET, AS_CARD)
    for _ in range(3):
        assert world.reader.ask(Command.IN_LIST_PASSIVE_TARGET, POLL) == ["D54B01" + target(1, "112233")]
        world.reader.ask(Command.RF_CONFIGURATION, H("0102"))
        assert world.card.said() == []


def test_a_host_that_died_inside_a_frame_does_not_swallow_the_next(world: World) -> None:
    world.reader.chip.feed(command(Command.DIAGNOSE, bytes(260))[:100])
    world.now = 1.0
    assert world.reader.ask(Command.GET_FIRMWARE_VERSION) == ["D50332010607"]


def test_the_log_never_holds_a_whole_block(world: World) -> None:
    world.activate()
    world.card.ask(Command.TG_RESPONSE_TO_INITIATOR, bytes(range(60)))
    lines = [entry for entry in world.log if entry.get("name") == "TgResponseToInitiator"]
    assert [(entry["kind"], entry["length"], len(entry["data"])) for entry in lines] == [
        ("device_rx", 60, 5),
        ("device_tx", 1, 1),
    ]


def by_firmware(world: World) -> None:
    """The card's chip answers the reader by itself from now on, and a reader has activated it."""
    assert world.card.ask(Command.SET_PARAMETERS, H("20")) == ["D513"]
    assert world.card.ask(Command.TG_INIT_AS_TARGET, as_card("112233", mode=5)) == []
    world.reader.ask(Command.RF_CONFIGURATION, H("020A0B0B"))  # a reader that waits for 102.4 ms
    world.reader.ask(Command.IN_LIST_PASSIVE_TARGET, POLL)
    assert world.reader.ask(Command.IN_COMMUNICATE_THRU, H("E080")) == ["D543000575339203"]
    assert world.card.said() == ["D58D08E080"]


def test_the_firmware_answers_rats_and_gives_the_host_whole_commands(world: World) -> None:
    by_firmware(world)
    assert world.card.ask(Command.TG_GET_DATA) == []
    assert world.reader.ask(Command.IN_COMMUNICATE_THRU, H("120001")) == ["D54300A2"]  # chained
    assert world.reader.ask(Command.IN_COMMUNICATE_THRU, H("030203")) == []
    assert world.card.said() == ["D58700" + "00010203"]
    assert world.card.ask(Command.TG_SET_DATA, H("9000")) == ["D58F00"]
    assert world.reader.said() == ["D54300" + "039000"]


def test_the_firmware_chains_a_long_answer_and_is_done_when_it_is_out(world: World) -> None:
    by_firmware(world)
    world.reader.ask(Command.IN_COMMUNICATE_THRU, H("0200B2010C00"))
    assert world.card.ask(Command.TG_GET_DATA) == ["D58700" + "00B2010C00"]
    assert world.card.ask(Command.TG_SET_DATA, bytes(256) + H("9000")) == []  # the reader's frames hold 256 bytes
    assert world.reader.said() == ["D54300" + "12" + "00" * 253]
    assert world.reader.ask(Command.IN_COMMUNICATE_THRU, H("A3")) == ["D54300" + "03" + "000000" + "9000"]
    assert world.card.said() == ["D58F00"]


def test_the_firmware_keeps_a_reader_waiting_for_a_slow_host(world: World) -> None:
    by_firmware(world)
    world.reader.ask(Command.IN_COMMUNICATE_THRU, H("0200"))
    assert world.card.chip.deadline == pytest.approx(0.0773, abs=1e-4)  # half of FWI 9
    world.now = 0.08
    world.card.chip.tick()
    assert world.reader.said() == ["D54300" + "F201"]
    assert world.reader.ask(Command.IN_COMMUNICATE_THRU, H("F201")) == []
    assert world.card.chip.deadline == pytest.approx(0.1573, abs=1e-4)
    assert world.card.ask(Command.TG_GET_DATA) == ["D58700" + "00"]
    assert world.card.ask(Command.TG_SET_DATA, H("6D00")) == ["D58F00"]
    assert world.reader.said() == ["D54300" + "026D00"]


@pytest.mark.parametrize("end", [H("C2"), None], ids=["deselected", "field off"])
def test_a_firmware_card_that_was_let_go_says_so(world: World, end: bytes | None) -> None:
    by_firmware(world)
    assert world.card.ask(Command.TG_SET_DATA, H("9000")) == ["D58F25"]  # nothing was asked
    assert world.card.ask(Command.TG_GET_DATA) == []
    if end:
        assert world.reader.ask(Command.IN_COMMUNICATE_THRU, end) == ["D54300C2"]
    else:
        world.reader.ask(Command.RF_CONFIGURATION, H("0102"))
    assert world.card.said() == ["D58729"]
    assert world.card.ask(Command.TG_GET_DATA) == ["D58729"]
    assert world.card.ask(Command.TG_INIT_AS_TARGET, as_card("112233", mode=5)) == []
    assert world.states[-1][1] == ["card"]


COMMANDS = st.builds(command, st.sampled_from(list(Command)), st.binary(max_size=40))
BYTES = st.one_of(COMMANDS, st.just(ACK), st.binary(max_size=30))
STEPS = st.tuples(st.sampled_from(["card", "other", "reader"]), BYTES)


@given(st.lists(STEPS, max_size=30))
def test_hosts_may_send_anything_in_any_order(steps: list[tuple[str, bytes]]) -> None:
    world = World()
    for name, data in steps:
        host: Host = getattr(world, name)
        host.chip.feed(data)
        world.now += 0.01
        host.chip.tick()
