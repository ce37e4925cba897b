"""What a sound case came to: completed, or failed safely."""

from __future__ import annotations

from dataclasses import dataclass

from rig.verdict.facts import text
from rig.verdict.invariants import HOST
from rig.verdict.model import Verdict
from rig.verdict.stories import Belief, CaseStory, IntentStory


@dataclass(frozen=True, slots=True)
class Conclusion:
    """A verdict, and why in a sentence."""

    verdict: Verdict
    why: str


def conclude(story: CaseStory) -> Conclusion:
    """The worst of the intents' conclusions. Asked only where nothing is broken, unknown or in doubt."""
    each = [_of_intent(story, intent) for intent in story.intents.values()]
    for event in story.of("expectation_failed"):
        each.append(Conclusion(Verdict.NOT_AS_REQUIRED, f"the case expects otherwise: {text(event.data, 'what')}"))
    worst = Verdict.worst([one.verdict for one in each] or [Verdict.COMPLETED])
    whys = [one.why for one in each if one.verdict is worst]
    return Conclusion(worst, "; ".join(whys) or "nothing was to be paid")


def _of_intent(story: CaseStory, intent: IntentStory) -> Conclusion:
    what = f"{intent.operation.replace('_', ' ')} {intent.name}"
    if intent.belief is Belief.APPROVED:
        if intent.operation == "end_of_day" and HOST in story.run.capabilities and not _agreed(intent):
            return Conclusion(Verdict.NOT_AS_REQUIRED, f"{what} was approved, and the host did not agree to its totals")
        return Conclusion(Verdict.COMPLETED, f"{what} was approved")
    if intent.operation == "sale" and intent.declined_by_host:
        codes = {text(answer.data, "rc") for request in intent.requests.values() for answer in request.answers}
        return Conclusion(Verdict.COMPLETED, f"{what} was declined by the host ({', '.join(sorted(codes))})")
    return Conclusion(Verdict.FAILED_SAFELY, f"{what}: {_failure(intent)}")


def _agreed(end_of_day: IntentStory) -> bool:
    return bool(end_of_day.settlements) and end_of_day.settlements[-1].data.get("agreed") is True


def _failure(intent: IntentStory) -> str:
    code = text(intent.last_word.data, "result_code") if intent.last_word else ""
    outcome = f"outcome {intent.said}" + (f" ({code})" if code else "")
    if intent.reversals:
        return f"{outcome}, and reversed"
    return f"{outcome} by the host" if intent.declined_by_host else f"{outcome} without a host decline"
