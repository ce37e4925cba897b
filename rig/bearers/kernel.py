"""The one door to pyroute2: an rtnetlink session in the calling thread's network namespace.

Imported when it is first needed, for pyroute2 takes 200 ms to load and the link relay does without.
"""

from __future__ import annotations

import fcntl
import os
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


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Hold back every other process and thread that says the same in this network namespace.

    For steps that look first and then do. The lock lies on the namespace itself: it needs no file and no right, and
    ends with its holder, however that ends.
    """
    namespace = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(namespace, fcntl.LOCK_EX)
        yield
    finally:
        os.close(namespace)
