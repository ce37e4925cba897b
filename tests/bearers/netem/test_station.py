"""One terminal among others on a shared interface: impaired by its MAC address, its neighbours untouched."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import pytest

from rig.bearers.impairment import CLEAN, CUT, Impairment
from rig.bearers.interface import disable_offloads, set_up
from rig.bearers.kernel import kernel_session
from rig.bearers.link import ReadBack
from rig.bearers.netem import NetemLink, reconcile
from rig.bearers.netspace import in_namespace, new_namespace
from rig.errors import BenchTrouble, CallerMistake
from tests.bearers.conftest import Probe, udp_socket
from tests.bearers.netem.bench import require_netem, run_tc

pytestmark = pytest.mark.netem
T = TypeVar("T")
MACS = ["02:00:00:00:01:00", "02:00:00:00:02:00", "02:00:00:00:03:00"]
HOST = "10.64.9.1"
SLOW = Impairment(delay_ms=80)


@pytest.fixture(scope="module", autouse=True)
def kernel_with_netem() -> None:
    require_netem()


@dataclass(frozen=True)
class AccessPoint:
    """``ap0`` in one namespace; its far end is the air, with a MAC address and a namespace for each station."""

    namespace: int
    probes: list[Probe]
    links: list[NetemLink]

    def inside(self, function: Callable[[], T]) -> T:
        return in_namespace(self.namespace, function)

    def apply(self, number: int, up: Impairment, down: Impairment) -> ReadBack:
        return self.inside(lambda: self.links[number].apply(up, down))

    def clear(self, number: int) -> None:
        self.inside(self.links[number].clear)

    def tc(self, *words: str) -> str:
        return self.inside(lambda: run_tc(*words))

    def interfaces(self) -> list[str]:
        def look() -> list[str]:
            with kernel_session("test") as kernel:
                return sorted(link.get("ifname") for link in kernel.get_links())

        return self.inside(look)

    def untouched(self) -> bool:
        return "7c1" not in self.tc("qdisc", "show") and self.interfaces() == ["ap0", "lo"]


@pytest.fixture
def access_point() -> Iterator[AccessPoint]:
    namespace, air = new_namespace(), new_namespace()
    stations = [new_namespace() for _ in MACS]

    def build_air() -> None:
        with kernel_session("test") as kernel:
            kernel.link("add", ifname="air", kind="veth", peer={"ifname": "ap0", "net_ns_fd": namespace})
            below = kernel.link_lookup(ifname="air")[0]
            disable_offloads("air")
            set_up("air", True)
            for mac, station in zip(MACS, stations, strict=True):
                kernel.link(
                    "add", ifname="wlan0", kind="macvlan", link=below, address=mac, macvlan_mode="bridge",
                    net_ns_fd=station,
                )  # fmt: skip

    def address(interface: str, address: str) -> None:
        with kernel_session("test") as kernel:
            kernel.addr("add", index=kernel.link_lookup(ifname=interface)[0], address=address, prefixlen=24)
        disable_offloads(interface)
        set_up(interface, True)

    in_namespace(air, build_air)
    in_namespace(namespace, lambda: address("ap0", HOST))
    probes, links = [], []
    for number, station in enumerate(stations):
        own = f"10.64.9.{10 + number}"
        in_namespace(station, lambda own=own: address("wlan0", own))  # type: ignore[misc]
        probes.append(Probe(udp_socket(station, own, 0), udp_socket(namespace, HOST, 0)))
        links.append(in_namespace(namespace, lambda mac=MACS[number]: NetemLink("wifi", "ap0", mac)))  # type: ignore[misc]
    for probe in probes:
        probe.send(True, 1)
        probe.host.settimeout(5)
        assert probe.host.recv(100)
    yield AccessPoint(namespace, probes, links)
    for link in links:
        link.close()
    for probe in probes:
        probe.close()
    for each in (namespace, air, *stations):
        os.close(each)


@pytest.mark.parametrize("up", [True, False], ids=["up", "down"])
def test_one_is_slow_and_the_others_are_not(access_point: AccessPoint, up: bool) -> None:
    access_point.apply(0, SLOW if up else CLEAN, CLEAN if up else SLOW)
    assert access_point.probes[0].median_ms(up, 8) == pytest.approx(80, abs=20)  # a virtual kernel's timer is coarse
    assert access_point.probes[0].median_ms(not up, 8) < 20
    for other in access_point.probes[1:]:
        assert other.median_ms(True, 8) < 20
        assert other.median_ms(False, 8) < 20


def test_the_carrier_that_others_share_is_not_taken(access_point: AccessPoint) -> None:
    with pytest.raises(CallerMistake, match="carries other stations too"):
        access_point.inside(lambda: access_point.links[0].carrier(False))


def test_several_come_and_go_independently(access_point: AccessPoint) -> None:
    access_point.apply(0, CUT, CUT)
    access_point.apply(1, SLOW, CLEAN)
    access_point.apply(2, CLEAN, Impairment(loss_percent=100))
    assert not access_point.probes[0].passes(True)
    assert not access_point.probes[2].passes(False)
    assert access_point.probes[2].passes(True)
    access_point.clear(0)
    assert access_point.probes[0].passes(True)
    assert access_point.probes[0].passes(False)
    access_point.inside(access_point.links[1].read).require("wifi", SLOW, CLEAN)
    assert not access_point.probes[2].passes(False)
    access_point.clear(2)
    assert access_point.probes[1].median_ms(True, 5) == pytest.approx(80, abs=20)
    assert not access_point.untouched()
    access_point.clear(1)
    assert access_point.untouched()


def test_a_station_is_read_and_cleared_by_another_process(access_point: AccessPoint) -> None:
    access_point.apply(0, SLOW, CUT)
    access_point.apply(1, SLOW, SLOW)
    program = (
        "from rig.bearers.netem import NetemLink; "
        f"link = NetemLink('wifi', 'ap0', {MACS[0].upper()!r}); "
        "print(link.read().up, '|', link.read().down); link.clear()"
    )

    def other() -> str:
        return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout

    assert access_point.inside(other) == "80 ms | cut\n"
    assert access_point.probes[0].passes(False)
    access_point.inside(access_point.links[1].read).require("wifi", SLOW, SLOW)
    access_point.apply(0, CLEAN, SLOW)  # the first process goes on: its places are looked up anew
    assert access_point.probes[0].median_ms(False, 5) == pytest.approx(80, abs=20)


def test_tc_sees_the_class_the_filter_and_the_netem(access_point: AccessPoint) -> None:
    access_point.apply(0, SLOW, Impairment(delay_ms=20, loss_percent=1))
    queues = access_point.tc("-d", "qdisc", "show", "dev", "ap0")
    assert re.search(r"qdisc htb 7c12: root refcnt \d+ r2q 10 default 0", queues)
    assert "parent 7c12:" in queues
    assert "delay 20ms loss 1%" in queues
    classes = access_point.tc("-d", "class", "show", "dev", "ap0")
    assert "root leaf 7c" in classes
    assert "quantum 60000 rate 34359Mbit ceil 34359Mbit linklayer ethernet" in classes
    into_class = access_point.tc("filter", "show", "dev", "ap0", "parent", "7c12:")
    assert f"dst_mac {MACS[0]}" in into_class
    assert "protocol all pref 31761 flower" in into_class
    coming = access_point.tc("filter", "show", "dev", "ap0", "ingress")
    assert f"src_mac {MACS[0]}" in coming
    assert "mirred (Egress Redirect to device rig" in coming


def test_counters_and_prepared_steps_are_a_stations_own(access_point: AccessPoint) -> None:
    prepared = access_point.inside(lambda: access_point.links[0].prepare([(CLEAN, CLEAN), (CUT, CUT)]))
    access_point.apply(1, CLEAN, CLEAN)
    access_point.inside(lambda: prepared.put(1))
    assert not access_point.probes[0].passes(True)
    assert access_point.probes[1].passes(True)
    assert access_point.inside(access_point.links[0].counters)["up"]["dropped"] >= 1
    assert access_point.inside(access_point.links[1].counters)["up"]["dropped"] == 0
    access_point.inside(lambda: prepared.put(0))
    assert access_point.probes[0].passes(True)


def test_whole_and_by_station_exclude_each_other(access_point: AccessPoint) -> None:
    whole = access_point.inside(lambda: NetemLink("wifi", "ap0"))
    access_point.apply(0, SLOW, SLOW)
    with pytest.raises(BenchTrouble, match="is impaired by single stations already"):
        access_point.inside(lambda: whole.apply(CLEAN, CUT))
    access_point.inside(access_point.links[0].read).require("wifi", SLOW, SLOW)
    access_point.clear(0)
    access_point.inside(lambda: whole.apply(SLOW, SLOW))
    with pytest.raises(BenchTrouble, match="is impaired whole already"):
        access_point.apply(0, CUT, CUT)
    access_point.inside(whole.read).require("wifi", SLOW, SLOW)
    access_point.inside(whole.clear)
    assert access_point.untouched()
    whole.close()


def test_a_foreign_root_is_refused_and_stays(access_point: AccessPoint) -> None:
    access_point.tc("qdisc", "add", "dev", "ap0", "root", "handle", "1:", "htb", "default", "1")
    with pytest.raises(BenchTrouble, match="htb queueing discipline 1: at its root that is not the rig's"):
        access_point.apply(0, SLOW, SLOW)
    assert access_point.inside(reconcile) == []
    assert "qdisc htb 1: root" in access_point.tc("qdisc", "show", "dev", "ap0")
    assert access_point.interfaces() == ["ap0", "lo"]


def test_a_bench_reconciles_its_own_station_alone(access_point: AccessPoint) -> None:
    access_point.apply(0, SLOW, SLOW)
    access_point.apply(1, SLOW, SLOW)
    removed = access_point.inside(lambda: reconcile("ap0", MACS[0]))
    assert removed == [f"netem of {MACS[0]} at ap0", f"redirection of what comes in on ap0 from {MACS[0]}"]
    access_point.inside(access_point.links[1].read).require("wifi", SLOW, SLOW)
    assert access_point.inside(lambda: reconcile("ap0")) == []
    access_point.inside(access_point.links[1].read).require("wifi", SLOW, SLOW)
    assert len(access_point.inside(reconcile)) == 2
    assert access_point.untouched()


@pytest.mark.parametrize("station", ["02:00:00:00:01", "02-00-00-00-01-00", "0200:00:00:01:00", "02:00:00:00:01:0g"])
def test_what_is_no_mac_address_is_refused(station: str) -> None:
    with pytest.raises(CallerMistake, match="no MAC address"):
        NetemLink("wifi", "lo", station)


def test_a_group_is_no_station() -> None:
    with pytest.raises(CallerMistake, match="group"):
        NetemLink("wifi", "lo", "ff:ff:ff:ff:ff:ff")
