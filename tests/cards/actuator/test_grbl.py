"""The exact dialogue with GRBL, as its wiki has it."""

import os
import threading
import time
import tty
from collections.abc import Callable
from typing import Any

import pytest

from rig.cards.actuator.grbl import Grbl
from rig.cards.actuator.mover import Place
from rig.errors import BenchTrouble, DeviceMute, DeviceNonsense
from rig.instruments.serial_port import SerialPort

PtyPeers = Callable[[list[tuple[bytes, bytes | None]]], Any]
Turn = tuple[bytes, bytes]
CARDS = {"visa": {"park": [0, 0], "field": [120, 40.5]}, "other": {"park": [0, 60], "field": [120, 100]}}

OK = b"ok\r\n"
WAKE: list[Turn] = [(b"\r\n\r\n", OK * 4), (b"$I\n", b"[VER:1.1h.20190825:]\r\n[OPT:V,15,128]\r\n" + OK)]
MODES: list[Turn] = [(b"G21\n", OK), (b"G90\n", OK)]
IDLE_AT_ZERO: Turn = (b"?", b"<Idle|MPos:0.000,0.000,0.000|FS:0,0|WCO:0.000,0.000,0.000>\r\n")
THERE: Turn = (b"?", b"<Idle|MPos:120.000,40.500,0.000|FS:0,0|Ov:100,100,100>\r\n")
MOVE: list[Turn] = [(b"G53 G0 X120.000 Y40.500\n", OK), (b"G4 P0\n", OK)]


@pytest.fixture
def connect(pty_peer: PtyPeers) -> Callable[..., Grbl]:
    def start(*turns: Turn, **settings: Any) -> Grbl:
        port = SerialPort(pty_peer([*WAKE, *turns]).address, name="gantry")
        return Grbl(port, CARDS, **{"home": False, "move_s": 0.2, **settings})

    return start


def test_a_move_in_machine_coordinates_is_waited_for_and_read_back(connect: Callable[..., Grbl]) -> None:
    grbl = connect(IDLE_AT_ZERO, *MODES, *MOVE, THERE, THERE)
    assert grbl.cards == ("visa", "other")
    assert grbl.put("visa", Place.FIELD) == {"position": [120.0, 40.5]}
    assert grbl.identify() == {"device": "GRBL 1.1h.20190825", "state": "Idle", "position": [120.0, 40.5]}
    grbl.close()


def test_the_first_move_homes_the_later_ones_do_not(connect: Callable[..., Grbl]) -> None:
    locked: Turn = (b"?", b"<Alarm|MPos:0.000,0.000,0.000|FS:0,0>\r\n")
    grbl = connect(locked, (b"$H\n", OK), *MODES, *MOVE, THERE, THERE, *MOVE, THERE, home=True)
    grbl.put("visa", Place.FIELD)
    grbl.put("visa", Place.FIELD)
    grbl.close()


def test_without_homing_a_lock_is_opened(connect: Callable[..., Grbl]) -> None:
    locked: Turn = (b"?", b"<Alarm|MPos:0.000,0.000,0.000|FS:0,0>\r\n")
    grbl = connect(locked, (b"$X\n", b"[MSG:Caution: Unlocked]\r\n" + OK), *MODES, *MOVE, THERE)
    grbl.put("visa", Place.FIELD)
    grbl.close()


def test_everything_away_is_where_the_first_card_rests(connect: Callable[..., Grbl]) -> None:
    home: list[Turn] = [(b"G53 G0 X0.000 Y0.000\n", OK), (b"G4 P0\n", OK), IDLE_AT_ZERO]
    grbl = connect(IDLE_AT_ZERO, *MODES, *home)
    assert grbl.clear() == {"position": [0.0, 0.0]}
    grbl.close()


def test_a_machine_that_does_not_arrive_is_held_and_its_move_forgotten(connect: Callable[..., Grbl]) -> None:
    held: Turn = (b"?", b"<Hold:0|MPos:60.000,20.000,0.000|FS:0,0>\r\n")
    grbl = connect(
        IDLE_AT_ZERO, *MODES, MOVE[0], (b"G4 P0\n", b""), (b"!", b""),
        held, (b"\x18", b"\r\nGrbl 1.1h ['$' for help]\r\n"), IDLE_AT_ZERO, *MODES, *MOVE, THERE,
    )  # fmt: skip
    with pytest.raises(DeviceMute):
        grbl.put("visa", Place.FIELD)
    assert grbl.put("visa", Place.FIELD) == {"position": [120.0, 40.5]}
    grbl.close()


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"ALARM:1\r\n", "alarm 1: a hard limit was hit"),
        (b"ALARM:2\r\n", "alarm 2: the target is outside"),
        (b"error:15\r\n", "error 15 at G53 G0 X120.000 Y40.500: the target is outside"),
        (b"error:99\r\n", "error 99 .* see the GRBL wiki"),
    ],
)
def test_alarms_and_errors_are_named(answer: bytes, told: str, connect: Callable[..., Grbl]) -> None:
    grbl = connect(IDLE_AT_ZERO, *MODES, (MOVE[0][0], answer))
    with pytest.raises(BenchTrouble, match=told):
        grbl.put("visa", Place.FIELD)
    grbl.close()


@pytest.mark.parametrize(
    ("report", "told"),
    [
        (b"<Idle|MPos:119.000,40.500,0.000|FS:0,0>\r\n", "stands at 119.000, 40.500 mm, not at 120.000, 40.500 mm"),
        (b"<Door:0|MPos:120.000,40.500,0.000|FS:0,0>\r\n", "is Door:0, not idle"),
    ],
)
def test_what_is_read_back_must_be_what_was_asked(report: bytes, told: str, connect: Callable[..., Grbl]) -> None:
    grbl = connect(IDLE_AT_ZERO, *MODES, *MOVE, (b"?", report))
    with pytest.raises(BenchTrouble, match=told):
        grbl.put("visa", Place.FIELD)
    grbl.close()


def test_a_report_in_work_coordinates_names_the_setting(connect: Callable[..., Grbl]) -> None:
    grbl = connect((b"?", b"<Idle|WPos:0.000,0.000,0.000|FS:0,0>\r\n"))
    with pytest.raises(DeviceNonsense, match=r"\$10=1"):
        grbl.put("visa", Place.FIELD)
    grbl.close()


def test_something_else_on_the_port_is_no_grbl(pty_peer: PtyPeers) -> None:
    peer = pty_peer([(b"\r\n\r\n", b"ok\r\n"), (b"$I\n", b"Marlin\r\nok\r\n")])
    port = SerialPort(peer.address, name="gantry")
    with pytest.raises(DeviceNonsense, match="does not name itself as GRBL"):
        Grbl(port, CARDS)
    port.close()


def test_something_that_talks_without_end_is_not_listened_to_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rig.cards.actuator.grbl.ANSWER_S", 0.3)
    far, near = os.openpty()
    tty.setraw(far)
    over = threading.Event()

    def position() -> None:
        os.read(far, 16)
        os.write(far, b"ok\r\n")
        while not over.wait(0.05):
            os.write(far, b"$GPGGA,092750.000,5321.6802,N\r\n")

    talker = threading.Thread(target=position)
    talker.start()
    port = SerialPort(os.ttyname(near), name="gantry")
    began = time.monotonic()
    try:
        with pytest.raises(DeviceNonsense, match=r"talks for 0\.3 s and answers nothing"):
            Grbl(port, CARDS)
    finally:
        over.set()
        talker.join()
        port.close()
        os.close(far)
        os.close(near)
    assert time.monotonic() - began < 5
