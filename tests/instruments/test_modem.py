"""The exact dialogue with an AT modem, and what it does wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rig.errors import BenchTrouble, CallerMistake, DeviceGone, DeviceMute, DeviceNonsense
from rig.instruments.modem import Modem
from rig.instruments.signal import Signal, SignalReader
from rig.units import Dbm, Decibel
from rig.virtual.pty import PtyPort

PtyPeers = Callable[[list[tuple[bytes, bytes | None]]], Any]
Turns = list[tuple[bytes, bytes | None]]

OK = b"\r\nOK\r\n"
HELLO: Turns = [
    (b"AT\r", b"AT\r" + OK),
    (b"ATE0\r", b"ATE0\r" + OK),
    (b"AT+CMEE=1\r", OK),
    (b"AT+CEREG=2\r", OK),
    (b"AT+CGREG=2\r", b"\r\n+CME ERROR: 4\r\n"),
    (b"ATI\r", b"\r\nSIMCOM\r\nSIM7600E\r\nRevision: 1.0\r\n" + OK),
]


def cesq(rsrq: int, rsrp: int) -> tuple[bytes, bytes]:
    return b"AT+CESQ\r", f"\r\n+CESQ: 99,99,255,255,{rsrq},{rsrp}\r\n".encode() + OK


def cereg(rest: str) -> tuple[bytes, bytes]:
    return b"AT+CEREG?\r", f"\r\n+CEREG: 2,{rest}\r\n".encode() + OK


def answer(command: str, *lines: str, final: str = "OK") -> tuple[bytes, bytes]:
    return f"AT+{command}\r".encode(), "".join(f"\r\n{line}\r\n" for line in (*lines, final)).encode()


REFUSED = "+CME ERROR: 4"
NO_SLOTS = answer("CSUS?", final=REFUSED)
DETAILS: Turns = [
    answer("COPS?", '+COPS: 0,0,"Net, the",7'),
    answer("CGPADDR", '+CGPADDR: 1,"10.64.2.2"', "+CGPADDR: 2"),
    answer("CSUS?", "+CSUS: 0"),
]
READY = answer("CPIN?", "+CPIN: READY")


def hello(*knows: str) -> Turns:
    """The dialogue of opening a modem that knows these registrations."""
    asked = [answer(f"{name}=2", final="OK" if name in knows else "ERROR") for name in ("CEREG", "CGREG")]
    return [*HELLO[:3], *asked, *([] if knows else [answer("CREG=2")]), HELLO[-1]]


def connect(pty_peer: PtyPeers, *turns: tuple[bytes, bytes | None], timeout_s: float = 0.3) -> Modem:
    return Modem.open(pty_peer([*HELLO, *turns]).address, name="modem", timeout_s=timeout_s)


def test_the_signal_with_service(pty_peer: PtyPeers) -> None:
    here = cereg('1,"1A2B","00C3D4E5",7')
    modem = connect(pty_peer, cesq(20, 60), here, *DETAILS, cesq(20, 50), here)
    assert modem.identity == "SIMCOM SIM7600E Revision: 1.0"
    assert isinstance(modem, SignalReader)
    signal = modem.signal()
    assert signal == Signal(
        technology="LTE", level=Dbm(-80), registered=True, quality=Decibel(-9.5), cell="00C3D4E5", area="1A2B",
        operator="Net, the", sim="ready", slot=0, address="10.64.2.2",
    )  # fmt: skip
    assert (signal.rsrp, signal.rsrq) == (Dbm(-80), Decibel(-9.5))
    assert modem.signal().operator == "Net, the"  # the registration is what it was: nothing of it is asked again
    modem.close()


def test_the_signal_without_service(pty_peer: PtyPeers) -> None:
    modem = connect(pty_peer, cesq(255, 255), cereg("2"), READY, NO_SLOTS, cesq(255, 255), cereg("2"), READY)
    assert modem.signal() == Signal(sim="ready")
    assert modem.signal() == Signal(sim="ready")  # and its slots are not asked for again
    modem.close()


def test_a_modem_that_tells_no_technology_is_asked_for_its_operator(pty_peer: PtyPeers) -> None:
    modem = connect(pty_peer, cesq(20, 60), cereg("5"), *DETAILS)
    signal = modem.signal()
    assert (signal.registered, signal.technology, signal.level) == (True, "LTE", Dbm(-80))
    modem.close()


def test_without_lte_the_registration_is_that_of_2g_and_3g(pty_peer: PtyPeers) -> None:
    turns: Turns = [
        *hello("CEREG", "CGREG"),
        answer("CESQ", "+CESQ: 99,99,42,30,255,255"),
        answer("CEREG?", "+CEREG: 2,0"),
        answer("CGREG?", '+CGREG: 2,1,"2B3C","0B2CD4E5",6'),
        *DETAILS,
    ]
    modem = Modem.open(pty_peer(turns).address, name="modem", timeout_s=0.3)
    signal = modem.signal()
    assert (signal.technology, signal.level, signal.quality) == ("UTRAN", Dbm(-78), Decibel(-9.0))
    assert (signal.cell, signal.rsrp, signal.rsrq) == ("0B2CD4E5", None, None)
    modem.close()


def test_an_old_modem_has_csq_alone(pty_peer: PtyPeers) -> None:
    here = answer("CREG?", '+CREG: 2,1,"2B3C","D4E5"')
    details: Turns = [answer("COPS?", '+COPS: 0,0,"Net"'), answer("CGPADDR", final="ERROR"), NO_SLOTS]
    turns: Turns = [
        *hello(),
        answer("CESQ", final="ERROR"),
        answer("CSQ", "+CSQ: 20,99"),
        here,
        *details,
        answer("CSQ", "+CSQ: 10,99"),
        here,
    ]
    modem = Modem.open(pty_peer(turns).address, name="modem", timeout_s=0.3)
    assert modem.signal() == Signal(
        technology="GSM", level=Dbm(-73), registered=True, cell="D4E5", area="2B3C", operator="Net", sim="ready"
    )
    assert modem.signal().level == Dbm(-93)
    modem.close()


def test_a_change_that_it_tells_makes_the_details_be_asked_anew(pty_peer: PtyPeers) -> None:
    here = cereg('1,"1A2B","00C3D4E5",7')
    question, quality = cesq(20, 60)
    moved = b'\r\n+CEREG: 2\r\n\r\n+CEREG: 1,"1A2B","00C3D4E5",7\r\n' + quality
    modem = connect(pty_peer, cesq(20, 60), here, *DETAILS, (question, moved), here, *DETAILS)
    assert modem.signal() == modem.signal()
    modem.close()


@pytest.mark.parametrize(
    ("final", "lines", "sim"),
    [
        ("+CME ERROR: 10", [], "missing"),
        ("+CME ERROR: SIM not inserted", [], "missing"),
        ("OK", ["+CPIN: SIM PIN"], "SIM PIN"),
        ("+CME ERROR: 12", [], "SIM PUK"),
    ],
)
def test_a_sim_that_does_not_serve_is_told(pty_peer: PtyPeers, final: str, lines: list[str], sim: str) -> None:
    card = answer("CPIN?", *lines, final=final)
    modem = connect(pty_peer, cesq(20, 60), cereg("3"), card, NO_SLOTS)
    with pytest.raises(BenchTrouble, match=f"LTE, -80 dBm, no service, SIM: {sim}") as caught:
        modem.wait_until(lambda signal: signal.registered, 0)
    assert "SIM" in caught.value.cure
    modem.close()


def test_a_modem_that_refuses_everything_without_a_sim(pty_peer: PtyPeers) -> None:
    missing = "+CME ERROR: 10"
    refuses = [answer(each, final=missing) for each in ("CESQ", "CEREG?", "CPIN?")]
    modem = connect(pty_peer, *refuses, NO_SLOTS)
    assert modem.signal() == Signal(sim="missing")
    modem.close()


def test_the_access_point_name(pty_peer: PtyPeers) -> None:
    was = answer("CGDCONT?", '+CGDCONT: 1,"IPV4V6","old.apn","",0,0', '+CGDCONT: 2,"IP",""')
    now = answer("CGDCONT?", '+CGDCONT: 1,"IPV4V6","new.apn","",0,0')
    turns: Turns = [was, answer('CGDCONT=1,"IPV4V6","new.apn"'), now]
    modem = connect(pty_peer, was, *turns, answer("CGATT=0"), answer("CGATT=1"))
    assert modem.apn() == "old.apn"
    modem.set_apn("new.apn")
    modem.attach(False)
    modem.attach(True)
    with pytest.raises(CallerMistake, match="is no APN"):
        modem.set_apn('a"b')
    modem.close()


def test_an_access_point_name_that_does_not_stay(pty_peer: PtyPeers) -> None:
    was = answer("CGDCONT?", '+CGDCONT: 1,"IP","old.apn","",0,0')
    modem = connect(pty_peer, was, answer('CGDCONT=1,"IP","new.apn"'), was)
    with pytest.raises(DeviceNonsense, match=r"was told APN 'new\.apn' and reads back 'old\.apn'"):
        modem.set_apn("new.apn")
    modem.close()


def test_the_other_slot(pty_peer: PtyPeers) -> None:
    modem = connect(pty_peer, answer("CSUS?", "+CSUS: 0"), answer("CSUS=1"), answer("CSUS=5", final="+CME ERROR: 21"))
    assert modem.slot() == 0
    modem.use_slot(1)
    with pytest.raises(DeviceNonsense, match=r"answers AT\+CSUS=5 with \+CME ERROR: 21, invalid index"):
        modem.use_slot(5)
    modem.close()


def test_a_modem_that_answers_error_to_everything(pty_peer: PtyPeers) -> None:
    turns: Turns = [(b"AT\r", b"\r\nERROR\r\n"), (b"ATE0\r", b"\r\nERROR\r\n")]
    with pytest.raises(DeviceNonsense, match="modem: answers ATE0 with ERROR") as caught:
        Modem.open(pty_peer(turns).address, name="modem", timeout_s=0.3)
    assert caught.value.cure


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
    here = cereg('1,"1","2",7')
    modem = connect(
        pty_peer, cesq(255, 255), cereg("2"), READY, NO_SLOTS, cesq(10, 30), here, *DETAILS[:2], cesq(10, 30), here
    )
    assert modem.wait_until(lambda signal: signal.registered, 2, poll_s=0.01).rsrp == Dbm(-110)
    with pytest.raises(BenchTrouble, match=r"did not become what was awaited in 0 s: LTE, -110 dBm, registered"):
        modem.wait_until(lambda signal: False, 0)
    modem.close()
