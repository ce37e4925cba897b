"""The IPv4 packets of a run's ``wire.pcapng``, each with the bearer on whose interface it was seen.

The size of a packet is the total length in its IPv4 header (RFC 791, 3.1), which is what mobile operators count; the
Ethernet header, ARP and IPv6 are not in it. Times are those of the history's monotonic clock: the capture's wall time
less the offset of the event ``capture_clock``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from rig.history import History
from rig.history.pcapng import read_packets
from rig.report.scorecard.links import Link

ICMP, TCP, UDP = 1, 6, 17
FIN, SYN, RST, ACK = 1, 2, 4, 16
_ETHERNET, _IPV4 = 14, b"\x08\x00"
_ECHO_REPLY, _ECHO = 0, 8


@dataclass(frozen=True, slots=True)
class Segment:
    """What a TCP header says (RFC 9293, 3.1), and the payload."""

    sequence: int
    flags: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Datagram:
    """One IPv4 packet.

    Attributes:
        t: monotonic ns.
        bearer: on whose interface.
        down: from the bench to the terminal.
        size: its total length.
        protocol: of what it carries.
        terminal: address and port of the terminal's side; port 0 where there are none.
        host: the other side's.
        segment: of TCP.
        payload: of UDP and ICMP.
    """

    t: int
    bearer: str
    down: bool
    size: int
    protocol: int
    terminal: tuple[str, int]
    host: tuple[str, int]
    segment: Segment | None = None
    payload: bytes = b""

    @property
    def is_echo_of_bench(self) -> bool:
        """Whether the bench asked by ICMP how long the way is, or the terminal answered that."""
        return self.protocol == ICMP and self.payload[:1] == bytes([_ECHO if self.down else _ECHO_REPLY])


def read_datagrams(run: Path, history: History, links: Mapping[str, Link]) -> Iterator[Datagram]:
    """The packets of the bearers, in the order in which they were captured; none where there was no capture."""
    by_interface = {link.interface: name for name, link in links.items() if link.has_packets}
    for clock in history.of("capture_clock"):
        path = run / str(clock.data.get("output", "wire.pcapng"))
        names = [by_interface.get(str(interface)) for interface in clock.data.get("interfaces", [])]
        offset = clock.data.get("wall_minus_monotonic_ns")
        if not path.is_file() or not isinstance(offset, int):
            continue
        for packet in read_packets(path.read_bytes()):
            bearer = names[packet.interface] if packet.interface < len(names) else None
            if bearer is not None and (found := dissect(packet.data, packet.wall_ns - offset, bearer, packet.outgoing)):
                yield found


def dissect(frame: bytes, t: int, bearer: str, down: bool) -> Datagram | None:
    """An Ethernet frame; None where it holds no whole IPv4 header. A torn transport header leaves ports 0."""
    packet = frame[_ETHERNET:]
    if frame[12:14] != _IPV4 or len(packet) < 20 or packet[0] >> 4 != 4:
        return None
    header, size = (packet[0] & 15) * 4, int.from_bytes(packet[2:4])
    protocol, later = packet[9], int.from_bytes(packet[6:8]) & 0x1FFF
    source, target = str(IPv4Address(packet[12:16])), str(IPv4Address(packet[16:20]))
    body = b"" if later else packet[header:size]
    ports = struct.unpack_from(">HH", body) if protocol in (TCP, UDP) and len(body) >= 8 else (0, 0)
    ends = ((source, ports[0]), (target, ports[1]))
    host, terminal = ends if down else ends[::-1]
    segment, payload = None, body
    if protocol == TCP and len(body) >= 20:
        segment = Segment(int.from_bytes(body[4:8]), body[13], body[(body[12] >> 4) * 4 :])
        payload = b""
    elif protocol == UDP:
        payload = body[8:]
    return Datagram(t, bearer, down, size, protocol, terminal, host, segment, payload)
