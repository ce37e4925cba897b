"""M5: a reversal matches its original."""

from __future__ import annotations

from collections.abc import Iterator

from rig.history.events import Event
from rig.verdict.facts import currency, original_key, part, text
from rig.verdict.model import Breach
from rig.verdict.stories import Belief, CaseStory, IntentStory

_SAME = ("amount", "processing", "tid", "mid", "batch", "token")


def reversal_matches_original(case: CaseStory) -> Iterator[Breach]:
    """Amount, currency, processing code, terminal, merchant, batch and card are the original's, and so is the STAN.

    A field that one of the two does not carry is not compared: dialects differ in what a reversal repeats.
    """
    for reversal in case.reversals():
        original = case.original(reversal)
        if original is None:
            continue
        if wrong := _differences(reversal, original):
            why = f"the reversal of {original_key(reversal)} differs from its original in {', '.join(wrong)}"
            yield Breach.proven("M5", why, original, reversal)
    for intent in case.intents.values():
        yield from _wrong_trace_number(intent)


def _differences(reversal: Event, original: Event) -> list[str]:
    wrong = [
        f"{name} ({reversal.data[name]} for {original.data[name]})"
        for name in _SAME
        if _carried(reversal, name) and _carried(original, name) and reversal.data[name] != original.data[name]
    ]
    if currency(reversal.data) and currency(original.data) and currency(reversal.data) != currency(original.data):
        wrong.append(f"currency ({currency(reversal.data)} for {currency(original.data)})")
    mti = text(part(reversal.data, "original"), "mti")
    if mti and mti != text(original.data, "mti"):
        wrong.append(f"original MTI ({mti} for {text(original.data, 'mti')})")
    return wrong


def _carried(event: Event, name: str) -> bool:
    return event.data.get(name) not in (None, "")


def _wrong_trace_number(intent: IntentStory) -> Iterator[Breach]:
    """A reversal of nothing known, while the same sum on the same card waits to be reversed, has the wrong STAN.

    A reversal of a request that was lost on its way to the host is right, and names nothing known either.
    """
    if intent.belief is Belief.APPROVED:
        return
    for stray in intent.strays:
        for request in intent.requests.values():
            if request.sale_stands and not request.reversals and not _differences_but_mti(stray, request.first):
                why = f"the reversal names {original_key(stray)}, which never was, while {request.key} stands"
                yield Breach.proven("M5", why, request.first, stray)


def _differences_but_mti(reversal: Event, original: Event) -> bool:
    return any(not wrong.startswith("original MTI") for wrong in _differences(reversal, original))
