"""A case as the judge reads it: its intents, and what terminal, cash register and host did for each.

Built from events by :mod:`rig.verdict.attribution`; questions that several invariants ask are answered here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeAlias

from rig.history.events import Event
from rig.verdict.facts import APPROVING, SECOND, is_advice, names, number, original_key, part, text

_TAKES = ("sale", "completion")
_STANDING = {"approved", "settled"}
_POWER_ACTIONS = ("power", "reboot")
_STATUS_INFORMATION = "040F"


class Belief(Enum):
    """What the terminal's last word on an intent means for the money."""

    APPROVED = "approved"
    NOT_APPROVED = "not approved"
    UNKNOWN = "unknown"


@dataclass
class Request:
    """An online request, or an advice of a sale approved offline, as the host saw it, with its repeats, under one key.

    Attributes:
        key: ``TID/STAN``.
        received: its receipts, the first one first.
        answers: the answers that the host sent to it.
        reversals: the receipts of reversals that name it.
        row: what the ledger held of it when the case was settled.
    """

    key: str
    received: list[Event] = field(default_factory=list)
    answers: list[Event] = field(default_factory=list)
    reversals: list[Event] = field(default_factory=list)
    row: Event | None = None

    @property
    def first(self) -> Event:
        """The first receipt."""
        return self.received[0]

    @property
    def advice(self) -> bool:
        """Whether it tells of a sale that was approved offline, rather than ask for one."""
        return is_advice(text(self.first.data, "mti"))

    @property
    def approvals(self) -> list[Event]:
        """The answers that approve."""
        return [answer for answer in self.answers if text(answer.data, "rc") == APPROVING]

    @property
    def declined_by_host(self) -> bool:
        """Whether the host sent its own decline, and nothing else."""
        return bool(self.answers) and not self.approvals

    @property
    def sale_stands(self) -> bool:
        """Whether the ledger holds a live sale under this key."""
        return self.row is not None and row_stands(self.row)

    @property
    def row_missing(self) -> bool:
        """Whether the host approved and yet no row of its ledger entered the history."""
        return self.row is None and bool(self.approvals)


def row_stands(row: Event) -> bool:
    """Whether a ledger row is a live sale; a void's own row moves no money by itself."""
    return text(row.data, "operation") in _TAKES and text(row.data, "state") in _STANDING


@dataclass
class IntentStory:
    """What became of one thing that the cash register wanted.

    Attributes:
        begun: the event ``intent``.
        requests: its online requests and advices, by key.
        strays: reversals received during it that name an original which never reached the host.
        outcome: what the cash register may believe at its end.
        resolutions: what later queries said.
        settlements: the host's sides of an end of day.
    """

    begun: Event
    requests: dict[str, Request] = field(default_factory=dict)
    strays: list[Event] = field(default_factory=list)
    outcome: Event | None = None
    resolutions: list[Event] = field(default_factory=list)
    settlements: list[Event] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The intent's id."""
        return text(self.begun.data, "intent")

    @property
    def operation(self) -> str:
        """``sale``, ``void`` or ``end_of_day``."""
        return text(self.begun.data, "operation")

    @property
    def last_word(self) -> Event | None:
        """The latest event that says how the intent ended; an unknown never overrides what was known."""
        words = [event for event in [self.outcome, *self.resolutions] if event]
        known = [event for event in words if text(event.data, "outcome") not in ("", "unknown")]
        said = known or words
        return said[-1] if said else None

    @property
    def said(self) -> str:
        """The last word: ``approved``, ``declined``, ``failed`` or ``unknown``."""
        return text(self.last_word.data, "outcome") if self.last_word else "unknown"

    @property
    def committed(self) -> bool:
        """Whether the cash register itself saw the sale approved and completed."""
        return self.outcome is not None and text(self.outcome.data, "outcome") == "approved"

    @property
    def reversed_by_terminal(self) -> bool:
        """Whether the terminal reversed everything that it had asked of the host, or tried to ask."""
        tried = bool(self.requests or self.strays)
        return tried and all(request.reversals for request in self.requests.values())

    @property
    def belief(self) -> Belief:
        """The last word in terms of money. What nobody resolved the terminal resolves by reversing it."""
        if self.said == "approved":
            return Belief.APPROVED
        if self.said in ("declined", "failed") or self.reversed_by_terminal:
            return Belief.NOT_APPROVED
        return Belief.UNKNOWN

    @property
    def approved_offline(self) -> bool:
        """Whether the terminal told the host afterwards that it had approved it offline."""
        return any(request.advice for request in self.requests.values())

    @property
    def declined_by_host(self) -> bool:
        """Whether the host's own answer declined it, and the terminal took it as that."""
        return bool(self.requests) and all(
            request.declined_by_host and not request.reversals for request in self.requests.values()
        )

    @property
    def reversals(self) -> list[Event]:
        """Every reversal of this intent, strays included."""
        return [event for request in self.requests.values() for event in request.reversals] + self.strays


