"""The simulated attenuator over its wire, driven by the rig's own driver and by bare sockets."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rig.errors import CallerMistake, DeviceClamped, DeviceGone, DeviceMute, DeviceNonsense
from rig.instruments.fade import FadePlayer
from rig.instruments.fade_shape import Fade
from rig.instruments.minicircuits import MiniCircuits
from rig.rpc import RpcClient, RpcError
from rig.units import Decibel
from rig.virtual.attenuators.bank import Fault
from rig.virtual.attenuators.box import Box
from rig.virtual.attenuators.models import make_box

StartDevice = Callable[..., Any]


def rc4dat(start_db: float | None, told: Callable[[int, float], None] = lambda _channel, _db: None) -> Box:
    return make_box({"model": "RC4DAT-6G-95", "serial": "1", "start_db": start_db}, told)


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        (":MN?", "MN=RC4DAT-6G-95"),
        ("MN?;", "MN=RC4DAT-6G-95"),
        (":SN?", "SN=1"),
        (":ATT?", "10.00 10.00 10.00 10.00"),
        (":CHAN:2:ATT?", "10.00"),
        (":CHAN:5:ATT?", "0"),
        (":CHAN:2:SETATT:30.25", "1"),
        (":chan:1:2:3:4:SetAtt:30", "1"),
        (":SETATT=12.25", "1"),
        (":CHAN:2:SETATT:95.25", "2"),
        (":CHAN:5:SETATT:1", "0"),
        (":CHAN:2:SETATT:-1", "0"),
        (":CHAN:2:SETATT:", "0"),
        ("", "0"),
        ("*IDN?", "0"),
    ],
)
def test_the_command_set(line: str, answer: str) -> None:
    assert rc4dat(10).handle(line).lines == (answer,)


def test_a_group_set_moves_every_path_and_tells_each_once() -> None:
    told: list[tuple[int, float]] = []
    box = rc4dat(None, lambda channel, db: told.append((channel, db)))
    assert box.bank.path_db == [95.0] * 4
    box.handle(":CHAN:1:3:SETATT:20.1")
    box.handle(":CHAN:1:SETATT:20")
    assert box.bank.path_db == [20.0, 95.0, 20.0, 95.0]
    assert told == [(1, 20.0), (3, 20.0)]


def test_a_fault_strikes_as_often_as_it_was_told() -> None:
    box = rc4dat(0)
    box.bank.faults = [Fault("stuck", channel=1, times=1), Fault("mute", command="att?", times=2)]
    box.handle(":CHAN:2:SETATT:5")
    box.handle(":CHAN:1:SETATT:5")
    assert box.bank.path_db[:2] == [0, 5]
    assert [box.handle("ATT?").lines for _ in range(3)] == [None, None, ("0.00 5.00 0.00 0.00",)]
    assert box.bank.faults == []


def test_unknown_models_and_faults_are_refused() -> None:
    with pytest.raises(CallerMistake, match="XYZ"):
        make_box({"model": "XYZ"}, lambda _channel, _db: None)
    with pytest.raises(CallerMistake, match="broken"):
        Fault("broken")  # type: ignore[arg-type]


def test_bytes_on_the_wire(start_device: StartDevice) -> None:
    device = start_device("attenuator", port=0, start_db=0)
    with socket.create_connection(("127.0.0.1", device.ready["port"]), 2) as connection:
        lines = connection.makefile("rb")
        connection.sendall(b":MN?\r\n:CHAN:1:SETATT:7.5\r\n:ATT?\r\n")
        assert [lines.readline() for _ in range(4)] == [
            b"\r\n",
            b"MN=RC4DAT-6G-95\r\n",
            b"1\r\n",
            b"7.50 0.00 0.00 0.00\r\n",
        ]
    assert [event.data for event in device.events("attenuator")] == [{"channel": 1, "db": 7.5}]
    assert [event.data["line"] for event in device.events("device_rx")] == [":MN?", ":CHAN:1:SETATT:7.5", ":ATT?"]
    device.end()


def test_the_driver_and_every_fault(start_device: StartDevice, runtime: Path, tmp_path: Path) -> None:
    device = start_device("attenuator", port=0, start_db=0, faults=[{"kind": "stuck", "channel": 2}])
    side_door = RpcClient(runtime / "attenuator.sock")
    address = f"TCPIP::127.0.0.1::{device.ready['port']}::SOCKET"
    box = MiniCircuits.open(address, name="att", lock_folder=tmp_path / "locks", timeout_s=0.2)

    assert box.set(1, Decibel(30.25)) == Decibel(30.25)
    assert side_door.notifications.get(timeout=2) == {"event": "attenuation", "channel": 1, "db": 30.25}
    with pytest.raises(DeviceNonsense, match="confirmed 10 dB and reads back 0 dB"):
        box.set(2, Decibel(10))

    side_door.call("fault", kind="lying", channel=3)
    assert box.set(3, Decibel(10)) == Decibel(10)
    assert side_door.call("state") == {"channels": [30.25, 0, 0, 0]}

    side_door.call("clear_faults")
    side_door.call("fault", kind="late", delay_ms=400, times=1)
    with pytest.raises(DeviceMute):
        box.get(1)
    assert box.get(1) == Decibel(30.25)

    side_door.call("fault", kind="mute", times=1)
    with pytest.raises(DeviceMute):
        box.get(1)
    side_door.call("fault", kind="dropped", times=1)
    with pytest.raises(DeviceGone):
        box.get(1)
    assert box.set(1, Decibel(0)) == Decibel(0)

    with pytest.raises(RpcError, match="melted"):
        side_door.call("fault", kind="melted")
    box.close()
    device.end()


def test_a_box_with_less_range_than_its_name_clamps(start_device: StartDevice, tmp_path: Path) -> None:
    device = start_device("attenuator", port=0, start_db=0, model="RC4DAT-6G-60")
    address = f"TCPIP::127.0.0.1::{device.ready['port']}::SOCKET"
    box = MiniCircuits.open(address, name="att", lock_folder=tmp_path / "locks")
    box.maximum = Decibel(95)
    with pytest.raises(DeviceClamped):
        box.set(1, Decibel(80))
    assert box.get(1) == Decibel(60)
    box.close()


def test_a_box_plays_a_fade_by_itself_and_ends_where_it_was_meant_to(start_device: StartDevice, tmp_path: Path) -> None:
    device = start_device("attenuator", port=0, start_db=0, model="RCDAT-6000-110")
    box = MiniCircuits.open(f"TCPIP::127.0.0.1::{device.ready['port']}::SOCKET", name="att", lock_folder=tmp_path)
    player = FadePlayer(box, [1], Fade.of([(0, 0), (400, 5)]), name="att")
    player.start()
    faded = player.wait(10)
    box.close()
    assert faded is not None
    assert (faded.by, faded.why, faded.trouble) == ("box", "played to its end", None)
    moved = [event.data["db"] for event in device.events("attenuator")]
    assert moved == [number * 0.25 for number in range(1, 21)]
