"""From events to stories: which case, and which intent within it, an event belongs to.

A case owns what happens from its ``case_begin`` to its ``case_end``, and what the host hears until the next case
begins: what a terminal sends between two cases is a consequence of the earlier. Within a case

- an outcome or a resolution belongs to the intent that it names;
- a request belongs to the intent that first used its key, else to the latest intent begun before its receipt, else,
  as what an earlier case left behind, to the background;
- an advice of a sale approved offline comes when it comes: it belongs to the intent during which the card gave its
  counter, else to the first approved sale of that sum without a request;
- a reversal belongs to the intent of the original that it names. If that is older than the case, it is background;
  if it never reached the host, it is a stray of the latest intent, until that original arrives after all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from rig.history.events import Event
from rig.verdict.cards import given_during
from rig.verdict.facts import (
    amount,
    card_key,
    is_advice,
    is_online_request,
    is_reversal,
    original_key,
    request_key,
    text,
)
from rig.verdict.stories import CaseStory, IntentStory, Past, PastRequest, Request, RunFacts

_TRAFFIC = ("request_received", "answer_sent", "front_met")


def split_cases(events: Iterable[Event]) -> tuple[list[Event], list[list[Event]]]:
    """What comes before the first case, and the events of each case, its ``case_begin`` first."""
    prelude: list[Event] = []
    cases: list[list[Event]] = []
    for event in events:
        if event.kind == "case_begin":
            cases.append([])
        (cases[-1] if cases else prelude).append(event)
    return prelude, cases


def tell(events: Iterable[Event], run: RunFacts, past: Past | None = None) -> CaseStory:
    """The story of one case.

    Args:
        events: the case's events in order, ``case_begin`` first.
        run: what the run said of itself.
        past: the requests of earlier cases.
    """
    stream = iter(events)
    story = CaseStory(next(stream), run, past or {})
    teller = _Teller(story)
    for event in stream:
        teller.hear(event)
    for request in story.by_key.values():
        request.row = story.rows.get(request.key)
    return story


def remember(story: CaseStory) -> Iterator[tuple[str, PastRequest]]:
    """What later cases must know of this one: its requests, and whether they were committed or reversed."""
    for intent in story.intents.values():
        for request in intent.requests.values():
            yield request.key, PastRequest(request.first, intent.committed, bool(request.reversals))
        if intent.committed and not intent.requests:
            # Perhaps approved offline, and its advice comes in a later case.
            for given in given_during(story, intent):
                if key := card_key(given.data):
                    yield key, PastRequest(given, committed=True)
        for reversal in intent.strays:
            # Its request never arrived: a network may deliver it yet.
            yield original_key(reversal), PastRequest(None, committed=False, reversed=True)
    for request in story.background.values():
        known = story.past.get(request.key) or PastRequest(None, committed=False)
        reversed_by_now = known.reversed or bool(request.reversals)
        yield request.key, PastRequest(known.received or request.first, known.committed, reversed_by_now)
    for reversal in story.background_reversals:
        known = story.past.get(original_key(reversal)) or PastRequest(None, committed=False)
        yield original_key(reversal), replace(known, reversed=True)


class _Teller:
    """Hands each event to where it belongs; remembers which intent is the latest."""

    def __init__(self, story: CaseStory) -> None:
        self.story = story
        self.latest: IntentStory | None = None
        self.by_key = story.by_key
        self._stray_homes: dict[str, IntentStory] = {}
        self._hands: dict[str, Callable[[Event], None]] = {
            "case_end": self._case_end,
            "settled": self._settled,
            "intent": self._intent,
            "outcome": self._outcome,
            "resolution": self._resolution,
            "request_received": self._request_received,
            "answer_sent": self._answer_sent,
            "ledger_row": self._ledger_row,
            "settlement": self._settlement,
            "bench_fault": self._bench_fault,
        }

    def hear(self, event: Event) -> None:
        if self.story.end is None or event.kind in _TRAFFIC:
            self._hands.get(event.kind, self._other)(event)

    def _case_end(self, event: Event) -> None:
        self.story.end = event

    def _settled(self, event: Event) -> None:
        self.story.settled = event

    def _bench_fault(self, event: Event) -> None:
        self.story.bench_faults.append(event)

    def _intent(self, event: Event) -> None:
        intent = IntentStory(event)
        self.latest = self.story.intents.setdefault(intent.name, intent)

    def _outcome(self, event: Event) -> None:
        if intent := self.story.intents.get(text(event.data, "intent")):
            intent.outcome = event

    def _resolution(self, event: Event) -> None:
        if intent := self.story.intents.get(text(event.data, "intent")):
            intent.resolutions.append(event)

    def _settlement(self, event: Event) -> None:
        if self.latest:
            self.latest.settlements.append(event)

    def _ledger_row(self, event: Event) -> None:
        self.story.rows[request_key(event)] = event

    def _other(self, event: Event) -> None:
        self.story.others.setdefault(event.kind, []).append(event)

    def _request_received(self, event: Event) -> None:
        mti = text(event.data, "mti")
        if is_reversal(mti):
            self._reversal(event)
        elif is_online_request(mti):
            self._request(request_key(event), self.latest).received.append(event)
        elif is_advice(mti):
            self._request(request_key(event), self._promised_by(event)).received.append(event)
        else:
            self._other(event)

    def _request(self, key: str, intent: IntentStory | None) -> Request:
        if key not in self.by_key:
            old = key in self.story.past
            home = intent.requests if intent and not old else self.story.background
            self.by_key[key] = home[key] = Request(key, reversals=self._overtaking(key))
        return self.by_key[key]

    def _promised_by(self, advice: Event) -> IntentStory | None:
        """The intent that was approved offline; None where that was in an earlier case, or never."""
        key = card_key(advice.data)
        if key and key in self.story.past:
            return None
        intents = list(self.story.intents.values())
        for given in reversed(self.story.of("card_cryptogram")):
            if key and card_key(given.data) == key:
                return next((intent for intent in reversed(intents) if intent.begun.t <= given.t), None)
        fitting = [
            intent
            for intent in intents
            if intent.operation == "sale" and not intent.requests and amount(intent.begun.data) == amount(advice.data)
        ]
        return next(iter(fitting), self.latest)

    def _overtaking(self, key: str) -> list[Event]:
        """The reversals that came before the request that they name: they were strays until now."""
        intent = self._stray_homes.pop(key, None)
        if intent is None:
            return []
        early = [event for event in intent.strays if original_key(event) == key]
        intent.strays = [event for event in intent.strays if original_key(event) != key]
        return early

    def _reversal(self, event: Event) -> None:
        key = original_key(event)
        if key in self.by_key:
            self.by_key[key].reversals.append(event)
        elif self.latest is None or key in self.story.past:
            self.story.background_reversals.append(event)
        else:
            self.latest.strays.append(event)
            self._stray_homes[key] = self.latest

    def _answer_sent(self, event: Event) -> None:
        request = self.by_key.get(request_key(event))
        mti = text(event.data, "mti")
        if request and (is_online_request(mti) or is_advice(mti)):
            request.answers.append(event)
        else:
            self._other(event)
