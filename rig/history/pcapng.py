"""Capture files in the pcapng format: as much of it as a run's ``wire.pcapng`` needs.

Facts: draft-ietf-opsawg-pcapng (section header, interface description, enhanced packet; options ``if_name`` and
``if_tsresol``, ``epb_flags``).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

_SECTION, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6
_BYTE_ORDER = 0x1A2B3C4D
_ETHERNET = 1
_OPT_END, _OPT_IF_NAME, _OPT_IF_RESOLUTION, _OPT_PACKET_FLAGS = 0, 2, 9, 2
_NANOSECONDS = 9
_INBOUND, _OUTBOUND = 1, 2


class PcapngWriter:
    """Writes Ethernet packets of several interfaces, with nanosecond times, one ``write`` call a batch.

    Args:
        file: unbuffered, so that what was written is in the file even if this process is killed.
        interfaces: their names, in the order of their numbers.
    """

    def __init__(self, file: BinaryIO, interfaces: Iterable[str]) -> None:
        self._file = file
        section = struct.pack("<IHHq", _BYTE_ORDER, 1, 0, -1)
        blocks = [_block(_SECTION, section)]
        blocks += [_block(_INTERFACE, _interface(name)) for name in interfaces]
        file.write(b"".join(blocks))

    def write(self, packets: Iterable[Packet]) -> None:
        """Append packets."""
        self._file.write(b"".join(_block(_PACKET, _packet(packet)) for packet in packets))


@dataclass(frozen=True, slots=True)
class Packet:
    """A packet as it was seen.

    Attributes:
        interface: its number in the file.
        wall_ns: when, in nanoseconds since 1970.
        data: from the Ethernet header on.
        outgoing: whether the bench sent it.
    """

    interface: int
    wall_ns: int
    data: bytes
    outgoing: bool


def read_packets(content: bytes) -> Iterator[Packet]:
    """The packets of a file that :class:`PcapngWriter` wrote; a torn last block ends them silently."""
    for kind, block in _blocks(content):
        if kind == _PACKET:
            yield _decode(block)


def cut_out(content: bytes, start_wall_ns: int, end_wall_ns: int) -> bytes:
    """A whole capture file with the packets of a span of time (both ends included) alone."""
    return b"".join(
        block
        for kind, block in _blocks(content)
        if kind != _PACKET or start_wall_ns <= _decode(block).wall_ns <= end_wall_ns
    )


def _blocks(content: bytes) -> Iterator[tuple[int, bytes]]:
    place = 0
    while place + 12 <= len(content):
        kind, length = struct.unpack_from("<II", content, place)
        if length < 12 or place + length > len(content):
            return  # torn by the end of the writer
        yield kind, content[place : place + length]
        place += length


def _decode(block: bytes) -> Packet:
    interface, high, low, captured, _ = struct.unpack_from("<IIIII", block, 8)
    flags = struct.unpack_from("<I", block, 28 + _padded(captured) + 4)[0]
    return Packet(interface, high << 32 | low, block[28 : 28 + captured], flags & 3 == _OUTBOUND)


def _block(kind: int, body: bytes) -> bytes:
    length = len(body) + 12
    return struct.pack("<II", kind, length) + body + struct.pack("<I", length)


def _interface(name: str) -> bytes:
    options = _option(_OPT_IF_NAME, name.encode()) + _option(_OPT_IF_RESOLUTION, bytes([_NANOSECONDS]))
    return struct.pack("<HHI", _ETHERNET, 0, 0) + options + _option(_OPT_END, b"")


def _packet(packet: Packet) -> bytes:
    size = len(packet.data)
    time = packet.wall_ns
    head = struct.pack("<IIIII", packet.interface, time >> 32, time & 0xFFFF_FFFF, size, size)
    flags = struct.pack("<I", _OUTBOUND if packet.outgoing else _INBOUND)
    body = packet.data.ljust(_padded(size), b"\0")
    return head + body + _option(_OPT_PACKET_FLAGS, flags) + _option(_OPT_END, b"")


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + value.ljust(_padded(len(value)), b"\0")


def _padded(length: int) -> int:
    return (length + 3) & ~3
