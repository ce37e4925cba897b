"""TCP connections of a capture, and what each byte of their packets was for.

A packet's headers are for what its first byte of payload is for. Payload at or below the highest byte that was seen
before was sent again, whether or not the first copy reached the capture. (RFC 9293; keep-alives are its section
3.8.4: a segment one byte below what comes next, and the acknowledgement that answers it.)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from rig.report.scorecard.datagrams import ACK, FIN, RST, SYN, Datagram, Segment
from rig.report.scorecard.tls import Region, TlsView, Use, is_tls, view_tls

_HALF = 1 << 31


class Share(StrEnum):
    """What bytes on the wire were for."""

    DATA = "requests and answers"
    HANDSHAKE = "handshakes"
    ACKNOWLEDGEMENT = "TCP ACKs"
    CLOSING = "closing"
    RETRANSMISSION = "retransmissions"
    KEEPALIVE = "keep-alive"
    FAILED = "failed connections"
    REVERSAL = "reversals and repeats"
    SERVICES = "names, addresses, time"
    OTHER = "other"


_OF_USE = {Use.HANDSHAKE: Share.HANDSHAKE, Use.DATA: Share.DATA, Use.CLOSING: Share.CLOSING}


@dataclass
class _Direction:
    """One way of a connection, from its first sequence number on."""

    isn: int | None = None
    parts: dict[int, bytes] = field(default_factory=dict)

    def place(self, segment: Segment) -> int:
        """Where a segment's first byte stands in the stream, SYN being −1; negative for what came before."""
        if self.isn is None:
            self.isn = segment.sequence if segment.flags & SYN else (segment.sequence - 1) % (2 * _HALF)
        away = (segment.sequence - self.isn) % (2 * _HALF)
        return (away if away < _HALF else away - 2 * _HALF) - 1

    def take(self, segment: Segment) -> None:
        """Keep the payload."""
        place = self.place(segment)
        if segment.payload and place >= 0 and len(segment.payload) >= len(self.parts.get(place, b"")):
            self.parts[place] = segment.payload

    def stream(self) -> bytes:
        """The payload in order, up to the first byte that is missing."""
        found = bytearray()
        for place in sorted(self.parts):
            if place > len(found):
                break
            found += self.parts[place][len(found) - place :]
        return bytes(found)


@dataclass
class Connection:
    """One TCP connection.

    Attributes:
        datagrams: its packets, in order.
    """

    datagrams: list[Datagram] = field(default_factory=list)
    _ways: tuple[_Direction, _Direction] = field(default_factory=lambda: (_Direction(), _Direction()), repr=False)

    @property
    def by_bench(self) -> bool:
        """Whether the bench opened it: a probe, or whatever else is the rig's own."""
        first = self.datagrams[0]
        return first.down and first.segment is not None and first.segment.flags & (SYN | ACK) == SYN

    @property
    def begun_t(self) -> int:
        """When its first packet was seen."""
        return self.datagrams[0].t

    @property
    def ended_t(self) -> int:
        """When its last packet was seen."""
        return self.datagrams[-1].t

    def take(self, datagram: Datagram, segment: Segment) -> None:
        """Another packet of it."""
        self.datagrams.append(datagram)
        self._ways[datagram.down].take(segment)

    def is_reopened_by(self, datagram: Datagram, segment: Segment) -> bool:
        """Whether a packet opens another connection between the same ends."""
        way = self._ways[datagram.down]
        return bool(segment.flags & SYN) and way.isn is not None and way.isn != segment.sequence

    @property
    def sent_in_clear(self) -> bool:
        """Whether the terminal sent anything over it that does not begin as TLS."""
        up = self._ways[0].stream()
        return bool(up) and not is_tls(up)

    def tls(self, answers: int | None = None) -> TlsView | None:
        """As :func:`view_tls`; None where it is no TLS."""
        up, down = (way.stream() for way in self._ways)
        return view_tls(up, down, answers) if is_tls(up) else None

    def shares(self, answers: int | None = None) -> Iterator[tuple[Datagram, dict[Share, int]]]:
        """Every packet with what its bytes were for; they sum to its size."""
        view = self.tls(answers)
        regions = (view.up, view.down) if view is not None else ((), ())
        ways = (_Progress(), _Progress())
        for each in self.datagrams:
            segment = each.segment
            if segment is not None:
                place = self._ways[each.down].place(segment)
                yield each, _shares(each, segment, place, ways[each.down], ways[not each.down], regions[each.down])


@dataclass
class _Progress:
    """How far one way has come while its packets are gone through."""

    seen: int = 0
    opened: bool = False
    finished: bool = False
    owes_keepalive: bool = False


def _shares(
    datagram: Datagram, segment: Segment, place: int, own: _Progress, other: _Progress, regions: Sequence[Region]
) -> dict[Share, int]:
    length = len(segment.payload)
    if segment.flags & SYN:
        share = Share.RETRANSMISSION if own.opened else Share.HANDSHAKE
        own.opened = True
        return {share: datagram.size}
    if length <= 1 and place == own.seen - 1 and not segment.flags & (FIN | RST) and own.opened:
        other.owes_keepalive = True
        return {Share.KEEPALIVE: datagram.size}
    if not length:
        return {_of_empty(segment, own): datagram.size}
    found: Counter[Share] = Counter()
    again = max(0, min(length, own.seen - place))
    found[Share.RETRANSMISSION] += again
    fresh = place + again
    for use, count in _cut(fresh, place + length, regions):
        found[_OF_USE[use]] += count
    own.seen = max(own.seen, place + length)
    first = Share.RETRANSMISSION if again else _OF_USE[next(iter(_cut(fresh, place + length, regions)))[0]]
    found[first] += datagram.size - length
    return {share: count for share, count in found.items() if count}


def _of_empty(segment: Segment, own: _Progress) -> Share:
    if segment.flags & RST:
        return Share.CLOSING
    if segment.flags & FIN:
        again, own.finished = own.finished, True
        return Share.RETRANSMISSION if again else Share.CLOSING
    if own.owes_keepalive:
        own.owes_keepalive = False
        return Share.KEEPALIVE
    return Share.ACKNOWLEDGEMENT


def _cut(begin: int, end: int, regions: Sequence[Region]) -> Iterator[tuple[Use, int]]:
    """A stretch of the stream in pieces of one use; what no region holds is data."""
    for region in regions:
        if region.end <= begin or region.begin >= end:
            continue
        if region.begin > begin:
            yield Use.DATA, region.begin - begin
            begin = region.begin
        until = min(end, region.end)
        yield region.use, until - begin
        begin = until
    if begin < end:
        yield Use.DATA, end - begin


def connections_of(datagrams: Iterable[Datagram]) -> list[Connection]:
    """The TCP connections of a capture, in the order in which they began."""
    found: list[Connection] = []
    open_now: dict[tuple[str, tuple[str, int], tuple[str, int]], Connection] = {}
    for each in datagrams:
        segment = each.segment
        if segment is None:
            continue
        ends = (each.bearer, each.terminal, each.host)
        if ends not in open_now or open_now[ends].is_reopened_by(each, segment):
            open_now[ends] = Connection()
            found.append(open_now[ends])
        open_now[ends].take(each, segment)
    return found
