"""The lab's minute: a figure of a later try says so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lab import timeline, uml
from lab.part import LabTrouble, Row


def lab_says(tries: list[bool | None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each try holds, does not hold, or (None) cannot be measured."""
    left = iter(tries)

    def run(command: list[str], *_: Any, **__: Any) -> tuple[int, str]:
        ok = next(left)
        if ok is None:
            return 2, "no kernel\n"
        Path(command[3]).write_text(json.dumps([Row("x", "lag", "1 a second", "p99 9 ms", "20 ms", ok).to_dict()]))
        return 0, ""

    monkeypatch.setattr(uml, "run", run)


@pytest.mark.parametrize(
    ("tries", "measured", "held"),
    [
        ([True], "p99 9 ms", True),
        ([False, True], "p99 9 ms  (try 2 of 3)", True),
        ([False, False, False], "p99 9 ms  (try 3 of 3)", False),
        ([False, None, None], "p99 9 ms", False),
    ],
)
def test_the_try_is_told(
    tries: list[bool | None], measured: str, held: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab_says(tries, monkeypatch)
    assert [(row.measured, row.ok) for row in timeline._alone(tmp_path)] == [(measured, held)]


def test_no_figure_at_all_is_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lab_says([None, None, None], monkeypatch)
    with pytest.raises(LabTrouble, match="no kernel"):
        timeline._alone(tmp_path)
