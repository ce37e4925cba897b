"""The window of a case in the history, and its verdict."""

from __future__ import annotations

from pathlib import Path

from rig.history import Event, Journal, Tail
from rig.verdict import CaseVerdict, Verdict, judge_case, past_after
from rig.verdict.stories import Past


class Cases:
    """Begins and ends cases, and judges each from what the journals hold of it."""

    def __init__(self, journal: Journal, journals: Path) -> None:
        self._journal = journal
        self._tail = Tail(journals)
        self._run_begin: Event | None = None
        self._last_case: list[Event] = []
        self._past: Past = {}
        self.current: str | None = None
        self.began_t = 0

    def begin_run(self, event: Event) -> None:
        """The run's first event, which says what the bench can do."""
        self._run_begin = event

    def begin(self, case: str, title: str, requires: list[Verdict], bearer: str) -> None:
        """A case begins."""
        # What the host heard since the last case ended is that case's consequence: the judge reads the files so, too.
        self._past = past_after([*self._last_case, *self._tail.poll()], self._past)
        self.current = case
        required = [verdict.value for verdict in requires]
        event = self._journal.write("case_begin", case=case, title=title, requires=required, bearer=bearer)
        self.began_t = event.t

    def end(self) -> tuple[CaseVerdict, list[Event]]:
        """The case is over: its verdict, and the events that it rests on."""
        last = self._journal.write("case_end", case=self.current)
        self.current = None
        events = [event for event in self._tail.poll() if self.began_t <= event.t <= last.t]
        run = [self._run_begin] if self._run_begin is not None else []
        self._last_case = events
        return judge_case([*run, *events], past=self._past), events
