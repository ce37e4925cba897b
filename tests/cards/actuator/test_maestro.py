"""The exact bytes for a Pololu Maestro; the first target is the example of its user's guide, 5.e."""

from collections.abc import Callable
from typing import Any

import pytest

from rig.cards.actuator.maestro import Maestro
from rig.cards.actuator.mover import Place
from rig.errors import BenchTrouble, DeviceMute
from rig.instruments.serial_port import SerialPort

H = bytes.fromhex
Turn = tuple[bytes, bytes]
NO_ERRORS: Turn = (H("A1"), H("0000"))
STILL: Turn = (H("93"), H("00"))
MOVES: Turn = (H("93"), H("01"))
CARDS = {"visa": {"channel": 2, "park": 1000, "field": 1500}, "other": {"channel": 5, "park": 1000.25, "field": 2000}}


@pytest.fixture
def connect(pty_peer: Callable[..., Any]) -> Callable[..., Maestro]:
    def start(*turns: Turn, move_s: float = 2.0) -> Maestro:
        port = SerialPort(pty_peer([NO_ERRORS, *turns]).address, name="arms")
        return Maestro(port, CARDS, settle_s=0.0, move_s=move_s)

    return start


def test_an_arm_moves_and_its_pulse_is_read_back(connect: Callable[..., Maestro]) -> None:
    maestro = connect((H("8402702E"), b""), MOVES, MOVES, STILL, NO_ERRORS, (H("9002"), H("7017")))
    assert maestro.put("visa", Place.FIELD) == {"pulse_us": 1500.0}
    maestro.close()


def test_everything_away_moves_each_arm(connect: Callable[..., Maestro]) -> None:
    maestro = connect(
        (H("8402201F"), b""), STILL, NO_ERRORS, (H("9002"), H("A00F")),
        (H("8405211F"), b""), STILL, NO_ERRORS, (H("9005"), H("A10F")),
    )  # fmt: skip
    assert maestro.clear() == {"pulse_us": {"visa": 1000.0, "other": 1000.25}}
    maestro.close()


def test_the_board_and_its_pulses(connect: Callable[..., Maestro]) -> None:
    maestro = connect((H("9002"), H("7017")), (H("9005"), H("0000")))
    assert maestro.identify() == {"device": "Pololu Maestro", "pulse_us": {"visa": 1500.0, "other": 0.0}}
    maestro.close()


def test_errors_of_the_board_are_named(connect: Callable[..., Maestro]) -> None:
    maestro = connect((H("8402702E"), b""), STILL, (H("A1"), H("1800")))
    with pytest.raises(BenchTrouble, match="checksum, protocol"):
        maestro.put("visa", Place.FIELD)
    maestro.close()


def test_an_arm_elsewhere_is_told(connect: Callable[..., Maestro]) -> None:
    maestro = connect((H("8402702E"), b""), STILL, NO_ERRORS, (H("9002"), H("A00F")))
    with pytest.raises(BenchTrouble, match="channel 2 sends 1000 µs, not 1500 µs"):
        maestro.put("visa", Place.FIELD)
    maestro.close()


def test_an_arm_that_never_rests_is_told(connect: Callable[..., Maestro]) -> None:
    maestro = connect((H("8402702E"), b""), *[MOVES] * 20, move_s=0.05)
    with pytest.raises(DeviceMute, match="moves for more than"):
        maestro.put("visa", Place.FIELD)
    maestro.close()
