"""M10: the cryptogram that the host receives is the card's own, and is good for one sale."""

from __future__ import annotations

from collections.abc import Iterator

from rig.history.events import Event
from rig.verdict.cards import armed_for, by_chip, given_during, refused, same_cryptogram
from rig.verdict.facts import number, text
from rig.verdict.model import Breach
from rig.verdict.stories import CaseStory, IntentStory, Request

_HARMLESS = ("tear ", " waiting time extensions ", " late by ", " blocks ")
"""What names a card fault that changes nothing in what the card says."""


def cryptogram_is_the_cards_own(case: CaseStory) -> Iterator[Breach]:
    """Card, counter and cryptogram of a chip request are what a card of the bench gave; each counter pays once, and
    none that ended with the card's own refusal.

    Of a card of plastic nobody knows what it gave, and where a card fault spoiled an answer the terminal passes on
    what it got: there only the counter is looked at. That another card answered is the bench's trouble.
    """
    for intent in case.intents.values():
        for request in intent.requests.values():
            if by_chip(request):
                yield from _altered(case, intent, request)
        yield from _against_the_card(case, intent)
    if case.quiet:
        yield from _paid_twice(case)


def _altered(case: CaseStory, intent: IntentStory, request: Request) -> Iterator[Breach]:
    armed = armed_for(case, intent, request)
    if not armed or any(event.data.get("physical") is True for event in armed) or _spoiled(case, intent):
        return
    token = text(request.first.data, "token")
    given = given_during(case, intent)
    its_own = [event for event in given if same_cryptogram(event, request)]
    if any(text(event.data, "token") == token for event in its_own):
        return
    if its_own:
        why = f"{request.key} carries a card's cryptogram under the number of another card"
    elif token in {text(event.data, "token") for event in armed}:
        why = f"{request.key} carries a cryptogram or a counter that the card never gave"
    else:
        return
    yield Breach.proven("M10", why, *armed[-1:], *given[-1:], request.first)


def _against_the_card(case: CaseStory, intent: IntentStory) -> Iterator[Breach]:
    """The terminal approves, and the last that the chip said is that it declines (an AAC).

    Of another card's payment, or one by stripe after all, the chip's refusal says nothing.
    """
    given, requests = given_during(case, intent), list(intent.requests.values())
    if not intent.committed or not given or not refused(given[-1]) or _spoiled(case, intent):
        return
    token = text(given[-1].data, "token")
    if all(by_chip(request) and text(request.first.data, "token") == token for request in requests):
        why = f"{intent.operation} {intent.name} is approved, and the card itself had declined it"
        yield Breach.proven("M10", why, given[-1], intent.outcome)


def _spoiled(case: CaseStory, intent: IntentStory) -> bool:
    faults = [text(event.data, "fault") for event in given_during(case, intent, "card_fault")]
    return not all(any(harmless in fault for harmless in _HARMLESS) for fault in faults)


def _paid_twice(case: CaseStory) -> Iterator[Breach]:
    """The same tap in two sales. Twice in one sale is M1's."""
    first: dict[tuple[str, float], tuple[IntentStory, Event]] = {}
    for intent in case.intents.values():
        for request in intent.requests.values():
            token, atc = text(request.first.data, "token"), number(request.first.data, "atc")
            if atc is None or not token or not request.sale_stands:
                continue
            earlier, event = first.setdefault((token, atc), (intent, request.first))
            if earlier is not intent:
                why = f"the card's transaction {atc:.0f} stands for sale {earlier.name} and for sale {intent.name}"
                yield Breach.proven("M10", why, event, request.first, request.row, case.settled)
