"""Simulated boxes that are asked by lines, on TCP and on a serial port: how their drivers take their faults."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from rig.errors import DeviceGone, DeviceMute, DeviceNonsense
from rig.instruments.attenuator import Attenuator, open_attenuator
from rig.rpc import RpcClient
from rig.units import Decibel

StartDevice = Callable[..., Any]

SECTIONS = {"x": [1, 2, 4, 4], "y": [10, 20, 40, 40]}
SETTINGS: dict[str, dict[str, Any]] = {
    "mini-circuits": {},
    "jfw": {},
    "weinschel": {},
    "keysight-11713": {"bank1": SECTIONS, "bank2": SECTIONS},
    "adaura": {},
}
each_dialect = pytest.mark.parametrize("dialect", SETTINGS)
each_plug = pytest.mark.parametrize("plug", [{"port": 0}, {"tty": "box.tty"}], ids=["tcp", "tty"])


def connect(started: Any, dialect: str, folder: Path) -> Attenuator:
    port = started.ready["port"]
    address = f"TCPIP::127.0.0.1::{port}::SOCKET" if isinstance(port, int) else f"ASRL{Path(port).resolve()}::INSTR"
    return open_attenuator(dialect, address, name="att", lock_folder=folder, timeout_s=0.3, settings=SETTINGS[dialect])


@each_dialect
@each_plug
def test_late_and_mute_are_told_and_the_next_answer_is_the_right_one(
    start_device: StartDevice, runtime: Path, tmp_path: Path, dialect: str, plug: dict[str, Any]
) -> None:
    started = start_device("attenuator", dialect=dialect, start_db=0, **plug)
    box = connect(started, dialect, tmp_path)
    with closing(RpcClient(runtime / "attenuator.sock")) as side_door:
        assert box.set(2, Decibel(30)) == Decibel(30)
        assert side_door.call("state")["channels"][:2] == [0, 30]
        side_door.call("fault", kind="late", delay_ms=350, times=1)
        with pytest.raises(DeviceMute, match="att: no answer"):
            box.get(2)
        assert box.get(1) == Decibel(0)
        side_door.call("fault", kind="mute", times=1)
        with pytest.raises(DeviceMute, match="att: no answer"):
            box.get(2)
        assert box.get(2) == Decibel(30)
    box.close()


@each_dialect
def test_a_box_that_drops_the_line_is_gone_and_then_found_again(
    start_device: StartDevice, runtime: Path, tmp_path: Path, dialect: str
) -> None:
    box = connect(start_device("attenuator", dialect=dialect, start_db=0, port=0), dialect, tmp_path)
    with closing(RpcClient(runtime / "attenuator.sock")) as side_door:
        side_door.call("fault", kind="dropped", times=1)
    with pytest.raises(DeviceGone, match="att: "):
        box.get(1)
    assert box.get(1) == Decibel(0)
    box.close()


@each_dialect
def test_a_box_of_another_model_is_refused(start_device: StartDevice, tmp_path: Path, dialect: str) -> None:
    started = start_device("attenuator", dialect=dialect, port=0, faults=[{"kind": "wrong-model"}])
    with pytest.raises(DeviceNonsense, match="att: ") as caught:
        connect(started, dialect, tmp_path)
    assert caught.value.cure


def test_boxes_of_one_bench_are_told_apart_by_their_names(
    start_device: StartDevice, runtime: Path, tmp_path: Path
) -> None:
    started = start_device("attenuator", name="short", dialect="jfw", start_db=0, port=0)
    start_device("attenuator", name="rf", start_db=0, port=0)
    box = connect(started, "jfw", tmp_path)
    box.set(1, Decibel(20))
    with closing(RpcClient(runtime / "short.sock")) as short, closing(RpcClient(runtime / "rf.sock")) as other:
        assert short.call("state")["channels"][0] == 20
        assert other.call("state")["channels"][0] == 0
    box.close()
