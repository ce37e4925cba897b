"""One network interface of the terminal as its operating system sees it: address, route, carrier, raw packets.

By ioctl and plain netlink (``netdevice(7)``, ``rtnetlink(7)``, ``packet(7)``), for that costs no time at boot.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import select
import socket
import struct
from collections.abc import Iterator

from rig.wire.dhcp import NOWHERE, packed

_SIOCDARP, _SIOCGARP, _ATF_COM = 0x8953, 0x8954, 0x02
_SIOCGIFHWADDR, _SIOCSIFADDR, _SIOCSIFNETMASK, _SIOCADDRT = 0x8927, 0x8916, 0x891C, 0x890B
_RTF_UP, _RTF_GATEWAY = 0x1, 0x2
_RTMGRP_LINK, _RTM_GETLINK, _NLM_F_REQUEST, _IFLA_CARRIER_DOWN_COUNT = 1, 18, 1, 48
_METRIC = 50
ETH_P_IP = 0x0800


def set_address(interface: str, address: str, mask: str) -> None:
    """Give the interface this address and no other.

    Raises:
        OSError: the kernel refused.
    """
    for request, value in ((_SIOCSIFADDR, address), (_SIOCSIFNETMASK, mask)):
        _ioctl(request, struct.pack("16s16s8x", interface.encode(), _sockaddr(value)))


def drop_address(interface: str) -> None:
    """Take the address away, and every route with it; fine where there is none."""
    with contextlib.suppress(OSError):
        _ioctl(_SIOCSIFADDR, struct.pack("16s16s8x", interface.encode(), _sockaddr(NOWHERE)))


def add_default_route(interface: str, router: str) -> None:
    """The way to everywhere else; fine where it is there already."""
    name = ctypes.create_string_buffer(interface.encode())
    everywhere = _sockaddr(NOWHERE)
    # struct rtentry of linux/route.h; its metric counts from 1
    route = struct.pack(
        "@L16s16s16sHhLPhPLLH", 0, everywhere, _sockaddr(router), everywhere, _RTF_UP | _RTF_GATEWAY, 0, 0, 0,
        _METRIC + 1, ctypes.addressof(name), 0, 0, 0,
    )  # fmt: skip
    with contextlib.suppress(FileExistsError):
        _ioctl(_SIOCADDRT, route)


def hardware_address(interface: str) -> bytes:
    """The interface's MAC, 6 bytes."""
    return _ioctl(_SIOCGIFHWADDR, struct.pack("16s24x", interface.encode()))[18:24]


def forget_unresolved(interface: str, neighbour: str) -> None:
    """Ask for a neighbour's MAC anew where nobody has answered yet (``arp(7)``); one that is known stays.

    What was sent while there was no carrier has begun to ask, in vain; the kernel repeats that once a second, and
    meanwhile all else waits.
    """
    entry = struct.pack("16s16si16s16s", _sockaddr(neighbour), bytes(16), 0, bytes(16), interface.encode())
    with contextlib.suppress(OSError):
        if not struct.unpack_from("i", _ioctl(_SIOCGARP, entry), 32)[0] & _ATF_COM:
            _ioctl(_SIOCDARP, entry)


def carrier_losses(interface: str) -> int:
    """How often the carrier was lost since the interface was made: tells of a loss that is over already.

    Raises:
        OSError: no such interface.
    """
    head = struct.pack("=IHHII", 32, _RTM_GETLINK, _NLM_F_REQUEST, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as netlink:
        netlink.send(head + struct.pack("=BxHiII", 0, 0, socket.if_nametoindex(interface), 0, 0))
        answer = netlink.recv(65536)
    place = 32
    while place + 4 <= len(answer):
        length, kind = struct.unpack_from("=HH", answer, place)
        if kind == _IFLA_CARRIER_DOWN_COUNT:
            return int(struct.unpack_from("=I", answer, place + 4)[0])
        place += max(4, (length + 3) & ~3)
    return 0


def link_news() -> socket.socket:
    """A socket that is readable whenever an interface changes."""
    news = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
    news.bind((0, _RTMGRP_LINK))
    return news


def await_news(news: socket.socket, nudge: socket.socket, seconds: float | None) -> None:
    """Wait until an interface changes, somebody nudges, or the time is up."""
    ready, _, _ = select.select([news, nudge], [], [], None if seconds is None else max(seconds, 0))
    for each in ready:
        with contextlib.suppress(OSError):
            each.recv(65536)


@contextlib.contextmanager
def ip_packets(interface: str) -> Iterator[socket.socket]:
    """IPv4 packets of an interface, which needs no address for that."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IP)) as packets:
        packets.bind((interface, ETH_P_IP))
        yield packets


def _sockaddr(address: str) -> bytes:
    return struct.pack("=HH4s8x", socket.AF_INET, 0, packed(address))


def _ioctl(request: int, argument: bytes) -> bytes:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        return fcntl.ioctl(any_socket, request, argument)
