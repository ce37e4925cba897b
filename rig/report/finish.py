"""The end of a run: judge its history, write its summary, render its report, seal its folder."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from rig.history import read_history
from rig.report.allure import render
from rig.report.manifest import write_manifest
from rig.report.summary import Summary, verdict_table
from rig.report.transcripts import serial_log
from rig.verdict import RunVerdict, judge


@dataclass(frozen=True)
class Finished:
    """What a run came to.

    Attributes:
        exit_code: of the design: 0, 1 or 2.
        summary: the run in numbers.
        table: cases by bearer and verdict, for a terminal window.
        message: where the report is, or why there is none.
    """

    exit_code: int
    summary: Summary
    table: Table
    message: str


def finish_run(run: Path, reports: Path | None = None) -> Finished:
    """Judge a run from its files and write everything that follows from them.

    Args:
        run: the run's folder.
        reports: where ``latest`` shall point to this run, and Allure keep its history; not touched where None.
    """
    history = read_history(run / "journals")
    verdict = judge(history)
    summary = Summary.of(history, verdict)
    _write(run / "history.jsonl", "".join(event.to_line() + "\n" for event in history))
    _write(run / "serial.log", serial_log(history.events))
    _write(run / "verdict.json", verdict.to_json())
    _write(run / "summary.json", json.dumps(summary.to_json(), indent=1, ensure_ascii=False) + "\n")
    title = f"{summary.inventory.get('bench', run.name)}: {_headline(verdict)}"
    variables = _variables(summary)
    if (run / "scorecard.html").is_file():
        variables["Scorecard"] = "scorecard.html in the folder of this report, and among its global attachments"
    rendering = render(run, title, variables, reports / "history.jsonl" if reports else None)
    write_manifest(run)
    if reports is not None:
        point_latest(reports, run)
    message = (
        rendering.message
        if rendering.index is None
        else f"report: {(reports / 'latest' if reports else run) / 'index.html'}"
    )
    return Finished(verdict.exit_code, summary, verdict_table(verdict), message)


def point_latest(reports: Path, run: Path) -> None:
    """Let ``reports/latest`` be this run; whoever looks meanwhile sees the old or the new one."""
    fresh = reports / f".latest-{os.getpid()}"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(os.path.relpath(run.resolve(), reports.resolve()))
    fresh.replace(reports / "latest")


def _headline(verdict: RunVerdict) -> str:
    if not verdict.cases:
        return "nothing ran"
    return "all as required" if verdict.exit_code == 0 else verdict.worst.words


def _variables(summary: Summary) -> dict[str, str]:
    devices = summary.inventory.get("devices", {})
    facts = {key: str(value) for key, value in summary.inventory.items() if key != "devices"}
    verdicts = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in summary.verdicts.items() if count)
    return {
        "Verdicts": verdicts,
        "Network": summary.network_backend,
        "Ledger approvals": str(summary.ledger_approved),
        "Reversals": str(summary.reversals_on_wire),
        **{key.capitalize(): value for key, value in facts.items()},
        **{f"Device: {name}": str(what) for name, what in devices.items()},
    }


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
