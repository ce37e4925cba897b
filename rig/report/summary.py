"""A run in numbers: ``summary.json`` for programs, a table of verdicts per bearer for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.table import Table
from rich.text import Text

from rig.history import Event, History
from rig.verdict import CaseVerdict, RunVerdict, Verdict

_COLOURS = {
    Verdict.COMPLETED: "green",
    Verdict.FAILED_SAFELY: "green",
    Verdict.NOT_AS_REQUIRED: "red",
    Verdict.UNSAFE: "bold red",
    Verdict.UNDECIDED: "yellow",
    Verdict.BENCH_FAULT: "yellow",
}
_REVERSALS = ("0400", "0401", "0420", "0421")


@dataclass(frozen=True)
class Summary:
    """A run in numbers.

    Attributes:
        cases: how many were judged, those that never ran included.
        verdicts: how many of each.
        exit_code: 0 all as required, 1 the terminal failed, 2 the rig could not tell.
        unsafe: each broken invariant: case, invariant, why.
        others: each other case that is not as it should be: case, verdict, why.
        bench_faults: the bench's trouble outside of any case.
        doubts: why the history is not whole.
        skipped: the cases that this bench cannot run, each with what it lacks.
        ledger_approved: approvals in the host's ledger, whatever became of them later.
        reversals_on_wire: reversals that the host received, repeats included.
        network_backend: who degraded the network.
        bearers: the bearers of the bench.
        duration_s: from the first event to the last.
        inventory: what took part.
    """

    cases: int
    verdicts: dict[str, int]
    exit_code: int
    unsafe: list[dict[str, str]]
    others: list[dict[str, str]]
    bench_faults: list[str]
    doubts: list[str]
    skipped: dict[str, str]
    ledger_approved: int
    reversals_on_wire: int
    network_backend: str
    bearers: list[str]
    duration_s: float
    inventory: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, history: History, verdict: RunVerdict) -> Summary:
        """Read it off a judged history."""
        run = next(iter(history.of("run_begin")), None)
        facts = dict(run.data) if run is not None else {}
        return cls(
            cases=len(verdict.cases),
            verdicts=verdict.verdicts,
            exit_code=verdict.exit_code,
            unsafe=[_breach(case, b.invariant, b.why) for case in verdict.cases for b in case.breaches],
            others=[_other(case) for case in verdict.cases if case.verdict.could_not_tell or _differs(case)],
            bench_faults=list(verdict.bench_faults),
            doubts=list(verdict.doubts),
            skipped=dict(verdict.skipped),
            ledger_approved=sum(row.data.get("rc") == "00" for row in _rows(history)),
            reversals_on_wire=sum(event.data.get("mti") in _REVERSALS for event in history.of("request_received")),
            network_backend=str(facts.get("network_backend", "unknown")),
            bearers=list(facts.get("bearers", [])),
            duration_s=_duration(history),
            inventory={key: facts[key] for key in ("bench", "rig", "kernel", "python", "devices") if key in facts},
        )

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def verdict_table(verdict: RunVerdict) -> Table:
    """Cases a bearer and verdict; what is not zero and not good stands out."""
    columns = list(reversed(Verdict))
    table = Table(title="Cases by bearer and verdict", title_justify="left")
    table.add_column("bearer")
    for column in columns:
        table.add_column(column.words, justify="right")
    bearers = list(dict.fromkeys(case.bearer for case in verdict.cases))
    for bearer in bearers:
        table.add_row(bearer, *(_cell(column, verdict, bearer) for column in columns))
    if len(bearers) > 1:
        table.add_section()
        table.add_row("total", *(_cell(column, verdict, None) for column in columns))
    return table


def _cell(column: Verdict, verdict: RunVerdict, bearer: str | None) -> Text:
    count = sum(case.verdict is column and bearer in (None, case.bearer) for case in verdict.cases)
    return Text(str(count), style=_COLOURS[column] if count else "dim")


def _breach(case: CaseVerdict, invariant: str, why: str) -> dict[str, str]:
    return {"case": case.case, "invariant": invariant, "why": why}


def _other(case: CaseVerdict) -> dict[str, str]:
    return {"case": case.case, "verdict": case.verdict.value, "why": case.why}


def _differs(case: CaseVerdict) -> bool:
    return case.verdict is Verdict.NOT_AS_REQUIRED


def _rows(history: History) -> Sequence[Event]:
    """Each ledger row once, as it was last told."""
    return list({(row.data.get("key"), row.data.get("received_t")): row for row in history.of("ledger_row")}.values())


def _duration(history: History) -> float:
    if not history.events:
        return 0.0
    return round((max(e.t for e in history) - min(e.t for e in history)) / 1e9, 1)
