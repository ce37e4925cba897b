"""A terminal with a defect: the run says so, by the invariant that the defect breaks."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.history import read_history
from tests.system.rigs import Rig, category_messages

DEFECTS = [
    ("never-reverses", "host_silent and wifi", {"M2", "M3"}),
    ("approves-late-answer", "answer_late and wifi", {"M2", "M7"}),
    ("reversal-lost-at-power-cut", "power and while_the_answer", {"M2", "M4"}),
]


@pytest.mark.parametrize(("defect", "cases", "invariants"), DEFECTS)
def test_unsafe_and_the_invariant_is_named(tmp_path: Path, defect: str, cases: str, invariants: set[str]) -> None:
    rig = Rig.make(tmp_path, defects=[defect])
    code, summary = rig.run(cases)
    assert code == 1
    assert summary["verdicts"]["unsafe"] == summary["cases"] == 1
    assert {entry["invariant"] for entry in summary["unsafe"]} == invariants
    assert any(".Unsafe: M" in message for message in category_messages(rig))


def test_declining_everything_is_not_green(tmp_path: Path) -> None:
    rig = Rig.make(tmp_path, defects=["declines-everything"])
    code, summary = rig.run("test_approve and wifi")
    assert code == 1
    assert summary["verdicts"]["not_as_required"] == summary["cases"] == 2
    assert summary["ledger_approved"] == 0
    assert all(".NotAsRequired: " in message for message in category_messages(rig))


def test_nothing_that_is_judged_names_the_defect(tmp_path: Path) -> None:
    rig = Rig.make(tmp_path, defects=["never-reverses"])
    rig.run("host_silent and wifi")
    run = rig.newest_run()
    assert run is not None
    assert all("never-reverses" not in str(event.data) for event in read_history(run / "journals"))
