"""Which way to the host: the first bearer with a carrier that connects.

A socket is bound to its interface (``SO_BINDTODEVICE``, socket(7)), so that the choice is the terminal's and not the
routing table's. The carrier is asked of the driver (``ETHTOOL_GLINK``, linux/ethtool.h): ``IFF_RUNNING`` may tell it
up to a second later.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import socket
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rig.virtual.terminal.settings import BearerSetting, LineSetting

_SIOCETHTOOL = 0x8946
_ETHTOOL_GLINK = 0x0A
_BREAKS_OFF, _IN_ORDER = struct.pack("ii", 1, 0), struct.pack("ii", 0, 0)
"""SO_LINGER (socket(7)): to close is to reset at once and to forget what was not delivered; or not."""

Log = Callable[..., object]


@dataclass(frozen=True)
class Attempt:
    """One bearer to be tried until ``deadline`` (monotonic seconds), with the servers that are known on it."""

    bearer: str
    interface: str | None
    deadline: float
    name_server: str | None = None
    time_server: str | None = None
    plain: bool = False
    """Without TLS."""
    address: str | None = None
    port: int | None = None
    """Where the host is on this bearer, if elsewhere than usual."""
    line: LineSetting | None = None
    """It is a telephone line, which knows neither sockets nor servers."""

    def connect(self, address: tuple[str, int]) -> socket.socket:
        """A TCP connection over this bearer.

        It breaks off where its process ends without a word, as a terminal does that loses its power. Without that the
        kernel, which has not lost its power, would go on sending what was on its way, in the middle of a later sale.

        Raises:
            OSError: no route, refused, or not in time.
        """
        connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            self._bind(connection)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _BREAKS_OFF)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.settimeout(self.remaining())
            connection.connect(address)
        except BaseException:
            connection.close()
            raise
        return connection

    def datagrams(self) -> socket.socket:
        """A UDP socket of this bearer.

        Raises:
            OSError: the interface is gone.
        """
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._bind(made)
        except BaseException:
            made.close()
            raise
        return made

    def _bind(self, made: socket.socket) -> None:
        if self.interface is not None:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, self.interface.encode() + b"\0")

    def remaining(self) -> float:
        """The seconds that are left, never none at all: a zero would make a socket non-blocking."""
        return max(self.deadline - time.monotonic(), 0.001)


def end(connection: socket.socket) -> None:
    """Close a connection in an orderly way: what was sent still arrives, if it can."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _IN_ORDER)
    with contextlib.suppress(OSError):
        connection.close()


def has_carrier(interface: str) -> bool:
    """Whether the interface is there, up, and has its carrier."""
    link = ctypes.create_string_buffer(struct.pack("II", _ETHTOOL_GLINK, 0))
    request = struct.pack("16sP16x", interface.encode()[:15], ctypes.addressof(link))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
        fcntl.ioctl(probe, _SIOCETHTOOL, request)
    return bool(struct.unpack("II", link.raw[:8])[1])


def attempts(bearers: tuple[BearerSetting, ...], timeout_s: float, log: Log) -> Iterator[Attempt]:
    """The bearers worth trying, in order, each with a time of its own."""
    for bearer in bearers:
        if bearer.interface is not None and not has_carrier(bearer.interface):
            log("terminal_bearer_skipped", bearer=bearer.name, why="no carrier")
            continue
        deadline = time.monotonic() + timeout_s
        yield Attempt(
            bearer.name,
            bearer.interface,
            deadline,
            name_server=bearer.server,
            time_server=bearer.server,
            plain=bearer.plain,
            address=bearer.address,
            port=bearer.port,
            line=bearer.line,
        )
