"""The exact dialogue with an AT modem, and what it does wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rig.errors import BenchTrouble, DeviceGone, DeviceMute, DeviceNonsense
from rig.instruments.modem import Modem, Signal
from rig.units import Dbm, Decibel
from rig.virtual.pty import PtyPort

PtyPeers = Callable[[list[tuple[bytes, bytes | None]]], Any]
Turns = list[tuple[bytes, bytes | None]]

OK = b"\r\nOK\r\n"
HELLO: Turns = [
    (b"AT\r", b"AT\r" + OK),
    (b"ATE0\r", b"ATE0\r" + OK),
    (b"AT+CEREG=2\r", OK),
    (b"ATI\r", b"\r\nSIMCOM\r\nSIM7600E\r\nRevision: 1.0\r\n" + OK),
]


def cesq(rsrq: int, rsrp: int) -> tuple[bytes, bytes]:
    return b"AT+CESQ\r", f"\r\n+CESQ: 99,99,255,255,{rsrq},{rsrp}\r\n".encode() + OK


def cereg(rest: str) -> tuple[bytes, bytes]:
    return b"AT+CEREG?\r", f"\r\n+CEREG: 2,{rest}\r\n".encode() + OK


def connect(pty_peer: PtyPeers, *turns: tuple[bytes, bytes | None], timeout_s: float = 0.3) -> Modem:
    return Modem.open(pty_peer([*HELLO, *turns]).address, name="modem", timeout_s=timeout_s)


def test_the_signal_with_service(pty_peer: PtyPeers) -> None:
    modem = connect(pty_peer, cesq(20, 60), cereg('1,"1A2B","00C3D4E5",7'))
    assert modem.identity == "SIMCOM SIM7600E Revision: 1.0"
    signal = modem.signal()
    modem.close()
    assert signal == Signal(rsrp=Dbm(-80), rsrq=Decibel(-9.5), registered=True, technology="LTE", cell="00C3D4E5")


def test_the_signal_without_service(pty_peer: PtyPeers) -> None:
    modem = connect(pty_peer, cesq(255, 255), cereg("2"))
    assert modem.signal() == Signal(rsrp=None, rsrq=None, registered=False, technology=None, cell=None)
    modem.close()


def test_a_modem_that_tells_no_technology_is_asked_for_its_operator(pty_peer: PtyPeers) -> None:
    operator = (b"AT+COPS?\r", b'\r\n+COPS: 0,0,"Net, the",7\r\n' + OK)
    modem = connect(pty_peer, cesq(20, 60), cereg("5"), operator)
    signal = modem.signal()
    assert (signal.registered, signal.technology) == (True, "LTE")
    modem.close()


def test_unsolicited_lines_answer_nothing(pty_peer: PtyPeers) -> None:
    answer = b'\r\n+CEREG: 2\r\n\r\nRING\r\n\r\n+CEREG: 1,"1A2B","00C3D4E5",7\r\n\r\n+CEREG: 2,2\r\n' + OK
    modem = connect(pty_peer, (b"AT+CEREG?\r", answer))
    assert modem.registration().status == 2
    modem.close()


def test_the_other_questions(pty_peer: PtyPeers) -> None:
    contexts = b"\r\n+CGACT: 1,1\r\n+CGACT: 2,0\r\n+CGACT: 5,1\r\n"
    modem = connect(pty_peer, (b"AT+CGACT?\r", contexts + OK), (b"AT+CSQ\r", b"\r\n+CSQ: 20,99\r\n" + OK))
    assert modem.active_contexts() == [1, 5]
    assert modem.rssi() == Dbm(-73)
    modem.close()


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"\r\nERROR\r\n", "ERROR"),
        (b"\r\n+CME ERROR: 10\r\n", r"\+CME ERROR: 10"),
        (OK, r"without \+CSQ"),
        (b"\r\n+CSQ: many\r\n" + OK, "nonsense"),
        (b"\r\n+CSQ: \xff,\x80\r\n" + OK, "nonsense"),
    ],
)
def test_a_wrong_answer_is_nonsense(pty_peer: PtyPeers, answer: bytes, says: str) -> None:
    modem = connect(pty_peer, (b"AT+CSQ\r", answer))
    with pytest.raises(DeviceNonsense, match=says) as caught:
        modem.rssi()
    assert caught.value.cure
    modem.close()


def test_a_mute_modem_is_told(tmp_path: Path) -> None:
    port = PtyPort(tmp_path / "modem.tty")
    with pytest.raises(DeviceMute, match=r"modem: no answer in 0\.1 s on .*modem\.tty"):
        Modem.open(str(port.link), name="modem", timeout_s=0.1)
    port.close()


def test_a_late_answer_is_never_the_next_ones(pty_peer: PtyPeers) -> None:
    late = b"\r\n+CSQ: 31,99\r\n" + OK
    turns: Turns = [
        (b"AT+CSQ\r", b""),
        (b"AT\r", late + OK),
        (b"AT+CSQ\r", b"\r\n+CSQ: 10,99\r\n" + OK),
    ]
    modem = connect(pty_peer, *turns, timeout_s=0.2)
    with pytest.raises(DeviceMute):
        modem.rssi()
    assert modem.rssi() == Dbm(-93)
    modem.close()


def test_a_modem_that_is_unplugged_is_gone(tmp_path: Path) -> None:
    port = PtyPort(tmp_path / "modem.tty")

    def unplug() -> None:
        port.read(5)
        port.close()

    thread = threading.Thread(target=unplug)
    thread.start()
    with pytest.raises(DeviceGone, match="modem"):
        Modem.open(str(port.link), name="modem", timeout_s=2)
    thread.join()


def test_waiting_ends_with_the_signal_that_was_awaited(pty_peer: PtyPeers) -> None:
    modem = connect(
        pty_peer, cesq(255, 255), cereg("2"), cesq(10, 30), cereg('1,"1","2",7'), cesq(10, 30), cereg('1,"1","2",7')
    )
    assert modem.wait_until(lambda signal: signal.registered, 2, poll_s=0.01).rsrp == Dbm(-110)
    with pytest.raises(BenchTrouble, match=r"did not become what was awaited in 0 s: .*rsrp=-110"):
        modem.wait_until(lambda signal: False, 0)
    modem.close()
