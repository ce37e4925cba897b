"""M3 and M4: the reversal that is owed is sent, outlives a power cut, and goes out before the next request."""

from __future__ import annotations

from collections.abc import Iterator

from rig.history.events import Event
from rig.verdict.facts import original_key, text
from rig.verdict.model import Breach
from rig.verdict.stories import Belief, CaseStory, IntentStory, Request

_CONTACT = "05"
"""DE22: a chip read through its contacts."""


def reversal_is_sent(case: CaseStory) -> Iterator[Breach]:
    """M3: a request that reached the host, and did not end approved or declined by a valid answer, is reversed.

    A contactless card that leaves after its cryptogram is no reason to reverse: the sale goes on without it. A contact
    card that leaves, or declines by itself, before its last cryptogram is one. Advices are never reversed.
    """
    for intent, request in _never_reversed(case):
        if not _power_cut_since(case, request):
            ended = f"{intent.operation} {intent.name} ended {intent.said}"
            why = f"{request.key} reached the host, {ended}, and no reversal came"
            yield Breach.proven("M3", why, request.first, *request.answers, intent.last_word, case.settled)
    for intent in case.intents.values():
        yield from _reversed_because_card_left(case, intent)


def reversal_survives_and_precedes(case: CaseStory) -> Iterator[Breach]:
    """M4: the owed reversal survives a reboot, and goes out before the terminal's next request."""
    for intent, request in _never_reversed(case):
        if cuts := _power_cut_since(case, request):
            why = f"the reversal of {request.key} ({intent.operation} {intent.name}) did not survive the power cut"
            yield Breach.proven("M4", why, request.first, cuts[0], intent.last_word, case.settled)
    yield from _overtaken(case)


def _never_reversed(case: CaseStory) -> Iterator[tuple[IntentStory, Request]]:
    for intent in case.intents.values():
        for request in intent.requests.values():
            if request.advice:
                continue
            in_time = [reversal for reversal in request.reversals if not case.settled or reversal.t <= case.settled.t]
            if not in_time and _owed(case, intent, request):
                yield intent, request


def _owed(case: CaseStory, intent: IntentStory, request: Request) -> bool:
    if intent.belief is Belief.APPROVED or request.declined_by_host:
        return False
    return intent.belief is Belief.NOT_APPROVED or _cannot_be_committed(case, intent, request)


def _cannot_be_committed(case: CaseStory, intent: IntentStory, request: Request) -> bool:
    """Of an unknown outcome: whether the approval cannot have reached the terminal, or not been acknowledged."""
    if not request.approvals or case.acknowledged(intent) is False:
        return True
    return any(request.first.t <= cut.t <= request.approvals[0].t for cut in case.power_cuts())


def _power_cut_since(case: CaseStory, request: Request) -> list[Event]:
    end = case.settled.t if case.settled else None
    return [cut for cut in case.power_cuts() if cut.t >= request.first.t and (end is None or cut.t < end)]


def _overtaken(case: CaseStory) -> Iterator[Breach]:
    """Reversals that came after a later request of the same terminal. Of committed sales M6 speaks.

    The first receipt counts: a network may deliver another copy at any time, minutes later.
    """
    first_reversals = {original_key(reversal): reversal for reversal in reversed(list(case.reversals()))}
    committed = {key for intent in case.intents.values() if intent.committed for key in intent.requests}
    for key, reversal in first_reversals.items():
        original = case.original(reversal)
        known = case.past.get(key)
        if original is None or key in committed or (known and (known.committed or known.reversed)):
            continue
        for other in case.by_key.values():
            same_terminal = text(other.first.data, "tid") == text(original.data, "tid")
            if same_terminal and not other.advice and other.key != key and original.t < other.first.t < reversal.t:
                why = f"{other.key} went out before the reversal of {key}"
                yield Breach.proven("M4", why, original, other.first, reversal)
                break


def _reversed_because_card_left(case: CaseStory, intent: IntentStory) -> Iterator[Breach]:
    left = _card_left_after_cryptogram(case, intent)
    if left is None or intent.belief is Belief.APPROVED or not _only_card_faults(case):
        return
    for request in intent.requests.values():
        contact = text(request.first.data, "entry_mode").startswith(_CONTACT)
        if not contact and request.reversals and any(answer.t < request.reversals[0].t for answer in request.approvals):
            why = f"{request.key} was reversed though it was approved, and only the card had left after its cryptogram"
            yield Breach.proven("M3", why, left, *request.approvals, request.reversals[0], intent.last_word)


def _card_left_after_cryptogram(case: CaseStory, intent: IntentStory) -> Event | None:
    if intent.outcome is None:
        return None
    during = range(intent.begun.t, intent.outcome.t)
    cryptograms = [event.t for event in case.of("card_cryptogram") if event.t in during]
    gone = [event for event in case.of("card_removed") if event.t in during]
    return next((event for event in gone if cryptograms and event.t > cryptograms[-1]), None)


def _only_card_faults(case: CaseStory) -> bool:
    """Whether the card alone was disturbed, so that nothing else can have kept the answer from the terminal."""
    disturbed = any(_disturbs(event, "up") or _disturbs(event, "down") for event in case.of("impairment"))
    elsewhere = disturbed or any(case.of("attenuation", "power", "answer_lost", "answer_withheld", "ecr_link"))
    asked = [text(fault.data, "action").lower() for fault in case.of("fault_asked")]
    return not elsewhere and bool(asked) and all("card" in action or "pull" in action for action in asked)


def _disturbs(impairment: Event, direction: str) -> bool:
    said = impairment.data.get(direction)
    return any(said.values()) if isinstance(said, dict) else bool(said)
