"""The one door to pyroute2: an rtnetlink session in the calling thread's network namespace.

Imported when it is first needed, for pyroute2 takes 200 ms to load and the link relay does without.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rig.errors import BenchTrouble


def open_kernel() -> Any:
    """A ``pyroute2.IPRoute``; close it when done. Not inside a running asyncio loop, where pyroute2 refuses."""
    from pyroute2.iproute.linux import IPRoute

    return IPRoute()  # type: ignore[no-untyped-call]


@contextmanager
def kernel_session(device: str) -> Iterator[Any]:
    """An rtnetlink session whose refusals are the bench's trouble with ``device``."""
    with open_kernel() as kernel, refusals(device):
        yield kernel


@contextmanager
def refusals(device: str) -> Iterator[None]:
    """Turn what the kernel refuses into the bench's trouble with ``device``."""
    from pyroute2.netlink.exceptions import NetlinkError

    try:
        yield
    except NetlinkError as error:
        raise BenchTrouble(device, f"the kernel refused: {error.args[-1]}", "needs CAP_NET_ADMIN") from error
