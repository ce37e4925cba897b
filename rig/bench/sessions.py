"""The guard's own journal: which sessions of a bench began, what they started, and whether they ended clean.

It lies in the state directory and is on the disk before the guard acts, so that the next start can mend what a killed
guard left: it finds the processes by pid and start time (never by name), and the devices by the bench file.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rig.bench.spawn import start_time, write_private
from rig.history.journal import boot_id

_KEPT = 200


@dataclass
class Session:
    """One hold of the bench by a guard.

    Attributes:
        bench_file: the bench file in use.
        run: the run's folder.
        runtime: the runtime folder.
        boot: the boot of the machine; after another boot no process of it can live.
        guard: pid and start time of the guard.
        processes: name → (pid, start time) of what it started.
        released: whether it ended with a clean bench.
    """

    bench_file: Path
    run: Path
    runtime: Path
    boot: str
    guard: tuple[int, int]
    processes: dict[str, tuple[int, int]] = field(default_factory=dict)
    released: bool = False

    def alive(self) -> dict[str, int]:
        """The processes of the session that still live, by name."""
        if self.boot != boot_id():
            return {}
        return {name: pid for name, (pid, started) in self.processes.items() if start_time(pid) == started}


class SessionJournal:
    """Appends to, and reads, the guard journal of a bench."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def begin(self, bench_file: Path, run: Path, runtime: Path) -> None:
        """A guard took the bench."""
        pid = os.getpid()
        self._shorten()
        self._append(
            "begin", bench_file=str(bench_file.resolve()), run=str(run), runtime=str(runtime), boot=boot_id(),
            guard=[pid, start_time(pid)],
        )  # fmt: skip

    def spawned(self, name: str, pid: int) -> None:
        """The guard started a process."""
        self._append("spawned", name=name, pid=pid, started=start_time(pid))

    def released(self) -> None:
        """The bench is clean, and free from now on."""
        self._append("released")

    def last(self) -> Session | None:
        """The last session, or None where there was none. Lines that a crash tore are passed over."""
        session: Session | None = None
        for record in self._records():
            if record["what"] == "begin":
                session = Session(
                    Path(record["bench_file"]), Path(record["run"]), Path(record["runtime"]), record["boot"],
                    (record["guard"][0], record["guard"][1]),
                )  # fmt: skip
            elif session is not None and record["what"] == "spawned" and record["started"] is not None:
                session.processes[record["name"]] = (record["pid"], record["started"])
            elif session is not None and record["what"] == "released":
                session.released = True
        return session

    def _records(self) -> list[dict[str, Any]]:
        records = []
        if self._path.exists():
            for line in self._path.read_text(errors="replace").splitlines():
                with contextlib.suppress(ValueError):
                    record = json.loads(line)
                    if isinstance(record, dict) and "what" in record:
                        records.append(record)
        return records

    def _shorten(self) -> None:
        records = self._records()
        if len(records) <= _KEPT:
            return
        last = max((index for index, record in enumerate(records) if record["what"] == "begin"), default=len(records))
        fresh = self._path.with_name(self._path.name + ".new")
        write_private(fresh, "".join(json.dumps(record) + "\n" for record in records[last:]), durable=True)
        fresh.replace(self._path)

    def _append(self, what: str, **data: Any) -> None:
        fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            os.write(fd, b"\n" * self._is_torn() + json.dumps({"what": what, **data}).encode() + b"\n")
            os.fdatasync(fd)
        finally:
            os.close(fd)

    def _is_torn(self) -> bool:
        data = self._path.read_bytes()
        return bool(data) and not data.endswith(b"\n")
