"""A virtual bench lives in a network namespace of its own, so that nothing of it meets the machine's network."""

from __future__ import annotations

from rig.bearers.netspace import can_isolate, unshare_network
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
    unshare_network(user_namespace=isolation.way == "user namespace")
    return isolation.way
