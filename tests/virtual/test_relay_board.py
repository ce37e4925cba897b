"""The simulated relay board: a real process under its power, and the interfaces that die with it."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rig.history.journal import Journal
from rig.history.redaction import Redactor
from rig.instruments.power import NumatoBoard, NumatoRelay
from rig.rpc import RpcClient
from rig.virtual.load import Interfaces, Load

StartDevice = Callable[..., Any]
SLEEPER = {"argv": [sys.executable, "-c", "import signal; signal.pause()"]}

MAKE_VETH = """
import os, sys
from pyroute2 import IPRoute
with IPRoute() as netlink:
    netlink.link("add", ifname="wlan0", kind="veth", peer="far0")
    netlink.link("set", index=netlink.link_lookup(ifname="far0")[0], state="up")
os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""


def alive(pid: int) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


def routes(pid: int) -> set[str]:
    """Interface and destination of each route in the network namespace of a process."""
    lines = Path(f"/proc/{pid}/net/route").read_text().splitlines()[1:]
    return {" ".join(line.split()[:2]) for line in lines}


def test_power_starts_kills_and_starts_the_load(start_device: StartDevice) -> None:
    board = start_device("relay_board", load=SLEEPER)
    relay = NumatoRelay.open(board.ready["port"], name="relay")
    first = board.wait_for("load_started")[0].data["pid"]
    assert relay.read() is True
    assert alive(first)

    relay.off()
    assert not alive(first)
    assert board.events("load_killed")[0].data == {"pid": first}
    relay.off()
    assert len(board.events("load_killed")) == 1

    relay.on()
    second = board.wait_for("load_started", 2)[1].data["pid"]
    assert alive(second)
    assert second != first
    relay.on()
    assert len(board.events("load_started")) == 2

    relay.close()
    board.end()
    assert not alive(second)
    assert board.events("load_died") == []


def test_the_wires_are_dead_before_the_load_is(tmp_path: Path) -> None:
    seen: list[bool] = []

    class Watched(Interfaces):
        def down(self) -> None:
            assert load.pid is None  # no power any more
            seen.append(alive(pid))

    journal = Journal.open(tmp_path, "relay", Redactor.with_new_key([]))
    load = Load(SLEEPER["argv"], {}, Watched({}, []), journal)
    load.power_on()
    assert load.pid is not None
    pid = load.pid
    load.power_off()
    assert seen == [True]
    assert not alive(pid)


def test_a_load_that_dies_by_itself_leaves_the_relay_on(start_device: StartDevice) -> None:
    board = start_device("relay_board", load={"argv": [sys.executable, "-c", "raise SystemExit(3)"]})
    died = board.wait_for("load_died")[0].data
    assert died["returncode"] == 3
    relay = NumatoRelay.open(board.ready["port"], name="relay")
    assert relay.read() is True
    relay.off()
    relay.on()
    board.wait_for("load_died", 2)
    relay.close()


def test_a_load_that_cannot_start_is_told_and_the_board_lives(start_device: StartDevice) -> None:
    board = start_device("relay_board", load={"argv": ["/no/such/terminal"]})
    assert "/no/such/terminal" in board.events("load_failed")[0].data["why"]
    relay = NumatoRelay.open(board.ready["port"], name="relay")
    assert relay.read() is True
    relay.off()
    relay.close()


def test_other_relays_are_contacts_that_others_follow(start_device: StartDevice, runtime: Path) -> None:
    board = start_device("relay_board", load=SLEEPER)
    opened = NumatoBoard.open(board.ready["port"], name="relays")
    loop, power = opened.relay(3, "loop"), opened.relay(0, "power")
    follower = RpcClient(runtime / "relay-board.sock")
    assert follower.call("state") == {"relays": [True] * 4}
    loop.off()
    assert follower.notifications.get(timeout=2) == {"event": "relay", "channel": 3, "on": False}
    assert (loop.read(), power.read()) == (False, True)
    assert follower.call("state") == {"relays": [True, True, True, False]}
    power.off()
    assert follower.notifications.get(timeout=2) == {"event": "relay", "channel": 0, "on": False}
    assert board.events("load_killed")
    follower.close()
    loop.close()
    assert power.read() is False
    power.close()
    assert opened.closed


def test_the_load_dies_with_a_board_that_is_killed(start_device: StartDevice) -> None:
    board = start_device("relay_board", load=SLEEPER)
    load = board.wait_for("load_started")[0].data["pid"]
    watch = os.pidfd_open(load)
    board.process.kill()
    board.process.wait()
    ended, _, _ = select.select([watch], [], [], 5)
    os.close(watch)
    assert ended


def test_the_command_set(start_device: StartDevice) -> None:
    board = start_device("relay_board", load=SLEEPER, power_on=False, relays=16)
    fd = os.open(board.ready["port"], os.O_RDWR | os.O_NOCTTY)
    with os.fdopen(fd, "r+b", buffering=0) as wire:
        for command, answer in [
            (b"ver\r", b"ver\r\n\r00000009\n\r>"),
            (b"relay read 0\r", b"relay read 0\r\n\roff\n\r>"),
            (b"relay on A\r", b"relay on A\r\n\r>"),
            (b"relay off 1\r", b"relay off 1\r\n\r>"),
            (b"relay readall\r", b"relay readall\r\n\rfffc\n\r>"),
            (b"relay on G\r", b"relay on G\r\n\r>"),
            (b"nonsense\r", b"nonsense\r\n\r>"),
            (b"\r", b"\r\n\r>"),
        ]:
            wire.write(command)
            got = b""
            while not got.endswith(b">"):
                got += wire.read(100)
            assert got == answer
    assert board.events("load_started") == []


def test_power_off_takes_the_interfaces_down_before_the_load_dies(start_device: StartDevice) -> None:
    unshare = ("unshare", "--net") if os.geteuid() == 0 else ("unshare", "--user", "--map-root-user", "--net")
    probe = subprocess.run([*unshare, "true"], capture_output=True, text=True, check=False)
    if probe.returncode:
        pytest.skip(f"network namespaces: {probe.stderr.strip()}")
    load = SLEEPER | {
        "interfaces": {"wlan0": {"address": "10.64.1.2/24"}},
        "routes": [{"to": "10.64.0.10/32", "via": "10.64.1.1", "dev": "wlan0"}],
    }
    board = start_device("relay_board", prefix=(*unshare, sys.executable, "-c", MAKE_VETH), load=load)
    assert board.events("load_failed") == []
    here = board.wait_for("load_started")[0].pid
    up = {"wlan0 0A00400A", "wlan0 0001400A"}  # 10.64.0.10 and 10.64.1.0, as the kernel writes them
    assert routes(here) == up

    relay = NumatoRelay.open(board.ready["port"], name="relay")
    relay.off()
    assert routes(here) == set()
    relay.on()
    assert board.events("load_failed") == []
    assert routes(here) == up
    relay.close()
    os.kill(here, signal.SIGTERM)
    board.process.wait(5)
    assert board.events("ended")
