"""The simulated machines by bytes and a clock that the test holds, and a plastic card in the air."""

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.errors import CallerMistake
from rig.virtual.actuator import Arrangement, check
from rig.virtual.air import Air
from rig.virtual.grbl import GrblGantry
from rig.virtual.maestro import MaestroArms
from rig.virtual.plastic import PlasticCard, uid_of
from rig.virtual.pn532_chip import Chip
from rig.wire.pn532 import Command, Frame, FrameReader, command
from rig.wire.vpcd import Decoder, encode

H = bytes.fromhex
GANTRY = {"visa": {"park": [0, 0], "field": [100, 0]}}
ARMS = {"visa": {"channel": 1, "park": 1000, "field": 2000}}


class World:
    """A machine, what it said, and where its card has been."""

    def __init__(self, cards: dict[str, Any], fault: str | None = None) -> None:
        self.now = 0.0
        self.said = b""
        self.places: list[str | None] = []
        self.arrangement = Arrangement(
            cards, fault, lambda _, place: self.places.append(place), self._hear, lambda: self.now
        )

    def _hear(self, data: bytes) -> None:
        self.said += data

    def ask(self, machine: Any, data: bytes) -> bytes:
        self.said = b""
        machine.feed(data)
        return self.said


def test_the_gantry_is_locked_until_it_is_homed_or_unlocked() -> None:
    world = World(GANTRY)
    gantry = GrblGantry(world.arrangement)
    assert world.ask(gantry, b"\r\n") == b"ok\r\nok\r\n"
    assert world.ask(gantry, b"?") == b"<Alarm|MPos:0.000,0.000,0.000|FS:0,0>\r\n"
    assert world.ask(gantry, b"G90\n") == b"error:9\r\n"
    assert world.ask(gantry, b"$X\n") == b"[MSG:Caution: Unlocked]\r\nok\r\n"
    assert world.ask(gantry, b"G90\nM7\n$Q\n") == b"ok\r\nerror:20\r\nerror:3\r\n"


def test_a_dwell_is_answered_when_the_carriage_stands_and_the_card_is_there() -> None:
    world = World(GANTRY)
    gantry = GrblGantry(world.arrangement)
    world.ask(gantry, b"$X\n")
    assert world.ask(gantry, b"G53 G0 X100.000 Y0.000\n") == b"ok\r\n"
    assert world.ask(gantry, b"G4 P0\n") == b""
    assert world.places == ["park", None]
    assert gantry.deadline == pytest.approx(0.1)
    world.now = 0.2
    gantry.tick()
    assert world.said == b"ok\r\n"
    assert world.places == ["park", None, "field"]
    assert world.ask(gantry, b"?") == b"<Idle|MPos:100.000,0.000,0.000|FS:0,0>\r\n"


def test_a_held_carriage_forgets_its_move_by_a_reset() -> None:
    world = World(GANTRY)
    gantry = GrblGantry(world.arrangement)
    world.ask(gantry, b"$X\nG53 G0 X100.000 Y0.000\n")
    gantry.feed(b"!")
    assert gantry.deadline is None
    assert world.ask(gantry, b"?").startswith(b"<Hold:0|")
    assert world.ask(gantry, b"\x18?").startswith(b"\r\nGrbl 1.1h ['$' for help]\r\n<Idle|")


def test_an_arm_travels_and_unknown_commands_are_the_boards_errors() -> None:
    world = World(ARMS)
    arms = MaestroArms(world.arrangement)
    assert world.ask(arms, H("9001")) == H("A00F")
    assert world.ask(arms, H("8401403E 93")) == b"\x01"
    world.now = 1.0
    arms.tick()
    assert world.ask(arms, H("93 9001")) == H("00 401F")
    assert world.places == ["park", "field"]
    assert world.ask(arms, H("FF A1 A1")) == H("1000 0000")


@pytest.mark.parametrize("settings", [{"colour": "red"}, {"fault": "sleepy"}])
def test_settings_that_no_machine_has_are_named(settings: dict[str, Any]) -> None:
    with pytest.raises(CallerMistake, match=r"colour|sleepy"):
        check("field", settings)


@given(st.lists(st.binary(max_size=20), max_size=20), st.sampled_from(["grbl", "maestro"]))
def test_a_host_may_send_anything(pieces: list[bytes], kind: str) -> None:
    world = World(GANTRY if kind == "grbl" else ARMS)
    machine: Any = (GrblGantry if kind == "grbl" else MaestroArms)(world.arrangement)
    for piece in pieces:
        machine.feed(piece)
        world.now += 0.05
        machine.tick()


