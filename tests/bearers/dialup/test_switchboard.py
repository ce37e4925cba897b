"""The answering side as a process, on a simulated exchange, with a caller who does everything by hand."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from rig.bearers.dialup.link import TelephoneLink
from rig.bearers.impairment import CLEAN, CUT, Impairment
from rig.errors import CallerMistake
from rig.rpc import RpcError
from rig.virtual.terminal.dialling import LineFailed
from rig.wire.hdlc import encode_frame
from rig.wire.tpdu import frame
from tests.bearers.dialup.line_bench import TPDU, LineBench, line_bench

OCTETS_UP = len(encode_frame(TPDU.encode() + b"hello"))
OCTETS_DOWN = len(encode_frame(TPDU.swapped().encode() + b"1 hello"))


def test_one_call_carries_several_messages_and_counts_their_octets(bench: LineBench) -> None:
    assert bench.caller.dial() == 33600
    assert bench.caller.ask(b"hello") == [b"1 hello"]
    assert bench.caller.ask(b"again") == [b"2 again"]
    assert bench.met("calls") == 1
    bench.caller.modem.hang_up()
    bench.wait_until_over()
    told = bench.wait_for("line_octets", 3)
    call = told[0]["call"]
    assert {"bearer": "dialup", "call": call, "up": OCTETS_UP, "down": OCTETS_DOWN} in told
    assert told[-1] == {"bearer": "dialup", "call": call, "up": 2 * OCTETS_UP, "down": 2 * OCTETS_DOWN}
    exchange = bench.wait_for("exchange_octets")[0]
    assert (exchange["up"], exchange["down"]) == (2 * OCTETS_UP, 2 * OCTETS_DOWN)


def test_calls_come_one_after_another(bench: LineBench) -> None:
    for number in (1, 2, 3):
        bench.caller.dial()
        assert bench.caller.ask(b"hello") == [b"%d hello" % number]
        bench.caller.modem.hang_up()
        bench.wait_until_over()
    first, second, third = (each["call"] for each in bench.events("call_end"))
    assert (second, third) == (first + 1, first + 2)


def test_what_passes_in_a_call_is_never_written_down(bench: LineBench) -> None:
    bench.caller.dial()
    bench.caller.ask(b"4761739001010010")
    bench.caller.modem.hang_up()
    bench.wait_until_over()
    for journal in (bench.folder / "journals").iterdir():
        assert b"4761739001010010" not in journal.read_bytes()


@pytest.mark.parametrize(("answering", "why"), [("busy", "BUSY"), ("nobody", "NO ANSWER"), ("voice", "NO CARRIER")])
def test_nobody_is_reached_until_it_behaves_again(bench: LineBench, answering: str, why: str) -> None:
    assert bench.line.behave(answering)["answering"] == answering
    with pytest.raises(LineFailed, match=why):
        bench.caller.dial(answer_s=2)
    assert bench.met("calls") == 0
    bench.line.behave()
    bench.caller.dial()
    assert bench.caller.ask(b"hello") == [b"1 hello"]


@pytest.mark.parametrize("rate", [1200, 2400])
def test_an_old_modulation_carries_as_many_octets_as_it_can(bench: LineBench, rate: int) -> None:
    """A lower bound alone: what the machine adds is its own."""
    bench.line.behave(modulation=rate)
    assert bench.caller.dial() == rate
    began = time.monotonic()
    message = b"x" * 60
    assert bench.caller.ask(message) == [b"1 " + message]
    octets = len(encode_frame(TPDU.encode() + message)) + len(encode_frame(TPDU.swapped().encode() + b"1 " + message))
    assert time.monotonic() - began >= 0.95 * octets * 10 / rate


@pytest.mark.parametrize("octets", [1, 9])
def test_a_call_is_dropped_within_an_answer(bench: LineBench, octets: int) -> None:
    bench.caller.dial()
    bench.line.drop(octets)
    bench.caller.say(b"hello")
    with pytest.raises(LineFailed, match="NO CARRIER"):
        bench.caller.hear()
    assert bench.met("calls_dropped") == 1
    bench.wait_until_over()
    assert bench.wait_for("line_octets")[-1]["down"] == octets
    bench.caller.dial()
    assert bench.caller.ask(b"hello") == [b"2 hello"]


def test_a_drop_that_is_not_wanted_any_more_does_not_happen(bench: LineBench) -> None:
    bench.line.drop()
    bench.line.keep()
    bench.caller.dial()
    assert bench.caller.ask(b"hello") == [b"1 hello"]


def test_noise_damages_octets_and_no_message_comes_changed(bench: LineBench) -> None:
    bench.line.set_noise(100)
    bench.caller.dial()
    bench.caller.say(b"hello")
    deadline = time.monotonic() + 2
    while bench.met("octets_damaged") < OCTETS_UP and time.monotonic() < deadline:
        time.sleep(0.01)
    bench.line.set_noise(0)
    assert bench.caller.ask(b"clean") == [b"1 clean"]
    assert bench.host.got == [b"clean"]


def test_a_host_that_cannot_be_reached_ends_the_call(tmp_path: Path) -> None:
    with line_bench(tmp_path) as bench:
        bench.host.close()
        bench.caller.dial()
        bench.caller.say(b"hello")
        with pytest.raises(LineFailed, match="NO CARRIER"):
            bench.caller.hear()
        assert "the host cannot be reached" in bench.wait_for("call_end")[0]["why"]


def test_silence_and_its_end_as_a_link(bench: LineBench) -> None:
    link = TelephoneLink("dialup", bench.line)
    assert link.backend == "telephone line"
    bench.caller.dial()
    link.apply(CUT, CUT).require("dialup", CUT, CUT)
    bench.caller.say(b"hello")
    assert bench.caller.hear(0.2) == []
    assert link.counters()["up"]["dropped"] == OCTETS_UP
    link.clear()
    assert link.read().up == CLEAN
    assert bench.caller.ask(b"again") == [b"1 again"]


def test_without_carrier_the_caller_is_hung_up_on_and_not_answered(bench: LineBench) -> None:
    link = TelephoneLink("dialup", bench.line)
    bench.caller.dial()
    assert link.carrier(False) is False
    with pytest.raises(LineFailed, match="NO CARRIER"):
        bench.caller.hear()
    with pytest.raises(LineFailed, match="NO ANSWER"):
        bench.caller.dial()
    assert not link.read().carrier
    assert link.carrier(True) is True
    bench.caller.dial()


def test_a_call_is_not_degraded_as_packets_are(bench: LineBench) -> None:
    with pytest.raises(CallerMistake, match="has no loss_percent, reorder_percent"):
        TelephoneLink("dialup", bench.line).apply(Impairment(delay_ms=9, loss_percent=1, reorder_percent=1), CLEAN)


@pytest.mark.parametrize("wrong", [{"answering": "machine"}, {"modulation": 9600}])
def test_orders_that_are_none_are_refused(bench: LineBench, wrong: dict[str, object]) -> None:
    with pytest.raises(RpcError, match="is none"):
        bench.line.behave(**wrong)  # type: ignore[arg-type]


def test_plain_framing_relays_what_it_does_not_know(tmp_path: Path) -> None:
    with line_bench(tmp_path, framing="plain") as bench:
        bench.caller.dial()
        bench.caller.modem.write(frame(TPDU, b"hello"), 1)
        answer = frame(TPDU.swapped(), b"1 hello")
        heard = b""
        while len(heard) < len(answer):
            heard += bench.caller.modem.read(2)
        assert heard == answer
