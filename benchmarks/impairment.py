"""What a change of an impairment costs: ours with read-back, against a ``tc`` subprocess; and the user-space link's.

One JSON line a measurement. ``ratio_p50`` is how many of our changes, read back, fit into one of ``tc``'s, which reads
nothing back. Where this kernel has no netem, that part is measured in user-mode Linux, and ``kernel`` says so: there
every system call is dear and starting a process dearest, so that times and ratio are larger than on hardware.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rig.bearers.impairment import CLEAN, Impairment
from rig.bearers.netem import NetemLink, netem_available
from rig.bearers.netspace import in_namespace, new_namespace
from rig.bearers.topology import Segment, build_virtual_network
from rig.bearers.userspace import UserSpaceLink
from rig.history.redaction import Redactor
from rig.rpc import RpcClient

PROJECT = Path(__file__).resolve().parent.parent
WIFI = Segment("wifi", "wlan0", "10.64.1.2/24", "10.64.1.1/24")
CHANGES = 500
TC_CHANGES = 100


def microseconds(change: Callable[[int], object], count: int) -> dict[str, float]:
    """p50 and p99 of ``count`` changes, each to another delay."""
    took = []
    for number in range(count):
        begin = time.perf_counter_ns()
        change(number)
        took.append((time.perf_counter_ns() - begin) / 1000)
    return {"p50_us": round(statistics.median(took), 1), "p99_us": round(statistics.quantiles(took, n=100)[98], 1)}


def measure_netem() -> dict[str, Any]:
    """Ours and ``tc``, on the same interface, one direction each."""
    namespace = new_namespace()
    network = in_namespace(namespace, lambda: build_virtual_network([WIFI], "netem"))

    def ours() -> dict[str, float]:
        link = NetemLink("wifi", "wifi")
        link.apply(CLEAN, CLEAN)
        try:
            return microseconds(lambda n: link.apply(CLEAN, Impairment(delay_ms=1 + n % 50)), CHANGES)
        finally:
            link.clear()
            link.close()

    def tc() -> dict[str, float]:
        command = ["tc", "qdisc", "replace", "dev", "wifi", "root", "handle", "1:", "netem", "limit", "1000", "delay"]
        return microseconds(lambda n: subprocess.run([*command, f"{1 + n % 50}ms"], check=True), TC_CHANGES)

    result: dict[str, Any] = {"ours": in_namespace(namespace, ours)}
    if shutil.which("tc"):
        result["tc"] = in_namespace(namespace, tc)
        # Ours sets both directions and reads them back; tc sets one and trusts.
        result["ratio_p50"] = round(result["tc"]["p50_us"] / result["ours"]["p50_us"], 2)
    os.close(network.terminal)
    os.close(namespace)
    lab = " in user-mode Linux" if os.environ.get("RIG_LAB") else ""
    return {"benchmark": "impairment change", "backend": "netem", "kernel": platform.release() + lab, **result}


def measure_user_space_link() -> dict[str, Any]:
    """A change through the relay process, read back."""
    namespace = new_namespace()
    network = in_namespace(namespace, lambda: build_virtual_network([WIFI], "user-space link"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        Redactor.with_new_key([]).save(folder / "redaction")
        common = {"runtime": name, "journals": name, "redaction": str(folder / "redaction")}
        (folder / "link.json").write_text(json.dumps({"name": "link", "links": network.relays, **common}))
        command = [sys.executable, "-m", "rig.bearers.relay", "--config", str(folder / "link.json"), "--ready-fd"]
        told, tell = os.pipe()
        relay = in_namespace(namespace, lambda: subprocess.Popen([*command, str(tell)], pass_fds=[tell]))
        os.close(tell)
        with os.fdopen(told) as answer:
            answer.readline()
        client = RpcClient(folder / "link.sock")
        link = UserSpaceLink("wifi", client)
        ours = microseconds(lambda n: link.apply(CLEAN, Impairment(delay_ms=1 + n % 50)), CHANGES)
        client.close()
        relay.terminate()
        relay.wait(5)
    os.close(network.terminal)
    os.close(namespace)
    return {
        "benchmark": "impairment change", "backend": "user-space link", "kernel": platform.release(), "ours": ours
    }  # fmt: skip


def measure_netem_in_the_lab() -> dict[str, Any]:
    """The same in user-mode Linux, for a kernel without netem."""
    sys.path.insert(0, str(PROJECT))
    from lab import uml

    skipped = {"benchmark": "impairment change", "backend": "netem", "kernel": platform.release()}
    try:
        code, said = uml.run([sys.executable, "-m", "benchmarks.impairment", "--netem-only"])
    except uml.LabTrouble as trouble:
        return {**skipped, "skipped": f"kernel has no sch_netem; {trouble}"}
    lines = [line for line in said.splitlines() if line.startswith("{")]
    if code or not lines:
        return {**skipped, "skipped": f"kernel has no sch_netem; the lab ended with {code}: {said[-400:]}"}
    measured: dict[str, Any] = json.loads(lines[-1])
    return measured


def measure() -> list[dict[str, Any]]:
    """Two lines: netem, and the user-space link."""
    return [measure_netem() if netem_available() else measure_netem_in_the_lab(), measure_user_space_link()]


if __name__ == "__main__":
    for line in [measure_netem()] if "--netem-only" in sys.argv else measure():
        print(json.dumps(line))
