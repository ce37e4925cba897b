"""The Wi-Fi part of the lab: it asks for all tests with a radio, and takes no run for good that lacks something."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lab import qemu, wifi
from lab.part import LabTrouble

SUMMARY = {"cases": 3, "verdicts": {"completed": 2, "failed_safely": 1, "unsafe": 0}, "skipped": {}}


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(qemu, "PROJECT", tmp_path / "project")
    run = tmp_path / "results" / "reports" / "runs" / "20260101-120000-virtual-wifi"
    run.mkdir(parents=True)
    (run / "verdict.json").write_text("{}")
    return tmp_path / "results"


def row(results: Path, summary: dict[str, Any], code: int) -> Any:
    (results / "summary.json").write_text(json.dumps(summary))
    (results / "cases.code").write_text(f"{code}\n")
    return wifi._cases_row("wifi", results)


def test_all_as_required_holds_and_the_run_is_kept(results: Path) -> None:
    held = row(results, SUMMARY, 0)
    assert held.ok
    assert held.measured == "2 completed, 1 failed safely; run: reports/runs/20260101-120000-virtual-wifi"
    assert (qemu.PROJECT / "reports/runs/20260101-120000-virtual-wifi/verdict.json").exists()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, 1),
        ({}, 2),
        ({"cases": 0, "verdicts": {}}, 0),
        ({"skipped": {"test_x": "roaming on wifi"}}, 0),
    ],
    ids=["the terminal failed", "the rig could not tell", "nothing ran", "a case was skipped"],
)
def test_anything_less_does_not_hold(results: Path, change: dict[str, Any], code: int) -> None:
    assert not row(results, {**SUMMARY, **change}, code).ok


def test_no_summary_is_the_labs_own_trouble(results: Path) -> None:
    (results / "summary.json").write_text("")
    (results / "cases.code").write_text("2\n")
    with pytest.raises(LabTrouble, match="ended with 2 and left no summary"):
        wifi._cases_row("wifi", results)


def test_every_file_with_a_radio_is_asked_for() -> None:
    files = wifi.test_files(qemu.PROJECT)
    assert "tests/bearers/wifi/test_on_the_air.py" in files
    assert "tests/lab/test_wifi.py" not in files
    commands = wifi._commands(Path("/results"))
    assert all(file in commands for file in files)


def test_a_machine_that_does_not_run_the_tests_is_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.qemu_kit.obtain", lambda: type("Kit", (), {"version": "6.1"}))
    monkeypatch.setattr(qemu, "run", lambda *_, **__: (127, "sh: not found\n"))
    with pytest.raises(LabTrouble, match="exit code 127"):
        wifi.run(tmp_path)
