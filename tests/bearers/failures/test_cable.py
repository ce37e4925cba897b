"""Failures of a cable: the simulated switch, a real process, does them and tells of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rig.bearers.failures import Site, make_failure
from rig.errors import BenchTrouble, CallerMistake, DeviceNonsense
from rig.instruments.switch import SwitchPort, open_switch_port
from rig.rpc import RpcClient
from tests.virtual.conftest import runtime, start_device  # noqa: F401 - fixtures
from tests.virtual.links import Links

CABLE = "air-ethernet"


@pytest.fixture
def plug(start_device: Any, runtime: Path) -> Iterator[SwitchPort]:  # noqa: F811
    links = Links()
    with links.served(runtime / "link.sock"):
        device = start_device("switch", port=0, community="rig", ports={"1": CABLE}, link_ms=20, boot_ms=40)
        links.wait_for_carrier(CABLE, True)
        place = f"127.0.0.1:{device.ready['port']}"
        port = open_switch_port("snmp", place, 1, {"community": "rig"}, name="port 1 of switch desk")
        yield port
        port.close()


def site(plug: SwitchPort | None) -> Site:
    return Site("ethernet", "ethernet", ("10.64.0.10",), 5000, plug=plug)


@pytest.mark.parametrize(
    ("name", "reads"),
    [
        ("port-down", {"enabled": False, "link": False, "powered": True}),
        ("poe-off", {"enabled": True, "link": False, "powered": False}),
    ],
)
def test_it_is_so_from_begin_to_end(plug: SwitchPort, name: str, reads: dict[str, bool]) -> None:
    failure = make_failure(name, {})
    assert failure.hits().count == 0
    assert failure.start(site(plug)) == reads
    assert (failure.hits().count, failure.hits().detail) == (1, reads)
    failure.stop()
    assert plug.read().as_dict() == {"enabled": True, "link": True, "powered": True}, "it waits for the link"
    failure.stop()
    assert failure.hits().count == 0


def test_a_port_that_somebody_took_up_again_is_no_proof(plug: SwitchPort) -> None:
    failure = make_failure("port-down", {})
    failure.start(site(plug))
    plug.up()
    assert failure.hits().count == 0
    failure.stop()


def test_a_loose_plug_goes_down_again_and_again(plug: SwitchPort) -> None:
    failure = make_failure("cable-flap", {"down_s": 0.05, "up_s": 0.05})
    assert failure.start(site(plug))["enabled"] is False
    deadline = time.monotonic() + 5
    while failure.hits().count < 3:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    failure.stop()
    assert plug.read().link
    downs = failure.hits().count
    assert failure.hits().count == downs


def test_a_stuck_switch_is_the_benchs_trouble(plug: SwitchPort, runtime: Path) -> None:  # noqa: F811
    side_door = RpcClient(runtime / "switch.sock")
    side_door.call("fault", kind="stuck")
    failure = make_failure("port-down", {})
    with pytest.raises(DeviceNonsense, match="reads back 1"):
        failure.start(site(plug))
    side_door.call("clear_faults")
    side_door.close()
    failure.stop()


@pytest.mark.parametrize("name", ["port-down", "poe-off", "cable-flap"])
def test_a_cable_in_no_managed_switch_is_told(name: str) -> None:
    failure = make_failure(name, {})
    with pytest.raises(BenchTrouble, match="its cable is in no managed switch"):
        failure.start(site(None))
    failure.stop()


@pytest.mark.parametrize("options", [{"down_s": 0}, {"up_s": 61}, {"up_s": True}])
def test_times_out_of_range_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(CallerMistake, match="cable-flap"):
        make_failure("cable-flap", options)
