"""Paths and bearers by name: what is set is read back, what is asked wrongly is refused, what is off comes back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rig.bench.carding import Carding
from rig.bench.description import BenchFile, load_bench
from rig.bench.devices import Devices
from rig.bench.plan import Places
from rig.bench.signals import Signals
from rig.bench.stage import BenchStage
from rig.errors import BenchTrouble, CallerMistake, DeviceGone
from rig.instruments.signal import Signal
from rig.instruments.switch import PortState
from rig.units import Dbm, Decibel
from tests.bench.test_calibration import BEARERS, Box

Event = tuple[str, dict[str, Any]]


@pytest.fixture
def bench() -> BenchFile:
    return load_bench(BEARERS)


class Told(list[Event]):
    """The events that were written."""

    def write(self, kind: str, data: dict[str, Any]) -> None:
        self.append((kind, data))

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [data for each, data in self if each == kind]


def signals(bench: BenchFile, box: Box, told: Told) -> Signals:
    devices = Devices()
    devices.attenuators["rf"] = box
    devices.modems["lte"] = box
    return Signals(bench, devices, told.write)


def test_a_level_is_reached_and_told(bench: BenchFile) -> None:
    told = Told()
    step = signals(bench, Box(), told).set_signal("lte-main", Dbm(-100))
    assert step.after.level == pytest.approx(-100, abs=2)
    assert told.of("signal_set")[-1]["to_db"] == step.to_db
    assert told.of("attenuation")[-1] == {"path": "lte-main", "asked": step.to_db, "read_back": step.to_db}


def test_all_antennas_of_a_path_are_set_alike(bench: BenchFile) -> None:
    both = bench.paths["lte-main"].model_copy(update={"channel": None, "channels": (1, 2)})
    box = Box()
    of_both = bench.model_copy(update={"paths": {"lte-main": both}})
    signals(of_both, box, Told()).attenuate("lte-main", Decibel(12))
    assert box.asked == [12, 12]


def test_a_box_that_is_not_felt_is_the_benchs_trouble(bench: BenchFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rig.instruments.closed_loop.SETTLE_S", 0.1)
    with pytest.raises(BenchTrouble, match="path lte-main: attenuator and reader disagree"):
        signals(bench, Box(felt=0), Told()).prove_step("lte-main", Decibel(20))


@pytest.mark.parametrize("call", ["attenuate", "set_signal", "prove_step"])
def test_an_unknown_path_is_refused_with_those_there_are(bench: BenchFile, call: str) -> None:
    box = Box()
    with pytest.raises(CallerMistake, match=r"no such RF path on this bench \(there are lte-main, umts-main"):
        getattr(signals(bench, box, Told()), call)("nowhere", Decibel(10))
    assert not box.asked


def test_without_a_reader_a_level_cannot_be_asked_for(bench: BenchFile) -> None:
    deaf = bench.model_copy(update={"modems": {}})
    box = Box()
    with pytest.raises(BenchTrouble, match="nobody reads a signal at its end"):
        signals(deaf, box, Told()).set_signal("lte-main", Dbm(-100))
    assert not box.asked


def test_a_missing_sim_is_named_where_service_is_awaited(bench: BenchFile) -> None:
    class Empty(Box):
        def signal(self) -> Signal:
            return Signal("LTE", Dbm(-70), sim="missing")

    told = Told()
    with pytest.raises(BenchTrouble, match=r"lte: .*the SIM is missing: put it in"):
        signals(bench, Empty(), told).wait_for_service(["lte"])


class Port:
    """A switch's port."""

    name = "port 1 of switch desk"
    identity = "port 1"

    def __init__(self) -> None:
        self.state = PortState(enabled=True, link=True, powered=None)
        self.gone = False

    def read(self) -> PortState:
        if self.gone:
            raise DeviceGone("switch desk", "does not answer", "is it powered?")
        return self.state

    def down(self) -> PortState:
        self.state = replace(self.read(), enabled=False, link=False)
        return self.state

    def up(self) -> PortState:
        self.state = replace(self.read(), enabled=True, link=True)
        return self.state

    def power_off(self) -> PortState:
        return self.read()

    def power_on(self) -> PortState:
        return self.read()

    def close(self) -> None:
        pass


class Link:
    """A link whose carrier can be lost."""

    def __init__(self) -> None:
        self.carrier = True

    def read(self) -> Any:
        return self

    def set_carrier(self, up: bool) -> None:
        self.carrier = up


class Bearer:
    def __init__(self, name: str) -> None:
        self.name, self.link = name, Link()

    def off(self) -> dict[str, Any]:
        self.link.carrier = False
        return {"read_back": {"carrier": False}}

    def restore(self) -> dict[str, Any]:
        self.link.carrier = True
        return {"read_back": {"carrier": True}}


@pytest.fixture
def of_all(bench: BenchFile, places: Places) -> tuple[BenchStage, Devices, Told]:
    """A stage with a bearer of each way to be switched off: a path, a port, a link alone."""
    told, devices, box = Told(), Devices(), Box()
    names = ("wifi", "ethernet", "lte")
    devices.bearers.update({name: Bearer(name) for name in names})  # type: ignore[misc]
    devices.attenuators["rf"] = box
    devices.modems["lte"] = box
    devices.plugs["ethernet"] = Port()
    small = bench.model_copy(
        update={
            "bearers": {name: bench.bearers[name] for name in names},
            "paths": {"lte-main": bench.paths["lte-main"]},
            "modems": {"lte": bench.modems["lte"]},
        }
    )
    carding = Carding(places.run, lambda _: True, devices)
    return BenchStage(small, devices, carding, Path(places.run), told.write), devices, told


def state(devices: Devices) -> dict[str, bool]:
    """Whether each bearer is there."""
    port = devices.plugs["ethernet"].read()
    return {
        "wifi": devices.bearers["wifi"].link.read().carrier,
        "ethernet": bool(port.enabled and port.link),
        "lte": devices.modems["lte"].signal().registered,
    }


@pytest.mark.parametrize("only", [(), ("wifi",), ("ethernet",), ("lte",), ("wifi", "lte")])
def test_all_but_those_asked_for_are_off_each_in_its_way(
    of_all: tuple[BenchStage, Devices, Told], only: tuple[str, ...]
) -> None:
    stage, devices, _ = of_all
    stage.use_only(*only)
    assert state(devices) == {name: name in only for name in devices.bearers}
    for name in devices.bearers:
        stage.bring_back(name)
    assert all(state(devices).values())


def test_switching_off_is_proven_by_who_can_tell(of_all: tuple[BenchStage, Devices, Told]) -> None:
    stage, devices, told = of_all
    proofs = {name: stage.switch_bearer_off(name) for name in devices.bearers}
    assert all(proof.proven for proof in proofs.values())
    assert proofs["lte"].evidence["registered"] is False
    assert told.of("port")[-1]["up"] is False


def test_an_unknown_bearer_is_refused_and_nothing_switched(of_all: tuple[BenchStage, Devices, Told]) -> None:
    stage, devices, _ = of_all
    for call in (stage.use_only, stage.bring_back, stage.switch_bearer_off):
        with pytest.raises(CallerMistake, match=r"no such bearer on this bench \(there are wifi, ethernet, lte\)"):
            call("satellite")
    assert all(state(devices).values())


def test_a_switch_that_is_gone_is_told(of_all: tuple[BenchStage, Devices, Told]) -> None:
    stage, devices, _ = of_all
    devices.plugs["ethernet"].gone = True  # type: ignore[attr-defined]
    with pytest.raises(DeviceGone, match="switch desk"):
        stage.use_only("wifi")
