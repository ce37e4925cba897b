"""What the bench's processes are told of the terminal's ways to its host: which it tries in which order, and calls."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rig.bench.cables import radio_link
from rig.bench.description import BenchFile
from rig.bench.parts.simulation import SimulatedDevice, Simulation
from rig.errors import CallerMistake

NUMBER = "0800"
"""What the virtual terminal dials where the bench file says nothing else."""
_EXCHANGE = {"line": "line.tty", "answering": "answering.tty", "number": NUMBER}


def telephone_lines(bench: BenchFile, runtime: Path) -> dict[str, dict[str, Any]]:
    """What the answering side of each dial-up bearer is told (:mod:`rig.bearers.dialup.__main__`)."""
    host = bench.acquirer
    return {
        name: {
            "bearer": name,
            "port": str(runtime / bearer.interface),
            "baud": bearer.answering.baud,
            "framing": bearer.answering.framing,
            "host": [host.listen[0], _plain_port(bench)],
        }
        for name, bearer in bench.bearers.items()
        if bearer.answering is not None
    }


def _plain_port(bench: BenchFile) -> int:
    host = bench.acquirer
    return host.port if host.plain_port is None else host.plain_port


def exchange_settings(bench: BenchFile, device: SimulatedDevice) -> dict[str, Any]:
    """What the simulated telephone exchange is told: which relays lie in its lines, unless its settings say."""
    settings: dict[str, Any] = dict(_EXCHANGE)
    if bench.power is not None:
        settings["power_relay"] = bench.power.channel
    answering = device.settings.get("answering", settings["answering"])
    for bearer in bench.bearers.values():
        if bearer.answering is not None and bearer.interface == answering and bearer.answering.loop is not None:
            settings["loop_relay"] = bench.relays[bearer.answering.loop].channel
    return settings


def base_settings(bench: BenchFile, device: SimulatedDevice) -> dict[str, Any]:
    """What a simulated Bluetooth base is told unless its settings say: its bearer's segment, box, channel and relays.

    Raises:
        CallerMistake: no bearer has a base.
    """
    of = next((name for name, each in bench.bearers.items() if each.base is not None), None)
    of = device.settings.get("segment", radio_link(of or "")).removeprefix(radio_link(""))
    if of not in bench.bearers or (base := bench.bearers[of].base) is None:
        raise CallerMistake("device bluetooth-base", "no bearer has it", "give a bluetooth bearer a base")
    settings: dict[str, Any] = {"segment": radio_link(of)}
    for name, relay in (("power_relay", base.power), ("pairing_relay", base.pairing)):
        if relay is not None:
            settings[name] = bench.relays[relay].channel
    path = bench.paths.get(bench.bearers[of].path or "")
    if path is None:
        return settings | {"attenuator": None}
    devices = bench.simulation.devices if bench.simulation is not None else {}
    box = path.attenuator if path.attenuator in devices else "attenuator"
    return settings | {"attenuator": box, "channel": path.all_channels[0]}


def terminal_bearers(bench: BenchFile, simulation: Simulation) -> list[dict[str, Any]]:
    """The virtual terminal's ways in the order in which it tries them: that of the bench file's bearers."""
    carriers = {name: each for name, each in simulation.segments.items() if each.carries_host}
    ways: list[dict[str, Any]] = []
    for name in [*bench.bearers, *(name for name in carriers if name not in bench.bearers)]:
        bearer = bench.bearers.get(name)
        if bearer is not None and bearer.answering is not None:
            ways += _calls(name, bearer.interface, simulation)
        elif name in carriers:
            segment = carriers[name]
            way: dict[str, Any] = {
                "name": name,
                "interface": segment.terminal_interface,
                "dhcp": segment.dhcp,
                "server": segment.bench_address.split("/")[0],
            }
            if bearer is not None and bearer.plain:
                way |= {"plain": True, "port": _plain_port(bench)}
            if bench.services and name not in bench.services:
                way["address"] = bench.acquirer.listen[0]  # nobody tells names there
            ways.append(way)
    return ways


def _calls(name: str, answering: str, simulation: Simulation) -> list[dict[str, Any]]:
    """The way by the telephone, where an exchange is simulated at whose other end the bench answers."""
    for device in simulation.devices.values():
        settings = _EXCHANGE | device.settings
        if device.device == "telephone" and settings["answering"] == answering:
            return [{"name": name, "line": {"port": settings["line"], "number": settings["number"]}}]
    return []
