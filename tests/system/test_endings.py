"""Runs that end otherwise than planned: killed, interrupted, without a guard, without a host. The bench comes back."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rig.history import Event
from tests.system.rigs import Rig, kill

CASES = "approve or silent or before_the_request or pulled_after or while_printing or weak"
CLEAN_WITHIN_S = 5.0

RESTORED_BY_GUARD: dict[str, Callable[[Event], bool]] = {
    "link": lambda e: e.kind == "link_set",
    "attenuator": lambda e: e.kind == "device_rx" and e.data.get("line") == ":CHAN:1:ATT?",
    "field": lambda e: e.kind == "device_rx" and e.data.get("name") == "TgGetTargetStatus",
    "relay": lambda e: e.kind == "device_rx" and e.data.get("line") == "relay read 0",
}
"""Device → what its own log holds of the guard's read-back (the link relay: of the restore itself)."""


def wait_until_clean(rig: Rig, since: float) -> float:
    """Seconds until the doctor finds the bench clean and free; fails when it takes too long."""
    while bad := rig.doctor():
        took = time.monotonic() - since
        assert took < CLEAN_WITHIN_S, f"after {took:.1f} s still {bad}"
    return time.monotonic() - since


def events_of(rig: Rig, process: str) -> list[Event]:
    return [event for event in rig.history() if event.process == process]


def assert_every_device_saw_the_restore(rig: Rig, restorer: str) -> None:
    """Each device's own log: the restore, its read-back, and only then the device's end."""
    restored = {e.data["device"]: e for e in rig.history().of("restored") if e.process == restorer}
    assert all(e.data["clean"] for e in restored.values()), restored
    begun = min(e.t for e in restored.values())
    for process, is_read_back in RESTORED_BY_GUARD.items():
        log = events_of(rig, process)
        ended = [e.t for e in log if e.kind == "ended"]
        seen = [e.t for e in log if is_read_back(e) and e.t > begun - 1_000_000_000]
        assert ended, f"{process} never ended"
        assert seen, f"{process} saw no restore"
        assert max(seen) <= min(ended), f"{process} ended before its read-back"


@pytest.mark.parametrize("seed", range(20))
def test_killed_at_a_random_moment(tmp_path: Path, seed: int) -> None:
    rig = Rig.make(tmp_path)
    run = rig.start(CASES, command="pytest")
    rig.wait_for("run_begin")
    time.sleep(random.Random(seed).uniform(0, 4))
    kill(run.pid)
    killed = time.monotonic()
    run.wait()
    wait_until_clean(rig, killed)
    assert_every_device_saw_the_restore(rig, "guard")


def test_killed_while_the_bench_comes_up(tmp_path: Path) -> None:
    rig = Rig.make(tmp_path)
    run = rig.start(CASES, command="pytest")
    rig.wait_for("process_started")
    kill(run.pid)
    killed = time.monotonic()
    run.wait()
    wait_until_clean(rig, killed)


def test_guard_killed_the_next_start_reconciles(tmp_path: Path) -> None:
    rig = Rig.make(tmp_path)
    run = rig.start(CASES, command="pytest")
    rig.wait_for("case_end")
    guard = events_of(rig, "guard")[0].pid
    kill(guard)
    said, _ = run.communicate(timeout=120)
    assert run.returncode == 2, said
    assert "guard" in said
    bad = rig.doctor()
    assert "last session" in bad
    assert "processes" in bad
    crashed = rig.newest_run()
    code, summary = rig.run("test_approve and wifi and not debit")
    assert (code, summary["verdicts"]["completed"]) == (0, 1)
    assert not rig.doctor()
    assert crashed is not None
    assert rig.newest_run() != crashed


def test_after_a_killed_guard_the_devices_saw_the_reconciliation(tmp_path: Path) -> None:
    rig = Rig.make(tmp_path)
    run = rig.start(CASES, command="pytest")
    rig.wait_for("case_end")
    kill(events_of(rig, "guard")[0].pid)
    run.communicate(timeout=120)
    done = rig.call("bench", "restore", "--bench", str(rig.bench))
    assert done.returncode == 0, done.stderr
    assert not rig.doctor()
    assert_every_device_saw_the_restore(rig, "reconcile")


def test_acquirer_killed_is_a_bench_fault(tmp_path: Path) -> None:
    rig = Rig.make(tmp_path)
    run = rig.start("approve or silent")
    rig.wait_for("case_end")
    kill(events_of(rig, "acquirer")[0].pid)
    said, _ = run.communicate(timeout=120)
    assert run.returncode == 2, said
    assert "bench fault" in said
    assert "acquirer" in said
    assert not rig.doctor()


def test_interrupted_still_reports_what_ran(tmp_path: Path) -> None:
    rig = Rig.make(tmp_path)
    run = rig.start(CASES)
    rig.wait_for("case_end")
    os.killpg(run.pid, signal.SIGINT)
    said, _ = run.communicate(timeout=60)
    assert run.returncode == 2, said
    assert not rig.doctor()
    folder = rig.newest_run()
    assert folder is not None
    assert (folder / "summary.json").exists()
    assert_every_device_saw_the_restore(rig, "guard")


def test_a_busy_bench_says_who_holds_it(tmp_path: Path) -> None:
    rig = Rig.make(tmp_path)
    first = rig.start(CASES, command="pytest")
    try:
        rig.wait_for("run_begin")
        second = rig.call("run", "--bench", str(rig.bench), "--reports", str(rig.folder / "others"))
        assert second.returncode == 2
        assert "held by" in second.stdout + second.stderr
        assert "since" in second.stdout + second.stderr
        told = rig.call("run", "--bench", str(rig.bench), "--reports", str(rig.folder / "others"), "--json")
        assert json.loads(told.stdout)["exit_code"] == told.returncode == 2
        assert "lease" in rig.doctor()
    finally:
        kill(first.pid)
        first.wait()
    wait_until_clean(rig, time.monotonic())
