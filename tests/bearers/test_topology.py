from __future__ import annotations

import os
import time
from dataclasses import replace

import pytest

from rig.bearers.interface import has_carrier, set_up
from rig.bearers.netspace import in_namespace, new_namespace
from rig.bearers.topology import Segment, build_virtual_network
from rig.errors import BenchTrouble, CallerMistake, DeviceGone
from tests.bearers.conftest import HOST, SEGMENTS

WIFI = SEGMENTS[0]


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize(("backend", "relays"), [("user-space link", ["wifi", "air", "cellular"]), ("netem", ["air"])])
def test_the_radio_is_relayed_whatever_the_backend(backend: str, relays: list[str]) -> None:
    namespace = new_namespace()
    network = in_namespace(namespace, lambda: build_virtual_network(SEGMENTS, backend, [HOST]))  # type: ignore[arg-type]
    assert list(network.relays) == relays
    assert [name for name, settings in network.relays.items() if settings["radio"]] == ["air"]
    assert len({settings["seed"] for settings in network.relays.values()}) == len(relays)
    assert in_namespace(network.terminal, lambda: has_carrier("wlan0") and has_carrier("wwan0"))
    os.close(network.terminal)
    os.close(namespace)


@pytest.mark.usefixtures("root")
def test_it_is_built_in_a_moment() -> None:
    namespace = new_namespace()
    begin = time.monotonic()
    network = in_namespace(namespace, lambda: build_virtual_network(SEGMENTS, "user-space link", [HOST]))
    assert time.monotonic() - begin < 1.0  # 30 ms here; pyroute2 loads once, in 200 ms
    os.close(network.terminal)
    os.close(namespace)


@pytest.mark.parametrize(
    ("segment", "hosts", "complaint"),
    [
        (replace(WIFI, name="a-very-long-name"), [], "too long for an interface"),
        (replace(WIFI, bench_address="10.64.1"), [], "segment wifi: .*10.64.1"),
        (WIFI, ["acquirer"], "host address: .*acquirer"),
    ],
)
def test_a_wrong_plan_is_the_callers_mistake(segment: Segment, hosts: list[str], complaint: str) -> None:
    with pytest.raises(CallerMistake, match=complaint):
        build_virtual_network([segment], "netem", hosts)


@pytest.mark.usefixtures("root")
def test_two_segments_of_one_name_are_the_benchs_trouble() -> None:
    namespace = new_namespace()
    with pytest.raises(BenchTrouble, match="File exists"):
        in_namespace(namespace, lambda: build_virtual_network([WIFI, WIFI], "netem"))
    os.close(namespace)


def test_a_missing_interface_is_named() -> None:
    with pytest.raises(DeviceGone, match="interface nowhere0: there is none"):
        set_up("nowhere0", True)
