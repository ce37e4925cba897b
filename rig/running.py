"""Running a suite as a child process, as the commands do: pytest with the plugin, its end whatever its cause."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

_NOT_NEEDED = ("hypothesispytest", "xdist", "xdist.looponfail", "anyio")
"""Plugins that a developer's environment has and a run has no use for: each costs time to load."""

_PR_SET_PDEATHSIG = 1
_GUARD_LIMIT_S = 30.0


def run_suite(
    bench: Path,
    suite: Sequence[Path],
    reports: Path,
    folder: Path,
    *,
    why: str,
    quiet: bool,
    options: Sequence[str] = (),
) -> int:
    """Run cases on a bench and wait until the bench is given back. Judging and the report are the caller's.

    Args:
        bench: the bench file.
        suite: files and folders of cases.
        reports: where runs are kept.
        folder: of this run.
        why: what the bench is taken for; others who want it read it.
        quiet: nothing on the standard output.
        options: more of pytest's.

    Returns:
        pytest's exit code.
    """
    command = [
        sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *(f"-pno:{each}" for each in _NOT_NEEDED),
        "--import-mode=importlib", "--tb=short", "--no-header", "-q" if quiet else "-v",
        "--bench", str(bench), "--reports", str(reports), "--rig-run", str(folder),
        "--rig-why", why, "--rig-no-report", *options, *map(str, suite),
    ]  # fmt: skip
    code = _run_tests(command, quiet)
    _wait_for_guard(bench, folder)
    return code


def has_begun(folder: Path) -> bool:
    """Whether a run wrote anything at all; where it did not, pytest has said why."""
    return any(journal.stat().st_size for journal in (folder / "journals").glob("rig-*.jsonl"))


def _run_tests(command: list[str], quiet: bool) -> int:
    """Run pytest as a child. Ctrl-C is its business: it restores the bench, and we report. Our own end, whatever
    its cause, is a Ctrl-C to it: else it would hold the bench and run the suite for nobody.
    """
    libc = ctypes.CDLL(None)

    def prepare() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a child inherits an ignored signal
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGINT)

    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        child = subprocess.Popen(command, env=environment, stdout=sys.stderr if quiet else None, preexec_fn=prepare)
        return child.wait()
    finally:
        signal.signal(signal.SIGINT, before)


def _wait_for_guard(bench: Path, folder: Path) -> None:
    """A killed test process ends before its guard: the files are whole when that has let the bench go."""
    from rig.bench.description import load_bench
    from rig.bench.lease import holder
    from rig.bench.places import StateDirectory

    lock = StateDirectory.of(load_bench(bench).name).lock
    deadline = time.monotonic() + _GUARD_LIMIT_S
    while (who := holder(lock)) and time.monotonic() < deadline:
        if not (folder / "journals" / f"guard-{who.pid}.jsonl").exists():
            return  # nobody's, or another run's
        time.sleep(0.05)
