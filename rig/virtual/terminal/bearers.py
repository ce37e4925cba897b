"""Which way to the host: the first bearer with a carrier that connects.

A socket is bound to its interface (``SO_BINDTODEVICE``, socket(7)), so that the choice is the terminal's and not the
routing table's; the carrier is ``IFF_RUNNING`` of ``SIOCGIFFLAGS`` (netdevice(7)).
"""

from __future__ import annotations

import contextlib
import fcntl
import socket
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rig.virtual.terminal.settings import BearerSetting

_SIOCGIFFLAGS = 0x8913
_IFF_UP, _IFF_RUNNING = 0x1, 0x40

Log = Callable[..., object]


@dataclass(frozen=True)
class Attempt:
    """One bearer to be tried until ``deadline`` (monotonic seconds)."""

    bearer: str
    interface: str | None
    deadline: float

    def connect(self, address: tuple[str, int]) -> socket.socket:
        """A TCP connection over this bearer.

        Raises:
            OSError: no route, refused, or not in time.
        """
        connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            if self.interface is not None:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, self.interface.encode() + b"\0")
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.settimeout(self.remaining())
            connection.connect(address)
        except BaseException:
            connection.close()
            raise
        return connection

    def remaining(self) -> float:
        """The seconds that are left, never none at all: a zero would make a socket non-blocking."""
        return max(self.deadline - time.monotonic(), 0.001)


def has_carrier(interface: str) -> bool:
    """Whether the interface is there, up, and has its carrier."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
        answer = fcntl.ioctl(probe, _SIOCGIFFLAGS, struct.pack("16sh14x", interface.encode()[:15], 0))
        flags = struct.unpack("16sh14x", answer)[1]
        return bool(flags & _IFF_UP and flags & _IFF_RUNNING)
    return False


def attempts(bearers: tuple[BearerSetting, ...], timeout_s: float, log: Log) -> Iterator[Attempt]:
    """The bearers worth trying, in order, each with a time of its own."""
    for bearer in bearers:
        if bearer.interface is not None and not has_carrier(bearer.interface):
            log("terminal_bearer_skipped", bearer=bearer.name, why="no carrier")
            continue
        yield Attempt(bearer.name, bearer.interface, time.monotonic() + timeout_s)
