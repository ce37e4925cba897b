"""What a change of an impairment costs: ours against ``tc`` and tcconfig as subprocesses; and the user-space link's.

One JSON line a comparison, all in one run on one kernel, each side one direction of the same interface:
``ratio_p50`` is how many of ours fit into one of theirs, ``limit`` is what it must be at the least, ``met`` whether it
is. Neither ``tc`` nor tcconfig reads anything back. The prepared steps set both directions, and are measured so.

Where this kernel has no netem, that part runs in user-mode Linux, and ``kernel`` says so: there every system call is
dear and starting a process dearest, so that times and ratios are larger than on hardware.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import tcconfig
from rig.bearers.impairment import CLEAN, Impairment
from rig.bearers.link import ReadBack
from rig.bearers.netem import NetemLink, netem_available
from rig.bearers.netem.qdisc import Place, PlacedNetem, nothing_counted
from rig.bearers.netem.rtnetlink import Port
from rig.bearers.netspace import in_namespace, new_namespace
from rig.bearers.topology import Segment, build_virtual_network
from rig.bearers.userspace import UserSpaceLink
from rig.history.redaction import Redactor
from rig.rpc import RpcClient

PROJECT = Path(__file__).resolve().parent.parent
WIFI = Segment("wifi", "wlan0", "10.64.1.2/24", "10.64.1.1/24")
CHANGES = 500
TC_CHANGES = 100
TCSET_CHANGES = 7
Times = dict[str, float]


def microseconds(change: Callable[[int], object], count: int) -> Times:
    """p50 and p99 of ``count`` changes, each to another delay."""
    took = []
    for number in range(count):
        begin = time.perf_counter_ns()
        change(number)
        took.append((time.perf_counter_ns() - begin) / 1000)
    return {"p50_us": round(statistics.median(took), 1), "p99_us": round(statistics.quantiles(took, n=100)[98], 1)}


def measure_netem(tcset: str) -> list[dict[str, Any]]:
    """Ours, ``tc`` and tcconfig on the same interface; ``tcset`` is its command, or why there is none."""
    namespace = new_namespace()
    network = in_namespace(namespace, lambda: build_virtual_network([WIFI], "netem"))
    tc_command = ["tc", "qdisc", "replace", "dev", "wifi", "root", "handle", "1:", "netem", "limit", "1000", "delay"]
    ours = in_namespace(namespace, measure_ours)
    theirs: Times | str = tcset
    tc: Times | str = "no tc on this machine"
    if shutil.which("tc"):
        tc = in_namespace(namespace, lambda: measure_command(tc_command, TC_CHANGES))
    if Path(tcset).is_absolute():
        in_namespace(namespace, lambda: run(["tc", "qdisc", "del", "dev", "wifi", "root"]))
        in_namespace(namespace, lambda: run([tcset, "wifi", "--delay", "1ms"]))
        theirs = in_namespace(namespace, lambda: measure_command([tcset, "wifi", "--change", "--delay"], TCSET_CHANGES))
    os.close(network.terminal)
    os.close(namespace)
    return [
        compared("one direction, not read back", ours["blind"], "tc subprocess", tc, 3),
        compared("one direction, read back", ours["read back"], "tc subprocess", tc, 2),
        compared("one direction, read back", ours["read back"], f"tcset of tcconfig {tcconfig.VERSION}", theirs, 50),
        compared("prepared step, both directions", ours["prepared"], "tc subprocess", tc, 50),
    ]


def measure_ours() -> dict[str, Times]:
    """A change in the three ways that the rig has."""
    steps = [Impairment(delay_ms=1 + number % 50) for number in range(CHANGES)]
    link = NetemLink("wifi", "wifi")
    prepared = link.prepare([(step, step) for step in steps])
    port = Port()
    netem = PlacedNetem(port, Place("wifi", socket.if_nametoindex("wifi")), nothing_counted())

    def blind(number: int) -> None:
        netem.put(netem.encode(steps[number]))

    def read_back(number: int) -> None:
        blind(number)
        ReadBack(CLEAN, netem.read(), True).require("wifi", CLEAN, steps[number])

    try:
        return {
            "blind": microseconds(blind, CHANGES),
            "read back": microseconds(read_back, CHANGES),
            "prepared": microseconds(prepared.put, CHANGES),
        }
    finally:
        link.clear()
        link.close()
        port.close()


def measure_command(command: list[str], count: int) -> Times:
    """A subprocess a change; the delay is its last word."""
    return microseconds(lambda number: run([*command, f"{1 + number % 50}ms"]), count)


def run(command: list[str]) -> None:
    """A command that must succeed."""
    subprocess.run(command, check=True, capture_output=True)


def compared(what: str, ours: Times, peer: str, theirs: Times | str, limit: float) -> dict[str, Any]:
    """One line; without a ratio where the peer is not there, and with the reason."""
    lab = " in user-mode Linux" if os.environ.get("RIG_LAB") else ""
    line: dict[str, Any] = {
        "benchmark": "impairment change",
        "backend": "netem",
        "kernel": platform.release() + lab,
        "what": what,
    }
    line |= {"ours": ours, "against": peer, "limit": limit}
    if isinstance(theirs, str):
        return {**line, "skipped": theirs}
    ratio = round(theirs["p50_us"] / ours["p50_us"], 2)
    return {**line, "theirs": theirs, "ratio_p50": ratio, "met": ratio >= limit}


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


def measure_netem_in_the_lab(tcset: str) -> list[dict[str, Any]]:
    """The same in user-mode Linux, for a kernel without netem."""
    sys.path.insert(0, str(PROJECT))
    from lab import uml
    from lab.part import LabTrouble

    skipped = {"benchmark": "impairment change", "backend": "netem", "kernel": platform.release()}
    try:
        code, said = uml.run([sys.executable, "-m", "benchmarks.impairment", "--netem-only", tcset])
    except LabTrouble as trouble:
        return [{**skipped, "skipped": f"kernel has no sch_netem; {trouble}"}]
    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    if code or not lines:
        return [{**skipped, "skipped": f"kernel has no sch_netem; the lab ended with {code}: {said[-400:]}"}]
    return lines


def measure() -> list[dict[str, Any]]:
    """netem against its peers, then the user-space link."""
    try:
        tcset = str(tcconfig.tcset())
    except tcconfig.NotHad as why:
        tcset = str(why)
    return [*(measure_netem if netem_available() else measure_netem_in_the_lab)(tcset), measure_user_space_link()]


if __name__ == "__main__":
    for line in measure_netem(sys.argv[2]) if "--netem-only" in sys.argv else measure():
        print(json.dumps(line))
