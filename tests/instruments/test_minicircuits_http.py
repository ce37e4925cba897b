"""The exact dialogue with a Mini-Circuits attenuator by HTTP, and everything that may go wrong with it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rig.errors import BenchBusy, BenchTrouble, CallerMistake, DeviceGone, DeviceMute, DeviceNonsense
from rig.instruments.attenuator import Attenuator, open_attenuator
from rig.units import Decibel

TcpPeers = Callable[..., Any]
Turn = tuple[bytes, bytes | None]


class HttpPeers:
    """Scripted connections: what is asked for, and the body or the whole answer that comes."""

    def __init__(self, tcp_peer: TcpPeers) -> None:
        self._tcp_peer = tcp_peer

    def __call__(self, *connections: list[tuple[str, str | bytes | None]]) -> tuple[str, Any]:
        def scripted(turns: list[tuple[str, str | bytes | None]]) -> Callable[[int], list[Turn]]:
            return lambda port: [self._turn(*turn, port) for turn in turns]

        peer = self._tcp_peer(*map(scripted, connections), greeting=b"")
        return f"http://127.0.0.1:{peer.port}", peer

    @staticmethod
    def _turn(path: str, body: str | bytes | None, port: int) -> Turn:
        request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept-Encoding: identity\r\n"
        request += "Accept: text/plain, */*\r\n\r\n"
        if isinstance(body, str):
            body = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        return request.encode(), body


@pytest.fixture
def peers(tcp_peer: TcpPeers) -> HttpPeers:
    return HttpPeers(tcp_peer)


FOUR: list[tuple[str, str | bytes | None]] = [("/:MN?", "MN=RC4DAT-6G-95"), ("/:SN?", "SN=12208010025")]


def connect(address: str, folder: Path, timeout_s: float = 0.5, **settings: Any) -> Attenuator:
    return open_attenuator(
        "mini-circuits-http", address, name="att", lock_folder=folder, timeout_s=timeout_s, settings=settings
    )


def test_a_value_is_set_and_read_back(peers: HttpPeers, tmp_path: Path) -> None:
    address, _ = peers([*FOUR, ("/:CHAN:2:SETATT:30.25", "1"), ("/:CHAN:2:ATT?", "30.25")])
    box = connect(address, tmp_path)
    assert (box.channels, box.maximum, box.step) == (4, 95.0, 0.25)
    assert box.identity == "RC4DAT-6G-95 SN=12208010025"
    assert box.set(2, Decibel(30.25)) == Decibel(30.25)
    box.close()


def test_a_password_goes_before_the_command_and_never_into_the_transcript(peers: HttpPeers, tmp_path: Path) -> None:
    heard: list[str] = []
    address, _ = peers([("/PWD=s3cret;:MN?", "MN=RC4DAT-6G-95"), ("/PWD=s3cret;:SN?", "SN=1")])
    box = open_attenuator(
        "mini-circuits-http", address, name="att", lock_folder=tmp_path, settings={"password": "s3cret"},
        observe=lambda _kind, data: heard.append(data["line"]),
    )  # fmt: skip
    assert heard == [":MN?", "MN=RC4DAT-6G-95", ":SN?", "SN=1"]
    box.close()


def test_a_box_that_closes_after_each_answer_is_asked_anew(peers: HttpPeers, tmp_path: Path) -> None:
    def whole(body: str) -> bytes:
        return f"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()

    answers: list[tuple[str, str | bytes | None]] = [
        ("/:MN?", whole("MN=RCDAT-6000-110")),
        ("/:SN?", whole("SN=1")),
        ("/:HOP:MODE:OFF", whole("<html>a box that cannot hop</html>")),
        ("/:ATT?", whole("12.25\r\n")),
    ]
    address, _ = peers(*[[answer] for answer in answers])
    box = connect(address, tmp_path)
    assert box.get(1) == Decibel(12.25)
    box.close()


def test_a_box_that_was_restarted_is_found_again(peers: HttpPeers, tmp_path: Path) -> None:
    address, peer = peers(FOUR, [("/:CHAN:1:ATT?", "3.00")])
    box = connect(address, tmp_path)
    peer.accepted[0].shutdown(socket.SHUT_RDWR)
    assert box.get(1) == Decibel(3)
    box.close()


def test_a_late_answer_is_never_read_by_the_next_question(peers: HttpPeers, tmp_path: Path) -> None:
    address, peer = peers([*FOUR, ("/:CHAN:1:ATT?", b"")], [("/:CHAN:2:ATT?", "7.50")])
    box = connect(address, tmp_path, timeout_s=0.2)
    with pytest.raises(DeviceMute, match=r"att: no answer to ':CHAN:1:ATT\?' in 0\.2 s"):
        box.get(1)
    peer.accepted[0].close()
    assert box.get(2) == Decibel(7.5)
    box.close()


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        (None, DeviceGone, "connection ended"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n30.", DeviceMute, "no answer"),
        (b"hello\r\n\r\n", DeviceNonsense, "no HTTP"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", DeviceNonsense, "HTTP 404"),
        (b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", DeviceNonsense, "HTTP 302"),
        (b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", DeviceNonsense, "refuses .* HTTP 401 .*password"),
        ("<html><body>Mini-Circuits</body></html>", DeviceNonsense, "HTTP 200 '<html>"),
        ("", DeviceNonsense, "HTTP 200 ''"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n\xff\xfe", DeviceNonsense, "xff"),
        ("1\r\n" * 3000, DeviceNonsense, "HTTP 200"),
    ],
)
def test_what_is_no_answer_is_told_by_name(
    peers: HttpPeers, tmp_path: Path, answer: str | bytes | None, error: type[BenchTrouble], says: str
) -> None:
    address, _ = peers([*FOUR, ("/:CHAN:1:ATT?", answer)])
    box = connect(address, tmp_path, timeout_s=0.2)
    with pytest.raises(error, match=says) as caught:
        box.get(1)
    assert caught.value.device == "att"
    assert caught.value.cure
    box.close()


def test_another_box_is_refused_and_let_go(peers: HttpPeers, tmp_path: Path) -> None:
    address, _ = peers([("/:MN?", "JFW 50PA")], FOUR)
    with pytest.raises(DeviceNonsense, match="'JFW 50PA'"):
        connect(address, tmp_path)
    connect(address, tmp_path).close()


def test_a_refused_port_and_an_unknown_host_are_gone(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(DeviceGone, match=f"att: http://127.0.0.1:{port}: Connection refused"):
        connect(f"http://127.0.0.1:{port}", tmp_path)
    with pytest.raises(DeviceGone, match=r"att: http://no-such-host\.invalid"):
        connect("http://no-such-host.invalid", tmp_path)


def test_one_process_owns_an_instrument_and_the_other_hears_who(peers: HttpPeers, tmp_path: Path) -> None:
    address, _ = peers(FOUR, FOUR)
    first = connect(address, tmp_path)
    with pytest.raises(BenchBusy, match=r"is held by process \d+ since"):
        connect(address, tmp_path)
    first.close()
    connect(address, tmp_path).close()


def test_a_closed_session_says_so(peers: HttpPeers, tmp_path: Path) -> None:
    box = connect(peers(FOUR)[0], tmp_path)
    box.close()
    with pytest.raises(CallerMistake, match="closed"):
        box.get(1)


@pytest.mark.parametrize(
    "address", ["192.168.9.61", "https://10.0.0.5", "http://", "http://a:b", "http://a/b", "http://u@a"]
)
def test_an_address_of_another_form_is_the_callers_mistake(tmp_path: Path, address: str) -> None:
    with pytest.raises(CallerMistake, match="write http://HOST"):
        connect(address, tmp_path)


@pytest.mark.parametrize("password", [1234, "", "two words", "semi;colon", "a/b", "ü", "x" * 21, "a\nb"])
def test_a_password_that_no_box_can_have_is_refused(tmp_path: Path, password: object) -> None:
    with pytest.raises(CallerMistake, match=r"settings\.password"):
        connect("http://127.0.0.1:1", tmp_path, password=password)


def test_an_unknown_setting_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CallerMistake, match="'pasword'"):
        connect("http://127.0.0.1:1", tmp_path, pasword="x")


def test_threads_get_their_own_answers(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_serve_numbers, args=(listener,), daemon=True).start()
        box = connect(f"http://127.0.0.1:{listener.getsockname()[1]}", tmp_path, timeout_s=2)
        wrong: list[int] = []

        def ask(channel: int) -> None:
            wrong.extend(channel for _ in range(50) if float(box.get(channel)) != channel)

        threads = [threading.Thread(target=ask, args=(channel,)) for channel in (1, 2, 3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        box.close()
    assert wrong == []


def _serve_numbers(listener: socket.socket) -> None:
    """A box whose channel n is at n dB."""
    connection, _ = listener.accept()
    with connection, connection.makefile("rb") as lines:
        for line in lines:
            if line.startswith(b"GET "):
                asked = line.split()[1].decode()
                told = {"/:MN?": "MN=RC4DAT-6G-95", "/:SN?": "SN=1"}.get(asked) or asked.split(":")[2]
            elif line == b"\r\n":
                connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(told)}\r\n\r\n{told}".encode())
