"""The `rig` command killed, or its test process: no bench stays held, and what is sealed is whole."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import time
from pathlib import Path

from tests.system.rigs import Rig


def test_a_killed_command_leaves_no_suite_running(rig: Rig) -> None:
    run = rig.start("approve or silent or slow or lossy")
    rig.wait_for("run_begin")
    os.kill(run.pid, signal.SIGKILL)
    run.communicate(timeout=20)  # the end of its output: its child has ended too
    deadline = time.monotonic() + 5
    while (bad := rig.doctor()) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert bad == {}
    assert [event.data["interrupted"] for event in rig.history().of("run_end")] == [True]


def test_a_killed_test_process_is_reported_when_its_guard_has_restored(rig: Rig) -> None:
    run = rig.start("approve or silent or slow or lossy")
    rig.wait_for("run_begin")
    pytest_pid = next(e.pid for e in rig.history() if e.kind == "run_begin")
    os.kill(pytest_pid, signal.SIGKILL)
    run.communicate(timeout=60)
    assert run.returncode == 2
    folder = rig.newest_run()
    assert folder is not None
    assert "lease_released" in (folder / "history.jsonl").read_text()
    files = json.loads((folder / "manifest.json").read_text())["files"]
    wrong = [name for name, digest in files.items() if _digest(folder / name) != digest]
    assert wrong == []


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
