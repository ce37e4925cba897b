"""A run judged by another ledger: the rows of the bench's own host give way to what somebody else's books say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from rig.errors import CallerMistake
from rig.history.events import Event, History
from rig.verdict.facts import text
from rig.verdict.invariants import HOST

_ROW, _SETTLED, _REQUEST = "ledger_row", "settled", "request_received"
_OF_THE_HOST = (
    "tid",
    "stan",
    "mti",
    "rrn",
    "auth",
    "token",
    "masked",
    "atc",
    "batch",
    "received_t",
    "reversal",
    "counts",
)


def with_ledger(history: History, rows: Iterable[Mapping[str, Any]]) -> History:
    """The same history, with these rows where the host's stood: each with ``key`` and what the books say of it.

    What the books know nothing of has no row; what they know of a request of which the host had none gets one when
    its case was settled. Rows of no request of this run are left out.

    Raises:
        CallerMistake: two rows have the same key.
    """
    books: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        if books.setdefault(row["key"], row) is not row:
            raise CallerMistake(row["key"], "two rows of this ledger have it", "export the days of the run alone")
    own = {text(event.data, "key") for event in history.of(_ROW)}
    events: list[Event] = []
    asked: dict[str, None] = {}
    number = 0
    for event in history.events:
        if event.kind == _REQUEST:
            asked[text(event.data, "key")] = None
        elif event.kind == _ROW:
            told = books.get(text(event.data, "key"))
            # One that the books do not know stays as an event of no meaning: the journal it is from has no gap.
            kind = _ROW if told is not None else "ledger_row_unknown"
            event = replace(event, kind=kind, data={**_kept(event.data), **(told or {})})
        elif event.kind == "run_begin":
            event = replace(event, data={**event.data, "capabilities": _with_ledger(event.data)})
        elif event.kind == _SETTLED:
            for key in (key for key in asked if key in books and key not in own):
                number += 1
                row = dict(books[key])
                events.append(Event(event.boot, event.t, "another ledger", 0, number, _ROW, row, event.wall))
            asked.clear()
        events.append(event)
    return replace(history, events=tuple(events))


def _with_ledger(data: Mapping[str, Any]) -> list[str]:
    """What the bench sees, the books included: a gateway has none of its own."""
    seen = [str(each) for each in data.get("capabilities", [])]
    return seen if HOST in seen else [*seen, HOST]


def _kept(data: Mapping[str, Any]) -> dict[str, Any]:
    """What of the host's row tells where it belongs, and nothing of its money."""
    return {name: data[name] for name in _OF_THE_HOST if name in data}
