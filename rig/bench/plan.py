"""Which processes a bench needs, and with which settings: the bench file turned into programs.

A simulated device is named in the bench file by its kind alone; which module that is, is written here. Nothing in a
bench file is ever run.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rig.acquirer.authority import client_certificate
from rig.acquirer.terminal_keys import FILE, TerminalKeyStore
from rig.bearers.dialup import process_name
from rig.bearers.wifi.channels import frequency_mhz
from rig.bench.description import BenchFile
from rig.bench.parts.simulation import Simulation
from rig.bench.places import StateDirectory
from rig.bench.plan_ways import base_settings, exchange_settings, telephone_lines, terminal_bearers
from rig.bench.spawn import Program, module_command, write_private
from rig.errors import CallerMistake
from rig.units import CURRENCY_NUMERIC
from rig.wire.iso8583.registry import find_dialect

BENCH_COPY = "bench.yaml"
"""The bench file as a run used it, among the run's configs."""

ACCESS_POINTS = "access-points"
"""The process that owns the access points."""
_USUAL_CHANNELS = (1, 6, 11)
_DEVICES = {
    "adb": "rig.virtual.adb_server",
    "attenuator": "rig.virtual.attenuator",
    "bluetooth-base": "rig.virtual.bluetooth_base",
    "field": "rig.virtual.field",
    "physical-cards": "rig.cards.plastic",
    "radio": "rig.virtual.radio",
    "relay-board": "rig.virtual.relay_board",
    "switch": "rig.virtual.switch",
    "telephone": "rig.virtual.telephone",
}
"""Kind of a simulated device → module."""


@dataclass(frozen=True)
class Places:
    """The folders of one run of one bench."""

    bench_file: Path
    state: StateDirectory
    run: Path
    runtime: Path

    @property
    def journals(self) -> Path:
        """Where every process of the run writes its journal."""
        return self.run / "journals"

    @property
    def logs(self) -> Path:
        """What processes said on their standard error."""
        return self.run / "logs"

    @property
    def configs(self) -> Path:
        """The settings that processes were started with."""
        return self.run / "configs"

    @property
    def capture(self) -> Path:
        """The packets of the run."""
        return self.run / "wire.pcapng"

    def make(self) -> None:
        """Make the folders of the run."""
        for folder in (self.journals, self.logs, self.configs):
            folder.mkdir(parents=True, exist_ok=True)

    def cards(self, bench: BenchFile) -> Path:
        """The folder of card profiles."""
        return cards_folder(self.bench_file, bench)

    def impairments(self, bench: BenchFile) -> Path:
        """The folder of named impairments."""
        return (self.bench_file.parent / bench.impairments).resolve()

    def timelines(self, bench: BenchFile) -> Path:
        """The folder of named timelines."""
        return (self.bench_file.parent / bench.timelines).resolve()


def cards_folder(bench_file: Path, bench: BenchFile) -> Path:
    """The folder of card profiles, beside the bench file unless that names another."""
    return (bench_file.parent / bench.cards).resolve()


def programs(bench: BenchFile, places: Places, capture: list[str], relays: dict[str, dict[str, Any]]) -> list[Program]:
    """Every process that the bench needs. They start together and find each other; what takes longest comes first.

    Args:
        bench: the bench.
        places: its folders.
        capture: the bench-side interfaces to capture on.
        relays: link name → its two interfaces, for the link relay; empty where the kernel degrades all links.
    """
    common = {
        "runtime": str(places.runtime),
        "journals": str(places.journals),
        "redaction": str(places.state.redaction),
    }
    wanted: list[Program] = []
    if relays:
        wanted.append(Program("link", "rig.bearers.relay", {**common, "name": "link", "links": relays}))
    if capture:
        settings = {**common, "name": "capture", "interfaces": capture, "output": str(places.capture)}
        wanted.append(Program("capture", "rig.history.capture", settings))
    if bench.services:
        serving: dict[str, Any] = {**common, "name": "services", "bearers": _services(bench)}
        wanted.append(Program("services", "rig.bearers.services", serving))
    if bench.access_points:
        on_air = {**common, "name": ACCESS_POINTS, "logs": str(places.logs), "access_points": _access_points(bench)}
        wanted.append(Program(ACCESS_POINTS, "rig.bearers.wifi.serve", on_air))
    module = "rig.acquirer.gateway.serve" if bench.acquirer.gateway else "rig.acquirer.serve"
    wanted.append(Program("acquirer", module, {**common, **_acquirer(bench, places), **_gateway(bench, places)}))
    wanted += [
        Program(process_name(name), "rig.bearers.dialup", {**common, "name": process_name(name), **told})
        for name, told in telephone_lines(bench, places.runtime).items()
    ]
    if bench.simulation is not None:
        wanted += [_device(name, bench, places, common) for name in bench.simulation.devices]
    return sorted(wanted, key=lambda program: not program.in_terminal)


def _acquirer(bench: BenchFile, places: Places) -> dict[str, Any]:
    return {
        "name": "acquirer",
        "listen": list(bench.acquirer.listen),
        "port": bench.acquirer.port,
        "tls": bench.acquirer.tls,
        "plain_port": bench.acquirer.plain_port,
        "state": str(places.state.root),
        "cards": str(places.cards(bench)),
        "currency": bench.terminal.currency,
        "terminals": {bench.terminal.terminal_id: bench.terminal.merchant_id},
        "ledger": str(places.state.ledger),
        "dialect": bench.acquirer.dialect,
        "rules": str(places.bench_file.parent / bench.acquirer.rules) if bench.acquirer.rules else None,
    }


