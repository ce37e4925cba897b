"""The acquirer's hook, tried many times: our host holds its answer, the user-space link is cut, the answer goes."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rig.acquirer.authority import HOST_NAME
from rig.bearers.impairment import CLEAN, CUT
from rig.bearers.netspace import in_namespace
from rig.bearers.topology import Segment, build_virtual_network
from rig.bearers.userspace import UserSpaceLink
from rig.bench.spawn import Program, spawn
from rig.errors import DeviceMute
from rig.rpc import RpcClient
from tests.acquirer.till import HostProcess, Till, key, sale

HOST = "10.64.0.20"
SEGMENT = Segment("hook", "wlan1", "10.64.3.2/24", "10.64.3.1/24")
CONTROLS = 20
PATIENCE_S = 5.0


class HookBench:
    """A terminal's namespace behind a user-space link, and the rig's own acquirer as a host."""

    def __init__(self, terminal: int, host: HostProcess, link: UserSpaceLink) -> None:
        self.host = host
        self.link = link
        self._terminal = terminal
        self._trust = host.trust()

    def till(self) -> Till:
        """A terminal, connected and past its handshake."""
        plain = in_namespace(self._terminal, socket.socket)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        plain.settimeout(PATIENCE_S)
        plain.connect((HOST, self.host.port))
        return Till(self._trust.wrap_socket(plain, server_hostname=HOST_NAME))

    def wait_for_drop(self, since: int) -> bool:
        """Whether the link drops a packet of the host in time, beyond those it had dropped ``since``."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if self.dropped() > since:
                return True
        return False

    def dropped(self) -> int:
        """Packets of the host that the link has dropped."""
        return self.link.counters()["down"]["dropped"]


@contextmanager
def hook_bench(folder: Path) -> Iterator[HookBench]:
    """Build it in the network of this process; end it afterwards."""
    network = build_virtual_network([SEGMENT], "user-space link", [HOST])
    host = HostProcess(folder / "acquirer", listen=[HOST])
    common = {name: str(folder / "acquirer" / name) for name in ("runtime", "journals")}
    common["redaction"] = str(folder / "acquirer/redaction.json")
    settings = {**common, "name": "link", "links": network.relays}
    relay = spawn(Program("link", "rig.bearers.relay", settings), folder, folder, folder)
    try:
        relay.wait_until_ready(time.monotonic() + PATIENCE_S)
        client = RpcClient(folder / "acquirer/runtime/link.sock", "link relay")
        with contextlib.closing(client):
            yield HookBench(network.terminal, host, UserSpaceLink("hook", client))
    finally:
        relay.end()
        host.end()
        os.close(network.terminal)


def hook_trials(folder: Path, trials: int) -> dict[str, int]:
    """Cut between request and answer with the acquirer's hook.

    Returns:
        What :class:`lab.moments.Series` counts.
    """
    with hook_bench(folder) as bench:
        controls = sum(_control(bench, number) for number in range(CONTROLS))
        counted = {"leaks": 0, "hits": 0, "handshakes": 0, "answered": 0}
        for number in range(trials):
            _trial(bench, number, counted)
    return {**counted, "controls": controls}


def _control(bench: HookBench, number: int) -> bool:
    with bench.till() as till:
        return till.ask(sale(bench.host.cards["credit"], 100, CONTROLS + number)).text(39) == "00"


def _trial(bench: HookBench, number: int, counted: dict[str, int]) -> None:
    control = bench.host.control
    request = sale(bench.host.cards["credit"], 100, 1000 + number)
    with bench.till() as till:
        counted["handshakes"] += 1
        control.hold("sale")
        till.send(request)
        control.wait_for("held", PATIENCE_S, key(request))
        bench.link.apply(CUT, CUT).require("hook", CUT, CUT)
        dropped = bench.dropped()
        control.release(key(request))
        with contextlib.suppress(DeviceMute):
            control.wait_for("answered", PATIENCE_S, key(request))
            counted["answered"] += 1
        counted["hits"] += bench.wait_for_drop(dropped)
        counted["leaks"] += _heard_something(till.connection)
    bench.link.clear()
    bench.link.read().require("hook", CLEAN, CLEAN)


def _heard_something(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        connection.recv(4096)
    except (BlockingIOError, ssl.SSLWantReadError):
        return False
    return True
