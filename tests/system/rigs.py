"""Running the rig as a person does, each time on a bench of its own: own state directory, own private network."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from rig.history import History, read_history

PROJECT = Path(__file__).resolve().parents[2]
SUITE = PROJECT / "testcases/regression"
RIG = Path(sys.executable).with_name("rig")


@dataclass
class Rig:
    """A virtual bench in a folder, and the `rig` command on it."""

    folder: Path
    bench: Path
    environment: dict[str, str] = field(default_factory=dict)

    @classmethod
    def make(cls, folder: Path, **terminal: Any) -> Rig:
        """A virtual bench whose terminal has other settings, ``defects`` say."""
        raw = yaml.safe_load((PROJECT / "fixtures/benches/virtual.yaml").read_text())
        raw["cards"] = str(PROJECT / "fixtures/cards")
        raw["impairments"] = str(PROJECT / "fixtures/impairments")
        raw["timelines"] = str(PROJECT / "fixtures/timelines")
        raw["simulation"]["terminal"] |= terminal
        bench = folder / "virtual.yaml"
        bench.write_text(yaml.safe_dump(raw, sort_keys=False))
        # Runs of these tests are judged, not looked at: rendering them would cost seconds each.
        environment = {**os.environ, "RIG_STATE": str(folder / "state"), "RIG_NO_RENDER": "1"}
        return cls(folder, bench, environment)

    @property
    def reports(self) -> Path:
        return self.folder / "reports"

    def command(self, *arguments: str) -> list[str]:
        return [str(RIG), *arguments]

    def call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Any `rig` command."""
        return subprocess.run(
            self.command(*arguments), cwd=PROJECT, env=self.environment, capture_output=True, text=True, timeout=300
        )

    def run(self, keyword: str) -> tuple[int, dict[str, Any]]:
        """`rig run --json` on some cases; returns the exit code and the summary."""
        done = self.call(
            "run", "--bench", str(self.bench), "--reports", str(self.reports), "--json", "-k", _of_no_card(keyword)
        )
        assert done.stdout.strip(), done.stderr
        return done.returncode, json.loads(done.stdout)

    def start(self, keyword: str, command: str = "rig") -> subprocess.Popen[str]:
        """Begin a run and do not wait: by the `rig` command, or by pytest alone."""
        arguments = ["--bench", str(self.bench), "--reports", str(self.reports), "-k", _of_no_card(keyword)]
        if command == "rig":
            line = self.command("run", *arguments)
        else:
            line = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(SUITE), *arguments]
        return subprocess.Popen(
            line, cwd=PROJECT, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            start_new_session=True,
        )  # fmt: skip

    def doctor(self) -> dict[str, str]:
        """What is bad about the bench: subject → what."""
        done = self.call("doctor", "--bench", str(self.bench), "--json")
        report = json.loads(done.stdout)
        return {f["subject"]: f["what"] for f in report["findings"] if f["health"] == "bad"}

    def newest_run(self) -> Path | None:
        """The folder of the newest run."""
        runs = sorted((self.reports / "runs").glob("*")) if (self.reports / "runs").exists() else []
        return runs[-1] if runs else None

    def history(self) -> History:
        """Everything that the journals of the newest run hold."""
        run = self.newest_run()
        assert run is not None
        return read_history(run / "journals")

    def wait_for(self, kind: str, limit_s: float = 20.0) -> dict[str, Any]:
        """Wait until an event of this kind is in the newest run's history."""
        deadline = time.monotonic() + limit_s
        while time.monotonic() < deadline:
            run = self.newest_run()
            if run is not None and (found := read_history(run / "journals").of(kind)):
                return found[-1].data
            time.sleep(0.05)
        raise AssertionError(f"no {kind} in {limit_s} s")


def _of_no_card(keyword: str) -> str:
    """The many cases of cards have a folder of their own, and are left to `make run`."""
    return f"({keyword}) and not cards"


def kill(pid: int) -> None:
    """As hard as it gets."""
    os.kill(pid, signal.SIGKILL)


def category_messages(rig: Rig) -> list[str]:
    """The messages by which the report sorts the cases of the newest run that did not pass."""
    run = rig.newest_run()
    assert run is not None
    results = [json.loads(path.read_text()) for path in (run / "allure-results").glob("*-result.json")]
    return [r["statusDetails"]["message"] for r in results if r["status"] != "passed"]
