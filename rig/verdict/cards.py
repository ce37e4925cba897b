"""Which card answered: what the presenter armed and its card gave, beside what the host received.

A presenter tells ``card_armed`` (token, and ``physical`` where it moves a card of plastic) and, of a card that it
plays itself, ``card_cryptogram`` (token, atc, cryptogram, and 9F27 as ``information``) of each that it gave. The host
tells token, atc and cryptogram of each request.
That another card answered than the one armed is the bench's trouble; that the terminal changed what the card gave is
the terminal's (:mod:`rig.verdict.invariants.own`).
"""

from __future__ import annotations

from collections.abc import Iterator

from rig.history.events import Event
from rig.verdict.facts import SECOND, number, text
from rig.verdict.stories import CaseStory, IntentStory, Request

CARD_VIEWS = ("card", "contact card", "striped card")
"""The capabilities that say that the bench presents cards, by interface."""

_CHIP = ("05", "07")
_MARGIN = SECOND
"""A presenter tells of a cryptogram when it has left the card: a quick terminal may be done by then."""


def by_chip(request: Request) -> bool:
    """Whether the terminal says that it read a chip (DE22), and told what the chip signed."""
    data = request.first.data
    return text(data, "entry_mode").startswith(_CHIP) and number(data, "atc") is not None and bool(signed(data))


def signed(data: dict[str, object]) -> str:
    """The cryptogram (9F26) of an event, in upper-case hexadecimal."""
    return text(data, "cryptogram").upper()


def armed_for(case: CaseStory, intent: IntentStory, request: Request) -> list[Event]:
    """The cards that were there for a request: those armed since its intent began, else the last one before."""
    armed = case.of("card_armed")
    end = min(request.first.t, intent.outcome.t) if intent.outcome else request.first.t  # an advice comes long after
    during = [event for event in armed if intent.begun.t <= event.t <= end]
    return during or [event for event in armed if event.t < intent.begun.t][-1:]


def given_during(case: CaseStory, intent: IntentStory, kind: str = "card_cryptogram") -> list[Event]:
    """The cryptograms that the bench's cards gave while an intent went on, or what else presenters told then."""
    end = intent.outcome.t + _MARGIN if intent.outcome else None
    return [event for event in case.of(kind) if intent.begun.t <= event.t and (end is None or event.t <= end)]


def same_cryptogram(given: Event, request: Request) -> bool:
    """Whether a card gave just what the request carries: counter and cryptogram."""
    told, sent = given.data, request.first.data
    return number(told, "atc") == number(sent, "atc") and signed(told) == signed(sent)


def refused(given: Event) -> bool:
    """Whether a cryptogram is an AAC: by 9F27 (EMV Book 3, table 15) the card declines."""
    information = text(given.data, "information")
    return len(information) == 2 and information[0] in "0123"


def strangers(case: CaseStory) -> Iterator[tuple[Event, str]]:
    """The requests that another card paid than the one armed, each with that in words."""
    for intent in case.intents.values():
        for request in intent.requests.values():
            token = text(request.first.data, "token")
            armed = armed_for(case, intent, request)
            if not token or not armed or token in {text(event.data, "token") for event in armed}:
                continue
            if any(same_cryptogram(given, request) for given in given_during(case, intent)):
                continue  # the armed card it was, and the terminal named another
            masked, wanted = text(request.first.data, "masked"), text(armed[-1].data, "masked")
            yield (
                request.first,
                (
                    f"presenter: another card than the armed one answered: {request.key} came with "
                    f"{masked or 'another token'}, armed was {wanted or text(armed[-1].data, 'card') or 'another'} "
                    "(is a second card near the terminal, or the wrong one in the holder?)"
                ),
            )
