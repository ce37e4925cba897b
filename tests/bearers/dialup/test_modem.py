"""The driver of the answering modem: the exact octets that it says and hears."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.bearers.dialup.modem import AnsweringModem
from rig.errors import DeviceClamped, DeviceMute, DeviceNonsense
from rig.instruments.serial_port import SerialPort
from rig.virtual.pty import PtyPort
from rig.wire.at_dial import Code, Result

OPENING = [
    (b"AT\r", b"AT\r\r\nOK\r\n"),  # the echo is still on
    (b"ATE0V1Q0\r", b"ATE0V1Q0\r\r\nOK\r\n"),
    (b"ATS0=0\r", b"\r\nOK\r\n"),
    (b"AT&C1\r", b"\r\nOK\r\n"),
    (b"AT&D2\r", b"\r\nERROR\r\n"),  # nice to have, no more
    (b"ATS12=10\r", b"\r\nOK\r\n"),
    (b"ATI\r", b"\r\nUSB Modem 56000\r\n\r\nOK\r\n"),
]


class Script:
    """Answers exactly what is expected, on a PTY; what differs is kept."""

    def __init__(self, folder: Path, dialogue: list[tuple[bytes, bytes]]) -> None:
        self.pty = PtyPort(folder / "modem.tty")
        self.wrong: list[bytes] = []
        self._left = list(dialogue)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def add(self, *dialogue: tuple[bytes, bytes]) -> None:
        """Expect more, before it is said."""
        self._left += dialogue

    @property
    def over(self) -> bool:
        """Whether all of it was said, and nothing else."""
        return not self._left and not self.wrong

    def _run(self) -> None:
        heard = b""
        while not self._end.is_set():
            heard += self.pty.read(0.02)
            while self._left and heard.startswith(self._left[0][0]):
                expected, answer = self._left.pop(0)
                heard = heard[len(expected) :]
                self.pty.write(answer)
            if heard and not (self._left and self._left[0][0].startswith(heard)):
                self.wrong.append(heard)
                heard = b""

    def close(self) -> None:
        """Listen no more."""
        self._end.set()
        self._thread.join()  # the next test's port may have the same number
        self.pty.close()


@pytest.fixture
def script(tmp_path: Path) -> Iterator[Script]:
    script = Script(tmp_path, OPENING)
    yield script
    script.close()


@pytest.fixture
def modem(script: Script) -> Iterator[AnsweringModem]:
    modem = AnsweringModem(SerialPort(str(script.pty.link), name="modem"))
    yield modem
    modem.close()


def wait_for(modem: AnsweringModem) -> list[Result]:
    """What the modem says by itself next."""
    found: list[Result] = []
    while not found:
        modem._port.wait_for_input(1)
        found = modem.listen()
    return found


def test_opening_makes_it_answer_nobody_by_itself(script: Script, modem: AnsweringModem) -> None:
    assert script.over
    assert modem.identity == "USB Modem 56000"


def test_answering(script: Script, modem: AnsweringModem) -> None:
    script.pty.write(b"\r\nRING\r\n")
    assert wait_for(modem) == [Result(Code.RING)]
    script.add((b"ATA\r", b"\r\nCONNECT 2400/NONE\r\n~early"))
    modem.answer()
    assert wait_for(modem) == [Result(Code.CONNECT, 2400)]
    assert modem.begin_data() == b"~early"
    script.pty.write(b"more\r\nNO CARRIER\r\n")
    modem._port.wait_for_input(1)
    assert (modem.read(), modem.lost) == (b"more", True)
    assert script.over


def test_hanging_up_where_there_is_no_dtr(script: Script, modem: AnsweringModem) -> None:
    script.add((b"+++", b"\r\nOK\r\n"), (b"ATH0\r", b"\r\nOK\r\n"), (b"\r", b""))
    modem.begin_data()
    modem.hang_up()
    modem.end_data()
    assert script.over


def test_hanging_up_though_the_sign_was_missed_once(script: Script, modem: AnsweringModem) -> None:
    script.add((b"+++", b""), (b"\r", b""), (b"AT\r", b""), (b"+++", b"\r\nOK\r\n"), (b"ATH0\r", b"\r\nOK\r\n"))
    modem.begin_data()
    modem.hang_up()
    assert script.over


def test_hanging_up_where_the_call_was_lost_just_then(script: Script, modem: AnsweringModem) -> None:
    script.add((b"+++", b""), (b"\r", b""), (b"AT\r", b"\r\nOK\r\n"), (b"ATH0\r", b"\r\nOK\r\n"))
    modem.begin_data()
    modem.hang_up()
    assert script.over


@pytest.mark.parametrize(
    ("rate", "command"), [(1200, b"AT+MS=V22,0\r"), (2400, b"AT+MS=V22B,0\r"), (None, b"AT+MS=V34,1\r")]
)
def test_modulations(script: Script, modem: AnsweringModem, rate: int | None, command: bytes) -> None:
    carrier = command[6:].split(b",")[0]
    script.add((command, b"\r\nOK\r\n"), (b"AT+MS?\r", b"\r\n+MS: " + carrier + b",0,300,33600\r\n\r\nOK\r\n"))
    modem.set_modulation(rate)
    assert script.over


def test_a_modulation_that_was_not_taken_is_told(script: Script, modem: AnsweringModem) -> None:
    script.add((b"AT+MS=V22,0\r", b"\r\nOK\r\n"), (b"AT+MS?\r", b"\r\n+MS: V34,1\r\n\r\nOK\r\n"))
    with pytest.raises(DeviceClamped, match=r"was told modulation V22 and reads '\+MS: V34,1'"):
        modem.set_modulation(1200)


def test_the_receiver_and_a_ring_among_the_answers(script: Script, modem: AnsweringModem) -> None:
    script.add((b"ATH1\r", b"\r\nRING\r\n\r\nOK\r\n"), (b"ATH0\r", b"\r\nOK\r\n"))
    modem.set_hook(off=True)
    assert modem.listen() == [Result(Code.RING)]
    modem.set_hook(off=False)
    assert script.over


def test_what_it_refuses_is_told(script: Script, modem: AnsweringModem) -> None:
    script.add((b"AT+MS=V22,0\r", b"\r\nERROR\r\n"))
    with pytest.raises(DeviceNonsense, match=r"answers AT\+MS=V22,0 with ERROR"):
        modem.set_modulation(1200)


def test_a_modem_that_says_nothing_is_mute(tmp_path: Path) -> None:
    silent = PtyPort(tmp_path / "silent.tty")
    port = SerialPort(str(silent.link), name="modem of dialup")
    with pytest.raises(DeviceMute, match=r"modem of dialup: no answer to AT in 1 s .*baud rate"):
        AnsweringModem(port)
    port.close()
    silent.close()
