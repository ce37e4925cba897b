from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

from rich.console import Console

from rig.history import Event, History
from rig.report.summary import Summary, verdict_table
from rig.verdict import Breach, CaseVerdict, RunVerdict, Verdict

GOOD = CaseVerdict("sale/approve[wifi]", "Approved", "wifi", (Verdict.COMPLETED,), Verdict.COMPLETED, "as required")
TWICE = Breach("M1", "two live authorisations", ())
UNSAFE = CaseVerdict("host/late", "Late", "cellular", (Verdict.FAILED_SAFELY,), Verdict.UNSAFE, "money", (TWICE,))


def event(number: int, kind: str, **data: Any) -> Event:
    return Event("boot", number * 1_000_000_000, "rig", 1, number, kind, data)


HISTORY = History(
    (
        event(1, "run_begin", bench="virtual", network_backend="user-space", bearers=["wifi", "cellular"]),
        event(2, "request_received", mti="0200", key="T/1"),
        event(3, "request_received", mti="0400", key="T/2"),
        event(4, "request_received", mti="0401", key="T/2"),
        event(5, "ledger_row", key="T/1", received_t=2, rc="00", state="approved"),
        event(6, "ledger_row", key="T/1", received_t=2, rc="00", state="reversed"),
        event(7, "ledger_row", key="T/3", received_t=6, rc="51", state="declined"),
    )
)


def test_a_run_in_numbers() -> None:
    said = json.loads(json.dumps(Summary.of(HISTORY, RunVerdict((GOOD, UNSAFE))).to_json()))
    assert said["cases"] == 2
    assert said["verdicts"] == {
        "completed": 1, "failed_safely": 0, "not_as_required": 0, "undecided": 0, "bench_fault": 0, "unsafe": 1,
    }  # fmt: skip
    assert said["unsafe"] == [{"case": "host/late", "invariant": "M1", "why": "two live authorisations"}]
    assert (said["ledger_approved"], said["reversals_on_wire"]) == (1, 2), "a row once, a repeat again"
    assert (said["network_backend"], said["bearers"]) == ("user-space", ["wifi", "cellular"])
    assert (said["duration_s"], said["exit_code"]) == (6.0, 1)


def test_what_is_neither_good_nor_unsafe_is_told_with_its_reason() -> None:
    other = replace(GOOD, verdict=Verdict.UNDECIDED, why="not quiet in time")
    said = Summary.of(HISTORY, RunVerdict((GOOD, other)))
    assert said.others == [{"case": GOOD.case, "verdict": "undecided", "why": "not quiet in time"}]


def test_a_run_that_never_began_is_a_summary_too() -> None:
    said = Summary.of(History(()), RunVerdict(()))
    assert (said.cases, said.exit_code, said.network_backend, said.duration_s) == (0, 2, "unknown", 0.0)


def test_the_table_counts_by_bearer_and_in_total() -> None:
    shown = io.StringIO()
    Console(width=120, file=shown).print(verdict_table(RunVerdict((GOOD, UNSAFE))))
    rows = {words[1]: words for line in shown.getvalue().splitlines() if len(words := line.split("│")) > 2}
    found = {name.strip(): [cell.strip() for cell in cells[2:-1]] for name, cells in rows.items()}
    assert found["wifi"] == ["1", "0", "0", "0", "0", "0"]
    assert found["cellular"] == ["0", "0", "0", "0", "0", "1"]
    assert found["total"] == ["1", "0", "0", "0", "0", "1"]
