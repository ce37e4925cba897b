"""M6: what is committed is never reversed."""

from __future__ import annotations

from collections.abc import Iterator

from rig.history.events import Event
from rig.verdict.facts import original_key
from rig.verdict.model import Breach
from rig.verdict.stories import Belief, CaseStory, IntentStory


def committed_sale_is_not_reversed(case: CaseStory) -> Iterator[Breach]:
    """No reversal once the cash register has seen the sale approved and completed.

    Where a contact card approved offline what the host never answered, the request is rightly reversed, and the sale
    goes to the host as an advice. A reversal by which the terminal carries out a void is the void's. One sent before
    the approval is M7's.
    """
    for intent in case.intents.values():
        if not intent.committed or intent.outcome is None:
            continue
        for request in intent.requests.values():
            if intent.approved_offline and not request.advice:
                continue
            late = [r for r in request.reversals if r.t > intent.outcome.t and not _carries_out_void(case, intent, r)]
            if late:
                why = f"{request.key} was reversed after {intent.operation} {intent.name} was approved and completed"
                yield Breach.proven("M6", why, request.first, intent.outcome, late[0])
    for reversal in case.background_reversals:
        known = case.past.get(original_key(reversal))
        if known and known.committed:
            why = f"{original_key(reversal)} was approved and completed in an earlier case, and reversed in this one"
            yield Breach.proven("M6", why, known.received, reversal)


def _carries_out_void(case: CaseStory, sale: IntentStory, reversal: Event) -> bool:
    return any(void.begun.t < reversal.t and void.belief is not Belief.NOT_APPROVED for void in case.voids_of(sale))
