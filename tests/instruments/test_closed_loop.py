"""The closed loop over real simulated devices, and its steps over a path that a test rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.errors import BenchTrouble, CallerMistake, DeviceGone
from rig.instruments.closed_loop import Lever, prove_step, set_signal
from rig.instruments.minicircuits import MiniCircuits
from rig.instruments.modem import Modem
from rig.instruments.signal import Signal, SignalReader, wait_for_signal
from rig.rpc import RpcClient
from rig.units import Dbm, Decibel
from tests.virtual.conftest import runtime, start_device

__all__ = ["runtime", "start_device"]


@dataclass
class Air:
    """A path and a reader at its end: what arrives is what leaves, less what is attenuated and felt."""

    level: float = -70.0
    attenuation: float = 0.0
    felt: float = 1.0
    edge: float = -200.0
    cells: tuple[str, ...] = ("1",)
    name: str = "ear"
    identity: str = "ear"
    gone: bool = False
    asked: list[float] = field(default_factory=list)

    @property
    def lever(self) -> Lever:
        return Lever("main", self._set, lambda: Decibel(self.attenuation), Decibel(95), Decibel(0.25))

    def _set(self, loss: Decibel) -> Decibel:
        self.attenuation = loss
        self.asked.append(loss)
        return loss

    def signal(self) -> Signal:
        if self.gone:
            raise DeviceGone(self.name, "is gone", "plug it in")
        level = round(self.level - self.felt * self.attenuation)
        cell = self.cells[min(len(self.asked), len(self.cells) - 1)]
        if level < self.edge:
            return Signal(sim="ready")
        return Signal("LTE", Dbm(level), registered=True, cell=cell, sim="ready")

    def wait_until(self, wanted: Callable[[Signal], bool], limit_s: float, poll_s: float = 0.1) -> Signal:
        return wait_for_signal(self.name, self.signal, lambda _: None, wanted, 0, poll_s)

    def close(self) -> None:
        pass


@given(st.floats(-90, -40), st.floats(0, 60), st.floats(-140, -40))
def test_a_level_that_the_path_can_do_is_reached_and_another_refused(level: float, at: float, wanted: float) -> None:
    air = Air(level=level, attenuation=round(at * 4) / 4)
    assert isinstance(air, SignalReader)
    weakest, strongest = round(air.level - air.attenuation) + air.attenuation - 95, level
    try:
        step = set_signal(air.lever, air, Dbm(wanted))
    except CallerMistake:
        assert not weakest + 1 < wanted < strongest - 1
        return
    assert step.after.level is not None
    assert abs(step.after.level - wanted) <= 2
    assert step.after == air.signal()
    assert len(air.asked) <= 4


def test_a_level_without_service_begins_at_no_attenuation() -> None:
    air = Air(attenuation=90, edge=-120)
    assert set_signal(air.lever, air, Dbm(-100)).after.level == pytest.approx(-100, abs=2)
    assert air.asked[0] == 0


def test_a_level_beyond_the_edge_is_told() -> None:
    air = Air(edge=-110)
    with pytest.raises(BenchTrouble, match="path main: ear lost its service on the way from -70 to -120 dBm"):
        set_signal(air.lever, air, Dbm(-120))


def test_a_level_by_another_cell_is_told() -> None:
    air = Air(cells=("1", "2"))
    with pytest.raises(BenchTrouble, match=r"went to another cell or technology on the way to -100 dBm: .*cell 2"):
        set_signal(air.lever, air, Dbm(-100))


def test_a_level_outside_what_the_path_can_do_is_refused() -> None:
    air = Air()
    with pytest.raises(CallerMistake, match="path main: -50 dBm is outside what it can do") as caught:
        set_signal(air.lever, air, Dbm(-50))
    assert caught.value.cure == "ask for -165 to -70 dBm"


def test_a_step_to_another_cell_is_not_judged() -> None:
    air = Air(cells=("1", "2"), felt=0.0)
    step = prove_step(air.lever, air, Decibel(20), settle_s=0)
    assert not step.comparable
    assert step.missed_db is None
    assert step.as_dict()["missed_db"] is None


def test_a_step_that_ends_the_service_is_not_judged() -> None:
    air = Air(edge=-120)
    assert not prove_step(air.lever, air, Decibel(60)).comparable


@pytest.mark.parametrize(("felt", "cure"), [(0.0, "stuck or lies, another channel"), (0.5, "main and diversity")])
def test_a_step_that_is_not_felt_is_the_benchs_fault(felt: float, cure: str) -> None:
    air = Air(felt=felt)
    with pytest.raises(BenchTrouble, match=r"path main: attenuator and reader disagree: .* from 0 to 20 dB") as caught:
        prove_step(air.lever, air, Decibel(20), settle_s=0)
    assert cure in caught.value.cure


def test_a_reader_that_goes_is_its_own_trouble() -> None:
    air = Air()

    def pull(loss: Decibel) -> Decibel:
        air.gone = True
        return loss

    lever = replace(air.lever, set=pull)
    with pytest.raises(DeviceGone, match="ear"):
        prove_step(lever, air, Decibel(20), settle_s=0)


@dataclass
class Rig:
    lever: Lever
    modem: Modem
    fault: Callable[..., Any]


@pytest.fixture(params=["LTE"])
def rig(
    request: pytest.FixtureRequest, start_device: Callable[..., Any], runtime: Path, tmp_path: Path
) -> Iterator[Rig]:
    attenuator = start_device("attenuator", port=0, start_db=0)
    radio = start_device("radio", channel=2, link=None, technologies=[request.param])
    address = f"TCPIP::127.0.0.1::{attenuator.ready['port']}::SOCKET"
    box = MiniCircuits.open(address, name="att", lock_folder=tmp_path / "locks")
    modem = Modem.open(radio.ready["port"], name="modem")
    modem.wait_until(lambda signal: signal.registered, 5)
    lever = Lever("lte-main", lambda loss: box.set(2, loss), lambda: box.get(2), box.maximum, box.step)
    door = RpcClient(runtime / "attenuator.sock")
    yield Rig(lever, modem, lambda kind: door.call("fault", kind=kind))
    modem.close()
    box.close()
    door.close()


def test_steps_over_the_wire_are_felt(rig: Rig) -> None:
    for loss in (10, 30, 5):
        step = prove_step(rig.lever, rig.modem, Decibel(loss))
        assert step.missed_db is not None
        assert abs(step.missed_db) <= 2
    prove_step(rig.lever, rig.modem, Decibel(60))
    rig.modem.wait_until(lambda signal: not signal.registered, 5)
    assert not prove_step(rig.lever, rig.modem, Decibel(50)).comparable
    assert set_signal(rig.lever, rig.modem, Dbm(-95)).after.level == pytest.approx(-95, abs=2)


@pytest.mark.parametrize("rig", ["UTRAN", "GSM"], indirect=True)
def test_the_level_of_other_technologies_is_reached_too(rig: Rig) -> None:
    reached = set_signal(rig.lever, rig.modem, Dbm(-90)).after
    assert reached.level == pytest.approx(-90, abs=2)
    assert reached.technology in ("UTRAN", "GSM")
    assert reached.rsrp is None


def test_a_box_that_lies_is_found_by_the_reader(rig: Rig) -> None:
    rig.fault("lying")
    with pytest.raises(BenchTrouble, match="path lte-main: attenuator and reader disagree"):
        prove_step(rig.lever, rig.modem, Decibel(20), settle_s=0.3)


def test_a_box_that_is_stuck_is_told(rig: Rig) -> None:
    rig.fault("stuck")
    with pytest.raises(BenchTrouble):
        prove_step(rig.lever, rig.modem, Decibel(20), settle_s=0.3)
