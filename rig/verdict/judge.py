"""The judge: a pure function from a history to verdicts.

It may be run again years later on the stored files, and says the same in the same bytes. Whatever the history holds,
it does not raise: what cannot be judged is undecided, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from rig.errors import CallerMistake
from rig.history.events import Event, History
from rig.verdict.attribution import remember, split_cases, tell
from rig.verdict.cards import strangers
from rig.verdict.conclusion import Conclusion, conclude
from rig.verdict.facts import names, text
from rig.verdict.invariants import HOST, INVARIANTS
from rig.verdict.model import Breach, CaseVerdict, RunVerdict, Verdict
from rig.verdict.stories import CaseStory, Past, PastRequest, RunFacts
from rig.verdict.wholeness import doubts_about, in_order


def judge(history: History) -> RunVerdict:
    """Judge a run."""
    events = in_order(history)
    doubts = doubts_about(history, events)
    judged = list(_judged(events, doubts))
    cases = [verdict for _, verdict in judged]
    ran = {verdict.case for verdict in cases}
    skipped = {text(e.data, "case"): ", ".join(names(e.data, "lacking")) for e in events if e.kind == "case_skipped"}
    cases += [_not_run(case) for case in _run_facts(events).planned if case not in ran and case not in skipped]
    inside = {event.order for story, _ in judged for event in story.bench_faults}
    outside = [event for event in events if event.kind == "bench_fault" and event.order not in inside]
    return RunVerdict(tuple(cases), tuple(_told(event) for event in outside), doubts, skipped)


def judged_stories(history: History) -> Iterator[tuple[CaseStory, CaseVerdict]]:
    """Each case's story with its verdict, in the order in which they ran.

    A story knows the past as it was: look at it before the next one is taken.
    """
    events = in_order(history)
    return _judged(events, doubts_about(history, events))


def judge_case(events: Iterable[Event], run_begin: Event | None = None, past: Past | None = None) -> CaseVerdict:
    """Judge one case by the same rules, while its run is still going on.

    Args:
        events: the case's events, in any order; those before its ``case_begin`` are passed over.
        run_begin: the run's own event, which says what the bench sees and what the terminal's limits are; looked for
            among the events where it is not given.
        past: the requests of earlier cases, by key. Without it a reversal of theirs is one of nothing known.

    Raises:
        CallerMistake: there is no ``case_begin`` among the events.
    """
    ordered = in_order(History(tuple(events)))
    _, cases = split_cases(ordered)
    if not cases:
        raise CallerMistake("case", "no case begins among these events", "hand over the events from case_begin on")
    run = RunFacts.of(run_begin) if run_begin else _run_facts(ordered)
    return _judge_story(tell(cases[0], run, past), ())


def past_after(events: Iterable[Event], past: Past | None = None) -> Past:
    """The requests that later cases must know of: those of ``past``, and those of the one case among these events."""
    _, cases = split_cases(in_order(History(tuple(events))))
    stories = [tell(case, RunFacts.of(None), past) for case in cases]
    return {**(past or {}), **{key: request for story in stories for key, request in remember(story)}}


def _judged(events: Sequence[Event], doubts: Sequence[str]) -> Iterator[tuple[CaseStory, CaseVerdict]]:
    _, cases = split_cases(events)
    run = _run_facts(events)
    past: dict[str, PastRequest] = {}
    for case in cases:
        story = tell(case, run, past)
        yield story, _judge_story(story, doubts)
        past.update(remember(story))


def _run_facts(events: Iterable[Event]) -> RunFacts:
    return RunFacts.of(next((event for event in events if event.kind == "run_begin"), None))


def _judge_story(story: CaseStory, doubts: Sequence[str]) -> CaseVerdict:
    case = text(story.begin.data, "case")
    blank = CaseVerdict(
        case, text(story.begin.data, "title") or case, text(story.begin.data, "bearer"), (), Verdict.UNDECIDED, ""
    )
    try:
        required = tuple(Verdict.named(words) for words in names(story.begin.data, "requires")) or (Verdict.COMPLETED,)
    except CallerMistake as mistake:
        return replace(blank, why=f"the case requires what is no verdict: {mistake.what}", counts=_counts(story))
    blank = replace(blank, required=required, counts=_counts(story))
    if doubts:
        return replace(blank, why=f"the history is not whole: {'; '.join(doubts)}", not_judged=_all("not whole"))
    not_judged = {rule.name: obstacle for rule in INVARIANTS if (obstacle := rule.obstacle(story))}
    found = [breach for rule in INVARIANTS if rule.name not in not_judged for breach in rule.check(story)]
    breaches = tuple(breach for breach in found if _outlives_bench_fault(breach, story))
    verdict, why = _decide(story, breaches, required)
    return replace(blank, verdict=verdict, why=why, breaches=breaches, not_judged=not_judged)


def _decide(story: CaseStory, breaches: Sequence[Breach], required: Sequence[Verdict]) -> tuple[Verdict, str]:
    """The order of the verdicts, worst first."""
    if breaches:
        return Verdict.UNSAFE, "; ".join(f"{breach.invariant}: {breach.why}" for breach in breaches)
    if troubles := [_told(event) for event in story.bench_faults] + [what for _, what in strangers(story)]:
        return Verdict.BENCH_FAULT, "; ".join(dict.fromkeys(troubles))
    if doubts := list(_doubts(story)):
        return Verdict.UNDECIDED, "; ".join(doubts)
    conclusion = conclude(story)
    if conclusion.verdict in required or conclusion.verdict is Verdict.NOT_AS_REQUIRED:
        return conclusion.verdict, conclusion.why
    return Verdict.NOT_AS_REQUIRED, _not_as_required(conclusion, required)


def _not_as_required(conclusion: Conclusion, required: Sequence[Verdict]) -> str:
    wanted = " or ".join(verdict.words for verdict in required)
    return f"{conclusion.verdict.words} where {wanted} was required: {conclusion.why}"


def _doubts(story: CaseStory) -> Iterator[str]:
    """Why nothing can be said of a case in which nothing is broken."""
    if story.end is None:
        yield "the case never ended: its process was stopped"
    if story.settled is None:
        yield "the case was never settled"
    elif not story.quiet:
        yield f"the case did not come to rest, it was waiting for {story.waiting_for}"
    for skipped in story.of("case_skipped"):
        yield f"it was skipped: {text(skipped.data, 'why') or 'nobody said why'}"
    for asked, proof in story.faults():
        if proof is None:
            yield f"fault {text(asked.data, 'fault') or text(asked.data, 'action')} was never proven"
    for stimulus in story.of("stimulus"):
        if stimulus.data.get("shown") is not True:
            yield f"no packet was seen to meet what was done to {text(stimulus.data, 'link') or 'a link'}"
    for intent in story.intents.values():
        if intent.last_word is None:
            yield f"{intent.operation} {intent.name} has no outcome"
        elif intent.belief.value == "unknown":
            yield f"the outcome of {intent.operation} {intent.name} is unknown, and nothing resolved it"
        if HOST in story.run.capabilities:
            missing = [request.key for request in intent.requests.values() if request.row_missing]
            yield from (f"the host approved {key}, and no row of its ledger entered the history" for key in missing)


def _outlives_bench_fault(breach: Breach, story: CaseStory) -> bool:
    """Whether a breach is proven without leaning on a bench that was in trouble.

    What is missing is proven by ``settled`` and by ledger rows, which come last; what was done, by the deed itself.
    """
    times = [event.t for event in story.bench_faults] + [event.t for event, _ in strangers(story)]
    trouble = min(times, default=None)
    return trouble is None or all(ref.t < trouble for ref in breach.evidence)


def _counts(story: CaseStory) -> dict[str, int]:
    faults = list(story.faults())
    return {
        "intents": len(story.intents),
        "requests": sum(len(request.received) for request in story.by_key.values()),
        "answers": sum(len(request.answers) for request in story.by_key.values()),
        "reversals": len(list(story.reversals())),
        "ledger_approved": sum(request.sale_stands for request in story.by_key.values()),
        "faults": len(faults),
        "faults_proven": sum(proof is not None for _, proof in faults),
    }


def _all(reason: str) -> dict[str, str]:
    return {rule.name: reason for rule in INVARIANTS}


def _not_run(case: str) -> CaseVerdict:
    return CaseVerdict(case, case, "", (), Verdict.UNDECIDED, "not run", (), _all("not run"))


def _told(event: Event) -> str:
    device, what, cure = (text(event.data, name) for name in ("device", "what", "cure"))
    return f"{device or 'bench'}: {what or 'trouble'}" + (f" ({cure})" if cure else "")
