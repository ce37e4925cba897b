"""The terminal's own DHCP client (RFC 2131): an address for one interface, kept as long as its lease, and no longer.

It asks when the terminal boots and whenever the carrier comes; it asks to go on at half of the lease; and where nobody
answers in time, the address goes, in the middle of whatever it was used for.
"""

from __future__ import annotations

import contextlib
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
from rig.virtual.terminal.interface import (
    ETH_P_IP,
    add_default_route,
    await_news,
    carrier_losses,
    drop_address,
    hardware_address,
    ip_packets,
    link_news,
    set_address,
)
from rig.wire.dhcp import CLIENT_PORT, NOWHERE, SERVER_PORT, Dhcp, MessageType, Option, decode_dhcp, encode_dhcp, packed
from rig.wire.errors import WireError

_UDP = 17
_EVERYBODY, _BROADCAST_MAC = "255.255.255.255", b"\xff" * 6
_TRIES_S = (0.25, 0.5)
"""Shorter than RFC 2131 (4.1) has it, as all times of the virtual bench are."""
_WANTED = bytes([Option.SUBNET_MASK, Option.ROUTER, Option.DNS_SERVER, Option.NTP_SERVER, Option.CAPTIVE_PORTAL])


@dataclass(frozen=True)
class Lease:
    """An address and what came with it. Times are monotonic seconds.

    ``losses`` is how often the carrier had been lost when it was asked for: a lease is of one stay on a network.
    """

    address: str
    mask: str
    router: str | None
    name_server: str | None
    time_server: str | None
    renew_at: float
    ends_at: float
    losses: int

    @classmethod
    def of(cls, message: Dhcp, asked_at: float, losses: int) -> Lease:
        """What an ACK grants, counted from when it was asked for."""
        seconds = message.seconds(Option.LEASE_TIME) or 3600
        return cls(
            message.yours, message.address(Option.SUBNET_MASK) or "255.255.255.0", message.address(Option.ROUTER),
            message.address(Option.DNS_SERVER), message.address(Option.NTP_SERVER),
            asked_at + (message.seconds(Option.RENEWAL_TIME) or seconds / 2), asked_at + seconds, losses,
        )  # fmt: skip


class AddressClient:
    """Keeps one interface in an address, on a thread of its own."""

    def __init__(self, interface: str, log: Log) -> None:
        self._interface = interface
        self._log = log
        self._lease: Lease | None = None
        self._last: str | None = None
        self._has = threading.Condition()
        self._nudged, self._nudge = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)

    def start(self) -> None:
        """Begin, without any address."""
        drop_address(self._interface)
        threading.Thread(target=self._run, name=f"dhcp {self._interface}", daemon=True).start()

    def lease(self, wait_s: float) -> Lease:
        """The lease in force, waited for where there is none yet.

        Raises:
            OSError: there is none in time.
        """
        with self._has:
            losses = carrier_losses(self._interface)
            if self._lease is not None and self._lease.losses != losses:
                self._nudge.send(b"!")  # the kernel may tell of a carrier that went and came a second late
            if self._has.wait_for(lambda: self._lease is not None and self._lease.losses == losses, wait_s):
                assert self._lease is not None
                return self._lease
        raise OSError(f"no address on {self._interface}")

    def _run(self) -> None:
        with link_news() as news:
            while True:
                if not has_carrier(self._interface):
                    await_news(news, self._nudged, None)
                    continue
                with contextlib.suppress(OSError):  # the interface went meanwhile
                    granted = self._acquire()
                    if granted is not None:
                        self._hold(granted, news)
                        self._unset()

    def _acquire(self) -> Lease | None:
        """The address that it had before, if the server lets it; else a new one."""
        losses = carrier_losses(self._interface)
        if self._last is not None:
            answer = self._exchange(MessageType.REQUEST, _wishes(self._last))
            if answer is not None and answer[0].kind is MessageType.ACK:
                return Lease.of(*answer, losses)
        self._last = None
        offer = self._exchange(MessageType.DISCOVER, {Option.PARAMETER_LIST: _WANTED})
        if offer is None or offer[0].kind is not MessageType.OFFER:
            return None
        wishes = _wishes(offer[0].yours)
        if server := offer[0].options.get(Option.SERVER_IDENTIFIER):
            wishes[Option.SERVER_IDENTIFIER] = server
        answer = self._exchange(MessageType.REQUEST, wishes)
        return Lease.of(*answer, losses) if answer is not None and answer[0].kind is MessageType.ACK else None

    def _hold(self, lease: Lease, news: socket.socket) -> None:
        """Use an address until its lease ends, it is refused, or the carrier goes."""
        self._set(lease)
        while (now := time.monotonic()) < lease.ends_at and carrier_losses(self._interface) == lease.losses:
            if now < lease.renew_at:
                await_news(news, self._nudged, lease.renew_at - now)
                continue
            wanted = {int(Option.PARAMETER_LIST): _WANTED}
            extended = self._exchange(MessageType.REQUEST, wanted, lease.address, lease.ends_at)
            if extended is not None and extended[0].kind is MessageType.NAK:
                self._last = None
                return
            if extended is not None:
                lease = Lease.of(*extended, lease.losses)
                self._set(lease)

    def _set(self, lease: Lease) -> None:
        set_address(self._interface, lease.address, lease.mask)
        if lease.router is not None:
            add_default_route(self._interface, lease.router)
        self._last = lease.address
        with self._has:
            self._lease = lease
            self._has.notify_all()
        seconds = round(lease.ends_at - time.monotonic())
        self._log("terminal_address", interface=self._interface, address=lease.address, seconds=seconds)

    def _unset(self) -> None:
        with self._has:
            had, self._lease = self._lease, None
        drop_address(self._interface)
        if had is not None:
            self._log("terminal_address_gone", interface=self._interface, address=had.address)

    def _exchange(
        self, kind: MessageType, options: dict[int, bytes], client: str = NOWHERE, until: float = math.inf
    ) -> tuple[Dhcp, float] | None:
        """Ask, again where nobody answers; the answer, and when it was asked for."""
        with ip_packets(self._interface) as packets:
            mac = hardware_address(self._interface)
            question = Dhcp(kind, secrets.randbits(32), mac, client=client, broadcast=True, options=options)
            for patience in _TRIES_S:
                asked_at = time.monotonic()
                packet = _datagram(client, encode_dhcp(question))
                packets.sendto(packet, (self._interface, ETH_P_IP, 0, 0, _BROADCAST_MAC))
                for message in _heard(packets, min(asked_at + patience, until)):
                    if message.from_server and message.transaction == question.transaction and message.mac == mac:
                        return message, asked_at
                if time.monotonic() >= until:
                    break
        return None


def _wishes(address: str) -> dict[int, bytes]:
    return {Option.REQUESTED_ADDRESS: packed(address), Option.PARAMETER_LIST: _WANTED}


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
        for_client = packet[start + 2 : start + 4] == CLIENT_PORT.to_bytes(2, "big")
        if len(packet) >= start + 8 and packet[9] == _UDP and for_client:
            with contextlib.suppress(WireError):
                yield decode_dhcp(packet[start + 8 :])
