"""M2: what the terminal says is what stands at the host. No phantom charge, no lost approval."""

from __future__ import annotations

from collections.abc import Iterator

from rig.history.events import Event
from rig.verdict.cards import CARD_VIEWS
from rig.verdict.facts import PUT_OFF, amount, card_key, currency, original_key, text
from rig.verdict.model import Breach
from rig.verdict.stories import Belief, CaseStory, IntentStory, Request, row_stands


def terminal_and_host_agree(case: CaseStory) -> Iterator[Breach]:
    """Approved means that this amount stands, anything else that nothing does.

    An offline approval counts from its booking. That the host refuses its advice is the merchant's risk, no defect;
    that it could not take it now (91, 96) is no refusal.

    What stays unknown is not judged here, and neither is an approval of which no ledger row entered the history:
    both leave the case undecided. That an approved sale stands once only is M1's concern.
    """
    for intent in case.intents.values():
        if any(request.row_missing for request in intent.requests.values()):
            continue
        yield from _approved_sale(case, intent) if _must_stand(case, intent) else _nothing_stands(case, intent)
        if intent.operation == "void":
            yield from _void_of_earlier_case(case, intent)
    yield from _nobody_asked(case)


def _must_stand(case: CaseStory, intent: IntentStory) -> bool:
    voided = any(void.belief is not Belief.NOT_APPROVED for void in case.voids_of(intent))
    return intent.operation == "sale" and intent.belief is Belief.APPROVED and not voided


def _approved_sale(case: CaseStory, sale: IntentStory) -> Iterator[Breach]:
    standing = [request.row for request in sale.requests.values() if request.row and request.sale_stands]
    refused = any(_refused(request) for request in sale.requests.values() if request.advice)
    if any(_right_money(row, sale) for row in standing) or (refused and not standing):
        return
    rows = [request.row for request in sale.requests.values()]
    if standing:
        why = f"sale {sale.name} is approved over {_approved_minor(sale)} minor units, another sum stands at the host"
    else:
        why = f"lost approval: the terminal says that sale {sale.name} is approved, and nothing stands at the host"
    yield Breach.proven("M2", why, sale.last_word, *rows, case.settled)


def _refused(advice: Request) -> bool:
    return advice.declined_by_host and text(advice.answers[-1].data, "rc") not in PUT_OFF


def _nothing_stands(case: CaseStory, intent: IntentStory) -> Iterator[Breach]:
    voids = case.voids_of(intent)
    if intent.belief is Belief.UNKNOWN or any(void.belief is Belief.UNKNOWN for void in voids):
        return
    standing = [request for request in intent.requests.values() if request.sale_stands]
    if not standing:
        return
    said = "voided" if any(void.belief is Belief.APPROVED for void in voids) else intent.said
    why = f"phantom charge: the terminal says {said} of {intent.operation} {intent.name}, and it stands at the host"
    evidence = [event for request in standing for event in (request.first, request.row)]
    yield Breach.proven("M2", why, intent.last_word, *[void.last_word for void in voids], *evidence, case.settled)


def _void_of_earlier_case(case: CaseStory, void: IntentStory) -> Iterator[Breach]:
    """The sale of an earlier case is known by the original that the void names, and by its ledger row alone."""
    if text(void.begun.data, "of") in case.intents or void.belief is Belief.UNKNOWN:
        return
    for request in void.requests.values():
        row = case.rows.get(original_key(request.first))
        state = text(row.data, "state") if row else ""
        lost = void.belief is Belief.NOT_APPROVED and state == "voided"
        if row and (lost or (void.belief is Belief.APPROVED and row_stands(row))):
            why = f"the terminal says {void.said} of void {void.name}, and its sale is {state} at the host"
            yield Breach.proven("M2", why, void.last_word, request.first, row, case.settled)


def _nobody_asked(case: CaseStory) -> Iterator[Breach]:
    for key, request in case.background.items():
        known = case.past.get(key)
        if not request.sale_stands or (known and known.received):
            continue
        if request.advice and _may_be_promised(case, request):
            continue
        said = "its reversal had come before it" if known else "the cash register never asked for it"
        why = f"phantom charge: {request.key} stands at the host, and {said}"
        yield Breach.proven("M2", why, request.first, request.row, case.settled)


def _may_be_promised(case: CaseStory, advice: Request) -> bool:
    """Whether an earlier case's card approved it, or may have: without a view of the cards nobody can tell."""
    return card_key(advice.first.data) in case.past or not case.run.capabilities.intersection(CARD_VIEWS)


def _approved_minor(sale: IntentStory) -> int | None:
    said = amount(sale.last_word.data) if sale.last_word else None
    return amount(sale.begun.data) if said is None else said


def _right_money(row: Event, sale: IntentStory) -> bool:
    return amount(row.data) == _approved_minor(sale) and currency(row.data) == currency(sale.begun.data)
