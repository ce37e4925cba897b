"""A virtual bench lives in a network namespace of its own, so that nothing of it meets the machine's network."""

from __future__ import annotations

import os

from rig.bearers.netspace import can_isolate, unshare_network
from rig.bearers.wifi.nl80211 import take_radios_from
from rig.bench.description import BenchFile
from rig.errors import BenchTrouble


def isolate(bench: BenchFile) -> str:
    """Move this process into a private network where the bench file asks for one; returns how.

    What this process starts from here on lives there too. Where the process lacks the privilege, a user namespace
    gives it, if the system allows that.

    Raises:
        BenchTrouble: neither way is open; says what is missing and how to get it.
    """
    if bench.network.isolation == "host":
        return "the machine's own network"
    isolation = can_isolate()
    if not isolation:
        raise BenchTrouble(f"bench {bench.name}", f"no private network: {isolation.reason}", isolation.cure)
    radios = _radios(bench)
    if radios and isolation.way != "root":
        raise BenchTrouble(f"bench {bench.name}", "radios can be moved by root alone", "run as root")
    outside = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        unshare_network(user_namespace=isolation.way == "user namespace")
        take_radios_from(outside, radios)
    finally:
        os.close(outside)
    return isolation.way


def _radios(bench: BenchFile) -> list[str]:
    """The interfaces whose radios belong to the bench: those of its access points, and those of a virtual terminal."""
    cells = [radio[0].interface for each in bench.access_points.values() for radio in each.network.radios]
    segments = bench.simulation.segments.values() if bench.simulation is not None else ()
    return cells + [segment.terminal_interface for segment in segments if segment.access_point is not None]
