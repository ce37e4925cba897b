"""M7: an answer that comes too late is no answer."""

from __future__ import annotations

from collections.abc import Iterator

from rig.verdict.facts import SECOND
from rig.verdict.model import Breach
from rig.verdict.stories import CaseStory, IntentStory, Request

MARGIN = SECOND // 2
"""Nanoseconds past the terminal's response timeout before an answer counts as late.

The terminal's clock runs from its sending, which is before the host's receipt; the margin covers a timer that starts
late or is coarse.
"""


def late_answers_are_discarded(case: CaseStory) -> Iterator[Breach]:
    """The terminal never approves on an answer sent after its response timeout, nor after its own reversal.

    That a host should refuse an original after its reversal is the host's duty, and never blamed on the terminal.
    """
    for intent in case.intents.values():
        if not intent.committed or intent.outcome is None:
            continue
        for request in intent.requests.values():
            if request.advice:  # the sale was approved before it, and never waited for its answer
                continue
            yield from _approved_after_timeout(case, intent, request)
            yield from _approved_after_reversal(intent, request)


def _approved_after_timeout(case: CaseStory, intent: IntentStory, request: Request) -> Iterator[Breach]:
    timeout = case.run.response_timeout
    if timeout is None or not request.approvals or not _last_asked(intent, request):
        return
    first = request.approvals[0]
    asked = [event for event in request.received if event.t <= first.t] or request.received
    waited = first.t - asked[-1].t
    if waited > timeout + MARGIN:
        why = (
            f"{request.key} was answered after {waited / SECOND:.3f} s, the terminal's time is up after "
            f"{timeout / SECOND:.3f} s, and yet {intent.operation} {intent.name} was approved"
        )
        yield Breach.proven("M7", why, asked[-1], first, intent.outcome)


def _approved_after_reversal(intent: IntentStory, request: Request) -> Iterator[Breach]:
    before = [r for r in request.reversals if intent.outcome and r.t <= intent.outcome.t]
    if before and _last_asked(intent, request):
        why = f"{request.key} was reversed before {intent.operation} {intent.name} was approved all the same"
        yield Breach.proven("M7", why, before[0], *request.answers, intent.outcome)


def _last_asked(intent: IntentStory, request: Request) -> bool:
    """An earlier attempt of the same intent may time out and be reversed; the approval is the last one's."""
    return request.key == next(reversed(intent.requests))
