"""Whether a history is whole. One that is torn, reordered or duplicated is never judged as if it were."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from rig.history.events import Event, History, merge

RIG = "rig"
"""The process that runs the cases."""


def in_order(history: History) -> tuple[Event, ...]:
    """The events in their one order, each once; the very same tuple where they are so already, as a reader's are."""
    orders = [event.order for event in history.events]
    if all(earlier < later for earlier, later in pairwise(orders)):
        return history.events
    return tuple({event.order: event for event in merge(history)}.values())


def doubts_about(history: History, events: Sequence[Event]) -> tuple[str, ...]:
    """Why the history is not whole, one sentence each; empty where it is.

    Args:
        history: the run as it was read.
        events: the same, from :func:`in_order`.

    The torn last line of a process that was killed is harmless: it had nothing more to say. Of the rig's own process
    it is not, unless that process came as far as to end the run.
    """
    doubts = list(history.damage)
    if len(events) < len(history):
        doubts.append(f"{len(history) - len(events)} events stand in it twice")
    if events is not history.events and merge(history) != history.events:
        doubts.append("its events are out of order")
    doubts += _gaps(events)
    begins = [event for event in events if event.kind == "run_begin"]
    if len(begins) != 1:
        doubts.append(f"it holds {len(begins)} beginnings of a run, where one belongs")
    if len(boots := {event.boot for event in events}) > 1:
        doubts.append(f"it spans {len(boots)} boots of the machine, whose clocks do not compare")
    ended = any(event.kind == "run_end" for event in events)
    doubts += [f"{name}: the last line is torn" for name in history.torn if _is_rig(name) and not ended]
    return tuple(doubts)


def _is_rig(journal: str) -> bool:
    return journal.rpartition("-")[0] == RIG or journal == f"{RIG}.jsonl"


def _gaps(events: Iterable[Event]) -> list[str]:
    """Missing numbers of a journal. A number 1 begins a new journal: a process may open another, a pid return."""
    gaps: list[str] = []
    last: dict[tuple[str, str, int], int] = {}
    for event in events:
        journal = (event.boot, event.process, event.pid)
        if event.sequence not in (1, last.get(journal, 0) + 1):
            gaps.append(f"{event.process}-{event.pid}: event {event.sequence} follows event {last.get(journal, 0)}")
        last[journal] = event.sequence
    return gaps
