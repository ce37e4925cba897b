"""The guard: parent of everything a bench needs, and the one who restores it.

``python -m rig.bench.guard --config FILE --ready-fd N``, started by the test process with a pipe as standard input
and one as standard output. It takes the lease, builds the simulated cables where the bench is virtual, starts the
processes, and waits. The end of its standard input, whatever caused it, means *restore*: each device is brought to
its safe state and read back, what was started is ended, and the lease is free again.

Lines to the test process: ``{"event": "ready", …}``, ``{"event": "failed", "device", "what", "cure", "family"}``,
``{"event": "died", "name", "code"}``, ``{"event": "restored", …}``.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rig.bench.cables import Cables, lay_cables
from rig.bench.description import BenchFile, load_bench
from rig.bench.lease import Lease
from rig.bench.places import StateDirectory
from rig.bench.plan import BENCH_COPY, Places, programs
from rig.bench.sessions import SessionJournal
from rig.bench.spawn import Running, spawn, write_private
from rig.errors import BenchTrouble, CallerMistake, RigError
from rig.history import Journal, Redactor
from rig.process import Started, main_config


class Guard:
    """One hold of a bench."""

    def __init__(self, started: Started) -> None:
        config = started.config
        self._stop = started.stop
        bench_file = Path(config["bench"])
        self._bench: BenchFile = load_bench(bench_file)
        state = StateDirectory.of(self._bench.name)
        self._places = Places(bench_file, state, Path(config["run"]), Path(config["runtime"]))
        self._why: str = config["why"]
        self._lease = Lease.acquire(state.lock, self._bench.name, self._why)
        self._sessions = SessionJournal(state.guard_journal)
        self._journal = Journal.open(self._places.journals, "guard", Redactor.load(state.redaction))
        self._running: list[Running] = []
        self._cables: Cables | None = None

    def start(self) -> dict[str, Any]:
        """Bring the bench up; returns what the test process must know."""
        self._places.make()
        write_private(self._places.configs / BENCH_COPY, self._places.bench_file.read_text())
        self._sessions.begin(self._places.bench_file, self._places.run, self._places.runtime)
        self._journal.write("lease_taken", durable=True, bench=self._bench.name, why=self._why)
        cables = self._cables = lay_cables(self._bench)
        wanted = programs(self._bench, self._places, cables.captured, cables.relays)
        deadline = time.monotonic() + self._bench.network.start_limit_s
        for program in wanted:
            enter: Callable[[], None] | None = cables.enter_terminal if program.in_terminal else None
            running = spawn(program, self._places.configs, self._places.logs, self._places.state.root, enter)
            self._running.append(running)
            self._sessions.spawned(program.name, running.process.pid)
            self._journal.write("process_started", name=program.name, pid=running.process.pid)
        for running in self._running:
            running.wait_until_ready(deadline)
        return {
            "backend": cables.backend,
            "pid": os.getpid(),
            "processes": {r.name: {"pid": r.process.pid, **r.info} for r in self._running},
        }

    def watch(self) -> None:
        """Wait until the test process is done or gone; tell it of processes that die meanwhile."""
        living = {running.pidfd: running for running in self._running}
        while not self._stop.is_set():
            ready, _, _ = select.select([sys.stdin.fileno(), *living], [], [], 0.5)
            if sys.stdin.fileno() in ready and not os.read(sys.stdin.fileno(), 4096):
                return
            for pidfd in set(ready) & set(living):
                dead = living.pop(pidfd)
                code = dead.process.wait()
                self._journal.write("process_died", name=dead.name, code=code)
                tell("died", name=dead.name, code=code)

    def finish(self) -> bool:
        """Restore, read back, end what was started, free the bench. Returns whether the bench is clean."""
        from rig.bench.restore import restore_bench  # the drivers: not needed to bring the bench up

        restored = []
        if self._cables is not None:  # else nothing of the bench was touched yet
            living = {running.name for running in self._running if running.process.poll() is None}
            restored = restore_bench(self._bench, self._places, self._cables.backend, living, self._note)
        for running in reversed(self._running):
            code = running.end()
            self._journal.write("process_ended", name=running.name, code=code)
        if self._cables is not None:
            self._cables.remove()
        shutil.rmtree(self._places.runtime, ignore_errors=True)
        clean = all(device.clean for device in restored)
        self._journal.write("lease_released" if clean else "bench_dirty", durable=True, clean=clean)
        if clean:
            self._sessions.released()
        self._lease.release()
        return clean

    def _note(self, kind: str, data: dict[str, Any]) -> None:
        self._journal.write(kind, **data)


def tell(event: str, **data: Any) -> None:
    """Say something to the test process, if it still listens."""
    with contextlib.suppress(OSError):
        os.write(sys.stdout.fileno(), json.dumps({"event": event, **data}).encode() + b"\n")


def main() -> None:
    """Hold a bench for a test process."""
    started = main_config()
    try:
        guard = Guard(started)
    except RigError as error:
        _tell_failure(error)
        sys.exit(2)
    try:
        info = guard.start()
        tell("ready", **info)
        guard.watch()
    except RigError as error:
        _tell_failure(error)
    except Exception as error:
        _tell_failure(BenchTrouble("guard", f"{type(error).__name__}: {error}", "see its log"))
        raise
    finally:
        clean = guard.finish()
        tell("restored", clean=clean)
    sys.exit(0 if clean else 2)


def _tell_failure(error: RigError) -> None:
    family = "caller" if isinstance(error, CallerMistake) else "bench"
    tell("failed", device=error.device, what=error.what, cure=error.cure, family=family, kind=type(error).__name__)


if __name__ == "__main__":
    main()
