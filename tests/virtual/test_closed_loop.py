"""The closed loop over the wire: every dialect's box, a radio that hears through it, and an AT modem that tells.

Attenuator and modem are driven by the rig's own drivers, the physics are processes of their own: what the modem tells
must follow what was set by a decibel until the service is lost, and a box that does something else is caught.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rig.errors import BenchTrouble
from rig.instruments.attenuator import Attenuator, open_attenuator
from rig.instruments.closed_loop import Lever, prove_step
from rig.instruments.modem import Modem
from rig.instruments.signal import Signal
from rig.rpc import RpcClient
from rig.units import Decibel

StartDevice = Callable[..., Any]
REFERENCE_DBM = -70
LOST = Decibel(75)
"""More than the radio model bears: its LTE is gone below −130 dBm."""


@dataclass(frozen=True)
class Dialect:
    """A box: what its simulator is told, the driver's settings, and how its address is written."""

    name: str
    address: str
    device: dict[str, Any]
    settings: dict[str, Any]


TCP = "TCPIP::127.0.0.1::{port}::SOCKET"
DIALECTS = [
    Dialect("mini-circuits", TCP, {"model": "RC4DAT-6G-95"}, {}),
    Dialect("mini-circuits-http", "http://127.0.0.1:{port}", {}, {}),
    Dialect("amarisoft", "ws://127.0.0.1:{port}", {}, {"cells": [1, 2]}),
    Dialect("jfw", TCP, {}, {}),
    Dialect("weinschel", TCP, {}, {}),
    Dialect("keysight-11713", TCP, {}, {f"bank{bank}": {"x": [1, 2, 4, 4], "y": [10, 20, 40, 40]} for bank in (1, 2)}),
    Dialect("adaura", "ASRL{port}::INSTR", {"tty": "rf.tty"}, {}),
]


@contextmanager
def loop(dialect: Dialect, start_device: StartDevice, folder: Path) -> Iterator[Any]:
    """A box on channel 1, a radio behind it, and the modem: driver and reader."""
    place = {} if "tty" in dialect.device else {"port": 0}
    box = start_device("attenuator", dialect=dialect.name, start_db=0, **(dialect.device | place))
    start_device("radio", link=None, technologies=["LTE"], reference_dbm=REFERENCE_DBM, haste=10)
    address = dialect.address.format(port=box.ready["port"])
    runtime = next(folder.rglob("modem.tty")).parent
    with (
        closing(
            open_attenuator(
                dialect.name,
                address,
                name="attenuator rf",
                lock_folder=folder,
                timeout_s=1.0,
                settings=dialect.settings,
            )
        ) as rf,
        closing(Modem.open(str(runtime / "modem.tty"), name="modem lte")) as modem,
    ):
        modem.wait_until(lambda signal: signal.registered, 10)
        yield rf, modem


def side_door_of(runtime: Path) -> RpcClient:
    return RpcClient(runtime / "attenuator.sock")


def lever(box: Attenuator) -> Lever:
    return Lever("lte-main", lambda loss: box.set(1, loss), lambda: box.get(1), box.maximum, box.step)


def tells(level: float) -> Callable[[Signal], bool]:
    return lambda signal: signal.level is not None and abs(signal.level - level) <= 1


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_the_modem_follows_the_box_until_the_service_is_lost(
    dialect: Dialect, start_device: StartDevice, tmp_path: Path
) -> None:
    with loop(dialect, start_device, tmp_path) as (box, modem):
        for db in range(0, 51, 10):
            assert box.set(1, Decibel(db)) == db
            assert modem.wait_until(tells(REFERENCE_DBM - db), 5).registered
        assert box.set(1, LOST) == LOST
        gone = modem.wait_until(lambda signal: not signal.registered, 10)
        assert (gone.level, gone.technology, modem.registration().status) == (None, None, 2)
        box.set(1, Decibel(0))
        assert modem.wait_until(lambda signal: signal.registered, 10).cell


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_sabotage_is_the_benchs_fault(
    dialect: Dialect, start_device: StartDevice, runtime: Path, tmp_path: Path
) -> None:
    with loop(dialect, start_device, tmp_path) as (box, modem), closing(side_door_of(runtime)) as side_door:
        for fault in ("stuck", "lying", "crossed"):
            side_door.call("fault", kind=fault, channel=1)
            with pytest.raises(BenchTrouble, match=r"disagree|lies|reads back") as caught:
                prove_step(lever(box), modem, Decibel(20), settle_s=0.5)
            assert caught.value.device in ("attenuator rf", "path lte-main"), fault
            assert caught.value.cure
            side_door.call("clear_faults")
            box.set(1, Decibel(10))  # what the box believes may be where its path is not
            box.set(1, Decibel(0))
            modem.wait_until(tells(REFERENCE_DBM), 5)
