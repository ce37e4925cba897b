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
from rig.rpc import RpcClient, RpcError, RpcServer
from rig.units import Decibel
from rig.virtual.device import check_settings
from rig.virtual.radio import neighbour_level

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


def box_of(attenuator: Any, tmp_path: Path) -> MiniCircuits:
    address = f"TCPIP::127.0.0.1::{attenuator.ready['port']}::SOCKET"
    return MiniCircuits.open(address, name="att", lock_folder=tmp_path / "locks")


def wait_for_state(radio: Any, **wanted: Any) -> dict[str, Any]:
    """The radio's last event, once it says so."""
    deadline = time.monotonic() + 5
    while not (found := radio.events("radio")) or {key: found[-1].data[key] for key in wanted} != wanted:
        assert time.monotonic() < deadline, f"never {wanted}: {[each.data for each in found]}"
        time.sleep(0.01)
    return dict(found[-1].data)


def test_a_path_that_fades_takes_the_modem_down_to_2g_and_back(start_device: StartDevice, tmp_path: Path) -> None:
    attenuator = start_device("attenuator", port=0, start_db=0)
    radio = start_device("radio", link=None, technologies=["LTE", "UTRAN", "GSM"], haste=50)
    box = box_of(attenuator, tmp_path)
    wait_for_state(radio, technology="LTE")
    started = radio.events("started")[0].data
    assert (list(started["technologies"]), started["haste"]) == (["LTE", "UTRAN", "GSM"], 50)
    for db, technology, level in ((52, "UTRAN", -108), (60, "GSM", -99), (70, None, None), (0, "LTE", -70)):
        box.set(1, Decibel(db))
        state = wait_for_state(radio, registered=technology is not None, technology=technology)
        assert level is None or state["rsrp"] == level
    box.close()
    radio.end()


def test_two_paths_in_opposite_directions_hand_the_modem_over(
    start_device: StartDevice, runtime: Path, tmp_path: Path
) -> None:
    link = Link()
    server = link.serve(runtime / "link.sock")
    attenuator = start_device("attenuator", port=0, start_db=0)
    box = box_of(attenuator, tmp_path)
    box.set(2, Decibel(40))
    radio = start_device("radio", neighbour={"channel": 2, "reference_dbm": -72})
    wait_for_state(radio, cell="00C3D4E5", carries=True)
    for step in range(0, 45, 5):
        box.set(1, Decibel(step))
        box.set(2, Decibel(40 - step))
    wait_for_state(radio, cell="00C3D4E6", carries=True)
    assert link.carrier() is True
    deadline = time.monotonic() + 5
    while not any(verb == "set" and call["up"] == {"cut": True} for verb, call in link.calls):
        assert time.monotonic() < deadline, "nothing was interrupted"
        time.sleep(0.01)
    carriers = [call["up"] for verb, call in link.calls if verb == "carrier"]
    assert all(carriers[carriers.index(True) :])  # before it was let in there was none
    box.close()
    server.close()
    radio.end()


def test_a_wrong_apn_leaves_a_signal_and_takes_the_carrier(loop: Loop) -> None:
    loop.link.wait_for_carrier(True)
    loop.modem.attach(False)
    loop.modem.set_apn("wrong.apn")
    loop.modem.attach(True)
    loop.modem.wait_until(lambda signal: signal.registered, 5)
    assert loop.modem.active_contexts() == []
    assert loop.link.carrier() is False
    loop.modem.attach(False)
    loop.modem.set_apn("acquirer.apn")
    loop.modem.attach(True)
    loop.link.wait_for_carrier(True)
    assert loop.modem.active_contexts() == [1]


@pytest.mark.parametrize("technology", ["LTE", "UTRAN", "GSM"])
def test_each_technology_follows_the_attenuator_to_the_decibel_until_it_is_lost(
    start_device: StartDevice, tmp_path: Path, technology: str
) -> None:
    attenuator = start_device("attenuator", port=0, start_db=0)
    radio = start_device("radio", link=None, technologies=[technology], reference_dbm=-65, noise_db=0.1, haste=50)
    box = box_of(attenuator, tmp_path)
    modem = Modem.open(radio.ready["port"], name="modem")
    modem.wait_until(lambda signal: signal.registered, 5)
    for db in (0, 10, 20, 35):
        box.set(1, Decibel(db))
        wait_for_state(radio, rsrp=-65 - db)
        signal = modem.signal()
        assert signal.technology == technology
        assert signal.level == pytest.approx(-65 - db, abs=1.5)
    box.set(1, Decibel(60))
    lost = modem.wait_until(lambda signal: not signal.registered, 5)
    assert lost.level is None
    modem.close()
    box.close()


def test_the_side_door_congests_the_cell_and_breaks_the_modem(loop: Loop, runtime: Path) -> None:
    loop.link.wait_for_carrier(True)
    door = RpcClient(runtime / "radio.sock")
    free = loop.link.shape()["down"]["rate_kbit"]
    door.call("load", share=0.9)
    assert loop.link.shape()["down"]["rate_kbit"] == pytest.approx(free / 10)
    assert door.call("state")["load"] == 0.9
    door.call("load", share=0)
    assert loop.link.shape()["down"]["rate_kbit"] == free
    door.call("fault", kind="sim-missing")
    loop.link.wait_for_carrier(False)
    assert not loop.modem.registration().registered
    door.call("clear_faults")
    loop.link.wait_for_carrier(True)
    for call, why in (({"do": "load", "share": 2}, "load 2"), ({"do": "fault", "kind": "odd"}, "no fault 'odd'")):
        with pytest.raises(RpcError, match=why):
            door.call(str(call.pop("do")), **call)
    door.close()


@pytest.mark.parametrize("neighbour", [{}, {"channel": 2, "chanel": 3}])
def test_a_neighbour_is_named_in_full(neighbour: dict[str, Any]) -> None:
    with pytest.raises(CallerMistake, match="a neighbour has channel"):
        neighbour_level(neighbour)


def test_several_radios_hang_on_several_boxes(start_device: StartDevice, runtime: Path, tmp_path: Path) -> None:
    boxes = {name: start_device("attenuator", name=name, port=0, start_db=0) for name in ("attenuator", "second")}
    radios = {
        "lte": start_device("radio", name="lte", link=None, channel=1, modem="lte.tty"),
        "gprs": start_device("radio", name="gprs", link=None, channel=3, modem="gprs.tty", technologies=["GSM"]),
        "far": start_device("radio", name="far", link=None, attenuator="second", modem="far.tty"),
    }
    for radio in radios.values():
        wait_for_state(radio, registered=True)
    box, other = (box_of(each, tmp_path) for each in boxes.values())
    box.set(3, Decibel(10))
    other.set(1, Decibel(20))
    assert wait_for_state(radios["gprs"], rsrp=-80)["technology"] == "GSM"
    wait_for_state(radios["far"], rsrp=-90)
    assert RpcClient(runtime / "lte.sock").call("state")["level_dbm"] == -70
    box.close()
    other.close()


def test_a_misspelt_setting_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CallerMistake, match="device radio: unknown settings referense_dbm"):
        check_settings({"name": "radio", "referense_dbm": -70}, {"reference_dbm"})
