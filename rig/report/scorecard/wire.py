"""What every packet of a run was for: shares of connections, services, and the rig's own probes."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rig.history import Event, History
from rig.report.scorecard.cells import REVERSALS, text
from rig.report.scorecard.connections import Connection, Share, connections_of
from rig.report.scorecard.datagrams import UDP, Datagram

_SERVICE_PORTS = {53, 67, 68, 123}
_LATE_NS = 50_000_000
"""How much later than a connection's last packet the host may tell what it received over it."""
_KEPT = (Share.RETRANSMISSION, Share.KEEPALIVE)
LARGEST = 1500
"""A packet above it was put together by the kernel before it was captured: on the wire it was several, with a header
each."""


@dataclass(frozen=True, slots=True)
class Counted:
    """One packet.

    Attributes:
        t: monotonic ns.
        since: when its connection began; ``t`` of what is no TCP.
        down: from the bench to the terminal.
        size: bytes of IPv4.
        shares: what these were for; empty of the rig's own probes.
    """

    t: int
    since: int
    down: bool
    size: int
    shares: dict[Share, int]


class Wire:
    """The packets of all bearers, counted; those of a span of time are found without reading them all."""

    def __init__(self, datagrams: Iterable[Datagram], history: History) -> None:
        seen = list(datagrams)
        self.connections: list[Connection] = connections_of(seen)
        self.others: list[Datagram] = [each for each in seen if each.segment is None]
        self.oversize = sum(each.size > LARGEST for each in seen)
        told = _by_connection(self.connections, history.of("request_received", "answer_sent"))
        self._by_bearer: dict[str, list[Counted]] = {}
        counted = [
            (each.begun_t, *pair)
            for place, each in enumerate(self.connections)
            for pair in _of_connection(each, told.get(place, []))
        ]
        counted += [(each.t, each, _of_other(each)) for each in self.others]
        for since, datagram, shares in sorted(counted, key=lambda each: each[1].t):
            entry = Counted(datagram.t, since, datagram.down, datagram.size, shares)
            self._by_bearer.setdefault(datagram.bearer, []).append(entry)

    def between(self, bearer: str, begin_t: int, end_t: int) -> Sequence[Counted]:
        """The packets of a bearer from one time to another, which is not included."""
        packets = self._by_bearer.get(bearer, [])
        first = bisect.bisect_left(packets, begin_t, key=lambda each: each.t)
        return packets[first : bisect.bisect_left(packets, end_t, key=lambda each: each.t)]


def _of_connection(connection: Connection, told: Sequence[Event]) -> Iterator[tuple[Datagram, dict[Share, int]]]:
    if connection.by_bench:
        yield from ((each, {}) for each in connection.datagrams)
        return
    purpose = _purpose([e for e in told if e.kind == "request_received"])
    for datagram, shares in connection.shares(sum(e.kind == "answer_sent" for e in told)):
        yield datagram, shares if purpose is None else _for(purpose, shares)


def _by_connection(connections: Sequence[Connection], host: Iterable[Event]) -> dict[int, list[Event]]:
    """What the host told of each connection, by its place: of those that stood then, the one begun last.

    An answer does not say from where it was asked; it belongs to the connection of the last request.
    """
    begun = [each.begun_t for each in connections]
    found: dict[int, list[Event]] = {}
    last = -1
    for event in host:
        if event.kind == "request_received":
            before = range(bisect.bisect_right(begun, event.t) - 1, -1, -1)
            last = next((place for place in before if _may_have_asked(connections[place], event)), -1)
        if last >= 0:
            found.setdefault(last, []).append(event)
    return found


def _may_have_asked(connection: Connection, request: Event) -> bool:
    peer = text(request.data, "peer")
    first = connection.datagrams[0]
    told_elsewhere = peer not in ("", first.terminal[0])
    return not connection.by_bench and not told_elsewhere and request.t <= connection.ended_t + _LATE_NS


def _purpose(requests: Sequence[Event]) -> Share | None:
    """What a connection was for as a whole; None: requests, of which at least one was the first of its kind."""
    if not requests:
        return Share.FAILED
    again = [text(e.data, "mti") in REVERSALS or e.data.get("repeat") is True for e in requests]
    return Share.REVERSAL if all(again) else None


def _for(purpose: Share, shares: Mapping[Share, int]) -> dict[Share, int]:
    """Everything that was not sent again, or to keep the connection, was for that purpose."""
    found = {share: count for share, count in shares.items() if share in _KEPT}
    rest = sum(count for share, count in shares.items() if share not in _KEPT)
    return {**found, purpose: rest} if rest else found


def _of_other(datagram: Datagram) -> dict[Share, int]:
    if datagram.is_echo_of_bench:
        return {}
    ports = {datagram.terminal[1], datagram.host[1]}
    service = datagram.protocol == UDP and bool(ports & _SERVICE_PORTS)
    return {Share.SERVICES if service else Share.OTHER: datagram.size}
