"""A terminal's network and a bench's, a host that listens, and the bench's services: real packets, two namespaces."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from rig.bearers.failures import Failure, Site
from rig.bearers.netspace import can_isolate, in_namespace, new_namespace
from rig.bearers.nft import nft_available
from rig.bearers.services.client import ServicesClient
from rig.bearers.topology import Segment, build_virtual_network
from tests.bearers.conftest import Process, start_process

HOST, PORT, NAME = "10.64.0.10", 5000, "acquirer.bench"
GATE, TERMINAL = "10.64.1.1", "10.64.1.2"
WIFI = Segment("wifi", "wlan0", f"{TERMINAL}/24", f"{GATE}/24")
T = TypeVar("T")


class Echo:
    """A host that sends back what it gets; ``push`` lets it speak first."""

    def __init__(self, namespace: int) -> None:
        self._listener = in_namespace(namespace, lambda: socket.create_server((HOST, PORT)))
        self.connections: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections.append(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := connection.recv(65536):
                connection.sendall(data)

    def push(self, data: bytes) -> None:
        self.connections[-1].sendall(data)

    def close(self) -> None:
        for each in self.connections:
            each.close()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@dataclass(frozen=True)
class Path2:
    """The path from the terminal to its host."""

    bench: int
    terminal: int
    host: Echo
    services: ServicesClient
    folder: Path

    @property
    def site(self) -> Site:
        return Site("wifi", "wifi", (HOST,), PORT, GATE, NAME, self.services)

    @contextlib.contextmanager
    def suffering(self, failure: Failure) -> Iterator[dict[str, Any]]:
        """A failure for the length of a block; afterwards the path must be whole again."""
        evidence = in_namespace(self.bench, lambda: failure.start(self.site))
        try:
            yield evidence
        finally:
            in_namespace(self.bench, failure.stop)
        assert self.talk(timeout_s=2.5) == "ok"  # ARP that is under way is repeated every second

    def in_terminal(self, function: Callable[[], T]) -> T:
        return in_namespace(self.terminal, function)

    def connect(self, timeout_s: float = 0.4, address: str = HOST, port: int = PORT) -> socket.socket:
        """The terminal's connection to its host."""

        def make() -> socket.socket:
            connection = socket.socket()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"wlan0")
            connection.settimeout(timeout_s)
            connection.connect((address, port))
            return connection

        return self.in_terminal(make)

    def talk(self, size: int = 10, timeout_s: float = 0.4) -> str:
        """Connect, send, be answered: ``ok``, or what befell the terminal and where."""
        where = "connect"
        try:
            with self.connect(timeout_s) as connection:
                where = "answer"
                connection.sendall(b"x" * size)
                got = 0
                while got < size:
                    got += len(connection.recv(65536))
            return "ok"
        except OSError as error:
            return f"{where}: {errno.errorcode.get(error.errno or 0, 'timeout')}"


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path2]:
    if can_isolate().way != "root":
        pytest.skip("namespaces in the test process need root")
    if missing := nft_available().reason:
        pytest.skip(f"nftables: {missing}")
    folder = tmp_path_factory.mktemp("path")
    bench = new_namespace()
    network = in_namespace(bench, lambda: build_virtual_network([WIFI], "netem", [HOST]))
    serving: Process = start_process(
        "rig.bearers.services", folder, bench, name="services",
        bearers={"wifi": {
            "interface": "wifi", "address": f"{GATE}/24", "names": {NAME: [HOST]},
            "dhcp": {"first": "10.64.1.50", "last": "10.64.1.51", "lease_s": 600},
        }},
    )  # fmt: skip
    host = Echo(bench)
    client = ServicesClient(folder / "services.sock")
    yield Path2(bench, network.terminal, host, client, folder)
    client.close()
    host.close()
    assert serving.end() == 0
    os.close(network.terminal)
    os.close(bench)
