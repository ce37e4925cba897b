"""The side doors of a bench's processes: server and client over a real unix socket."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from rig.errors import BenchTrouble, DeviceGone, DeviceMute
from rig.rpc import RpcClient, RpcError, RpcServer


def fail(**_: Any) -> dict[str, Any]:
    raise ValueError("no such channel")


HANDLERS: dict[str, Callable[..., dict[str, Any] | None]] = {
    "echo": lambda **given: {"given": given},
    "nothing": lambda: None,
    "fail": fail,
    "unserialisable": lambda: {"value": object()},
}


@pytest.fixture
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rpc") / "door.sock"


@pytest.fixture
def server(path: Path) -> Iterator[RpcServer]:
    server = RpcServer(path, HANDLERS)
    yield server
    server.close()


@pytest.fixture
def client(server: RpcServer, path: Path) -> Iterator[RpcClient]:
    client = RpcClient(path, "device")
    yield client
    client.close()


def test_an_answer_holds_what_the_handler_returned(client: RpcClient) -> None:
    assert client.call("echo", db=12.5, text="ü\n", nested={"a": [1, None]}) == {
        "given": {"db": 12.5, "text": "ü\n", "nested": {"a": [1, None]}}
    }
    assert client.call("nothing") == {}


def test_what_a_handler_raises_is_the_answer_and_the_server_lives_on(client: RpcClient) -> None:
    with pytest.raises(RpcError, match=r"device: fail refused: ValueError: no such channel"):
        client.call("fail", channel=9)
    assert client.call("nothing") == {}


@pytest.mark.parametrize(
    ("verb", "arguments", "text"),
    [
        ("fly", {}, "unknown verb 'fly'"),
        ("nothing", {"channel": 1}, "unexpected keyword argument"),
        ("unserialisable", {}, "not JSON serializable"),
    ],
)
def test_a_refusal_names_its_reason(client: RpcClient, verb: str, arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(RpcError, match=text):
        client.call(verb, **arguments)
    assert client.call("nothing") == {}, "the connection lives on"


def test_a_refusal_is_the_benchs_trouble() -> None:
    assert issubclass(RpcError, BenchTrouble)


@pytest.mark.parametrize("line", [b"not json", b"[]", b'"do"', b"{}", b'{"do":["echo"]}', b"\xff\xfe"])
def test_a_line_that_is_no_request_is_answered_as_an_error(server: RpcServer, path: Path, line: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as raw:
        raw.connect(str(path))
        stream = raw.makefile("rwb")
        stream.write(line + b"\n" + b'{"id":7,"do":"nothing"}\n')
        stream.flush()
        refusal, answer = json.loads(stream.readline()), json.loads(stream.readline())
    assert refusal["ok"] is False
    assert refusal["error"]
    assert answer == {"id": 7, "ok": True}


def test_each_of_many_threads_gets_its_own_answers(client: RpcClient) -> None:
    def ask(number: int) -> list[int]:
        return [client.call("echo", n=number * 1000 + turn)["given"]["n"] for turn in range(50)]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(8)))
    assert answers == [[number * 1000 + turn for turn in range(50)] for number in range(8)]


def test_clients_do_not_wait_for_each_other(path: Path) -> None:
    go = threading.Event()
    server = RpcServer(path, {"slow": lambda: {"went": go.wait(10)}, "fast": lambda: None})
    slow, fast = RpcClient(path), RpcClient(path)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(slow.call, "slow")
        assert fast.call("fast") == {}
        assert not waiting.done()
        go.set()
        assert waiting.result(5) == {"went": True}
    server.close()


def test_pushes_reach_every_client_in_order(server: RpcServer, path: Path) -> None:
    clients = [RpcClient(path), RpcClient(path)]
    for client in clients:
        client.call("nothing")  # a client is known to the server once it was answered
    for number in range(100):
        server.push("attenuation", channel=1, number=number)
    for client in clients:
        seen = [client.notifications.get(timeout=5) for _ in range(100)]
        assert seen == [{"event": "attenuation", "channel": 1, "number": number} for number in range(100)]
        client.close()


def test_pushes_and_answers_do_not_mix(server: RpcServer, client: RpcClient) -> None:
    client.call("nothing")

    def push() -> None:
        for n in range(500):
            server.push("tick", n=n)

    pushing = threading.Thread(target=push)
    pushing.start()
    for turn in range(200):
        assert client.call("echo", turn=turn) == {"given": {"turn": turn}}
    pushing.join()
    assert [client.notifications.get(timeout=5) for _ in range(500)] == [{"event": "tick", "n": n} for n in range(500)]


def test_a_client_that_does_not_read_holds_up_nobody_for_long(server: RpcServer, client: RpcClient, path: Path) -> None:
    client.call("nothing")
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.connect(str(path))
        deaf.sendall(b'{"id":1,"do":"nothing"}\n')
        deaf.recv(100)
        began = time.monotonic()
        for _ in range(4):
            server.push("state", text="x" * 200_000)
        assert time.monotonic() - began < 5
        assert client.call("nothing") == {}


def test_only_the_owner_may_open_the_door(server: RpcServer, path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_server_begins_where_a_dead_one_left_its_socket(path: Path) -> None:
    left_over = socket.socket(socket.AF_UNIX)
    left_over.bind(str(path))
    left_over.close()
    server = RpcServer(path, HANDLERS)
    assert RpcClient(path).call("nothing") == {}
    server.close()
    assert not path.exists()


def test_a_door_that_nobody_serves_is_named(tmp_path: Path) -> None:
    with pytest.raises(DeviceGone, match=r"acquirer: nobody serves .*gone\.sock: No such file.*was its process"):
        RpcClient(tmp_path / "gone.sock", "acquirer")
    with pytest.raises(DeviceGone, match="path too long"):
        RpcClient(tmp_path / ("x" * 120), "acquirer")


def test_the_end_of_the_server_is_told_to_who_waits_and_to_who_asks_later(path: Path) -> None:
    asked, go = threading.Event(), threading.Event()

    def hang() -> None:
        asked.set()
        go.wait(10)

    server = RpcServer(path, {"hang": hang})
    client = RpcClient(path, "device")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.call, "hang")
        assert asked.wait(5)
        server.close()
        with pytest.raises(DeviceGone, match="device: its process ended during 'hang'"):
            waiting.result(5)
    with pytest.raises(DeviceGone, match="device: its process ended before 'again'"):
        client.call("again")
    assert client.notifications.get(timeout=5) is None
    go.set()


SERVING = """
import sys, threading
from pathlib import Path
from rig.rpc import RpcServer
def hang():
    print("asked", flush=True)
    threading.Event().wait()
