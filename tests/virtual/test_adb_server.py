"""The simulated Android tells of the same radio as the AT modem beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rig.errors import BenchTrouble, DeviceGone, DeviceMute, DeviceNonsense
from rig.instruments.android import Android
from rig.instruments.closed_loop import Lever, prove_step, set_signal
from rig.instruments.minicircuits import MiniCircuits
from rig.instruments.modem import Modem
from rig.rpc import RpcClient
from rig.units import Dbm, Decibel


@dataclass
class Phone:
    android: Android
    modem: Modem
    lever: Lever
    address: str
    server: Any
    door: RpcClient
    radio_door: RpcClient


@pytest.fixture
def phone(start_device: Callable[..., Any], runtime: Path, tmp_path: Path) -> Iterator[Phone]:
    attenuator = start_device("attenuator", port=0, start_db=0)
    radio = start_device("radio", channel=1, link=None, technologies=["LTE", "UTRAN"], sims=[{}, None])
    server = start_device("adb_server", port=0, phones=2)
    visa = f"TCPIP::127.0.0.1::{attenuator.ready['port']}::SOCKET"
    box = MiniCircuits.open(visa, name="att", lock_folder=tmp_path / "locks")
    modem = Modem.open(radio.ready["port"], name="modem")
    address = f"127.0.0.1:{server.ready['port']}"
    android = Android.open(address, "RIG0001", name="phone")
    android.wait_until(lambda signal: signal.registered, 5, poll_s=0.02)
    lever = Lever("main", lambda loss: box.set(1, loss), lambda: box.get(1), box.maximum, box.step)
    door, radio_door = (RpcClient(runtime / f"{name}.sock") for name in ("adb_server", "radio"))
    yield Phone(android, modem, lever, address, server, door, radio_door)
    door.close()
    radio_door.close()
    modem.close()
    box.close()


def test_both_readers_tell_the_same(phone: Phone) -> None:
    assert phone.android.identity == "pos-rig Simulated Android Android 12"
    for loss in (0, 20):
        prove_step(phone.lever, phone.android, Decibel(loss))
        seen, told = phone.android.signal(), phone.modem.signal()
        assert seen.level == pytest.approx(told.level, abs=2)
        for name in ("technology", "registered", "cell", "area", "operator", "sim", "slot"):
            assert getattr(seen, name) == getattr(told, name), name


def test_the_closed_loop_by_android_and_its_fallback(phone: Phone) -> None:
    assert set_signal(phone.lever, phone.android, Dbm(-90)).after.level == pytest.approx(-90, abs=2)
    phone.lever.set(Decibel(52))
    fallen = phone.android.wait_until(lambda signal: signal.technology == "UTRAN", 5, poll_s=0.02)
    assert fallen.registered
    phone.lever.set(Decibel(95))
    phone.android.wait_until(lambda signal: not signal.registered and signal.level is None, 5, poll_s=0.02)
    phone.server.end()


def test_the_other_slot_and_a_pulled_card(phone: Phone) -> None:
    phone.radio_door.call("fault", kind="sim-missing")
    assert phone.android.signal().sim == phone.modem.signal().sim == "missing"
    phone.radio_door.call("clear_faults")
    phone.modem.use_slot(1)
    with pytest.raises(BenchTrouble, match="SIM: missing") as caught:
        phone.modem.wait_until(lambda signal: signal.registered, 0)
    assert "choose the other slot" in caught.value.cure
    phone.modem.use_slot(0)
    assert phone.modem.wait_until(lambda signal: signal.registered, 5).slot == 0


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("unauthorized", DeviceGone),
        ("offline", DeviceGone),
        ("unplugged", DeviceGone),
        ("mute", DeviceMute),
        ("no-telephone", DeviceNonsense),
    ],
)
def test_each_fault_is_named_and_mended(phone: Phone, kind: str, error: type[BenchTrouble]) -> None:
    reader = Android.open(phone.address, name="phone", timeout_s=0.3)
    phone.door.call("fault", kind=kind)
    with pytest.raises(error, match="phone"):
        reader.signal()
    phone.door.call("clear_faults")
    assert reader.signal().registered
