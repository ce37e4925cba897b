"""A case as a story, for a person at three in the morning."""

from __future__ import annotations

from collections.abc import Iterator

from rig.history.events import Event, History
from rig.verdict.facts import SECOND, amount, currency, text
from rig.verdict.judge import judged_stories
from rig.verdict.model import CaseVerdict
from rig.verdict.stories import CaseStory, IntentStory, Request


def explain(history: History) -> Iterator[str]:
    """One paragraph a case, in the order in which they ran."""
    for story, verdict in judged_stories(history):
        yield explain_case(story, verdict)


def explain_case(story: CaseStory, verdict: CaseVerdict) -> str:
    """One paragraph: what was asked, what the host saw, what was done to it, what came of it. Times count from the
    beginning of the case.
    """
    sentences = [
        f"{verdict.title}{f' over {verdict.bearer}' if verdict.bearer else ''}.",
        *(sentence for intent in story.intents.values() for sentence in _intent(story, intent)),
        *_faults(story),
        *_rest(story),
        f"Verdict: {verdict.verdict.words}{f', because {verdict.why}' if verdict.why else ''}.",
    ]
    return " ".join(sentences)


def _intent(story: CaseStory, intent: IntentStory) -> Iterator[str]:
    name = f"{intent.operation.replace('_', ' ').capitalize()} {intent.name}".strip()
    over, card = _money(intent.begun), text(intent.begun.data, "card")
    yield f"{name}{over and f' over {over}'}{card and f' with {card}'} began at {_at(story, intent.begun)}."
    for request in intent.requests.values():
        yield _request(story, request)
    for stray in intent.strays:
        yield f"At {_at(story, stray)} came a reversal of a request that the host never saw."
    if not intent.requests:
        yield "No request of it reached the host."
    if word := intent.last_word:
        code = text(word.data, "result_code")
        yield f"The terminal's last word was {intent.said}{code and f' ({code})'} at {_at(story, word)}."
    else:
        yield "It has no outcome."


def _request(story: CaseStory, request: Request) -> str:
    told = [f"the host received {'the advice ' if request.advice else ''}{request.key} at {_at(story, request.first)}"]
    if repeats := len(request.received) - 1:
        told.append(f"and {repeats} more times")
    told += [f"answered {text(answer.data, 'rc')} at {_at(story, answer)}" for answer in request.answers]
    told += [] if request.answers else ["sent no answer"]
    told += [f"received its reversal at {_at(story, reversal)}" for reversal in request.reversals]
    if request.row:
        told.append(f"and held it as {text(request.row.data, 'state')} in the end")
    sentence = ", ".join(told) + "."
    return sentence[0].upper() + sentence[1:]


def _faults(story: CaseStory) -> Iterator[str]:
    for asked, proof in story.faults():
        action, target, moment = (text(asked.data, name) for name in ("action", "target", "moment"))
        happened = f"proven at {_at(story, proof)}" if proof else "never proven"
        yield f"Fault {action}{target and f' on {target}'}{moment and f' at {moment}'}, {happened}."
    for event in story.bench_faults:
        device, what = text(event.data, "device"), text(event.data, "what")
        yield f"The bench was in trouble at {_at(story, event)}: {device}: {what}."


def _rest(story: CaseStory) -> Iterator[str]:
    if story.settled is None:
        yield "It was never settled."
    elif story.quiet:
        yield f"All was quiet at {_at(story, story.settled)}."
    else:
        yield f"At {_at(story, story.settled)} the bench still waited for {story.waiting_for}."


def _at(story: CaseStory, event: Event) -> str:
    return f"{(event.t - story.begin.t) / SECOND:+.3f} s"


def _money(begun: Event) -> str:
    minor = amount(begun.data)
    return "" if minor is None else f"{minor} minor units {currency(begun.data)}".strip()
