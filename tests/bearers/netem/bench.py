"""What the tests of netem share: a cable with netem at the bench's end, and eyes on the kernel."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest

from rig.bearers.impairment import Impairment
from rig.bearers.kernel import open_kernel
from rig.bearers.netem import NetemLink, netem_available
from rig.bearers.netspace import can_isolate, in_namespace, new_namespace
from rig.bearers.topology import Segment, VirtualNetwork, build_virtual_network
from tests.bearers.conftest import HOST, Probe, udp_socket

T = TypeVar("T")
WIFI = Segment("wifi", "wlan0", "10.64.1.2/24", "10.64.1.1/24")


def require_netem() -> None:
    """Skip by name where the kernel or the user's rights do not do."""
    if can_isolate().way != "root":
        pytest.skip("namespaces in the test process need root")
    if not netem_available():
        pytest.skip("kernel has no sch_netem")


@dataclass(frozen=True)
class Bench:
    namespace: int
    network: VirtualNetwork
    link: NetemLink
    probe: Probe

    def inside(self, function: Callable[[], T]) -> T:
        return in_namespace(self.namespace, function)

    def apply(self, up: Impairment, down: Impairment) -> None:
        self.inside(lambda: self.link.apply(up, down))

    def kernel(self, act: Callable[[Any], T]) -> T:
        def inside() -> T:
            with open_kernel() as kernel:
                return act(kernel)

        return self.inside(inside)

    def queues(self) -> set[tuple[str, str]]:
        """(interface, kind) of every queueing discipline that somebody set."""

        def look(kernel: Any) -> set[tuple[str, str]]:
            names = {link["index"]: link.get("ifname") for link in kernel.get_links()}
            return {(names[q["index"]], q.get_attr("TCA_KIND")) for q in kernel.get_qdiscs() if q["handle"]}

        return self.kernel(look)

    def tc(self, *words: str) -> str:
        """The foreign decoder's word, or deed."""
        return self.inside(lambda: run_tc(*words))

    def tc_json(self, *words: str) -> Any:
        return json.loads(self.tc("-j", *words))


def run_tc(*words: str) -> str:
    done = subprocess.run(["tc", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def cable(offloads: Callable[[], object] = lambda: None) -> Iterator[Bench]:
    """A bench that ends with the test."""
    namespace = new_namespace()
    network = in_namespace(namespace, lambda: build_virtual_network([WIFI], "netem", [HOST]))
    in_namespace(namespace, offloads)
    link = in_namespace(namespace, lambda: NetemLink("wifi", "wifi"))
    probe = Probe(udp_socket(network.terminal, "10.64.1.2", 0, "wlan0"), udp_socket(namespace, HOST, 0))
    assert probe.passes(True)
    yield Bench(namespace, network, link, probe)
    probe.close()
    link.close()
    os.close(network.terminal)
    os.close(namespace)
