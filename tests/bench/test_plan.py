"""The processes of a bench: which modules they are is never for the bench file to say."""

from __future__ import annotations

import json
import stat
from typing import Any

import pytest

from rig.bench.description import BenchFile
from rig.bench.plan import Places, programs
from rig.bench.spawn import Program
from rig.errors import CallerMistake


def with_simulation(bench: BenchFile, **changes: Any) -> BenchFile:
    raw = bench.model_dump()
    raw["simulation"] |= changes
    return BenchFile.model_validate(raw)


def by_name(bench: BenchFile, places: Places) -> dict[str, Program]:
    relays = {"wifi": {"bench": "wifi", "terminal": "wlan0"}}
    return {program.name: program for program in programs(bench, places, ["wifi", "ecr"], relays)}


def terminal_settings(bench: BenchFile, places: Places) -> dict[str, Any]:
    by_name(bench, places)
    settings: dict[str, Any] = json.loads((places.configs / "terminal.json").read_text())
    return settings


def test_a_virtual_bench_needs_these_processes(virtual: BenchFile, places: Places) -> None:
    wanted = by_name(virtual, places)
    assert {name: program.module for name, program in wanted.items()} == {
        "link": "rig.bearers.relay",
        "capture": "rig.history.capture",
        "services": "rig.bearers.services",
        "acquirer": "rig.acquirer.serve",
        "attenuator": "rig.virtual.attenuator",
        "field": "rig.virtual.field",
        "radio": "rig.virtual.radio",
        "relay": "rig.virtual.relay_board",
    }
    assert [name for name, program in wanted.items() if program.in_terminal] == ["relay"]


def test_a_real_bench_simulates_nothing(real: BenchFile, places: Places) -> None:
    assert [program.name for program in programs(real, places, ["wlan-bench"], {})] == ["capture", "acquirer"]
    assert [program.name for program in programs(real, places, [], {})] == ["acquirer"]


def test_every_process_knows_where_to_write_and_what_to_mask(virtual: BenchFile, places: Places) -> None:
    for name, program in by_name(virtual, places).items():
        assert program.settings["name"] == name
        assert program.settings["runtime"] == str(places.runtime)
        assert program.settings["journals"] == str(places.journals)
        assert program.settings["redaction"] == str(places.state.redaction)
        json.dumps(program.settings)


@pytest.mark.parametrize("kind", ["os", "rig.virtual.attenuator", "http.server", "relay_board", "", "../evil"])
def test_a_device_of_an_unknown_kind_is_refused_and_never_run(virtual: BenchFile, places: Places, kind: str) -> None:
    bench = with_simulation(virtual, devices={"box": {"device": kind}})
    with pytest.raises(CallerMistake) as caught:
        programs(bench, places, [], {})
    assert caught.value.device == "simulation.devices.box"
    assert caught.value.what == f"no simulated {kind!r}"
    assert caught.value.cure == (
        "there are adb, attenuator, bluetooth-base, field, physical-cards, radio, relay-board, switch, telephone"
    )


def test_whatever_a_bench_file_says_only_our_modules_are_run(virtual: BenchFile, places: Places) -> None:
    hostile = {"module": "evil", "argv": ["/bin/sh"], "load": {"argv": ["/bin/sh"]}, "env": {"LD_PRELOAD": "x"}}
    devices = {"relay": {"device": "relay-board", "settings": hostile}}
    bench = with_simulation(virtual, devices=devices, terminal=hostile)
    wanted = by_name(bench, places)
    assert all(program.module.startswith("rig.") for program in wanted.values())
    load = wanted["relay"].settings["load"]
    assert load["argv"][1:3] == ["-m", "rig.virtual.terminal"]
    assert load["env"] == {}


def test_a_bench_file_does_not_say_where_its_processes_write(virtual: BenchFile, places: Places) -> None:
    elsewhere = {"journals": "/elsewhere", "redaction": "/elsewhere", "runtime": "/elsewhere", "disk": "/elsewhere"}
    devices = {
        "box": {"device": "attenuator", "settings": {"name": "x", **elsewhere}},
        "relay": {"device": "relay-board"},
    }
    bench = with_simulation(virtual, devices=devices, terminal={"name": "x", **elsewhere})
    box = by_name(bench, places)["box"].settings
    terminal = terminal_settings(bench, places)
    for settings in (box, terminal):
        assert settings["journals"] == str(places.journals)
        assert settings["redaction"] == str(places.state.redaction)
        assert settings["runtime"] == str(places.runtime)
    assert (box["name"], terminal["name"]) == ("box", "terminal")
    assert terminal["disk"] == str(places.state.terminal_disk)


def test_the_settings_of_the_virtual_terminal_are_merged(virtual: BenchFile, places: Places) -> None:
    bench = with_simulation(virtual, terminal={"defects": ["never-reverses"], "card_timeout_s": 7})
    settings = terminal_settings(bench, places)
    assert settings["defects"] == ["never-reverses"]
    assert settings["card_timeout_s"] == 7
    assert settings["terminal_id"] == virtual.terminal.terminal_id
    assert settings["currency"] == "978"
    assert settings["ecr"] == {"tcp": ["10.64.9.2", 20007]}
    assert settings["bearers"] == [
        {"name": "wifi", "interface": "wlan0", "dhcp": True, "server": "10.64.1.1"},
        {"name": "cellular", "interface": "wwan0", "dhcp": False, "server": "10.64.2.1"},
    ], "the cash-register line is no bearer"
    assert settings["host"]["address"] == "acquirer.bench", "the bench's name server knows it"
    assert settings["time_from_network"] is True
    assert settings["host"]["response_timeout_s"] == virtual.terminal.response_timeout_s
    assert stat.S_IMODE((places.configs / "terminal.json").stat().st_mode) == 0o600


def test_the_load_of_the_relay_board_is_the_terminal_with_its_cables(virtual: BenchFile, places: Places) -> None:
    settings = by_name(virtual, places)["relay"].settings
    assert settings["power_on"] is True
    assert settings["load"]["interfaces"] == {
        "wlan0": {"address": None},  # it asks for one
        "wwan0": {"address": "10.64.2.2/24"},
        "ecr0": {"address": "10.64.9.2/24"},
    }
    assert settings["load"]["routes"] == [
        {"to": "10.64.0.10/32", "via": "10.64.2.1", "dev": "wwan0"},
    ]


def test_the_services_know_the_host_and_their_pool(virtual: BenchFile, places: Places) -> None:
    bearers = by_name(virtual, places)["services"].settings["bearers"]
    assert bearers["wifi"] == {
        "interface": "wifi",
        "address": "10.64.1.1/24",
        "names": {"acquirer.bench": ["10.64.0.10"]},
        "dhcp": {"first": "10.64.1.2", "last": "10.64.1.2", "lease_s": 3600},
        "standby": False,
    }
    assert bearers["cellular"]["dhcp"] is None


def test_without_services_the_terminal_knows_its_host_by_address(virtual: BenchFile, places: Places) -> None:
    bench = virtual.model_copy(update={"services": {}})
    assert "services" not in by_name(bench, places)
    settings = terminal_settings(bench, places)
    assert settings["host"]["address"] == "10.64.0.10"
    assert settings["time_from_network"] is False


def test_the_host_is_told_what_the_terminal_is(virtual: BenchFile, places: Places) -> None:
    settings = by_name(virtual, places)["acquirer"].settings
    assert settings["listen"] == ["10.64.0.10"]
    assert settings["terminals"] == {"52000001": "POSRIG000000001"}
    assert settings["tls"] is True
    assert settings["state"] == str(places.state.root)
