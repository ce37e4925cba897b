"""Open network: Wi-Fi without encryption, where everybody in the room can read along.

The access point is opened by whoever drives it. What is checked here is what a neighbour would read: the first bytes of
every connection that the terminal makes must begin a TLS handshake, and nothing but names, addresses and time may pass
in clear.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading
from dataclasses import dataclass, field
from typing import Any

from rig.bearers.failures.failure import Hits, Site
from rig.errors import BenchTrouble
from rig.wire import dhcp, dns, sntp

_ETH_P_IP, _TCP, _UDP = 0x0800, 6, 17
_TLS_RECORDS = range(0x14, 0x18)
"""Kinds of TLS records; a connection that stood before is met in the middle of its application data."""
_SERVICES = (dns.PORT, sntp.PORT, dhcp.SERVER_PORT)


@dataclass
class Overheard:
    """What a listener learned: connections by how they began, and datagrams of other than the usual services."""

    encrypted: int = 0
    clear: int = 0
    datagrams: int = 0
    _seen: set[bytes] = field(default_factory=set)

    def hear(self, packet: bytes) -> None:
        """Take one IPv4 packet of the terminal's."""
        if len(packet) < 20 or packet[0] >> 4 != 4:
            return
        start = (packet[0] & 0x0F) * 4
        body = packet[start : struct.unpack_from("!H", packet, 2)[0]]
        if packet[9] == _TCP and len(body) >= 20:
            flow, payload = packet[12:20] + body[:4], body[(body[12] >> 4) * 4 :]
            if payload and flow not in self._seen:
                self._seen.add(flow)
                encrypted = payload[0] in _TLS_RECORDS and payload[1:2] == b"\x03"
                self.encrypted += encrypted
                self.clear += not encrypted
        elif packet[9] == _UDP and len(body) >= 8 and struct.unpack_from("!H", body, 2)[0] not in _SERVICES:
            self.datagrams += 1


class OpenNetwork:
    """The access point takes everybody and encrypts nothing.

    The terminal sees: a network without a key. Whatever it says can be read by anybody near; only what it encrypts
    itself is safe. ``hits().detail["clear"]`` and ``["datagrams"]`` must be nothing.
    """

    sees = "a network without a key: whatever it does not encrypt itself, everybody can read"

    def __init__(self) -> None:
        self._overheard = Overheard()
        self._over = threading.Event()
        self._listener: threading.Thread | None = None
        self._site: Site | None = None

    def start(self, site: Site) -> dict[str, Any]:
        """Open the access point, then listen on the bench's side of it."""
        if site.access_point is None:
            raise BenchTrouble(f"bearer {site.bearer}", "no access point that could be opened", "see access_point")
        tap = listen(site.interface, _ETH_P_IP)
        self._site = site
        self._listener = threading.Thread(target=self._listen, args=(tap,), name="open network", daemon=True)
        self._listener.start()
        return {"access_point": dict(site.access_point.open_network())}

    def hits(self) -> Hits:
        """The connections that were overheard."""
        heard = self._overheard
        detail = {"encrypted": heard.encrypted, "clear": heard.clear, "datagrams": heard.datagrams}
        return Hits(heard.encrypted + heard.clear, detail)

    def stop(self) -> None:
        """Close the access point to others again."""
        self._over.set()
        if self._listener is not None:
            self._listener.join()
        site, self._site = self._site, None
        if site is not None and site.access_point is not None:
            site.access_point.secure_network()

    def _listen(self, tap: socket.socket) -> None:
        with tap:
            while not self._over.is_set():
                if not select.select([tap], [], [], 0.1)[0]:
                    continue
                with contextlib.suppress(OSError):
                    packet, (_, _, kind, *_) = tap.recvfrom(65536)
                    if kind != socket.PACKET_OUTGOING:
                        self._overheard.hear(packet)


def listen(interface: str, protocol: int) -> socket.socket:
    """A socket that hears every packet of a protocol on an interface, from the network layer on.

    Raises:
        BenchTrouble: no such interface, or no permission.
    """
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(protocol))
    try:
        tap.bind((interface, protocol))
    except OSError as error:
        tap.close()
        raise BenchTrouble(f"interface {interface}", f"cannot be listened on: {error.strerror}", "ip link") from error
    return tap
