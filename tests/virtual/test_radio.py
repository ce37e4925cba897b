"""The closed loop: attenuation set over VISA, read back as signal over AT, felt by the cellular link."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from rig.errors import CallerMistake
from rig.instruments.minicircuits import MiniCircuits
from rig.instruments.modem import Modem
from rig.rpc import RpcClient, RpcServer
from rig.units import Decibel
from rig.virtual.device import check_settings

StartDevice = Callable[..., Any]


@dataclass
class Link:
    """Stands for the bench's link: records what the radio asks of it."""

    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    came: threading.Condition = field(default_factory=threading.Condition)

    def serve(self, path: Path) -> RpcServer:
        return RpcServer(path, {verb: self._recorder(verb) for verb in ("set", "carrier")})

    def _recorder(self, verb: str) -> Callable[..., None]:
        def record(**arguments: Any) -> None:
            with self.came:
                self.calls.append((verb, arguments))
                self.came.notify_all()

        return record

    def wait_for_carrier(self, up: bool) -> None:
        with self.came:
            assert self.came.wait_for(lambda: self.carrier() is up, 5), f"carrier never {up}: {self.calls}"

    def carrier(self) -> bool | None:
        return next((call["up"] for verb, call in reversed(self.calls) if verb == "carrier"), None)

    def shape(self) -> dict[str, Any]:
        return next(call for verb, call in reversed(self.calls) if verb == "set")


@dataclass
class Loop:
    attenuator: Any
    radio: Any
    box: MiniCircuits
    modem: Modem
    link: Link


@pytest.fixture
def loop(start_device: StartDevice, runtime: Path, tmp_path: Path) -> Iterator[Loop]:
    link = Link()
    server = link.serve(runtime / "link.sock")
    attenuator = start_device("attenuator", port=0, start_db=0)
    radio = start_device("radio", channel=2)
    address = f"TCPIP::127.0.0.1::{attenuator.ready['port']}::SOCKET"
    box = MiniCircuits.open(address, name="att", lock_folder=tmp_path / "locks")
    modem = Modem.open(radio.ready["port"], name="modem")
    modem.wait_until(lambda signal: signal.registered, 5)
    yield Loop(attenuator, radio, box, modem, link)
    modem.close()
    box.close()
    server.close()


def level(modem: Modem) -> float:
    signal = modem.signal()
    assert signal.rsrp is not None
    return signal.rsrp


@pytest.mark.parametrize("step", [10, 20, 40])
def test_a_step_of_the_attenuator_is_the_same_step_of_the_signal(loop: Loop, step: float) -> None:
    before = loop.modem.signal()
    loop.box.set(2, Decibel(step))
    loop.radio.wait_for("radio", 3)
    after = loop.modem.signal()
    assert before.rsrp is not None
    assert after.rsrp is not None
    assert before.rsrp - after.rsrp == pytest.approx(step, abs=2)
    assert (before.cell, before.technology) == (after.cell, after.technology) == ("00C3D4E5", "LTE")


def test_another_channel_is_another_path(loop: Loop) -> None:
    before = level(loop.modem)
    loop.box.set(1, Decibel(40))
    assert level(loop.modem) == pytest.approx(before, abs=2)


def test_a_box_that_lies_is_seen_in_the_signal_alone(loop: Loop, runtime: Path) -> None:
    before = level(loop.modem)
    RpcClient(runtime / "attenuator.sock").call("fault", kind="lying")
    assert loop.box.set(2, Decibel(20)) == Decibel(20)
    assert level(loop.modem) == pytest.approx(before, abs=2)


def test_service_is_lost_and_found_and_the_link_follows(loop: Loop) -> None:
    loop.link.wait_for_carrier(True)
    good = loop.link.shape()
    assert good["link"] == "air"
    assert set(good["up"]) == {"delay_ms", "jitter_ms", "loss_percent", "rate_kbit"}

    began = time.monotonic()
    loop.box.set(2, Decibel(52))
    lost = loop.modem.wait_until(lambda signal: not signal.registered, 5)
    assert 0.1 < time.monotonic() - began < 2
    assert (lost.rsrp, lost.technology) == (None, None)
    assert loop.modem.active_contexts() == []
    loop.link.wait_for_carrier(False)
    assert loop.link.shape()["down"]["rate_kbit"] < good["down"]["rate_kbit"]

    loop.box.set(2, Decibel(0))
    loop.modem.wait_until(lambda signal: signal.registered, 5)
    assert loop.modem.active_contexts() == [1]
    loop.link.wait_for_carrier(True)
    assert loop.link.shape() == good
    last = loop.radio.events("radio")[-1].data
    assert last == {
        "rsrp": -70.0, "registered": True, "technology": "LTE", "cell": "00C3D4E5", "carries": True,
    }  # fmt: skip
    loop.radio.end()


def test_a_link_that_comes_back_is_told_everything_anew(start_device: StartDevice, runtime: Path) -> None:
    start_device("attenuator", port=0, start_db=0)
    radio = start_device("radio")
    first = Link()
    server = first.serve(runtime / "link.sock")
    first.wait_for_carrier(True)
    server.close()
    second = Link()
    server = second.serve(runtime / "link.sock")
    second.wait_for_carrier(True)
    assert second.shape() == first.shape()
    server.close()
    radio.end()


def test_an_attenuator_that_comes_back_is_followed_again(start_device: StartDevice) -> None:
    attenuator = start_device("attenuator", port=0, start_db=0)
    radio = start_device("radio", link=None)
    radio.wait_for("radio", 2)
    attenuator.end()
    start_device("attenuator", port=0, start_db=20)
    assert radio.wait_for("radio", 3)[-1].data["rsrp"] == -90.0


def test_a_modem_nobody_reads_goes_on(start_device: StartDevice, runtime: Path, tmp_path: Path) -> None:
    attenuator = start_device("attenuator", port=0, start_db=0)
    radio = start_device("radio", link=None, detach_ms=0, reattach_ms=0)
    modem = Modem.open(radio.ready["port"], name="modem")  # switches unsolicited lines on
    modem.close()
    address = f"TCPIP::127.0.0.1::{attenuator.ready['port']}::SOCKET"
    box = MiniCircuits.open(address, name="att", lock_folder=tmp_path / "locks")
    for _ in range(150):
        box.set(1, Decibel(95))
        box.set(1, Decibel(0))
    box.close()
    modem = Modem.open(radio.ready["port"], name="modem")
    assert modem.wait_until(lambda signal: signal.registered, 5).rsrp is not None
    modem.close()
    radio.end()


def test_a_misspelt_setting_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CallerMistake, match="device radio: unknown settings referense_dbm"):
        check_settings({"name": "radio", "referense_dbm": -70}, {"reference_dbm"})
