"""The terminal's ways to its host, as the virtual bench with every bearer has them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rig.bench.description import BenchFile, load_bench
from rig.bench.parts.simulation import SimulatedDevice
from rig.bench.plan_ways import base_settings, exchange_settings, telephone_lines, terminal_bearers
from rig.errors import CallerMistake

BEARERS = Path(__file__).parents[2] / "fixtures/benches/virtual-bearers.yaml"


@pytest.fixture
def bench() -> BenchFile:
    return load_bench(BEARERS)


def ways(bench: BenchFile) -> dict[str, dict[str, Any]]:
    assert bench.simulation is not None
    return {way["name"]: way for way in terminal_bearers(bench, bench.simulation)}


def test_the_terminal_tries_its_ways_in_the_order_of_the_bench_file(bench: BenchFile) -> None:
    assert list(ways(bench)) == list(bench.bearers)


def test_an_ordinary_way_has_an_interface_and_servers(bench: BenchFile) -> None:
    assert ways(bench)["wifi"] == {"name": "wifi", "interface": "wlan0", "dhcp": True, "server": "10.64.1.1"}


def test_a_private_line_is_plain_and_knows_the_host_by_address(bench: BenchFile) -> None:
    assert ways(bench)["private"] == {
        "name": "private", "interface": "wwan3", "dhcp": False, "server": "10.64.6.1",
        "plain": True, "port": 5001, "address": "10.64.0.10",
    }  # fmt: skip


def test_a_telephone_line_is_a_modem_and_a_number(bench: BenchFile) -> None:
    assert ways(bench)["dialup"] == {"name": "dialup", "line": {"port": "line.tty", "number": "0800"}}


def test_the_answering_side_relays_to_the_door_without_tls(bench: BenchFile) -> None:
    assert telephone_lines(bench, Path("/run/bench")) == {
        "dialup": {
            "bearer": "dialup", "port": "/run/bench/answering.tty", "baud": 115_200, "framing": "checked",
            "host": ["10.64.0.10", 5001],
        }
    }  # fmt: skip


def test_the_exchange_knows_its_relays(bench: BenchFile) -> None:
    told = exchange_settings(bench, SimulatedDevice(device="telephone"))
    assert told == {
        "line": "line.tty",
        "answering": "answering.tty",
        "number": "0800",
        "power_relay": 0,
        "loop_relay": 3,
    }


def test_without_an_exchange_nobody_can_be_called(bench: BenchFile) -> None:
    raw = bench.model_dump()
    del raw["simulation"]["devices"]["exchange"]
    assert "dialup" not in ways(BenchFile.model_validate(raw))


def test_a_base_follows_its_bearers_relays_and_box(bench: BenchFile) -> None:
    assert base_settings(bench, SimulatedDevice(device="bluetooth-base")) == {
        "segment": "air-bluetooth", "power_relay": 1, "pairing_relay": 2, "attenuator": "short", "channel": 1,
    }  # fmt: skip


def test_a_base_without_a_path_is_heard_perfectly(bench: BenchFile) -> None:
    raw = bench.model_dump()
    raw["bearers"]["bluetooth"] |= {"path": None, "base": {}}
    told = base_settings(BenchFile.model_validate(raw), SimulatedDevice(device="bluetooth-base"))
    assert told == {"segment": "air-bluetooth", "attenuator": None}


def test_a_base_that_no_bearer_has_is_told(bench: BenchFile) -> None:
    raw = bench.model_dump()
    raw["bearers"]["bluetooth"]["base"] = None
    with pytest.raises(CallerMistake, match="no bearer has it"):
        base_settings(BenchFile.model_validate(raw), SimulatedDevice(device="bluetooth-base"))
