"""A small virtual bench for the tests: namespaces, cables, the relay process, and probes at both ends."""

from __future__ import annotations

import json
import os
import socket
import statistics
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rig.bearers.interface import has_carrier
from rig.bearers.netspace import can_isolate, in_namespace, new_namespace
from rig.bearers.topology import Segment, VirtualNetwork, build_virtual_network
from rig.bearers.userspace import UserSpaceLink
from rig.history.events import Event, read_history
from rig.history.redaction import Redactor, TestRange
from rig.rpc import RpcClient

HOST = "10.64.0.10"
SEGMENTS = (
    Segment("wifi", "wlan0", "10.64.1.2/24", "10.64.1.1/24"),
    Segment("cellular", "wwan0", "10.64.2.2/24", "10.64.2.1/24", radio="air"),
)


@dataclass(frozen=True)
class Process:
    """A started bench process and what it said when it was ready."""

    process: subprocess.Popen[bytes]
    ready: dict[str, Any]

    def end(self) -> int:
        self.process.terminate()
        return self.process.wait(5)


def start_process(module: str, folder: Path, namespace: int, **settings: Any) -> Process:
    """Start a bench process as the guard does, in a namespace."""
    redaction = folder / "redaction.json"
    if not redaction.exists():
        Redactor.with_new_key([TestRange("476173")]).save(redaction)
    common = {"runtime": str(folder), "journals": str(folder / "journals"), "redaction": str(redaction)}
    config = folder / f"{settings['name']}.json"
    config.write_text(json.dumps({**common, **settings}))
    told, tell = os.pipe()
    command = [sys.executable, "-m", module, "--config", str(config), "--ready-fd", str(tell)]
    process = in_namespace(namespace, lambda: subprocess.Popen(command, pass_fds=[tell]))
    os.close(tell)
    with os.fdopen(told) as answer:
        line = answer.readline()
    assert line, f"{module} ended before it was ready"
    return Process(process, json.loads(line))


def udp_socket(namespace: int, address: str, port: int, interface: str = "") -> socket.socket:
    """A UDP socket that lives in a namespace, whoever uses it."""

    def make() -> socket.socket:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        if interface:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)
        made.bind((address, port))
        made.settimeout(1)
        return made

    return in_namespace(namespace, make)


@dataclass(frozen=True)
class Probe:
    """Two UDP ends, one a side; packets carry their number and the time when they were sent."""

    terminal: socket.socket
    host: socket.socket

    def ends(self, up: bool) -> tuple[socket.socket, socket.socket]:
        return (self.terminal, self.host) if up else (self.host, self.terminal)

    def send(self, up: bool, count: int, interval_s: float = 0.0, size: int = 100) -> None:
        source, sink = self.ends(up)
        begin = time.monotonic()
        for number in range(count):
            while interval_s and time.monotonic() < begin + number * interval_s:
                time.sleep(interval_s / 10)
            source.sendto(struct.pack("!IQ", number, time.monotonic_ns()).ljust(size, b"."), sink.getsockname())

    def receive(self, up: bool, wait_s: float) -> list[tuple[int, float]]:
        """(number, milliseconds on the way) of each packet that comes; ends after ``wait_s`` of silence."""
        _, sink = self.ends(up)
        sink.settimeout(wait_s)
        came = []
        try:
            while True:
                data, _ = sink.recvfrom(2048)
                number, sent = struct.unpack("!IQ", data[:12])
                came.append((number, (time.monotonic_ns() - sent) / 1e6))
        except TimeoutError:
            return came

    def passes(self, up: bool) -> bool:
        """Whether a single packet gets through now."""
        self.receive(up, 0.005)
        self.send(up, 1)
        return bool(self.receive(up, 0.15))

    def median_ms(self, up: bool, count: int = 100) -> float:
        """The median delay of single packets, each sent when the one before has come."""
        return statistics.median(self._delays_ms(up, count))

    def least_ms(self, up: bool, count: int = 100) -> float:
        """The shortest delay of single packets: what other load on this machine adds is not in it."""
        return min(self._delays_ms(up, count))

    def _delays_ms(self, up: bool, count: int) -> list[float]:
        delays: list[float] = []
        for _ in range(count):
            self.send(up, 1)
            _, sink = self.ends(up)
            sink.settimeout(1)
            data, _ = sink.recvfrom(2048)
            delays.append((time.monotonic_ns() - struct.unpack("!IQ", data[:12])[1]) / 1e6)
        return delays

    def close(self) -> None:
        self.terminal.close()
        self.host.close()


@dataclass(frozen=True)
class RelayBench:
    """A virtual network with its relay process."""

    namespace: int
    network: VirtualNetwork
    relay: RpcClient
    process: Process
    folder: Path

    def link(self, name: str) -> UserSpaceLink:
        return UserSpaceLink(name, self.relay)

    def probe(self, interface: str) -> Probe:
        address = {s.terminal_interface: s.terminal_address.split("/")[0] for s in SEGMENTS}[interface]
        return Probe(udp_socket(self.network.terminal, address, 0, interface), udp_socket(self.namespace, HOST, 0))

    def terminal_carrier(self, interface: str) -> bool:
        return in_namespace(self.network.terminal, lambda: has_carrier(interface))

    def events(self, kind: str) -> list[Event]:
        return read_history(self.folder / "journals").of(kind)


@pytest.fixture(scope="session")
def root() -> None:
    """Tests of this process's own namespaces; an ordinary user's way is test_user_namespace.py."""
    if can_isolate().way != "root":
        pytest.skip("namespaces in the test process need root")


@pytest.fixture(scope="module")
def relay_bench(root: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RelayBench]:
    folder = tmp_path_factory.mktemp("bench")
    namespace = new_namespace()
    network = in_namespace(namespace, lambda: build_virtual_network(SEGMENTS, "user-space link", [HOST]))
    process = start_process("rig.bearers.relay", folder, namespace, name="link", links=network.relays)
    client = RpcClient(folder / "link.sock")
    yield RelayBench(namespace, network, client, process, folder)
    client.close()
    assert process.end() == 0
    os.close(network.terminal)
    os.close(namespace)


@pytest.fixture
def wifi(relay_bench: RelayBench) -> Iterator[UserSpaceLink]:
    link = relay_bench.link("wifi")
    yield link
    link.clear()


@pytest.fixture
def probe(relay_bench: RelayBench) -> Iterator[Probe]:
    made = relay_bench.probe("wlan0")
    yield made
    made.close()
