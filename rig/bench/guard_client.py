"""The test process's side of the guard: start it, hear from it, let go of it."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from rig.bench.spawn import MARK, module_command, write_private
from rig.errors import BenchBusy, BenchTrouble, CallerMistake, DeviceGone, DeviceMute, GuardLost

_MENDING_LIMIT_S = 120

_FAMILIES = {"BenchBusy": BenchBusy, "DeviceMute": DeviceMute, "DeviceGone": DeviceGone}


class GuardClient:
    """Holds a bench through its guard for as long as this object, or this process, lives. The guard starts at once;
    :meth:`wait_until_ready` says whether the bench came up.

    Args:
        settings: what the guard is told: ``bench``, ``run``, ``runtime``, ``why``.
        folder: where its settings and its log are put.
        mark: the bench's state directory.
    """

    def __init__(self, settings: dict[str, Any], folder: Path, mark: Path) -> None:
        config = folder / "guard.json"
        write_private(config, json.dumps({"name": "guard", **settings}))
        self._deaths: queue.Queue[tuple[str, int]] = queue.Queue()
        self._log = folder / "guard.log"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                module_command("rig.bench.guard", config),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                # A session of its own: Ctrl-C and a closed terminal window end the test process alone.
                start_new_session=True,
                env={**os.environ, MARK: str(mark)},
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._hold: IO[bytes] = self._process.stdin
        self._voice: IO[bytes] = self._process.stdout
        self.restored: bool | None = None
        """After the end: whether the guard left the bench clean; None where it never said so."""
        self.lost = threading.Event()
        """Set when the guard ended although nobody let it go."""
        self._letting_go = False
        self.info: dict[str, Any] = {}
        """What the guard said when the bench was up."""
        self._listener = threading.Thread(target=self._listen, name="guard", daemon=True)

    def wait_until_ready(self) -> None:
        """Wait until the bench is up.

        Raises:
            BenchBusy: somebody else holds the bench.
            CallerMistake: the bench file is wrong.
            BenchTrouble: a device or process did not come up.
        """
        self.info = self._first_word()
        self._listener.start()

    def on_death(self, call: Callable[[str, int], None]) -> None:
        """Call with name and exit code of every process of the bench that ends by itself, from now on or already."""

        def run() -> None:
            while True:
                call(*self._deaths.get())

        threading.Thread(target=run, name="deaths", daemon=True).start()

    def check(self) -> None:
        """Raise where the guard is gone.

        Raises:
            GuardLost: it is; nobody restores the bench any more.
        """
        if self.lost.is_set():
            raise GuardLost("guard", "ended while the bench was in use", "start again: the next start reconciles")

    def let_go(self, limit_s: float = 30.0) -> bool:
        """Give the bench back; returns whether the guard restored it, read it back and found it clean."""
        self._letting_go = True
        self._hold.close()
        try:
            self._process.wait(limit_s)
        except subprocess.TimeoutExpired:
            raise DeviceMute("guard", f"did not restore the bench in {limit_s} s", f"see {self._log}") from None
        if self._listener.is_alive():
            self._listener.join(2.0)
        return bool(self.restored)

    def _first_word(self) -> dict[str, Any]:
        line = self._voice.readline()
        if not line:
            code = self._process.wait()
            said = self._log.read_text(errors="replace").strip().splitlines()[-1:] or ["nothing"]
            raise DeviceGone("guard", f"ended with code {code}: {said[0]}", f"see {self._log}")
        word = json.loads(line)
        if word.pop("event") == "ready":
            return dict(word)
        self._letting_go = True
        self._hold.close()
        self._process.wait()
        self._voice.close()
        if word["family"] == "caller":
            raise CallerMistake(word["device"], word["what"], word["cure"])
        raise _FAMILIES.get(word["kind"], BenchTrouble)(word["device"], word["what"], word["cure"])

    def _listen(self) -> None:
        for line in self._voice:
            word = json.loads(line)
            if word["event"] == "died":
                self._deaths.put((word["name"], word["code"]))
            elif word["event"] == "restored":
                self.restored = bool(word["clean"])
        if not self._letting_go:
            self.lost.set()
            self._deaths.put(("guard", self._process.wait()))


def reconcile(bench_file: Path) -> int:
    """Mend what a killed guard left of this bench, in a process of its own; returns how many processes it ended.

    Raises:
        BenchTrouble: the bench could not be made clean.
    """
    command = [sys.executable, "-m", "rig.bench.reconcile", str(bench_file)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_MENDING_LIMIT_S)
    except subprocess.TimeoutExpired:
        raise BenchTrouble(
            str(bench_file), f"what a crash left was not mended in {_MENDING_LIMIT_S} s", "rig doctor"
        ) from None
    try:
        report = json.loads(done.stdout.strip().splitlines()[-1])
    except (IndexError, ValueError):
        said = done.stderr.strip().splitlines()[-1:] or ["nothing"]
        raise BenchTrouble(str(bench_file), f"what a crash left could not be mended: {said[0]}", "rig doctor") from None
    if not report["clean"]:
        raise BenchTrouble(str(bench_file), f"still not clean: {report['why']}", "look at the named device")
    return int(report["ended"])
