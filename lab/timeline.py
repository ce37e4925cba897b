"""The lab's part ``timeline``: a minute at one step a second over the kernel's own netem, in user-mode Linux.

Once the player alone, with packets both ways that must keep their order. Beside it, in a kernel of its own, the whole
virtual bench, which sells meanwhile: its run lands among the others in ``reports/``, with the picture of what was
meant and what was reached.
"""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from lab import uml
from lab.part import LabTrouble, Need, Row
from rig.history import read_history
from rig.report.played import read_played

NEEDS = (Need("linux.uml", "user-mode-linux"), Need(str(uml.MODULES), "user-mode-linux"))
_TIMEOUT_S = 240.0
_TRIES = 3
"""A machine that stands still for a moment makes one of sixty steps late, and that one is the 99th percentile."""
_CASE = ("testcases/bearers", "minute")
_INSIDE = """
export RIG_STATE=/run/rig-state XDG_RUNTIME_DIR=/run RIG_NO_RENDER=1
"$0" run --suite "$1" -k "$2" --json --reports /run/reports > "$3"
code=$?
cp -a /run/reports/runs/. "$4"
exit $code
"""
"""All in its memory until the end: when a file of the host is synced, the whole kernel waits."""


def run(folder: Path) -> list[Row]:
    """Play it twice, at the same time.

    Raises:
        LabTrouble: user-mode Linux did not boot or end, or nothing could be measured in it.
    """
    with ThreadPoolExecutor(1) as beside:  # the player alone has the right of way; the bench has a minute of waiting
        whole_bench = beside.submit(_whole_bench, folder)
        return [*_alone(folder), *whole_bench.result()]


def _alone(folder: Path) -> list[Row]:
    rows: list[Row] = []
    said = ""
    for number in range(1, _TRIES + 1):
        figures, picture = folder / f"minute-{number}.json", folder / f"minute-{number}.svg"
        command = [sys.executable, "-m", "lab.timeline_minute", str(figures), str(picture)]
        code, said = uml.run(command, _TIMEOUT_S, punctual=True)
        print(said, end="", flush=True)
        rows = rows if code else [_told(raw, number) for raw in json.loads(figures.read_text())]
        if not code and all(row.ok for row in rows):
            break
        print(f"  try {number} of {_TRIES} was not good enough: is this machine busy?", flush=True)
    if not rows:
        raise LabTrouble(f"the timeline could not be measured: {said.strip().splitlines()[-1:]}")
    return rows


def _told(raw: dict[str, Any], number: int) -> Row:
    row = Row.from_dict(raw)
    return row if number == 1 else replace(row, measured=f"{row.measured}  (try {number} of {_TRIES})")


def _whole_bench(folder: Path) -> list[Row]:
    """``rig run`` inside, its report outside, where Node is not slow."""
    reports = uml.PROJECT / "reports"
    (reports / "runs").mkdir(parents=True, exist_ok=True)
    rig, told = str(Path(sys.executable).with_name("rig")), folder / "summary"
    code, said = uml.run(["/bin/sh", "-c", _INSIDE, rig, *_CASE, str(told), str(reports / "runs")], _TIMEOUT_S)
    print(said, end="", flush=True)
    summary = json.loads((told.exists() and told.read_text()) or "{}")
    if not summary.get("cases"):
        raise LabTrouble(f"the bench ran nothing in user-mode Linux: {said.strip().splitlines()[-1:]}")
    result = reports / "runs" / Path(summary["run"]).name
    subprocess.run([rig, "report", str(result), "--reports", str(reports)], check=False)
    pictures = sorted((result / "timelines").glob("*.svg"))
    print(f"pictures: {', '.join(map(str, pictures))}", flush=True)
    part = f"{summary['network_backend']}, Linux {uml.kernel_version()} (user-mode Linux)"
    verdicts = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in summary["verdicts"].items() if count)
    held = code == 0 and len(pictures) == 1 and summary["network_backend"] == "netem"
    return [
        Row(part, "whole bench sells while it plays", "completed", f"{verdicts}; {_lag(result)}", "as required", held)
    ]


def _lag(result: Path) -> str:
    ends = [played.end for played in read_played(read_history(result / "journals").events) if played.end]
    return ", ".join(f"lag p50 {e['lag_p50_us'] / 1000:.2f}  p99 {e['lag_p99_us'] / 1000:.2f} ms" for e in ends)
