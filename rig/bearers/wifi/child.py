"""A program of this machine (hostapd, dnsmasq) as a child that never outlives the process that owns it."""

from __future__ import annotations

import ctypes
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rig.errors import DeviceGone, DeviceMute

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)
SYSTEM_PATH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"
"""Where daemons lie; not all of it is on every user's PATH."""
_KEPT = 20
_STOP_S = 3.0
_parent = ThreadPoolExecutor(1, "parent of children")
"""The kernel signals a child when the *thread* that started it ends (prctl(2)): so this one does, which never ends."""


class Child:
    """One program. Its output goes to a log, and to ``on_line`` line by line.

    Args:
        name: for errors.
        program: looked up where the system keeps its daemons too.
        arguments: of the program.
        log: the file that its output is appended to.
        on_line: gets each line, in a thread of its own.

    Raises:
        DeviceGone: the program is not installed.
    """

    def __init__(
        self, name: str, program: str, arguments: Sequence[str], log: Path, on_line: Callable[[str], None]
    ) -> None:
        found = shutil.which(program, path=SYSTEM_PATH)
        if found is None:
            raise DeviceGone(name, f"{program} is not installed", f"apt install {program}")
        self._name = name
        self._command = [found, *arguments]
        self._log = log
        self._on_line = on_line
        self._changed = threading.Condition()
        self._said: list[str] = []
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None

    @property
    def runs(self) -> bool:
        """Whether it lives now."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """Its process id, while it lives."""
        return self._process.pid if self._process is not None and self.runs else None

    def start(self, ready: Callable[[str], bool], limit_s: float) -> None:
        """Start it, and wait until it has said every line that makes it ready.

        Args:
            ready: called with each line; returns whether it serves now.
            limit_s: how long that may take.

        Raises:
            DeviceGone: it ended instead.
            DeviceMute: it was not ready in time; it has been ended.
        """
        self._said = []
        self._process = process = _parent.submit(self._spawn).result()
        serves = threading.Event()
        self._reader = threading.Thread(target=self._read, args=(process, ready, serves), name=self._name, daemon=True)
        self._reader.start()
        deadline = time.monotonic() + limit_s
        with self._changed:
            self._changed.wait_for(
                lambda: serves.is_set() or process.poll() is not None, max(0.0, deadline - time.monotonic())
            )
        if serves.is_set():
            return
        ended = process.poll() is not None
        self.stop()
        if ended:
            raise DeviceGone(self._name, f"ended at its start: {self._last()}", f"see {self._log}")
        raise DeviceMute(self._name, f"not ready in {limit_s:g} s: {self._last()}", f"see {self._log}")

    def stop(self) -> None:
        """Ask it to end, insist if it does not, and wait until it has."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._reader is not None:
            self._reader.join()
        self._process = None

    def _spawn(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            preexec_fn=_die_with_parent,
        )

    def _read(self, process: subprocess.Popen[str], ready: Callable[[str], bool], serves: threading.Event) -> None:
        assert process.stdout is not None
        with self._log.open("a") as log, process.stdout as output:
            for line in output:
                log.write(line)
                log.flush()
                text = line.rstrip("\n")
                self._said = [*self._said[-_KEPT:], text]
                if not serves.is_set() and ready(text):
                    serves.set()
                    with self._changed:
                        self._changed.notify_all()
                self._on_line(text)
        process.wait()
        with self._changed:
            self._changed.notify_all()

    def _last(self) -> str:
        return "; ".join(self._said[-3:])[:300] or "it said nothing"


def _die_with_parent() -> None:
    """Runs in the child. It is asked, not killed, so that hostapd takes its network from the air."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