@dataclass(frozen=True)
class RunFacts:
    """What the run says of itself in ``run_begin``: the views of the bench, the plan, the terminal's limits."""

    capabilities: frozenset[str]
    planned: tuple[str, ...] = ()
    response_timeout: int | None = None
    idle_limit_ms: float | None = None

    @classmethod
    def of(cls, run_begin: Event | None) -> RunFacts:
        """Read them; limits are nanoseconds and milliseconds."""
        data: Mapping[str, Any] = run_begin.data if run_begin else {}
        terminal = part(data, "terminal")
        response, idle = number(terminal, "response_timeout_s"), number(terminal, "idle_limit_s")
        return cls(
            frozenset(names(data, "capabilities")),
            names(data, "planned"),
            None if response is None else round(response * SECOND),
            None if idle is None else idle * 1000,
        )


@dataclass(frozen=True)
class PastRequest:
    """A request of an earlier case: a reversal may name it yet.

    Attributes:
        received: its first receipt; none of what was reversed and never arrived, which may arrive yet.
        committed: whether its sale was.
        reversed: whether a reversal of it had reached the host by then; another one is only a repeat.
    """

    received: Event | None
    committed: bool
    reversed: bool = False


Past: TypeAlias = Mapping[str, PastRequest]


@dataclass
class CaseStory:
    """One case: everything between its beginning and the beginning of the next.

    Attributes:
        begin: the event ``case_begin``.
        run: what the run said of itself.
        past: the requests of earlier cases, by key.
        end: the event ``case_end``.
        settled: the last event ``settled``.
        intents: in order, by id.
        by_key: every online request of this case, by key.
        background: requests that no intent of this case asked for, by key.
        background_reversals: reversals of what is older than this case, or of nothing known.
        rows: the ledger's last word by key.
        bench_faults: the bench's trouble before the case's end.
        others: everything else, by kind, in order.
    """

    begin: Event
    run: RunFacts
    past: Past = field(default_factory=dict)
    end: Event | None = None
    settled: Event | None = None
    intents: dict[str, IntentStory] = field(default_factory=dict)
    by_key: dict[str, Request] = field(default_factory=dict)
    background: dict[str, Request] = field(default_factory=dict)
    background_reversals: list[Event] = field(default_factory=list)
    rows: dict[str, Event] = field(default_factory=dict)
    bench_faults: list[Event] = field(default_factory=list)
    others: dict[str, list[Event]] = field(default_factory=dict)

    def of(self, *kinds: str) -> list[Event]:
        """The other events of these kinds."""
        return [event for kind in kinds for event in self.others.get(kind, ())]

    @property
    def quiet(self) -> bool:
        """Whether the case came to rest before it was judged."""
        return self.settled is not None and self.settled.data.get("quiet") is True

    @property
    def waiting_for(self) -> str:
        """What the bench waited for in vain."""
        return (self.settled and text(self.settled.data, "waiting_for")) or "something unnamed"

    def reversals(self) -> Iterator[Event]:
        """Every reversal that the host received in this case."""
        for intent in self.intents.values():
            yield from intent.reversals
        for request in self.background.values():
            yield from request.reversals
        yield from self.background_reversals

    def original(self, event: Event) -> Event | None:
        """The request that a reversal or a void names, from an earlier case or this one."""
        key = original_key(event)
        known = self.past.get(key)
        if known and known.received:
            return known.received
        return self.by_key[key].first if key in self.by_key else None

    def voids_of(self, sale: IntentStory) -> list[IntentStory]:
        """The voids that name this sale."""
        return [i for i in self.intents.values() if i.operation == "void" and text(i.begun.data, "of") == sale.name]

    def faults(self) -> Iterator[tuple[Event, Event | None]]:
        """Each fault that was asked for, with its proof where there is one. A proof counts for one asking alone: the
        same fault may be asked for in every sale of a case.
        """
        told = self.of("fault_proof")
        for asked in self.of("fault_asked"):
            name = text(asked.data, "fault")
            own = next((proof for proof in told if text(proof.data, "fault") == name and proof.t >= asked.t), None)
            if own is not None:
                told.remove(own)
            yield asked, own if own is not None and own.data.get("proven") is True else None

    def power_cuts(self) -> list[Event]:
        """The moments at which the terminal lost its power, as switched or as proven."""
        switched = [event for event in self.of("power") if event.data.get("on") is False]
        proven = [proof for asked, proof in self.faults() if proof and _is_power_fault(asked)]
        return sorted(switched + proven, key=lambda event: event.order)

    def acknowledged(self, intent: IntentStory) -> bool | None:
        """Whether the cash register can have acknowledged the result (ZVT 04 0F); ``None`` where it was not seen."""
        end = intent.outcome.t if intent.outcome else None
        heard = [e for e in self.of("ecr_rx") if e.t >= intent.begun.t and (end is None or e.t <= end)]
        return any(_STATUS_INFORMATION in text(event.data, "data").upper() for event in heard) if heard else None


def _is_power_fault(asked: Event) -> bool:
    return any(word in text(asked.data, "action").lower() for word in _POWER_ACTIONS)
