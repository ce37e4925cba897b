"""What a box that is told by HTTP is asked, and what is made of its answers."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rig.errors import BenchTrouble, CallerMistake, DeviceGone, DeviceMute, DeviceNonsense
from rig.instruments.switch import PortState, SwitchPort, open_switch_port

SETTINGS: dict[str, Any] = {
    "down": {"method": "PUT", "path": "/ports/{port}", "body": {"admin": False}},
    "up": {"method": "PUT", "path": "/ports/{port}", "body": {"admin": True}},
    "read": {"path": "/ports/{port}", "pointer": "/state/0/admin~1wanted"},
    "user": "rig", "password": "pass-word", "timeout_s": 0.3,
}  # fmt: skip
SHELLY: dict[str, Any] = {
    "down": {"method": "GET", "path": "/relay/{port}?turn=off"},
    "up": {"method": "GET", "path": "/relay/{port}?turn=on"},
    "read": {"path": "/relay/{port}", "pointer": "/ison"},
    "power_off": {"path": "/say", "body": "power {port} off"},
    "power_on": {"path": "/say", "body": "power {port} on"},
    "power": {"path": "/power/{port}", "up_value": "ON"},
}
UP, DOWN = '{"state": [{"admin/wanted": true}]}', '{"state": [{"admin/wanted": false}]}'

Turn = tuple[str, str | None, str | int | None]
"""First line of the request, body (None: none), and the answer: a body, a status, or silence."""


class Box:
    """A scripted web server, one connection a request."""

    def __init__(self, turns: list[Turn]) -> None:
        self.turns, self.wrong, self.heads = turns, list[str](), list[str]()
        self.held: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.thread = threading.Thread(target=self._play, daemon=True)
        self.thread.start()

    def _play(self) -> None:
        while self.turns:
            line, body, answer = self.turns.pop(0)
            connection, _ = self._listener.accept()
            self.held.append(connection)
            reader = connection.makefile("rb")
            head = b"".join(iter(reader.readline, b"\r\n")).decode()
            self.heads.append(head)
            length = next((int(each[15:]) for each in head.splitlines() if each.startswith("Content-Length:")), None)
            got = None if length is None else reader.read(length).decode()
            if (head.splitlines()[0], got) != (f"{line} HTTP/1.1", body):
                self.wrong.append(f"{head.splitlines()[0]} {got}")
                connection.close()
                return
            if answer is not None:
                status, text = (answer, "") if isinstance(answer, int) else (200, answer)
                reply = f"HTTP/1.1 {status} x\r\nContent-Length: {len(text)}\r\n\r\n{text}"
                connection.sendall(reply.encode())

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def box() -> Iterator[Callable[..., Box]]:
    boxes: list[Box] = []

    def start(*turns: Turn) -> Box:
        boxes.append(Box(list(turns)))
        return boxes[-1]

    yield start
    for each in boxes:
        each.thread.join(2)
        assert (each.wrong, each.turns) == ([], [])
        each.close()


READ = ("GET /ports/3", None)


def opened(made: Box, settings: dict[str, Any] = SETTINGS, **more: Any) -> SwitchPort:
    return open_switch_port("http", made.address, 3, {**settings, **more}, name="switch port")


def test_a_port_is_taken_down_and_up_and_read_back(box: Callable[..., Box]) -> None:
    made = box(
        (*READ, UP),
        ("PUT /ports/3", '{"admin": false}', 204), (*READ, DOWN),
        ("PUT /ports/3", '{"admin": true}', ""), (*READ, UP),
    )  # fmt: skip
    port = opened(made)
    assert isinstance(port, SwitchPort)
    assert port.down() == PortState(enabled=False)
    assert port.up() == PortState(enabled=True)
    assert all("Authorization: Basic cmlnOnBhc3Mtd29yZA==" in head for head in made.heads)
    assert "Content-Type: application/json" in made.heads[1]


def test_a_relay_in_the_network_that_answers_in_text(box: Callable[..., Box]) -> None:
    state = ("GET /power/3", None, "ON\n"), ("GET /relay/3", None, '{"ison": true}')
    made = box(*state, ("POST /say", "power 3 off", ""), ("GET /power/3", None, "OFF"), state[1])
    port = opened(made, SHELLY)
    assert port.power_off() == PortState(enabled=True, powered=False)


def test_a_port_that_does_not_follow_is_told(box: Callable[..., Box]) -> None:
    port = opened(box((*READ, UP), ("PUT /ports/3", '{"admin": false}', ""), (*READ, UP)))
    with pytest.raises(DeviceNonsense, match="told to be enabled: False, and reads back True"):
        port.down()


def test_a_link_that_stays_is_told(box: Callable[..., Box]) -> None:
    both: list[Turn] = [("GET /link", None, "1"), (*READ, DOWN)]
    made = box(*both, ("PUT /ports/3", '{"admin": false}', ""), *both, *both)
    port = opened(made, link={"path": "/link", "up_value": "1"}, link_limit_s=0.01)
    with pytest.raises(BenchTrouble, match="is down and still has a link"):
        port.down()


def test_no_power_that_could_be_switched(box: Callable[..., Box]) -> None:
    with pytest.raises(BenchTrouble, match="gives no power"):
        opened(box((*READ, UP))).power_off()


@pytest.mark.parametrize(
    ("answer", "error", "why"),
    [
        (401, DeviceNonsense, "HTTP 401 .its user and password"),
        (500, DeviceNonsense, "HTTP 500"),
        ("<html>", DeviceNonsense, "answers '<html>' to /ports/3, without /state"),
        ('{"state": []}', DeviceNonsense, "without /state"),
        (None, DeviceMute, "no answer to GET /ports/3 in 0.3 s"),
    ],
)
def test_other_answers_are_told(box: Callable[..., Box], answer: Any, error: type[Exception], why: str) -> None:
    with pytest.raises(error, match=why) as told:
        opened(box((*READ, answer)))
    assert "pass-word" not in str(told.value)


def test_no_box_at_the_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(DeviceGone, match="is not answered"):
        open_switch_port("http", address, 3, SETTINGS, name="switch port")


@pytest.mark.parametrize(
    ("address", "settings", "why"),
    [
        ("192.0.2.1", SETTINGS, "no address of a box"),
        ("http://u:p@192.0.2.1", SETTINGS, "no address of a box"),
        ("http://192.0.2.1", {}, "down: Field required"),
        ("http://192.0.2.1", {**SETTINGS, "power_on": {"path": "/"}}, "go together"),
        ("http://192.0.2.1", {**SETTINGS, "down": {"path": "ports"}}, "down.path"),
    ],
)
def test_what_cannot_be_is_the_callers_mistake(address: str, settings: dict[str, Any], why: str) -> None:
    with pytest.raises(CallerMistake, match=why):
        open_switch_port("http", address, 1, settings, name="switch port")


def test_no_driver_of_that_name() -> None:
    with pytest.raises(CallerMistake, match="there are snmp, http"):
        open_switch_port("telnet", "x", 1, {}, name="switch port")


def test_nobody_is_told_a_secret(box: Callable[..., Box]) -> None:
    told: list[str] = []
    made = box((*READ, UP), ("PUT /ports/3", '{"admin": true, "key": "abc"}', ""), (*READ, UP))
    settings = {**SETTINGS, "up": {"method": "PUT", "path": "/ports/{port}", "body": {"admin": True, "key": "abc"}}}
    port = open_switch_port(
        "http", made.address, 3, settings, name="p", observe=lambda _, data: told.append(data["line"])
    )
    port.up()
    assert told == ["GET /ports/3", "/ports/3: True", "PUT /ports/3", "GET /ports/3", "/ports/3: True"]
