"""The exact dialogue with a call box's remote API, and everything that may go wrong with it."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

from rig.errors import BenchBusy, BenchTrouble, CallerMistake, DeviceGone, DeviceMute, DeviceNonsense
from rig.instruments.attenuator import Attenuator, open_attenuator
from rig.units import Decibel

Answer = dict[str, Any] | list[dict[str, Any]] | str | bytes | None
"""What comes for a message: an object that gets its number, several, text or bytes as they are, or the end."""
Turn = tuple[dict[str, Any], Answer]

READY = {"message": "ready", "type": "ENB", "name": "ENB", "version": "2026-06-12"}
CELLS = {"cells": {"1": {"gain": 0}}, "nr_cells": {"7": {"gain": -3.5}}}


def told(**gains: float) -> Turn:
    """A question for the configuration, with the gains of the cells in its answer."""
    cells = {name[1:]: {"gain": gain} for name, gain in gains.items()}
    return {"message": "config_get"}, {"name": "ENB", "version": "2026-06-12", "cells": cells}


class CallBox:
    """Plays one scripted connection after another."""

    def __init__(self) -> None:
        self.wrong: list[str] = []
        self._connections: list[tuple[dict[str, Any], list[Turn]]] = []
        self._server: Server = serve(self._play, "127.0.0.1", 0, compression=None)
        self.address = f"ws://127.0.0.1:{self._server.socket.getsockname()[1]}"
        self.live: list[ServerConnection] = []
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def script(self, *turns: Turn, greeting: dict[str, Any] = READY) -> None:
        self._connections.append((greeting, list(turns)))

    def _play(self, connection: ServerConnection) -> None:
        self.live.append(connection)
        assert connection.request is not None
        if "Origin" not in connection.request.headers:
            self.wrong.append("no origin")
        greeting, turns = self._connections.pop(0)
        connection.send(json.dumps(greeting))
        try:
            for expected, answer in turns:
                got = json.loads(connection.recv(timeout=5))
                number = got.pop("message_id")
                if got != expected:
                    self.wrong.append(f"expected {expected}, got {got}")
                if answer is None:
                    return
                for each in answer if isinstance(answer, list) else [answer]:
                    connection.send(
                        each
                        if isinstance(each, str | bytes)
                        else json.dumps({"message_id": number, **expected, **each})
                    )
            connection.recv(timeout=5)
        except ConnectionClosed:
            pass

    def close(self) -> None:
        self._server.shutdown()


@pytest.fixture
def callbox() -> Iterator[CallBox]:
    box = CallBox()
    yield box
    box.close()
    assert box.wrong == []


def connect(box: CallBox | str, folder: Path, timeout_s: float = 0.5, **settings: Any) -> Attenuator:
    address = box if isinstance(box, str) else box.address
    return open_attenuator(
        "amarisoft", address, name="att", lock_folder=folder, timeout_s=timeout_s, settings={"cells": [1], **settings}
    )


def gain(db: float, cell: int = 1) -> dict[str, Any]:
    return {"message": "cell_gain", "cell_id": cell, "gain": db}


def test_an_attenuation_is_a_gain_below_zero_and_read_back(callbox: CallBox, tmp_path: Path) -> None:
    callbox.script(told(_1=0), (gain(-20), {}), told(_1=-20), (gain(0), {}), told(_1=0))
    box = connect(callbox, tmp_path, maximum_db=120)
    assert isinstance(box, Attenuator)
    assert (box.channels, box.maximum, box.step) == (1, Decibel(120), Decibel(0.1))
    assert box.identity == "Amarisoft ENB 2026-06-12"
    assert box.set(1, Decibel(20)) == Decibel(20)
    assert box.set(1, Decibel(0)) == Decibel(0)
    box.close()


def test_channels_are_cells_of_every_technology(callbox: CallBox, tmp_path: Path) -> None:
    asked = {"message": "config_get"}
    callbox.script((asked, CELLS), (asked, CELLS), (gain(-30.5, 7), {}), (asked, {"nr_cells": {"7": {"gain": -30.5}}}))
    box = connect(callbox, tmp_path, cells=[1, 7])
    assert box.get(2) == Decibel(3.5)
    assert box.set(2, Decibel(30.5)) == Decibel(30.5)
    box.close()


def test_notifications_and_late_answers_are_no_answers(callbox: CallBox, tmp_path: Path) -> None:
    stray: list[dict[str, Any]] = [{"message_id": None, "notification": "ue"}, {"message_id": 99, "error": "late"}]
    callbox.script(told(_1=0), ({"message": "config_get"}, [*stray, CELLS]))
    box = connect(callbox, tmp_path)
    assert box.get(1) == Decibel(0)
    box.close()


def test_a_password_is_proven_and_never_told(callbox: CallBox, tmp_path: Path) -> None:
    heard: list[str] = []
    proof = hmac.new(b"ENB:s3cret:box", b"abc", hashlib.sha256).hexdigest()
    challenge = {"message": "authenticate", "type": "ENB", "name": "box", "challenge": "abc"}
    callbox.script(({"message": "authenticate", "res": proof}, {"ready": True}), told(_1=0), greeting=challenge)
    box = open_attenuator(
        "amarisoft", callbox.address, name="att", lock_folder=tmp_path,
        settings={"cells": [1], "password": "s3cret"}, observe=lambda _kind, data: heard.append(data["line"]),
    )  # fmt: skip
    box.close()
    assert heard[0] == '{"message": "authenticate"}'
    assert not any("s3cret" in line or proof in line for line in heard)

    callbox.script(({"message": "authenticate", "res": proof}, {"error": "no"}), greeting=challenge)
    with pytest.raises(CallerMistake, match="refuses the password"):
        connect(callbox, tmp_path, password="s3cret")
    callbox.script(greeting=challenge)
    with pytest.raises(CallerMistake, match="asks for a password"):
        connect(callbox, tmp_path)


@pytest.mark.parametrize(
    ("turns", "error", "says"),
    [
        ([(gain(-90), {"error": "cell not found"})], BenchTrouble, "refuses cell_gain .*cell not found"),
        ([(gain(-90), {}), told(_1=-10)], DeviceNonsense, "lies: cell 1 confirmed 90 dB and reads back 10 dB"),
        ([(gain(-90), {}), told(_1=3)], DeviceNonsense, "reads back a gain of 3"),
        ([(gain(-90), {}), told(_2=-90)], DeviceNonsense, "reads back a gain of None"),
        ([(gain(-90), "[1]")], DeviceNonsense, r"says '\[1\]'"),
        ([(gain(-90), "{")], DeviceNonsense, "says '{'"),
        ([(gain(-90), b"\xff\xfe")], DeviceNonsense, "says"),
        ([(gain(-90), [])], DeviceMute, "no answer to 'cell_gain' in 0.2 s"),
        ([(gain(-90), None)], DeviceGone, "the connection ended on 'cell_gain'"),
    ],
)
def test_what_it_does_wrong_is_told(
    callbox: CallBox, tmp_path: Path, turns: list[Turn], error: type[BenchTrouble], says: str
) -> None:
    callbox.script(told(_1=0), *turns)
    box = connect(callbox, tmp_path, timeout_s=0.2)
    with pytest.raises(error, match=says) as caught:
        box.set(1, Decibel(90))
    assert caught.value.device == "att"
    assert caught.value.cure
    box.close()


def test_a_box_that_was_restarted_is_found_again(callbox: CallBox, tmp_path: Path) -> None:
    callbox.script(told(_1=0), ({"message": "config_get"}, None))
    callbox.script(told(_1=-7))
    box = connect(callbox, tmp_path)
    with pytest.raises(DeviceGone):
        box.get(1)
    assert box.get(1) == Decibel(7)
    box.close()


def test_a_late_answer_goes_to_a_closed_session(callbox: CallBox, tmp_path: Path) -> None:
    callbox.script(told(_1=0), ({"message": "config_get"}, []))
    callbox.script(told(_1=-7))
    box = connect(callbox, tmp_path, timeout_s=0.2)
    with pytest.raises(DeviceMute):
        box.get(1)
    assert box.get(1) == Decibel(7)
    box.close()


def test_another_server_is_refused_and_let_go(callbox: CallBox, tmp_path: Path) -> None:
    callbox.script(greeting={**READY, "type": "MME"})
    with pytest.raises(DeviceNonsense, match=r"greets as 'MME' .*9001"):
        connect(callbox, tmp_path)
    callbox.script(told(_1=0))
    with pytest.raises(CallerMistake, match=r"has no cell 3 .*it has 1"):
        connect(callbox, tmp_path, cells=[3, 1])
    callbox.script(told(_1=0))
    connect(callbox, tmp_path).close()


def test_nobody_and_no_websocket_at_the_address(tmp_path: Path, tcp_peer: Callable[..., Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(DeviceGone, match=f"att: ws://127.0.0.1:{port}: Connection refused"):
        connect(f"ws://127.0.0.1:{port}", tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(DeviceGone, match="timed out"):
        connect(f"ws://127.0.0.1:{silent.getsockname()[1]}", tmp_path, timeout_s=0.2)
    peer = tcp_peer([(b"GET", b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")], greeting=b"")
    with pytest.raises(DeviceNonsense, match="is no websocket"):
        connect(f"ws://127.0.0.1:{peer.port}", tmp_path)
    with pytest.raises(CallerMistake, match="write ws://HOST:PORT"):
        connect("http://127.0.0.1", tmp_path)


def test_one_process_owns_it_and_a_closed_session_says_so(callbox: CallBox, tmp_path: Path) -> None:
    callbox.script(told(_1=0))
    box = connect(callbox, tmp_path)
    with pytest.raises(BenchBusy, match=r"is held by process \d+ since"):
        connect(callbox, tmp_path)
    box.close()
    with pytest.raises(CallerMistake, match="closed"):
        box.get(1)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"cells": []}, "settings.cells"),
        ({"cells": [1, 1]}, "settings.cells"),
        ({"cells": ["1"]}, "settings.cells"),
        ({"cells": [True]}, "settings.cells"),
        ({"cells": 1}, "settings.cells"),
        ({"maximum_db": 0}, "settings.maximum_db"),
        ({"maximum_db": 201}, "settings.maximum_db"),
        ({"maximum_db": float("nan")}, "settings.maximum_db"),
        ({"password": 5}, "settings.password"),
        ({"cell": 1}, "'cell'"),
    ],
)
def test_settings_that_cannot_be_are_refused_before_anything_is_opened(
    tmp_path: Path, settings: dict[str, Any], says: str
) -> None:
    with pytest.raises(CallerMistake, match=says):
        connect("ws://127.0.0.1:1", tmp_path, **settings)


@pytest.mark.parametrize(("channel", "db"), [(0, 10.0), (2, 10.0), (1, -0.1), (1, 120.1), (1, 10.05)])
def test_what_it_cannot_take_exactly_is_not_sent(callbox: CallBox, tmp_path: Path, channel: int, db: float) -> None:
    callbox.script(told(_1=0))
    box = connect(callbox, tmp_path, maximum_db=120)
    with pytest.raises(CallerMistake):
        box.set(channel, Decibel(db))
    box.close()
