"""Starting a process of the bench and knowing that it serves; ending it and knowing that it ended."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rig.errors import DeviceGone, DeviceMute

MARK = "RIG_BENCH"
"""Environment variable that names the bench's state directory in every process of a bench, so that what a crash
left can be found."""


@dataclass(frozen=True)
class Program:
    """A process that the bench needs.

    Attributes:
        name: its name in the history.
        module: the Python module that is run.
        settings: its configuration, JSON values.
        in_terminal: whether it lives in the terminal's network namespace.
    """

    name: str
    module: str
    settings: dict[str, Any]
    in_terminal: bool = False


@dataclass
class Running:
    """A process that was started."""

    name: str
    process: subprocess.Popen[bytes]
    pidfd: int
    log: Path
    info: dict[str, Any] = field(default_factory=dict)
    _ready: int = -1

    def wait_until_ready(self, deadline: float) -> None:
        """Wait for its ready line.

        Raises:
            DeviceGone: it ended instead.
            DeviceMute: it said nothing until the deadline (monotonic seconds).
        """
        line = b""
        while not line.endswith(b"\n"):
            readable, _, _ = select.select([self._ready], [], [], max(0.0, deadline - time.monotonic()))
            if not readable:
                raise DeviceMute(self.name, "not ready in time", f"see {self.log}")
            chunk = os.read(self._ready, 4096)
            if not chunk:
                raise DeviceGone(self.name, f"ended at its start: {_last_line(self.log)}", f"see {self.log}")
            line += chunk
        self.info = json.loads(line)
        self._stop_listening()

    def end(self, grace_s: float = 2.0) -> int:
        """Ask it to end, insist after ``grace_s``; returns its exit code."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(grace_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        os.close(self.pidfd)
        self._stop_listening()
        return code

    def _stop_listening(self) -> None:
        if self._ready >= 0:
            os.close(self._ready)
            self._ready = -1


def spawn(program: Program, configs: Path, logs: Path, mark: Path, enter: Callable[[], None] | None = None) -> Running:
    """Start a program in a session of its own; ``enter`` runs in the child first (a network namespace, say)."""
    config = configs / f"{program.name}.json"
    write_private(config, json.dumps(program.settings, indent=1))
    log = logs / f"{program.name}.log"
    read_end, write_end = os.pipe()
    with log.open("ab") as output:
        process = subprocess.Popen(
            module_command(program.module, config, "--ready-fd", str(write_end)),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=(write_end,),
            start_new_session=True,
            preexec_fn=enter,
            env={**os.environ, MARK: str(mark)},
        )
    os.close(write_end)
    return Running(program.name, process, os.pidfd_open(process.pid), log, _ready=read_end)


def module_command(module: str, config: Path, *more: str) -> Sequence[str]:
    """The command line that runs a module of the bench with this Python."""
    return (sys.executable, "-m", module, "--config", str(config), *more)


def write_private(path: Path, text: str, *, durable: bool = False) -> None:
    """Write a file that only its owner can read; with ``durable`` it is on the disk before this returns."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "w") as file:
        file.write(text)
        if durable:
            file.flush()
            os.fsync(fd)


def start_time(pid: int) -> int | None:
    """When a process started, in clock ticks since boot; with the pid it names a process for good. None: gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] == "Z" else int(fields[19])


def marked_processes(state: Path) -> dict[int, str]:
    """Processes of this bench that live now: pid → command. A namespace without a name lives no longer than they."""
    mark = f"{MARK}={state}".encode()
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").split(" ")
                found[int(folder.name)] = " ".join(command[1:3])
        except OSError:
            continue
    found.pop(os.getpid(), None)
    return found


def _last_line(log: Path) -> str:
    with contextlib.suppress(OSError):
        lines = log.read_text(errors="replace").strip().splitlines()
        if lines:
            return lines[-1][:300]
    return "it said nothing"
