"""Links between two namespaces of this machine, with a probe at both ends; the backend is the only difference."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.part import LabTrouble
from lab.streams import Flow, empty, exchange, udp_socket
from rig.bearers.impairment import CUT, Impairment
from rig.bearers.kernel import kernel_session
from rig.bearers.link import Backend, Link
from rig.bearers.netem import NetemLink
from rig.bearers.netspace import can_isolate, in_namespace, unshare_network
from rig.bearers.topology import Segment, build_virtual_network
from rig.bearers.userspace import UserSpaceLink
from rig.history.redaction import Redactor
from rig.rpc import RpcClient

SEGMENTS = tuple(
    Segment(f"line{n}", f"term{n}", f"10.64.{n}.2/24", f"10.64.{n}.1/24", carries_host=False) for n in range(1, 5)
)
_READY_S = 10.0
_NUD_PERMANENT = 0x80


@dataclass(frozen=True)
class Wire:
    """One link and the probe at both its ends; ``up`` is terminal → host."""

    link: Link
    terminal: socket.socket
    host: socket.socket

    def put(self, up: Impairment, down: Impairment) -> None:
        """Empty the link and both ends, and put this in force."""
        self.link.apply(CUT, CUT)
        empty(self.terminal)
        empty(self.host)
        self.link.apply(up, down)

    def flow(self, up: bool, count: int, per_second: float, size: int = 100) -> Flow:
        """A stream in one direction, yet to be sent."""
        source, sink = (self.terminal, self.host) if up else (self.host, self.terminal)
        return Flow(source, sink, count, per_second, size)

    def both(
        self,
        count: int,
        per_second: float,
        linger_s: float,
        size: int = 100,
        *,
        to_the_end: bool = False,
        damages: bool = False,
    ) -> tuple[Flow, Flow]:
        """Streams in both directions at once, sent and received; up and down. See :func:`lab.streams.exchange`."""
        flows = self.flow(True, count, per_second, size), self.flow(False, count, per_second, size)
        exchange(flows, linger_s, to_the_end, damages)
        return flows


@contextmanager
def laid_wires(backend: Backend) -> Iterator[Sequence[Wire]]:
    """Four links, from this process's network namespace (which becomes a new one) to a terminal's.

    Raises:
        LabTrouble: the system allows no namespaces, or the relay does not start.
        BenchTrouble: the kernel refused.
    """
    isolation = can_isolate()
    if isolation.way == "impossible":
        raise LabTrouble(f"no network namespace: {isolation.reason}; {isolation.cure}")
    unshare_network(user_namespace=isolation.way == "user namespace")
    network = build_virtual_network(SEGMENTS, backend)
    with ExitStack() as stack:
        stack.callback(os.close, network.terminal)
        _introduce(network.terminal)
        links: list[Link] = []
        if backend == "netem":
            links += [NetemLink(segment.name, segment.name) for segment in SEGMENTS]
        else:
            relay = stack.enter_context(_relay(network.relays))
            links += [UserSpaceLink(segment.name, relay) for segment in SEGMENTS]
        yield [_wire(stack, network.terminal, link, segment) for link, segment in zip(links, SEGMENTS, strict=True)]


def _wire(stack: ExitStack, terminal: int, link: Link, segment: Segment) -> Wire:
    stack.callback(link.close)
    address, interface = segment.terminal_address.split("/")[0], segment.terminal_interface
    ends = (
        in_namespace(terminal, lambda: udp_socket(address, interface)),
        udp_socket(segment.bench_address.split("/")[0], segment.name),
    )
    for end in ends:
        stack.callback(end.close)
    wire = Wire(link, *ends)
    _warm_up(wire)
    return wire


def _warm_up(wire: Wire) -> None:
    """Let the first packets through: caches fill, and the kernel begins to stamp arrivals some packets later."""
    wire.put(Impairment(), Impairment())
    flows = wire.both(50, 500, 1.0)
    if any(flow.missing for flow in flows):
        raise LabTrouble(f"link {wire.link.name} loses packets that nobody impairs")


def _introduce(terminal: int) -> None:
    """Let both ends know each other's hardware address for good: ARP through a lossy link would disturb."""

    def of(kernel: Any, interface: str) -> tuple[int, str]:
        index = kernel.link_lookup(ifname=interface)[0]
        return index, kernel.get_links(index)[0].get_attr("IFLA_ADDRESS")

    def ends(interfaces: list[str]) -> list[tuple[int, str]]:
        with kernel_session("lab") as kernel:
            return [of(kernel, interface) for interface in interfaces]

    def know(neighbours: list[tuple[int, str, str]]) -> None:
        with kernel_session("lab") as kernel:
            for index, address, hardware in neighbours:
                kernel.neigh("replace", ifindex=index, dst=address, lladdr=hardware, state=_NUD_PERMANENT)

    near = ends([segment.name for segment in SEGMENTS])
    far = in_namespace(terminal, lambda: ends([segment.terminal_interface for segment in SEGMENTS]))
    pairs = list(zip(SEGMENTS, near, far, strict=True))
    know([(here[0], s.terminal_address.split("/")[0], there[1]) for s, here, there in pairs])
    in_namespace(
        terminal, lambda: know([(there[0], s.bench_address.split("/")[0], here[1]) for s, here, there in pairs])
    )


@contextmanager
def _relay(links: dict[str, dict[str, Any]]) -> Iterator[RpcClient]:
    """The relay process in this namespace, as the guard starts it."""
    with tempfile.TemporaryDirectory(prefix="rig-lab-") as name:
        folder = Path(name)
        Redactor.with_new_key([]).save(folder / "redaction.json")
        common = {"runtime": name, "journals": name, "redaction": str(folder / "redaction.json")}
        (folder / "link.json").write_text(json.dumps({"name": "link", "links": links, **common}))
        command = [sys.executable, "-m", "rig.bearers.relay", "--config", str(folder / "link.json"), "--ready-fd"]
        told, tell = os.pipe()
        with subprocess.Popen([*command, str(tell)], pass_fds=[tell]) as process, os.fdopen(told) as answer:
            os.close(tell)
            try:
                if not select.select([answer], (), (), _READY_S)[0] or not answer.readline():
                    raise LabTrouble("the link relay does not start")
                client = RpcClient(folder / "link.sock")
                yield client
                client.close()
            finally:
                process.terminate()
