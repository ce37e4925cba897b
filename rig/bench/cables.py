"""The network of a bench: the machine's own interfaces on a real bench, simulated cables on a virtual one."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from rig.bearers.link import Backend
from rig.bearers.netem import netem_available
from rig.bearers.netspace import enter_namespace
from rig.bearers.topology import Segment, build_virtual_network
from rig.bearers.wifi.bridge import make_bridge, remove_bridge
from rig.bench.description import BenchFile
from rig.bench.parts.network import Link
from rig.errors import CallerMistake, RigError


def radio_link(segment: str) -> str:
    """The link that stands for the physics of a segment, such as its radio."""
    return f"air-{segment}"


@dataclass
class Cables:
    """What lies between the terminal and the bench.

    Attributes:
        backend: who degrades the links.
        captured: the interfaces on which packets are recorded.
        relays: settings of the link relay; empty where none is needed.
        terminal: descriptor of the terminal's own namespace on a virtual bench.
        bridges: interfaces that join the cells of access points.
    """

    backend: Backend
    captured: list[str]
    relays: dict[str, dict[str, Any]] = field(default_factory=dict)
    terminal: int | None = None
    bridges: list[str] = field(default_factory=list)

    def enter_terminal(self) -> None:
        """Move the calling process into the terminal's namespace."""
        if self.terminal is not None:
            enter_namespace(self.terminal)

    def remove(self) -> None:
        """Let go of the simulated cables; they end with the processes on them."""
        if self.terminal is not None:
            os.close(self.terminal)
            self.terminal = None
        while self.bridges:
            remove_bridge(self.bridges.pop())


def lay_cables(bench: BenchFile) -> Cables:
    """Build the simulated cables of a virtual bench; on a real one, find out who will degrade its interfaces.

    Raises:
        CallerMistake: netem is asked for and this kernel has none.
        BenchTrouble: the kernel refused.
    """
    backend = choose_backend(bench)
    links: dict[str, Link] = {name: each for name, each in bench.bearers.items() if each.has_packets}
    if bench.ecr_link is not None:
        links["ecr"] = bench.ecr_link
    captured = [link.interface for link in links.values()]
    bridges = _join_cells(bench)
    if bench.simulation is None:
        return Cables(backend, captured, bridges=bridges)
    segments = [
        Segment(
            name,
            s.terminal_interface,
            s.terminal_address,
            s.bench_address,
            s.carries_host,
            radio=radio_link(name) if s.air else None,
            wireless=s.access_point is not None,
        )
        for name, s in bench.simulation.segments.items()
    ]
    with _removing_on_error(bridges):
        network = build_virtual_network(segments, backend, bench.acquirer.listen)
    return Cables(backend, captured, network.relays, network.terminal, bridges)


def _join_cells(bench: BenchFile) -> list[str]:
    """Make the bridges of access points before anybody listens on them; returns their names."""
    bridges: list[str] = []
    with _removing_on_error(bridges):
        for point in bench.access_points.values():
            if point.bridge is not None and point.control is None:
                make_bridge(point.bridge, point.interface)
                bridges.append(point.bridge)
    return bridges


@contextlib.contextmanager
def _removing_on_error(bridges: Iterable[str]) -> Iterator[None]:
    """Whoever lays cables and fails has none to give back."""
    try:
        yield
    except BaseException:
        for bridge in bridges:
            with contextlib.suppress(RigError):  # what was in the way of the cables is what must be told
                remove_bridge(bridge)
        raise


def choose_backend(bench: BenchFile) -> Backend:
    """The kernel's netem where there is one, else the user-space link, unless the bench file insists."""
    wanted = bench.network.backend
    if wanted == "user-space link" and bench.simulation is None:
        raise CallerMistake("network.backend", "the user-space link lies on simulated cables alone", "write netem")
    over_air = bench.simulation is not None and any(s.access_point for s in bench.simulation.segments.values())
    if wanted == "user-space link" and over_air:
        raise CallerMistake("network.backend", "the user-space link does not lie on the air", "write netem")
    if wanted == "user-space link":
        return wanted
    netem = netem_available()
    if not netem and (wanted == "netem" or bench.simulation is None or over_air):
        raise CallerMistake(
            "network.backend", f"the interfaces of this bench need netem: {netem.reason}", "modprobe sch_netem"
        )
    return "netem" if netem else "user-space link"