class Reader:
    """A reader's chip in an air."""

    def __init__(self, air: Air) -> None:
        self._said = b""
        self._chip = Chip("reader", air, self._take, lambda *_, **__: None, lambda: 0.0)

    def _take(self, data: bytes) -> None:
        self._said += data

    def ask(self, number: Command, data: str) -> str:
        self._chip.feed(command(number, H(data)))
        return self.said()

    def said(self) -> str:
        items, self._said = FrameReader().feed(self._said), b""
        return "".join(item.data[2:].hex().upper() for item in items if isinstance(item, Frame))


@pytest.fixture
def plastic(tmp_path: Path) -> Any:
    now = [0.0]
    card = PlasticCard("visa", tmp_path / "visa.card", lambda: now[0])
    chip = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    chip.connect(str(tmp_path / "visa.card"))
    card.accept()
    yield card, chip, now
    chip.close()
    card.close()
    assert not (tmp_path / "visa.card").exists()


def air() -> Air:
    return Air(lambda *_: None)


def test_a_plastic_card_answers_where_it_lies_and_asks_its_chip(plastic: Any) -> None:
    card, chip, now = plastic
    park, terminal = air(), air()
    at_park, at_terminal = Reader(park), Reader(terminal)
    card.carry(terminal)
    assert at_park.ask(Command.IN_LIST_PASSIVE_TARGET, "0100") == ""
    assert at_terminal.ask(Command.IN_LIST_PASSIVE_TARGET, "0100") == "0101000420" + "04" + uid_of("visa").hex().upper()
    assert at_terminal.ask(Command.IN_COMMUNICATE_THRU, "E080") == "00057880A002"
    assert at_terminal.ask(Command.IN_COMMUNICATE_THRU, "0200A4040000") == ""
    asked = Decoder().feed(chip.recv(4096))
    assert asked == [b"\x04", b"\x02", H("00A4040000")], "its ATR, a reset as it was carried, the command"
    now[0] = 0.2
    card.tick()
    assert at_terminal.said() == "00F201"
    assert at_terminal.ask(Command.IN_COMMUNICATE_THRU, "F201") == ""
    chip.sendall(encode(H("3B80800101")) + encode(H("6A82")))
    assert card.receive()
    assert at_terminal.said() == "00026A82"


def test_an_answer_that_comes_after_the_field_is_nobodys(plastic: Any) -> None:
    card, chip, _ = plastic
    terminal = air()
    reader = Reader(terminal)
    card.carry(terminal)
    for _ in range(2):
        reader.ask(Command.IN_LIST_PASSIVE_TARGET, "0100")
        reader.ask(Command.IN_COMMUNICATE_THRU, "E080")
        reader.ask(Command.IN_COMMUNICATE_THRU, "0200A4040000")
        reader.ask(Command.RF_CONFIGURATION, "0102")
    chip.sendall(encode(b"\x3b") + encode(H("9000")) * 2)
    reader.ask(Command.IN_LIST_PASSIVE_TARGET, "0100")
    assert reader.ask(Command.IN_COMMUNICATE_THRU, "E080") == "00057880A002"
    reader.ask(Command.IN_COMMUNICATE_THRU, "0200B0000000")
    card.receive()
    assert reader.said() == ""
    chip.sendall(encode(H("6D00")))
    card.receive()
    assert reader.said() == "00026D00"


def test_a_card_without_its_chip_is_dead(plastic: Any) -> None:
    card, chip, _ = plastic
    terminal = air()
    reader = Reader(terminal)
    card.carry(terminal)
    chip.close()
    while card.receive():
        pass
    reader.ask(Command.IN_LIST_PASSIVE_TARGET, "0100")
    assert reader.ask(Command.IN_COMMUNICATE_THRU, "E080") == ""
    card.carry(None)
    assert reader.ask(Command.IN_LIST_PASSIVE_TARGET, "0100") == ""


def test_a_field_that_is_told_nonsense_does_not_start(start_device: Callable[..., Any]) -> None:
    wrongs: list[dict[str, Any]] = [
        {"park": ["nobody"]},
        {"colour": "red"},
        {"actuator": {"device": "crane", "port": "actuator.tty", "cards": {}}},
    ]
    for wrong in wrongs:
        with pytest.raises(AssertionError, match="before it was ready"):
            start_device("field", chips={"terminal": "reader.tty"}, **wrong)
