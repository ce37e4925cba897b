"""The terminal's own DHCP client (RFC 2131): an address for one interface, kept as long as its lease, and no longer.

Addresses are set by ioctl (``netdevice(7)``), for that costs no time at boot. The client asks when the terminal boots
and whenever the carrier comes; it asks to go on at half of the lease; and where nobody answers in time, the address
goes, in the middle of whatever it was used for.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import math
import secrets
import select
import socket
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

from rig.virtual.terminal.bearers import Log, has_carrier
from rig.wire.dhcp import CLIENT_PORT, NOWHERE, SERVER_PORT, Dhcp, MessageType, Option, decode_dhcp, encode_dhcp, packed
from rig.wire.errors import WireError

_SIOCGIFHWADDR, _SIOCSIFADDR, _SIOCSIFNETMASK, _SIOCADDRT = 0x8927, 0x8916, 0x891C, 0x890B
_RTF_UP, _RTF_GATEWAY = 0x1, 0x2
_RTMGRP_LINK = 1
_ETH_P_IP, _UDP = 0x0800, 17
_EVERYBODY = "255.255.255.255"
_BROADCAST_MAC = b"\xff" * 6
_TRIES_S = (0.3, 0.6, 1.2)
_METRIC = 50
_WANTED = bytes([Option.SUBNET_MASK, Option.ROUTER, Option.DNS_SERVER, Option.NTP_SERVER, Option.CAPTIVE_PORTAL])


@dataclass(frozen=True)
class Lease:
    """An address and what came with it. Times are monotonic seconds."""

    address: str
    mask: str
    router: str | None
    name_server: str | None
    time_server: str | None
    server: str
    renew_at: float
    ends_at: float

    @classmethod
    def of(cls, message: Dhcp, asked_at: float) -> Lease:
        """What an ACK grants, counted from when it was asked for."""
        seconds = message.seconds(Option.LEASE_TIME) or 3600
        return cls(
            message.yours, message.address(Option.SUBNET_MASK) or "255.255.255.0", message.address(Option.ROUTER),
            message.address(Option.DNS_SERVER), message.address(Option.NTP_SERVER),
            message.address(Option.SERVER_IDENTIFIER) or "",
            asked_at + (message.seconds(Option.RENEWAL_TIME) or seconds / 2), asked_at + seconds,
        )  # fmt: skip


class AddressClient:
    """Keeps one interface in an address, on a thread of its own."""

    def __init__(self, interface: str, log: Log) -> None:
        self._interface = interface
        self._log = log
        self._lease: Lease | None = None
        self._last: str | None = None
        self._has = threading.Condition()

    def start(self) -> None:
        """Begin, without any address."""
        self._unset()
        threading.Thread(target=self._run, name=f"dhcp {self._interface}", daemon=True).start()

    def lease(self, wait_s: float) -> Lease:
        """The lease in force, waited for where there is none yet.

        Raises:
            OSError: there is none in time.
        """
        with self._has:
            if not self._has.wait_for(lambda: self._lease is not None, wait_s) or self._lease is None:
                raise OSError(f"no address on {self._interface}")
            return self._lease

    def _run(self) -> None:
        with _link_news() as news:
            while True:
                if not has_carrier(self._interface):
                    _await_news(news, None)
                    continue
                granted = self._acquire()
                if granted is not None:
                    self._hold(granted, news)
                    self._unset()

    def _acquire(self) -> Lease | None:
        """The address that it had before, if the server lets it; else a new one."""
        if self._last is not None:
            answer = self._exchange(MessageType.REQUEST, self._wishes(self._last))
            if answer is not None and answer[0].kind is MessageType.ACK:
                return Lease.of(*answer)
        self._last = None
        offer = self._exchange(MessageType.DISCOVER, {Option.PARAMETER_LIST: _WANTED})
        if offer is None or offer[0].kind is not MessageType.OFFER:
            return None
        wishes = self._wishes(offer[0].yours)
        if server := offer[0].options.get(Option.SERVER_IDENTIFIER):
            wishes[Option.SERVER_IDENTIFIER] = server
        answer = self._exchange(MessageType.REQUEST, wishes)
        return Lease.of(*answer) if answer is not None and answer[0].kind is MessageType.ACK else None

    def _hold(self, lease: Lease, news: socket.socket) -> None:
        """Use an address until its lease ends or the carrier does."""
        self._set(lease)
        while (now := time.monotonic()) < lease.ends_at:
            if now >= lease.renew_at:
                wanted = {int(Option.PARAMETER_LIST): _WANTED}
                extended = self._exchange(MessageType.REQUEST, wanted, lease.address, lease.ends_at)
                if extended is not None and extended[0].kind is MessageType.NAK:
                    self._last = None
                    return
                if extended is not None:
                    lease = Lease.of(*extended)
                    self._set(lease)
                    continue
            _await_news(news, min(lease.renew_at if now < lease.renew_at else now + 1, lease.ends_at) - now)
            if not has_carrier(self._interface):
                return

    def _set(self, lease: Lease) -> None:
        _configure(self._interface, lease)
        self._last = lease.address
        with self._has:
            self._lease = lease
            self._has.notify_all()
        seconds = round(lease.ends_at - time.monotonic())
        self._log("terminal_address", interface=self._interface, address=lease.address, seconds=seconds)

    def _unset(self) -> None:
        with self._has:
            had, self._lease = self._lease, None
        with contextlib.suppress(OSError):
            _set_address(self._interface, _SIOCSIFADDR, NOWHERE)
        if had is not None:
            self._log("terminal_address_gone", interface=self._interface, address=had.address)

    @staticmethod
    def _wishes(address: str) -> dict[int, bytes]:
        return {Option.REQUESTED_ADDRESS: packed(address), Option.PARAMETER_LIST: _WANTED}

    def _exchange(
        self, kind: MessageType, options: dict[int, bytes], client: str = NOWHERE, until: float = math.inf
    ) -> tuple[Dhcp, float] | None:
        """Ask, again where nobody answers; the answer, and when it was asked for."""
        with contextlib.suppress(OSError), _packets(self._interface) as packets:
            mac = _mac(self._interface)
            question = Dhcp(kind, secrets.randbits(32), mac, client=client, broadcast=True, options=options)
            for patience in _TRIES_S:
                asked_at = time.monotonic()
                packets.sendto(
                    _datagram(client, encode_dhcp(question)), (self._interface, _ETH_P_IP, 0, 0, _BROADCAST_MAC)
                )
                for message in _heard(packets, min(asked_at + patience, until)):
                    if message.from_server and message.transaction == question.transaction and message.mac == mac:
                        return message, asked_at
                if time.monotonic() >= until:
                    break
        return None


@contextlib.contextmanager
def _packets(interface: str) -> Iterator[socket.socket]:
    """IPv4 packets of an interface, which needs no address for that."""
    packets = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ETH_P_IP))
    with packets:
        packets.bind((interface, _ETH_P_IP))
        yield packets


def _datagram(source: str, payload: bytes) -> bytes:
    """An IPv4 packet with a UDP datagram from a client to every server; the UDP checksum may be left out in IPv4."""
    udp = struct.pack("!4H", CLIENT_PORT, SERVER_PORT, 8 + len(payload), 0) + payload
    head = struct.pack("!BBHHHBBH", 0x45, 0x10, 20 + len(udp), 0, 0, 64, _UDP, 0) + packed(source, _EVERYBODY)
    total: int = sum(struct.unpack("!10H", head))
    total = (total & 0xFFFF) + (total >> 16)
    checksum = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
    return head[:10] + checksum.to_bytes(2, "big") + head[12:] + udp


def _heard(packets: socket.socket, deadline: float) -> Iterator[Dhcp]:
    """DHCP messages for clients, until the deadline (monotonic seconds)."""
    while (remaining := deadline - time.monotonic()) > 0:
        if not select.select([packets], [], [], remaining)[0]:
            return
        packet = packets.recv(65536)
        start = (packet[0] & 0x0F) * 4 if packet else 0
        if len(packet) >= start + 8 and packet[9] == _UDP and packet[start + 2 : start + 4] == b"\x00\x44":
            with contextlib.suppress(WireError):
                yield decode_dhcp(packet[start + 8 :])


def _link_news() -> socket.socket:
    """Readable whenever an interface changes (``rtnetlink(7)``)."""
    news = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
    news.bind((0, _RTMGRP_LINK))
    return news


def _await_news(news: socket.socket, seconds: float | None) -> None:
    if select.select([news], [], [], None if seconds is None else max(seconds, 0))[0]:
        with contextlib.suppress(OSError):
            news.recv(65536)


def _configure(interface: str, lease: Lease) -> None:
    _set_address(interface, _SIOCSIFADDR, lease.address)
    _set_address(interface, _SIOCSIFNETMASK, lease.mask)
    if lease.router is not None:
        with contextlib.suppress(FileExistsError):
            _add_default_route(interface, lease.router)


def _sockaddr(address: str) -> bytes:
    return struct.pack("=HH4s8x", socket.AF_INET, 0, packed(address))


def _set_address(interface: str, request: int, address: str) -> None:
    _ioctl(request, struct.pack("16s16s8x", interface.encode(), _sockaddr(address)))


def _add_default_route(interface: str, router: str) -> None:
    name = ctypes.create_string_buffer(interface.encode())
    everywhere = _sockaddr(NOWHERE)
    # struct rtentry of linux/route.h; its metric counts from 1
    route = struct.pack(
        "@L16s16s16sHhLPhPLLH", 0, everywhere, _sockaddr(router), everywhere, _RTF_UP | _RTF_GATEWAY, 0, 0, 0,
        _METRIC + 1, ctypes.addressof(name), 0, 0, 0,
    )  # fmt: skip
    _ioctl(_SIOCADDRT, route)


def _mac(interface: str) -> bytes:
    return _ioctl(_SIOCGIFHWADDR, struct.pack("16s24x", interface.encode()))[18:24]


def _ioctl(request: int, argument: bytes) -> bytes:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        return bytes(fcntl.ioctl(any_socket, request, argument))
