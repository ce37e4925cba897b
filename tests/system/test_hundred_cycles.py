"""A hundred times the service is lost and returns, with a sale each time: each is judged, and nothing is leaked."""

from __future__ import annotations

import json
from typing import Any

import yaml

from rig.verdict import judge
from tests.system.rigs import Rig

CYCLES = 100
_SLACK = 2
"""A connection may be half closed when files are counted."""

CASE = f"""
import os
from pathlib import Path

import pytest

from rig.bench.places import StateDirectory
from rig.bench.spawn import marked_processes
from rig.units import Decibel
from rig.verdict import Verdict

CYCLES = {CYCLES}
WARM = 10


def held(bench):
    "Open files and threads of each process of the bench, this one included; a process by its name."
    processes = {{os.getpid(): "test", **marked_processes(StateDirectory.of(bench.file.name).root)}}
    found = {{}}
    for pid, name in processes.items():
        folder = Path("/proc") / str(pid)
        found[f"{{name}} {{pid}}"] = [len(list((folder / kind).iterdir())) for kind in ("fd", "task")]
    return found


@pytest.mark.requires(Verdict.FAILED_SAFELY)
@pytest.mark.parametrize("bearer", ["cellular"], indirect=True)
def test_cycles(bench, bearer):
    for cycle in range(CYCLES):
        bench.stage.switch_bearer_off(bearer)
        assert not bench.sale(8_000 + cycle, "visa-credit").approved
        bench.bring_back(bearer)
        assert bench.sale(9_000 + cycle, "visa-credit").approved
        if cycle + 1 in (WARM, CYCLES):
            bench.observe("held", {{"cycle": cycle + 1, "held": held(bench)}})
"""


def test_a_hundred_cycles_of_lost_and_found_service(rig: Rig) -> None:
    raw = yaml.safe_load(rig.bench.read_text())
    raw["simulation"]["devices"]["radio"]["settings"] |= {"haste": 10}
    rig.bench.write_text(yaml.safe_dump(raw, sort_keys=False))
    suite = rig.folder / "test_it.py"
    suite.write_text(CASE)
    done = rig.call("run", "--bench", str(rig.bench), "--reports", str(rig.reports), "--json", "--suite", str(suite))
    assert done.returncode == 0, done.stdout + done.stderr
    summary: dict[str, Any] = json.loads(done.stdout)
    assert summary["verdicts"]["failed_safely"] == 1, summary

    history = rig.history()
    assert len(history.of("intent")) == len(history.of("outcome")) == 2 * CYCLES
    assert len([event for event in history.of("signal") if not event.data["registered"]]) >= CYCLES
    verdict = judge(history)
    assert not verdict.doubts
    early, late = (event.data["held"] for event in history.of("held"))
    assert early.keys() == late.keys(), "a process ended, or another one began"
    grown = {
        name: (early[name], late[name])
        for name in early
        if max(late[name][i] - early[name][i] for i in (0, 1)) > _SLACK
    }
    assert not grown, "open files or threads of these grow with the cycles"
    assert not rig.doctor()
