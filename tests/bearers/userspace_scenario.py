"""A whole degraded link as an ordinary user: run as a program by ``test_user_namespace.py``, prints JSON."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

from rig.bearers.impairment import CLEAN, CUT, Impairment
from rig.bearers.netspace import can_isolate, unshare_network


def main() -> None:
    seen: dict[str, object] = {"uid": os.getuid(), "way": can_isolate().way}
    unshare_network(user_namespace=True)
    seen["uid_inside"] = os.getuid()
    from rig.bearers.netspace import in_namespace, new_namespace
    from rig.bearers.topology import build_virtual_network
    from rig.bearers.userspace import UserSpaceLink
    from rig.rpc import RpcClient
    from tests.bearers.conftest import HOST, SEGMENTS, Probe, start_process, udp_socket

    bench = new_namespace()
    network = in_namespace(bench, lambda: build_virtual_network(SEGMENTS, "user-space link", [HOST]))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        relay = start_process("rig.bearers.relay", folder, bench, name="link", links=network.relays)
        capture = start_process(
            "rig.history.capture", folder, bench,
            name="capture", interfaces=["wifi"], output=str(folder / "wire.pcapng"),
        )  # fmt: skip
        client = RpcClient(folder / "link.sock")
        link = UserSpaceLink("wifi", client)
        probe = Probe(udp_socket(network.terminal, "10.64.1.2", 0, "wlan0"), udp_socket(bench, HOST, 0))
        seen["passes"] = probe.passes(True) and probe.passes(False)
        link.apply(Impairment(delay_ms=20), CLEAN)
        seen["delay_ms"] = probe.least_ms(True)
        link.apply(CUT, CUT)
        seen["passes_cut"] = probe.passes(True) or probe.passes(False)
        client.close()
        seen["ends"] = [relay.end(), capture.end()]
        seen["captured"] = (folder / "wire.pcapng").stat().st_size > 1000
    json.dump(seen, sys.stdout)


if __name__ == "__main__":
    main()