server = RpcServer(Path(sys.argv[1]), {"hang": hang})
print("serving", flush=True)
threading.Event().wait()
"""


def test_the_death_of_a_process_ends_the_call_that_waits_for_it(path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", SERVING, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "serving\n"
    client = RpcClient(path, "device")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.call, "hang", 30.0)
        assert process.stdout.readline() == "asked\n"
        began = time.monotonic()
        os.kill(process.pid, signal.SIGKILL)
        with pytest.raises(DeviceGone, match="its process ended during 'hang'"):
            waiting.result(5)
    assert time.monotonic() - began < 2
    process.communicate()


def test_silence_is_a_mute_device_and_a_late_answer_is_nobodys(path: Path) -> None:
    go = threading.Event()
    server = RpcServer(path, {"slow": lambda: {"late": go.wait(10)}, "fast": lambda: {"late": False}})
    client = RpcClient(path, "device")
    with pytest.raises(DeviceMute, match=r"device: no answer to 'slow' in 0\.05 s"):
        client.call("slow", timeout_s=0.05)
    go.set()
    assert client.call("fast") == {"late": False}
    server.close()


@pytest.mark.parametrize("nonsense", [b"hello\n", b"[]\n", b"1\n", b"\xff\n"])
def test_a_server_that_talks_nonsense_is_as_good_as_gone(path: Path, nonsense: bytes) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    client = RpcClient(path, "device")
    peer, _ = listener.accept()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.call, "state", 5.0)
        peer.recv(1000)
        peer.sendall(nonsense)
        with pytest.raises(DeviceGone):
            waiting.result(3)
    peer.close()
    listener.close()