def _gateway(bench: BenchFile, places: Places) -> dict[str, Any]:
    """What the acquirer's process is told where it stands before a real host."""
    gateway = bench.acquirer.gateway
    if gateway is None:
        return {}
    ca = str(places.bench_file.parent / gateway.ca) if gateway.ca else None
    return {"mode": gateway.mode, "upstream": {**gateway.model_dump(exclude={"mode"}), "ca": ca}}


def _injected_keys(bench: BenchFile, places: Places) -> dict[str, str]:
    """The key that a virtual terminal shares with the host; one is made at first use, as a real one is injected."""
    if find_dialect(bench.acquirer.dialect).mac is None:
        return {}
    keys = places.state.root / FILE
    TerminalKeyStore(keys).master(bench.terminal.terminal_id)
    return {"injected_keys": str(keys)}


def _services(bench: BenchFile) -> dict[str, dict[str, Any]]:
    """What the services process is told of each bearer that has some. The host goes by the name in its certificate."""
    names = {bench.acquirer.name: list(bench.acquirer.listen[:1])}
    return {
        name: {"interface": bench.bearers[name].interface, "names": names, **each.model_dump()}
        for name, each in bench.services.items()
    }


def _access_points(bench: BenchFile) -> dict[str, dict[str, Any]]:
    """What their process is told of each (:meth:`rig.bearers.wifi.owned.Settings.read`)."""
    names = {bench.acquirer.name: bench.acquirer.listen[0]}
    kept = {"ssid", "security", "passphrase", "country", "bridge", "address", "dhcp", "control", "sample_s"}
    return {
        name: {
            **each.model_dump(include=kept),
            "cells": [{"interface": cell.interface, "channel": cell.channel} for cell in each.network.cells],
            "names": names,
            "serves": each.dnsmasq,
        }
        for name, each in bench.access_points.items()
    }


def _supplicants(bench: BenchFile, simulation: Simulation) -> dict[str, dict[str, Any]]:
    """What the terminal knows of the networks that its radios join; it looks for them where cells may come to be."""
    told = {}
    for segment in simulation.segments.values():
        if segment.access_point is not None:
            point = bench.access_points[segment.access_point]
            channels = {*_USUAL_CHANNELS, *(point.network.channel_of(cell) for cell in point.network.cells)}
            told[segment.terminal_interface] = {
                **point.model_dump(include={"ssid", "security", "passphrase", "country"}),
                "mhz": sorted(frequency_mhz(channel) for channel in channels),
                "joins_open": segment.joins_open,
            }
    return told


def _device(name: str, bench: BenchFile, places: Places, common: dict[str, Any]) -> Program:
    assert bench.simulation is not None
    device = bench.simulation.devices[name]
    if device.device not in _DEVICES:
        raise CallerMistake(
            f"simulation.devices.{name}", f"no simulated {device.device!r}", f"there are {', '.join(sorted(_DEVICES))}"
        )
    settings = {**device.settings, **common, "name": name}
    if device.device == "relay-board":
        settings |= {"power_on": True, "load": _terminal(bench, bench.simulation, places, common)}
    if device.device == "telephone":
        settings = {**exchange_settings(bench, device), **settings}
    if device.device == "bluetooth-base":
        settings = {**base_settings(bench, device), **settings}
    if device.device == "physical-cards":
        settings |= {"state": str(places.state.root), "folder": str(places.cards(bench))}
    return Program(name, _DEVICES[device.device], settings, in_terminal=device.device == "relay-board")


def _terminal(bench: BenchFile, simulation: Simulation, places: Places, common: dict[str, Any]) -> dict[str, Any]:
    """The virtual terminal is the load of the relay board: it starts when the board gives it power."""
    host = bench.acquirer.listen[0]
    by_name = bool(bench.services)
    carriers = {name: s for name, s in simulation.segments.items() if s.carries_host}
    line = bench.terminal
    settings = {
        "reader": "reader.tty",
        "ecr": {"tcp": [line.tcp.host, line.tcp.port]} if line.tcp else {"serial": line.serial and line.serial.port},
        "terminal_id": line.terminal_id,
        "merchant_id": line.merchant_id,
        "currency": CURRENCY_NUMERIC[line.currency],
        "bearers": terminal_bearers(bench, simulation),
        "time_from_network": by_name,
        "card_authorities": str(places.state.card_authorities),
        "slot": "slot.sock",
        "stripe": "stripe.tty",
        "host": {
            "address": bench.acquirer.name if by_name else host,
            "port": bench.acquirer.port,
            "server_name": bench.acquirer.name,
            "ca": str(places.state.certificates / "ca.pem"),
            "connect_timeout_s": line.connect_timeout_s,
            "response_timeout_s": line.response_timeout_s,
            "client_certificate": str(client_certificate(places.state.root, line.terminal_id)),
        },
        "dialect": bench.acquirer.dialect,
        **_injected_keys(bench, places),
        "print_via_ecr": True,
        **simulation.terminal,
        # Last, because a bench file never says where files are written.
        **common,
        "name": "terminal",
        "disk": str(places.state.terminal_disk),
    }
    config = places.configs / "terminal.json"
    write_private(config, json.dumps(settings, indent=1))
    return {
        "argv": list(module_command("rig.virtual.terminal", config)),
        "env": {},
        "interfaces": {
            s.terminal_interface: {"address": None if s.dhcp else s.terminal_address}
            for s in simulation.segments.values()
        },
        "routes": [
            {"to": f"{host}/32", "via": s.bench_address.split("/")[0], "dev": s.terminal_interface}
            for s in carriers.values()
            if not s.dhcp
        ],
        "supplicants": _supplicants(bench, simulation),
    }
