"""What lies in a bearer's way besides its link is at rest again: the port of its cable, the key of its base."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rig.bench import restore
from rig.bench.description import BenchFile, load_bench
from rig.bench.plan import Places
from rig.bench.restore import process_of, restore_bench
from rig.errors import DeviceMute, DeviceNonsense
from rig.instruments.switch import PortState

BEARERS = Path(__file__).parents[2] / "fixtures/benches/virtual-bearers.yaml"


class Port:
    """A port that was left down, without power."""

    def __init__(self, obeys: bool) -> None:
        self.state = PortState(enabled=False, link=False, powered=False)
        self._obeys = obeys

    def read(self) -> PortState:
        return self.state

    def up(self) -> PortState:
        if not self._obeys:
            raise DeviceNonsense("port 1 of switch desk", "took ifAdminStatus.1 = 1 and reads back 2", "is it locked?")
        self.state = PortState(enabled=True, link=False, powered=self.state.powered)
        return self.state

    def power_on(self) -> PortState:
        self.state = PortState(enabled=True, link=False, powered=True)
        return self.state

    def close(self) -> None:
        pass


class Relay:
    def __init__(self, story: list[str], name: str) -> None:
        self._story, self._name = story, name

    def on(self) -> None:
        self._story.append(f"{self._name} on")

    def off(self) -> None:
        self._story.append(f"{self._name} off")

    def read(self) -> bool:
        return f"{self._name} off" not in self._story[-1:]

    def close(self) -> None:
        pass


class Opener:
    """The port and the relays answer; nobody else does."""

    story: list[str]
    obeys = True

    def __init__(self, *_: object) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        raise DeviceMute(name, "no answer")

    def relay(self, name: str) -> Relay:
        return Relay(self.story, name)

    def plug(self, bearer: str) -> Port:
        assert bearer == "ethernet"
        return Port(self.obeys)


@pytest.fixture
def bench() -> BenchFile:
    return load_bench(BEARERS)


def restored(monkeypatch: pytest.MonkeyPatch, bench: BenchFile, places: Places, obeys: bool = True) -> dict[str, Any]:
    monkeypatch.setattr(restore, "DeviceOpener", Opener)
    monkeypatch.setattr(Opener, "story", [], raising=False)
    monkeypatch.setattr(Opener, "obeys", obeys)
    assert bench.simulation is not None
    living = ["acquirer", "services", *bench.simulation.devices]
    return {each.device: each for each in restore_bench(bench, places, "netem", living, lambda *_: None)}


def test_a_port_is_up_and_gives_power(monkeypatch: pytest.MonkeyPatch, bench: BenchFile, places: Places) -> None:
    port = restored(monkeypatch, bench, places)["port of ethernet"]
    assert port.clean
    assert port.detail == {"read_back": {"enabled": True, "link": False, "powered": True}}


def test_a_port_that_does_not_follow_is_not_clean(
    monkeypatch: pytest.MonkeyPatch, bench: BenchFile, places: Places
) -> None:
    port = restored(monkeypatch, bench, places, obeys=False)["port of ethernet"]
    assert not port.clean
    assert "reads back 2" in port.detail["why"]


def test_a_base_lets_its_terminal_pair_again_before_its_relays_are_closed(
    monkeypatch: pytest.MonkeyPatch, bench: BenchFile, places: Places
) -> None:
    base = restored(monkeypatch, bench, places)["base of bluetooth"]
    assert base.detail == {"read_back": {"pressed_s": 0.1, "closed": True}}
    assert Opener.story == ["unpair off", "unpair on", "base on", "unpair on", "line on"]


def test_both_are_processes_of_a_virtual_bench(bench: BenchFile) -> None:
    assert process_of("port of ethernet", bench, "netem") == "desk-switch"
    assert process_of("base of bluetooth", bench, "netem") == "relay"
    assert process_of("attenuator short", bench, "netem") == "short"
    assert process_of("attenuator rf", bench, "netem") == "attenuator"
