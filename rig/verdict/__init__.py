"""The judge: a pure function over a run's history. It imports the history, the wire and the floor alone."""

from rig.verdict.explain import explain, explain_case
from rig.verdict.judge import judge, judge_case, judged_stories, past_after
from rig.verdict.model import Breach, CaseVerdict, EventRef, RunVerdict, Verdict
from rig.verdict.stories import Belief, CaseStory, IntentStory

__all__ = [
    "Belief",
    "Breach",
    "CaseStory",
    "CaseVerdict",
    "EventRef",
    "IntentStory",
    "RunVerdict",
    "Verdict",
    "explain",
    "explain_case",
    "judge",
    "judge_case",
    "judged_stories",
    "past_after",
]
