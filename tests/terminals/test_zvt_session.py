"""Connecting, and everything that is no sale: void, end of day, diagnosis, status enquiry, log off."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from rig.errors import BenchBusy, CallerMistake, DeviceGone, DeviceMute, DeviceNonsense
from rig.terminals.base import LastReceipt, Outcome
from rig.terminals.registry import terminal_driver, terminal_protocols
from rig.terminals.zvt import ZvtTerminal
from rig.units import Money
from tests.terminals.conftest import Witness
from tests.terminals.peer import NOTHING_STORED, REGISTER, UP, Script, TcpPeer, stored

AMOUNT = Money(1234)
COMPLETED: Script = ["< 060F 00", "> 800000"]
VOID: Script = ["> 0630 06 000000 87 0007", "< 800000"]
DAY: Script = ["> 0650 03 000000", "< 800000"]
DIAGNOSIS: Script = ["> 0670 00", "< 800000"]
ENQUIRY: Script = ["> 0501 03 000000", "< 800000"]


def nothing(*_: Any) -> None:
    return None


def test_a_connection_registers_and_asks_what_is_stored_without_a_moment(
    tcp_peer: TcpPeer, tcp_terminal: ZvtTerminal, witness: Witness
) -> None:
    tcp_peer.plays(REGISTER + stored(7, 42, 1234))
    tcp_terminal.connect()
    assert tcp_terminal.last_receipt == LastReceipt(7, 42)
    assert tcp_terminal.terminal_id == "52000001"
    assert witness.moments == []
    tcp_terminal.close()
    assert "closed" in witness.told()


def test_a_completion_that_holds_fields_of_the_makers_own_still_registers(
    tcp_peer: TcpPeer, tcp_terminal: ZvtTerminal
) -> None:
    tcp_peer.plays([*REGISTER[:2], "< 060F 02 7700", "> 800000", *NOTHING_STORED])
    tcp_terminal.connect()
    assert tcp_terminal.terminal_id is None


@pytest.mark.parametrize(
    ("said", "error", "what"),
    [
        (["< 848300"], DeviceNonsense, "registration refused: 83 function not possible"),
        (["< 849C00"], BenchBusy, "9C please wait"),
        (["< 800000", "< 061E 01 F0", "> 800000"], DeviceNonsense, "F0 open end of day"),
        (["close"], DeviceMute, "closed the connection"),
        (["end"], DeviceMute, "within T3"),
    ],
)
def test_a_registration_that_fails_names_the_terminal_and_why(
    tcp_peer: TcpPeer, tcp_terminal: ZvtTerminal, said: Script, error: type[Exception], what: str
) -> None:
    tcp_peer.plays([REGISTER[0], *said])
    with pytest.raises(error, match=what) as caught:
        tcp_terminal.connect()
    assert str(caught.value).startswith("terminal: ")


def test_nobody_there_is_a_device_gone(tcp_peer: TcpPeer, tcp_terminal: ZvtTerminal) -> None:
    tcp_peer.close()
    with pytest.raises(DeviceGone, match="no connection"):
        tcp_terminal.connect()


def test_a_terminal_that_starts_up_is_awaited(tcp_peer: TcpPeer, witness: Witness) -> None:
    port = tcp_peer.port
    tcp_peer.close()
    late = TcpPeer.at(port)

    def power_on() -> None:
        late.listen()
        late.plays(["reset"], [REGISTER[0], "close"], UP)

    settings = {"tcp": {"host": "127.0.0.1", "port": port}, "t3_s": 0.3}
    terminal = ZvtTerminal.from_settings("terminal", settings, witness.observe, nothing)
    timer = threading.Timer(0.2, power_on)
    timer.start()
    with late:
        terminal.wait_until_up(5)
        timer.join()
    terminal.close()
    assert terminal.last_receipt == LastReceipt()


def test_a_terminal_that_does_not_start_up_is_awaited_until_the_deadline(
    tcp_peer: TcpPeer, tcp_terminal: ZvtTerminal
) -> None:
    tcp_peer.close()
    begin = time.monotonic()
    with pytest.raises(DeviceGone):
        tcp_terminal.wait_until_up(0.3)
    assert 0.1 < time.monotonic() - begin < 1.5


@pytest.mark.parametrize(
    ("said", "outcome", "code"),
    [
        (["< 040F 0B 2700 0B000043 870008 A000", "> 800000", *COMPLETED], Outcome.APPROVED, 0),
        (["< 061E 01 B4", "> 800000"], Outcome.DECLINED, 0xB4),
        (COMPLETED, Outcome.UNKNOWN, None),
        (["reset"], Outcome.UNKNOWN, None),
    ],
)
def test_a_void_goes_by_the_receipt_number_and_is_believed_like_a_sale(
    tcp_peer: TcpPeer, tcp_terminal: ZvtTerminal, said: Script, outcome: Outcome, code: int | None
) -> None:
    tcp_peer.plays(UP + VOID + said)
    result = tcp_terminal.void(7, AMOUNT)
    assert (result.outcome, result.result_code, result.amount) == (outcome, code, 1234)
    if outcome is Outcome.APPROVED:
        assert tcp_terminal.last_receipt == LastReceipt(8, 43)


@pytest.mark.parametrize("receipt", [0, 10000])
def test_a_receipt_number_that_is_none_is_the_callers_mistake(tcp_terminal: ZvtTerminal, receipt: int) -> None:
    with pytest.raises(CallerMistake, match="receipt number"):
        tcp_terminal.void(receipt, AMOUNT)


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        (COMPLETED, Outcome.APPROVED),
        (["< 040F 09 2700 04000000009999", "> 800000", *COMPLETED], Outcome.APPROVED),
        (["< 040F 02 27FF", "> 800000", *COMPLETED], Outcome.DECLINED),
        (["< 061E 01 77", "> 800000"], Outcome.DECLINED),
        (["close"], Outcome.UNKNOWN),
    ],
)
def test_an_end_of_day_is_believed_by_its_completion(
    tcp_peer: TcpPeer, tcp_terminal: ZvtTerminal, said: Script, outcome: Outcome
) -> None:
    printed = ["< 06D1 05 00 54616761", "> 800000"] if outcome is Outcome.APPROVED else []
    tcp_peer.plays(UP + DAY + printed + said)
    result = tcp_terminal.end_of_day()
    assert result.outcome is outcome
    assert result.print_lines == (("Taga",) if printed else ())


@pytest.mark.parametrize(
    ("said", "flushed"),
    [
        (["< 04FF 01 05", "> 800000", *COMPLETED], True),
        (["< 061E 01 A1", "> 800000"], False),
        (["close"], False),
        (["end"], False),
    ],
)
def test_a_flush_is_a_diagnosis(
    tcp_peer: TcpPeer, tcp_terminal: ZvtTerminal, witness: Witness, said: Script, flushed: bool
) -> None:
    tcp_peer.plays(UP + DIAGNOSIS + said)
    assert tcp_terminal.flush(0.6) is flushed
    assert witness.moments == []


def test_a_flush_is_bounded_though_statuses_keep_coming(tcp_peer: TcpPeer, tcp_terminal: ZvtTerminal) -> None:
    busy = ["< 04FF 01 0E", "> 800000", "quiet"]
    tcp_peer.plays(UP + DIAGNOSIS + busy * 100)
    assert not tcp_terminal.flush(0.25)
    tcp_peer.forget()


def test_nobody_there_is_neither_flushed_nor_idle(tcp_peer: TcpPeer, tcp_terminal: ZvtTerminal) -> None:
    tcp_peer.close()
    assert not tcp_terminal.flush(0.2)
    assert not tcp_terminal.idle(0.2)


def test_a_terminal_is_idle_when_it_completes_a_status_enquiry(tcp_peer: TcpPeer, tcp_terminal: ZvtTerminal) -> None:
    tcp_peer.plays(UP + ENQUIRY + ["< 060F 01 00", "> 800000"])
    assert tcp_terminal.idle(0.5)


def test_a_busy_terminal_is_asked_until_it_is_idle(tcp_peer: TcpPeer, tcp_terminal: ZvtTerminal) -> None:
    waiting = [*ENQUIRY, "< 060F 01 9C", "> 800000"]
    refused = [ENQUIRY[0], "< 849C00"]
    tcp_peer.plays(UP + waiting + refused + ENQUIRY + COMPLETED)
    assert tcp_terminal.idle(2)


def test_a_terminal_that_stays_busy_is_not_idle(tcp_peer: TcpPeer, tcp_terminal: ZvtTerminal) -> None:
    tcp_peer.plays(UP + [ENQUIRY[0], "< 849C00"] * 9)
    assert not tcp_terminal.idle(0.25)
    tcp_peer.forget()


def test_a_log_off_is_answered_and_closes_the_line(tcp_peer: TcpPeer, tcp_terminal: ZvtTerminal) -> None:
    tcp_peer.plays([*UP, "> 0602 00", "< 800000", "end"])
    tcp_terminal.log_off()


def test_a_log_off_that_is_refused_says_so(tcp_peer: TcpPeer, tcp_terminal: ZvtTerminal) -> None:
    tcp_peer.plays([*UP, "> 0602 00", "< 849C00", "end"])
    with pytest.raises(DeviceMute, match="log off: the terminal refused"):
        tcp_terminal.log_off()


def test_operations_of_several_threads_follow_each_other(tcp_peer: TcpPeer, tcp_terminal: ZvtTerminal) -> None:
    tcp_peer.plays(UP + (DIAGNOSIS + COMPLETED) * 4)
    results: list[bool] = []
    threads = [threading.Thread(target=lambda: results.append(tcp_terminal.flush(2))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 4


def test_settings_of_a_bench_file_make_a_driver(tcp_peer: TcpPeer, witness: Witness) -> None:
    register = ["> 0600 06 123456 8E 0756", *REGISTER[1:]]
    tcp_peer.plays([*register, "> 0620 05 123456 0303", *NOTHING_STORED[1:]])
    settings = {
        "tcp": {"host": "127.0.0.1", "port": tcp_peer.port}, "password": "123456", "currency": "CHF",
        "t3_s": 1.0, "t4_s": 2.0,
    }  # fmt: skip
    terminal = terminal_driver("zvt").from_settings("till", settings, witness.observe, witness.moment)
    assert isinstance(terminal, ZvtTerminal)
    terminal.connect()
    terminal.close()


def test_settings_without_a_line_are_the_callers_mistake() -> None:
    with pytest.raises(CallerMistake, match="no line to the terminal"):
        ZvtTerminal.from_settings("till", {"tcp": None, "serial": None}, nothing, nothing)


def test_a_protocol_that_nobody_speaks_is_the_callers_mistake() -> None:
    assert "zvt" in terminal_protocols()
    with pytest.raises(CallerMistake, match=r"morse: no installed driver .*known are .*zvt"):
        terminal_driver("morse")
