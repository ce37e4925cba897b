"""The simulated exchange and its two modems, spoken to by AT on both serial ports."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rig.errors import CallerMistake
from rig.instruments.serial_port import SerialPort
from rig.virtual.telephone_exchange import Exchange, ExchangeSettings
from tests.bearers.dialup.line_bench import FAST

StartDevice = Callable[..., Any]

RESULT = re.compile(rb"\r\n(OK|ERROR|BUSY|NO CARRIER|NO DIALTONE|NO ANSWER|RING|CONNECT \d+)\r\n")


class Hand:
    """A modem's serial port in a tester's hands."""

    def __init__(self, port: Path) -> None:
        self.port = SerialPort(str(port), name="modem")
        assert self.at("ATE0S12=2S7=1") == "OK"

    def at(self, command: str, timeout_s: float = 3.0) -> str:
        """The result of a command line."""
        self.port.write(command.encode() + b"\r")
        return self.said(timeout_s)

    def said(self, timeout_s: float = 3.0) -> str:
        """The next result code."""
        heard = self.port.read_until(RESULT, timeout_s)
        return heard.strip().splitlines()[-1].decode()

    def data(self, count: int) -> bytes:
        """So many octets of a call."""
        return self.port.read_until(re.compile(b"(?s).{%d}" % count), 3.0)


Pair = tuple[Hand, Hand]


@pytest.fixture
def exchange(start_device: StartDevice, runtime: Path) -> Iterator[Callable[..., Pair]]:
    hands: list[Hand] = []

    def start(**settings: Any) -> Pair:
        start_device("telephone", **(FAST | settings))
        pair = Hand(runtime / "line.tty"), Hand(runtime / "answering.tty")
        hands.extend(pair)
        return pair

    yield start
    for hand in hands:
        hand.port.close()


def connect(caller: Hand, called: Hand, rate: int = 33600) -> None:
    """A call that stands."""
    caller.port.write(b"ATDT0800\r")
    assert called.said() == "RING"
    assert called.at("ATA") == f"CONNECT {rate}"
    assert caller.said() == f"CONNECT {rate}"


def test_a_call_carries_octets_both_ways_until_one_hangs_up(exchange: Callable[..., Pair]) -> None:
    caller, called = exchange()
    connect(caller, called)
    caller.port.write(b"question")
    assert called.data(8) == b"question"
    called.port.write(b"answer\r\n")
    assert caller.data(8) == b"answer\r\n"
    time.sleep(0.05)  # the silence is part of the sign, S12
    caller.port.write(b"+++")
    assert caller.said() == "OK"
    assert caller.at("ATH0") == "OK"
    assert called.said() == "NO CARRIER"
    connect(caller, called)


def test_who_escapes_can_go_back_into_the_call(exchange: Callable[..., Pair]) -> None:
    caller, called = exchange()
    connect(caller, called)
    time.sleep(0.05)
    caller.port.write(b"+++")
    assert caller.said() == "OK"
    assert caller.at("ATO") == "CONNECT 33600"
    caller.port.write(b"still here")
    assert called.data(10) == b"still here"


def test_the_busy_tone(exchange: Callable[..., Pair]) -> None:
    caller, called = exchange()
    assert called.at("ATH1") == "OK"
    assert caller.at("ATDT0800") == "BUSY"
    assert called.at("ATH0") == "OK"
    connect(caller, called)


def test_nobody_answers(exchange: Callable[..., Pair]) -> None:
    caller, called = exchange()
    assert caller.at("ATDT0800") == "NO ANSWER"
    assert called.said() == "RING"


def test_a_wrong_number_has_no_carrier(exchange: Callable[..., Pair]) -> None:
    caller, _called = exchange()
    assert caller.at("ATDT555") == "NO CARRIER"


def test_whoever_answers_without_a_carrier_and_hangs_up(exchange: Callable[..., Pair]) -> None:
    caller, called = exchange()
    caller.port.write(b"ATDT0800\r")
    assert called.said() == "RING"
    assert called.at("ATH1") == "OK"
    assert called.at("ATH0") == "OK"
    assert caller.said() == "NO CARRIER"


@pytest.mark.parametrize(("modulation", "rate"), [("V22", 1200), ("V22B", 2400), ("V34", 33600)])
def test_the_slower_modem_says_how_fast_it_is(exchange: Callable[..., Pair], modulation: str, rate: int) -> None:
    caller, called = exchange()
    assert called.at(f"AT+MS={modulation},0") == "OK"
    connect(caller, called, rate)


def test_octets_take_the_time_of_their_bits(exchange: Callable[..., Pair]) -> None:
    """A lower bound alone: what the machine adds is its own."""
    caller, called = exchange(rate=1200)
    connect(caller, called, 1200)
    began = time.monotonic()
    caller.port.write(b"x" * 60)
    called.data(60)
    assert time.monotonic() - began >= 0.95 * 60 * 10 / 1200


def test_noise_turns_one_bit_of_an_octet(exchange: Callable[..., Pair]) -> None:
    caller, called = exchange(noise_percent=100)
    connect(caller, called)
    caller.port.write(b"\x00" * 20)
    assert all(octet.bit_count() == 1 for octet in called.data(20))


def test_a_dead_line_has_no_dial_tone_and_ends_its_call(
    start_device: StartDevice, runtime: Path, exchange: Callable[..., Pair]
) -> None:
    board = start_device("relay_board", power_on=True, load={"argv": ["sleep", "60"]})
    caller, called = exchange(loop_relay=3)
    connect(caller, called)
    relay = SerialPort(str(runtime / "relay.tty"), name="relays")
    relay.write(b"relay off 3\r")
    assert (caller.said(), called.said()) == ("NO CARRIER", "NO CARRIER")
    assert caller.at("ATDT0800") == "NO DIALTONE"
    relay.write(b"relay on 3\r")
    board.wait_for("relay", 2)
    while caller.at("ATDT0800") == "NO DIALTONE":  # the exchange hears of it a moment later
        pass
    relay.close()


def test_what_stands_before_a_command_is_ignored_and_not_written_down(
    exchange: Callable[..., Pair], tmp_path: Path
) -> None:
    caller, _called = exchange()
    assert caller.at("4761739001010010 AT") == "OK"
    assert all(b"4761739001010010" not in each.read_bytes() for each in (tmp_path / "journals").iterdir())


@pytest.mark.parametrize("command", ["ATS7=300", "AT+MS=V99", "AT\\N3", "ATD", "ATV0"])
def test_what_it_does_not_know_is_an_error(exchange: Callable[..., Pair], command: str) -> None:
    assert exchange()[0].at(command) == "ERROR"


@pytest.mark.parametrize("wrong", [{"rate": -1}, {"ring_ms": "fast"}, {"number": "100"}, {"number": "host"}])
def test_settings_that_cannot_be(wrong: dict[str, Any]) -> None:
    with pytest.raises(CallerMistake, match="telephone setting"):
        ExchangeSettings(**wrong)


def test_power_that_goes_ends_the_call_and_the_modem_forgets_its_settings() -> None:
    exchange = Exchange(ExchangeSettings(**FAST), lambda _kind, **_data: None)
    exchange.receive(exchange.line, b"ATE0S7=1\rATDT0800\r", 0.0)
    exchange.tick(0.1)
    exchange.receive(exchange.answering, b"ATE0\rATA\r", 0.2)
    exchange.tick(0.3)
    assert exchange.line.out.endswith(b"CONNECT 33600\r\n")
    exchange.set_power(on=False)
    exchange.tick(0.4)
    assert exchange.answering.out.endswith(b"NO CARRIER\r\n")
    exchange.set_power(on=True)
    exchange.receive(exchange.line, b"AT\r", 0.5)
    assert exchange.line.out == b"AT\r\r\nOK\r\n"
