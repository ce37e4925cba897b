"""Access points in the bench file, the processes they become, and what faults do to them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rig.bench.description import BenchFile, load_bench
from rig.bench.devices import Devices
from rig.bench.inventory import capabilities
from rig.bench.plan import Places, programs
from rig.bench.restore import process_of
from rig.bench.wireless import Wireless
from rig.errors import BenchTrouble, CallerMistake, DeviceGone
from rig.faults import Action, LateProof, Proof, change_channel, deauthenticate, roam, wifi_vanish, wrong_key

WIFI = Path(__file__).parents[2] / "fixtures/benches/virtual-wifi.yaml"
MAC = "02:00:00:00:01:00"


@pytest.fixture
def on_air() -> BenchFile:
    return load_bench(WIFI)


@pytest.mark.parametrize(
    ("written", "instead", "complaint"),
    [
        ("access_point: ap}", "access_point: other}", "bearers.wifi.access_point: 'other' is not among access_points"),
        ("interface: br-wifi, access", "interface: wlan0, access", "bearers.wifi.interface: is kind wifi on br-wifi"),
        ("standby: true", "standby: false", "services.wifi.standby: is needed beside"),
        ("made for the bench alone", "short", "access_points.ap.passphrase: is none; 8 to 63"),
        ("country: DE", "country: Germany", "access_points.ap.country: 'Germany' is no country"),
        ("channel: 11", "channel: 15", "access_points.ap.channel: there is no channel 15"),
        ("    bridge: br-wifi\n", "", "access_points.ap.bridge: several cells are joined by none"),
        ("    dhcp: {first: 10.64.1.2", "    dhcp: {first: 10.9.1.2", "access_points.ap.dhcp: is not in 10.64.1.0/24"),
        (
            "      access_point: ap",
            "      access_point: elsewhere",
            "simulation.segments.wifi.access_point: 'elsewhere' is not among",
        ),
    ],
)
def test_a_mistake_is_named_with_its_field(
    write_bench: Callable[[str], Path], written: str, instead: str, complaint: str
) -> None:
    text = WIFI.read_text()
    assert written in text
    with pytest.raises(CallerMistake) as caught:
        load_bench(write_bench(text.replace(written, instead)))
    assert complaint in caught.value.what


def test_the_access_point_is_a_process_and_the_terminal_gets_a_supplicant(on_air: BenchFile, places: Places) -> None:
    wanted = {program.name: program for program in programs(on_air, places, [], {})}
    point = wanted["access-points"].settings["access_points"]["ap"]
    assert wanted["access-points"].module == "rig.bearers.wifi.serve"
    assert point["cells"] == [{"interface": "wlan0", "channel": 1}, {"interface": "wlan2", "channel": 11}]
    assert point["dhcp"] == {"first": "10.64.1.2", "last": "10.64.1.2", "lease_s": 3600}
    assert point["names"] == {"acquirer.bench": "10.64.0.10"}
    assert wanted["relay"].settings["load"]["supplicants"] == {
        "wlan1": {
            "ssid": "rig bench", "security": "wpa2", "passphrase": "made for the bench alone", "country": "DE",
            "mhz": [2412, 2437, 2462], "joins_open": False,
        }
    }  # fmt: skip
    assert process_of("access point ap", on_air, "netem") == "access-points"


def test_a_bench_says_what_it_can_do_in_the_air(on_air: BenchFile, virtual: BenchFile) -> None:
    assert {"access point on wifi", "roaming on wifi"} <= set(capabilities(on_air))
    assert not [each for each in capabilities(virtual) if "access point" in each or "roaming" in each]


class FakePoint:
    """An access point that writes down what is asked of it, and says what it was told to say."""

    name = "ap"

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.left = [MAC]
        self.refused = 2
        self.inside: list[Any] = []
        self.trouble: BenchTrouble | None = None
        self.there = True

    def _air(self, *asked: Any, state: str = "ENABLED", **more: Any) -> dict[str, Any]:
        self.asked.append(asked)
        if self.trouble:
            raise self.trouble
        return {"cells": {"wlan0": {"state": state}}, "stations": [], "stations_before": [MAC], **more}

    def vanish(self, silent: bool) -> dict[str, Any]:
        return self._air("vanish", silent, state="DISABLED")

    def deauthenticate(self, mac: str | None, reason: int, disassociate: bool) -> dict[str, Any]:
        return self._air("deauthenticate", mac, reason, disassociate, left=self.left)

    def change_channel(self, channel: int, mac: str | None) -> dict[str, Any]:
        return self._air("change_channel", channel, mac)

    def set_key(self, passphrase: str) -> dict[str, Any]:
        return self._air("set_key", passphrase)

    def roam(self, mac: str | None, hard: bool) -> dict[str, Any]:
        return self._air("roam", mac, hard, roamed=not hard)

    def restore(self) -> dict[str, Any]:
        return self._air("restore")

    def wait_for_refusal(self, _limit_s: float) -> int:
        return self.refused

    def stations(self) -> list[Any]:
        return self.inside

    def wait_for_station(self, _limit_s: float, _mac: str | None) -> None:
        if not self.there:
            raise BenchTrouble("access point ap", "nobody is on it after 60 s")


class Stage:
    """As much of a stage as faults of the air need."""

    def __init__(self, bench: BenchFile) -> None:
        self.point = FakePoint()
        self.events: list[tuple[str, dict[str, Any]]] = []
        points: Any = {"ap": self.point}
        devices = Devices(access_points=points)
        self.wireless = Wireless(bench, devices, lambda kind, data: self.events.append((kind, data)))
        self.act_on_air = self.wireless.act

    def run(self, action: Action) -> Proof | LateProof:
        stage: Any = self
        return action.run(stage)


@pytest.fixture
def stage(on_air: BenchFile) -> Stage:
    return Stage(on_air)


def proof(result: Proof | LateProof) -> Proof:
    return result if isinstance(result, Proof) else result()


def test_each_fault_asks_for_its_act_and_is_proven_by_what_reads_back(stage: Stage) -> None:
    assert proof(stage.run(wifi_vanish("wifi"))).proven
    assert proof(stage.run(deauthenticate("wifi", reason=5))).proven
    assert proof(stage.run(change_channel("wifi", 6))).proven
    assert proof(stage.run(roam("wifi"))).proven
    assert stage.point.asked == [
        ("vanish", True), ("deauthenticate", None, 5, False), ("change_channel", 6, None), ("roam", None, False),
    ]  # fmt: skip
    assert [data["act"] for kind, data in stage.events if kind == "access_point"] == [
        "vanish", "deauthenticate", "change_channel", "roam",
    ]  # fmt: skip


def test_what_did_not_happen_is_not_proven(stage: Stage) -> None:
    stage.point.left = []
    assert not proof(stage.run(deauthenticate("wifi"))).proven
    assert not proof(stage.run(roam("wifi", hard=True))).proven


def test_a_wrong_key_is_proven_by_the_terminal_having_been_refused(stage: Stage) -> None:
    late = stage.run(wrong_key("wifi"))
    assert stage.point.asked[0][1] != "made for the bench alone"
    assert proof(late).proven
    stage.point.refused = 0
    assert not proof(late).proven


def test_a_bearer_by_cable_has_no_access_point(stage: Stage) -> None:
    with pytest.raises(CallerMistake, match="there is one on wifi"):
        stage.run(wifi_vanish("cellular"))


def test_what_cannot_be_restored_is_the_benchs_trouble(stage: Stage) -> None:
    stage.wireless.restore()
    stage.point.trouble = DeviceGone("access point ap", "its process ended")
    with pytest.raises(DeviceGone):
        stage.wireless.restore()


def test_a_terminal_that_does_not_come_back_is_said_to_be_missing_and_the_bench_not_blamed(stage: Stage) -> None:
    stage.wireless.wait_for_stations()
    assert not stage.events
    stage.point.there = False
    stage.wireless.wait_for_stations()
    assert stage.events == [("station_missing", {"bearer": "wifi", "what": "nobody is on it after 60 s"})]
    with pytest.raises(BenchTrouble):
        stage.wireless.wait_for_station("wifi")
