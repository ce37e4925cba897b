"""Each trap of pyvisa and pyvisa-py, shown cured."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rig.errors import BenchBusy, CallerMistake, DeviceGone, DeviceMute, DeviceNonsense
from rig.instruments.visa import VisaLine
from rig.virtual.pty import PtyPort

TcpPeers = Callable[..., Any]


def line_to(address: str, folder: Path, timeout_s: float = 0.2, **options: Any) -> VisaLine:
    return VisaLine(address, name="box", lock_folder=folder, timeout_s=timeout_s, **options)


def test_a_refused_port_is_told_at_once_and_by_name(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(DeviceGone, match=f"box: TCPIP::127.0.0.1::{port}::SOCKET: Connection refused"):
        line_to(f"TCPIP::127.0.0.1::{port}::SOCKET", tmp_path)


def test_an_unknown_host_is_a_device_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(DeviceGone, match="box"):
        line_to("TCPIP::no-such-host.invalid::23::SOCKET", tmp_path)


def test_an_address_of_another_kind_is_the_callers_mistake_or_gone(tmp_path: Path) -> None:
    with pytest.raises(DeviceGone, match="nonsense"):
        line_to("nonsense", tmp_path)


def test_a_peer_that_leaves_is_gone_at_once_and_not_a_timeout(tcp_peer: TcpPeers, tmp_path: Path) -> None:
    peer = tcp_peer([(b"A?\r\n", None)])
    with line_to(peer.address, tmp_path, timeout_s=5) as line:
        began = time.monotonic()
        with pytest.raises(DeviceGone, match="connection ended on 'A\\?'"):
            line.query("A?")
        assert time.monotonic() - began < 1


def test_a_box_that_was_restarted_is_found_again(tcp_peer: TcpPeers, tmp_path: Path) -> None:
    peer = tcp_peer([(b"A?\r\n", b"1\r\n")], [(b"B?\r\n", b"2\r\n")])
    with line_to(peer.address, tmp_path) as line:
        assert line.query("A?") == "1"
        peer.accepted[0].shutdown(socket.SHUT_RDWR)
        assert line.query("B?") == "2"


def test_a_late_answer_is_never_read_by_the_next_query(tcp_peer: TcpPeers, tmp_path: Path) -> None:
    peer = tcp_peer([(b"ATT?\r\n", b"")], [(b"*IDN?\r\n", b"the box\r\n")])
    with line_to(peer.address, tmp_path) as line:
        with pytest.raises(DeviceMute, match=r"no answer to 'ATT\?' in 0\.2 s"):
            line.query("ATT?")
        peer.accepted[0].close()
        assert line.query("*IDN?") == "the box"


def test_a_late_answer_after_its_timeout_goes_to_a_closed_session(tcp_peer: TcpPeers, tmp_path: Path) -> None:
    peer = tcp_peer([(b"ATT?\r\n", b"")], [(b"*IDN?\r\n", b"the box\r\n")])
    with line_to(peer.address, tmp_path) as line:
        with pytest.raises(DeviceMute):
            line.query("ATT?")
        peer.accepted[0].sendall(b"24.00\r\n")
        assert line.query("*IDN?") == "the box"


def test_half_an_answer_is_no_answer(tcp_peer: TcpPeers, tmp_path: Path) -> None:
    peer = tcp_peer([(b"ATT?\r\n", b"24.")], [(b"ATT?\r\n", b"24.00\r\n")])
    with line_to(peer.address, tmp_path) as line:
        with pytest.raises(DeviceMute):
            line.query("ATT?")
        assert line.query("ATT?") == "24.00"


def test_one_process_owns_an_instrument_and_the_other_hears_who(tcp_peer: TcpPeers, tmp_path: Path) -> None:
    peer = tcp_peer([], [])
    first = line_to(peer.address, tmp_path)
    with pytest.raises(BenchBusy, match=r"is held by process \d+ since"):
        line_to(peer.address, tmp_path)
    first.close()
    line_to(peer.address, tmp_path).close()


def test_threads_get_their_own_answers(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_echo, args=(listener,), daemon=True).start()
        wrong: list[str] = []
        with line_to(f"TCPIP::127.0.0.1::{listener.getsockname()[1]}::SOCKET", tmp_path, timeout_s=2) as line:

            def ask(who: int) -> None:
                questions = [f"{who}-{number}" for number in range(100)]
                wrong.extend(question for question in questions if line.query(question) != question)

            threads = [threading.Thread(target=ask, args=(who,)) for who in range(3)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert wrong == []


def _echo(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        for line in connection.makefile("rb"):
            connection.sendall(line)


def test_nagle_is_off(tcp_peer: TcpPeers, tmp_path: Path) -> None:
    with line_to(tcp_peer([]).address, tmp_path) as line:
        connection = line._session.connection
        assert connection is not None
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


@pytest.mark.parametrize("greeting", [b"", b"\r\n", b"\r\n\r\n", b"Welcome\r\n"])
def test_a_greeting_is_never_an_answer(tcp_peer: TcpPeers, tmp_path: Path, greeting: bytes) -> None:
    peer = tcp_peer([(b"A?\r\n", b"1\r\n"), (b"B?\r\n", b"\r\n2\r\n")], greeting=greeting)
    with line_to(peer.address, tmp_path) as line:
        assert line.query("A?") == "1"
        assert line.query("B?") == "2"


def test_a_box_that_hangs_up_on_us_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=lambda: listener.accept()[0].close(), daemon=True).start()
        with pytest.raises(DeviceGone, match="perhaps it serves somebody else"):
            line_to(f"TCPIP::127.0.0.1::{listener.getsockname()[1]}::SOCKET", tmp_path)


def test_what_came_unasked_answers_nothing(tcp_peer: TcpPeers, tmp_path: Path) -> None:
    peer = tcp_peer([(b"A?\r\n", b"1\r\nsurprise\r\n"), (b"B?\r\n", b"2\r\n")])
    with line_to(peer.address, tmp_path) as line:
        assert line.query("A?") == "1"
        assert line.query("B?") == "2"


@pytest.mark.parametrize("answer", [b"\xff\xfe\x80\r\n", b"\r\n" * 20])
def test_garbage_is_nonsense(tcp_peer: TcpPeers, tmp_path: Path, answer: bytes) -> None:
    with (
        line_to(tcp_peer([(b"A?\r\n", answer)]).address, tmp_path) as line,
        pytest.raises(DeviceNonsense, match="box"),
    ):
        line.query("A?")


def test_the_transcript_holds_every_line(tcp_peer: TcpPeers, tmp_path: Path) -> None:
    heard: list[tuple[str, str, str]] = []

    def observe(kind: str, data: dict[str, Any]) -> None:
        heard.append((kind, data["device"], data["line"]))

    with line_to(tcp_peer([(b"A?\r\n", b"1\r\n")]).address, tmp_path, observe=observe) as line:
        line.query("A?")
    assert heard == [("instrument_tx", "box", "A?"), ("instrument_rx", "box", "1")]


def test_a_serial_instrument_is_asked_the_same_way(tmp_path: Path) -> None:
    port = PtyPort(tmp_path / "box.tty")
    threading.Thread(target=lambda: port.write(port.read(5).replace(b"A?", b"1")), daemon=True).start()
    with line_to(f"ASRL{port.path}::INSTR", tmp_path, timeout_s=1) as line:
        assert line.query("A?") == "1"
    port.close()


def test_a_closed_session_says_so(tcp_peer: TcpPeers, tmp_path: Path) -> None:
    line = line_to(tcp_peer([]).address, tmp_path)
    line.close()
    with pytest.raises(CallerMistake, match="closed"):
        line.query("A?")


def test_lines_end_with_the_prompt_and_echo_and_prompt_are_no_lines(tcp_peer: TcpPeers, tmp_path: Path) -> None:
    answer = b"RAA\r\nAtten #1 = 2dB\r\n\r\nAtten #2 = 3dB\r\nJFW>>"
    peer = tcp_peer([(b"RAA\r\n", answer), (b"IDN\r\n", b"JFW>>the box\r\nJFW>>")], greeting=b"\r\nJFW>>")
    with line_to(peer.address, tmp_path, prompt="JFW>>") as line:
        assert line.query_lines("RAA") == ["Atten #1 = 2dB", "Atten #2 = 3dB"]
        assert line.query_lines("IDN") == ["the box"]


def test_lines_without_a_prompt_end_by_number_or_by_silence(tcp_peer: TcpPeers, tmp_path: Path) -> None:
    peer = tcp_peer([(b"A\r\n", b"1\r\n2\r\n"), (b"B\r\n", b"3\r\n\r\n4\r\n")])
    with line_to(peer.address, tmp_path) as line:
        assert line.query_lines("A", count=2) == ["1", "2"]
        assert line.query_lines("B") == ["3", "4"]


def test_what_is_sent_without_an_answer_is_not_waited_for(tcp_peer: TcpPeers, tmp_path: Path) -> None:
    peer = tcp_peer([(b"ATTN 1 30\r\n", b">"), (b"ATTN? 1\r\n", b"30\r\n>")], greeting=b">")
    with line_to(peer.address, tmp_path, prompt=">") as line:
        line.send("ATTN 1 30")
        assert line.query("ATTN? 1") == "30"
