"""Mending what a killed guard left: its devices restored and read back, its processes ended, its session closed.

``python -m rig.bench.reconcile BENCH_FILE`` prints one JSON line: ``{"clean", "ended", "why"}``. It is a process of
its own because it enters the network namespace in which the leftovers still live.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

from rig.bearers.netspace import enter
from rig.bench.cables import choose_backend
from rig.bench.description import BenchFile, load_bench
from rig.bench.lease import Lease
from rig.bench.places import StateDirectory
from rig.bench.plan import BENCH_COPY, Places
from rig.bench.restore import process_of, restore_bench
from rig.bench.sessions import Session, SessionJournal
from rig.bench.spawn import marked_processes, start_time
from rig.errors import RigError
from rig.history import Journal, Redactor

_ENDING_LIMIT_S = 3.0


def reconcile(bench_file: Path) -> dict[str, Any]:
    """Bring a bench whose last session did not end clean back to its safe state.

    Raises:
        BenchBusy: the session is not over: its guard still holds the bench.
        BenchTrouble: the leftovers' namespace cannot be entered.
    """
    bench = load_bench(bench_file)
    state = StateDirectory.of(bench.name)
    lease = Lease.acquire(state.lock, bench.name, "reconciling after a crash")
    try:
        sessions = SessionJournal(state.guard_journal)
        session = sessions.last()
        if session is None or session.released:
            return {"clean": True, "ended": 0, "why": ""}
        return _mend(bench, state, session, sessions)
    finally:
        lease.release()


def _mend(bench: BenchFile, state: StateDirectory, session: Session, sessions: SessionJournal) -> dict[str, Any]:
    alive = session.alive()
    copy = session.run / "configs" / BENCH_COPY
    if copy.exists():
        bench = load_bench(copy)  # as it was then: what has been renamed since must be restored too
    why = ""
    if alive or bench.simulation is None:
        # A virtual bench whose processes are all gone has nothing left to restore; a real one always has.
        why = _restore(bench, state, session, alive)
    # Backwards: the first that was started holds the terminal's namespace, and with it everyone's cables.
    for name, pid in reversed(alive.items()):
        _end(pid, session.processes[name][1])
    strays = {pid: started for pid in marked_processes(state.root) if (started := start_time(pid)) is not None}
    for pid, started in strays.items():
        _end(pid, started)
    shutil.rmtree(session.runtime, ignore_errors=True)
    if not why:
        sessions.released()
    return {"clean": not why, "ended": len(alive) + len(strays), "why": why}


def _restore(bench: BenchFile, state: StateDirectory, session: Session, alive: dict[str, int]) -> str:
    places = Places(session.bench_file, state, session.run, session.runtime)
    places.journals.mkdir(parents=True, exist_ok=True)
    journal = Journal.open(places.journals, "reconcile", Redactor.load(state.redaction))
    backend = choose_backend(bench)
    # The one that powers the terminal lives in the terminal's namespace; all others in the bench's own.
    in_private_network = [pid for name, pid in alive.items() if name != process_of("power", bench, backend)]
    if bench.network.isolation == "private":
        if not in_private_network:
            return ""  # nobody lives in the bench's network, so that it is gone with everything that was set in it
        enter(in_private_network[0])
    restored = restore_bench(bench, places, backend, alive, lambda kind, data: journal.write(kind, **data))
    dirty = [r for r in restored if not r.clean]
    journal.write("reconciled", clean=not dirty)
    return "; ".join(f"{r.device}: {r.detail.get('why')}" for r in dirty)


def _end(pid: int, started: int) -> None:
    """End one process, by its own id, and only if it is still the one that was started."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + _ENDING_LIMIT_S
    while start_time(pid) == started and time.monotonic() < deadline:
        time.sleep(0.02)
    if start_time(pid) == started:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def main() -> None:
    """Reconcile the bench that the command line names."""
    try:
        report = reconcile(Path(sys.argv[1]))
    except RigError as error:
        report = {"clean": False, "ended": 0, "why": str(error)}
    sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    main()
