"""Start simulated devices as the guard does: real processes, ready when they say so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rig.history.events import Event, read_history
from rig.history.redaction import Redactor


@dataclass
class Device:
    """A simulated device that runs."""

    name: str
    process: subprocess.Popen[bytes]
    ready: dict[str, Any]
    journals: Path

    def events(self, *kinds: str) -> list[Event]:
        """What its own log holds so far."""
        return [event for event in read_history(self.journals).of(*kinds) if event.process == self.name]

    def wait_for(self, kind: str, count: int = 1, timeout_s: float = 5.0) -> list[Event]:
        """Its log, once it holds ``count`` events of the kind."""
        deadline = time.monotonic() + timeout_s
        while len(found := self.events(kind)) < count:
            assert time.monotonic() < deadline, f"{self.name} wrote {len(found)} {kind}, not {count}"
            time.sleep(0.01)
        return found

    def end(self) -> None:
        """SIGTERM, and its end."""
        self.process.terminate()
        assert self.process.wait(5) == 0
        assert self.events("ended")


@pytest.fixture
def runtime(tmp_path: Path) -> Path:
    """The folder of sockets and PTY links."""
    folder = tmp_path / "runtime"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def start_device(tmp_path: Path, runtime: Path) -> Iterator[Callable[..., Device]]:
    """Start ``python -m rig.virtual.MODULE`` with the settings given; ``prefix`` stands before the command."""
    devices: list[Device] = []
    redaction = tmp_path / "redaction.json"
    Redactor.with_new_key([]).save(redaction)

    def start(module: str, prefix: tuple[str, ...] = (), **settings: Any) -> Device:
        name = settings.pop("name", module)
        journals = tmp_path / "journals"
        config = tmp_path / f"{name}-{len(devices)}.json"
        common = {"name": name, "runtime": str(runtime), "journals": str(journals), "redaction": str(redaction)}
        config.write_text(json.dumps(common | settings))
        reader, writer = os.pipe()
        command = [*prefix, sys.executable, "-m", f"rig.virtual.{module}", "--config", str(config)]
        process = subprocess.Popen([*command, "--ready-fd", str(writer)], pass_fds=[writer])
        os.close(writer)
        with os.fdopen(reader) as pipe:
            line = pipe.readline()
        assert line, f"{module} ended with {process.wait()} before it was ready"
        devices.append(Device(name, process, json.loads(line), journals))
        return devices[-1]

    yield start
    for device in devices:
        if device.process.poll() is None:
            device.process.terminate()
            device.process.wait(5)
