"""What of a run belongs together: the cases of a bearer under a condition, and the sales in them.

A case belongs to the bearer of its ``case_begin`` and to the condition of its first event ``condition``; a case without
one is no part of a comparison. A sale is an ``intent`` of operation ``sale``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from rig.history import Event, History
from rig.report.scorecard.links import Link
from rig.verdict import RunVerdict, Verdict

REVERSALS = ("0400", "0401", "0420", "0421")
"""Requests that take a sale back (ISO 8583)."""


@dataclass(frozen=True, slots=True)
class Sale:
    """One sale.

    Attributes:
        intent: its id in the history.
        begun_t: when the cash register began it, monotonic ns.
        ended_t: when it had its outcome; None where the history ends before.
        outcome: what the cash register believed then: ``approved``, ``declined``, ``unknown``, …
        via: the bearer over which the host was asked; None where nothing tells.
    """

    intent: str
    begun_t: int
    ended_t: int | None
    outcome: str
    via: str | None

    @property
    def approved(self) -> bool:
        """Whether the sale came through, by whatever bearer."""
        return self.outcome == "approved"

    @property
    def took_ms(self) -> float | None:
        """From intent to outcome."""
        return None if self.ended_t is None else (self.ended_t - self.begun_t) / 1e6


@dataclass(frozen=True, slots=True)
class Peers:
    """Whose an address is at which the host is asked.

    Attributes:
        addresses: the terminal's address → bearer.
        line: the one telephone line: every other address is the bench's own end of it; None where that is not sure.
    """

    addresses: Mapping[str, str]
    line: str | None = None

    @classmethod
    def of(cls, links: Mapping[str, Link]) -> Peers:
        """As the history tells them."""
        known = {link.address: name for name, link in links.items() if link.address}
        lines = [name for name, link in links.items() if not link.has_packets]
        all_known = all(link.address for link in links.values() if link.has_packets)
        return cls(known, lines[0] if len(lines) == 1 and all_known else None)

    def bearer_of(self, peer: str) -> str | None:
        """The bearer over which an address asks, None where nothing tells."""
        return self.addresses.get(peer, self.line)


@dataclass(frozen=True)
class Case:
    """One case of a comparison.

    Attributes:
        name: its id.
        bearer: whose.
        condition: under which, such as ``weak signal``.
        begun_t: monotonic ns, as all times.
        settling_t: when the bench began to settle it: what the terminal says from then on, the bench asked for.
        ended_t: when it was over.
        verdict: the judge's.
        sales: in order.
        peers: whose address is whose.
        events: all of its time, in order.
    """

    name: str
    bearer: str
    condition: str
    begun_t: int
    settling_t: int
    ended_t: int
    verdict: Verdict
    sales: tuple[Sale, ...]
    peers: Peers = field(repr=False)
    events: tuple[Event, ...] = field(repr=False)

    def of(self, *kinds: str) -> Iterator[Event]:
        """Its events of these kinds."""
        return (event for event in self.events if event.kind in kinds)

    def completed(self, sale: Sale) -> bool:
        """Whether a sale of it was approved over its own bearer, as far as the history tells."""
        return sale.approved and sale.via in (None, self.bearer)


def cases_of(history: History, verdict: RunVerdict, links: Mapping[str, Link]) -> tuple[Case, ...]:
    """The cases of a comparison, in the order in which they ran."""
    judged = {each.case: each.verdict for each in verdict.cases}
    peers = Peers.of(links)
    found = []
    for events in _windows(history):
        begin, end = events[0], events[-1]
        condition = next((text(e.data, "condition") for e in events if e.kind == "condition"), "")
        if not condition:
            continue
        name = text(begin.data, "case")
        settling = next((e.t for e in events if e.kind == "settle_begin"), end.t)
        found.append(
            Case(
                name,
                text(begin.data, "bearer"),
                condition,
                begin.t,
                settling,
                end.t,
                judged.get(name, Verdict.UNDECIDED),
                tuple(_sales(events, settling, peers)),
                peers,
                events,
            )
        )
    return tuple(found)


def text(data: Mapping[str, Any], name: str) -> str:
    """A field as text, empty where it is none: what one process writes wrong must not end a report."""
    value = data.get(name)
    return value if isinstance(value, str) else ""


def number(data: Mapping[str, Any], name: str) -> float | None:
    """A field as a number, None where it is none."""
    value = data.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _windows(history: History) -> Iterator[tuple[Event, ...]]:
    """From each ``case_begin`` to its ``case_end``, or to the next case, or to the end."""
    window: list[Event] = []
    for event in history:
        if event.kind == "case_begin":
            if window:
                yield tuple(window)
            window = [event]
        elif window:
            window.append(event)
            if event.kind == "case_end":
                yield tuple(window)
                window = []
    if window:
        yield tuple(window)


def _sales(events: tuple[Event, ...], settling_t: int, peers: Peers) -> Iterator[Sale]:
    intents = [e for e in events if e.kind == "intent" and text(e.data, "operation") == "sale"]
    for place, intent in enumerate(intents):
        until = intents[place + 1].t if place + 1 < len(intents) else settling_t
        name = text(intent.data, "intent")
        outcome = next((e for e in events if e.kind == "outcome" and text(e.data, "intent") == name), None)
        asked = [
            e
            for e in events
            if e.kind == "request_received" and intent.t <= e.t < until and text(e.data, "mti") not in REVERSALS
        ]
        vias = [via for e in asked if (via := peers.bearer_of(text(e.data, "peer"))) is not None]
        yield Sale(
            name, intent.t, outcome.t if outcome else None, text(outcome.data, "outcome") if outcome else "",
            vias[-1] if vias else None,
        )  # fmt: skip
