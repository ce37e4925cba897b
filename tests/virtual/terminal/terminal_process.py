"""The terminal as a process, with everything around it that it touches: what a bench has, on loopback."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rig.history import Redactor, TestRange, read_history
from rig.virtual.terminal.store import Store
from tests.virtual.terminal.card_in_field import CardInField, PlainCard
from tests.virtual.terminal.scripted_ecr import ScriptedEcr, SerialCable, TcpCable
from tests.virtual.terminal.scripted_host import SERVER_NAME, Authority, ScriptedHost

TEST_RANGES = [TestRange("476173"), TestRange("62")]


def spawn(module: str, config: Path) -> tuple[subprocess.Popen[bytes], dict[str, Any]]:
    """Start a bench process and wait until it is ready."""
    reading, writing = os.pipe()
    command = [sys.executable, "-m", module, "--config", str(config), "--ready-fd", str(writing)]
    process = subprocess.Popen(command, pass_fds=[writing])
    os.close(writing)
    with os.fdopen(reading) as pipe:
        line = pipe.readline() if select.select([pipe], [], [], 10)[0] else ""
    if not line:
        process.kill()
        raise AssertionError(f"{module} is not ready: {process.wait()}")
    return process, json.loads(line)


class Field:
    """The field process, and a card at the bench's chip."""

    def __init__(self, folder: Path) -> None:
        self.runtime = folder
        write_redaction(folder)
        settings = base_settings("field", folder) | {"chips": {"bench": "pn532.tty", "terminal": "reader.tty"}}
        config = folder / "field.json"
        config.write_text(json.dumps(settings))
        self._process, _ = spawn("rig.virtual.field", config)
        self.card = CardInField(folder / "pn532.tty")

    def close(self) -> None:
        """End the process."""
        self.card.close()
        self._process.terminate()
        self._process.wait(5)


def base_settings(name: str, folder: Path) -> dict[str, Any]:
    """What every bench process is told."""
    return {
        "name": name,
        "runtime": str(folder),
        "journals": str(folder / "journals"),
        "redaction": str(folder / "redaction.json"),
    }


def write_redaction(folder: Path) -> None:
    """The redaction file of a bench."""
    Redactor.with_new_key(TEST_RANGES).save(folder / "redaction.json")


class Bench:
    """One terminal, its host, its card and its cash register."""

    def __init__(self, folder: Path, host: ScriptedHost, authority: Authority, field: Field) -> None:
        self.folder = folder
        self.host = host
        self.card = field.card
        self.disk = folder / "disk"
        self._process: subprocess.Popen[bytes] | None = None
        self._tills: list[ScriptedEcr] = []
        self.where = ""
        write_redaction(folder)
        (folder / "reader.tty").symlink_to(field.runtime / "reader.tty")
        self.settings = base_settings("terminal", folder) | {
            "disk": str(self.disk),
            "ecr": {"tcp": ["127.0.0.1", 0]},
            "reader": "reader.tty",
            "host": {
                "address": "127.0.0.1", "port": host.port, "server_name": SERVER_NAME, "ca": str(authority.ca),
                "connect_timeout_s": 1.0, "response_timeout_s": 0.3,
            },
            "bearers": [{"name": "any", "interface": None}],
            "terminal_id": "10000042", "merchant_id": "TEST MERCHANT 1", "currency": "978",
            "card_timeout_s": 3.0, "ecr_ack_timeout_s": 0.3, "reversal_retry_s": 0.1,
            "defects": [], "print_via_ecr": True,
        }  # fmt: skip

    def boot(self) -> None:
        """Power on."""
        config = self.folder / "terminal.json"
        config.write_text(json.dumps(self.settings))
        self._process, ready = spawn("rig.virtual.terminal", config)
        self.where = ready["ecr"]

    def cut_power(self) -> None:
        """SIGKILL, whatever the terminal does just now."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(5)
            self._process = None

    def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        code = self._process.wait(5)
        self._process = None
        return code

    def till(self) -> ScriptedEcr:
        """A cash register that has just connected, booting the terminal if it is off."""
        if self._process is None:
            self.boot()
        till = ScriptedEcr(SerialCable(Path(self.where)) if "/" in self.where else TcpCable(self.where))
        self._tills.append(till)
        return till

    def registered(self) -> ScriptedEcr:
        """A connected and registered cash register, and a card in the field."""
        till = self.till()
        till.register()
        self.card.present(PlainCard())
        return till

    def store(self) -> Store:
        """What is on the terminal's disk; look at it only while the terminal is off."""
        return Store(self.disk)

    def log(self, kind: str) -> list[dict[str, Any]]:
        """The terminal's development log."""
        return [event.data for event in read_history(self.folder / "journals").of(kind)]

    def close(self) -> None:
        """End everything of this bench but the card, which the next bench replaces or removes."""
        for till in self._tills:
            with contextlib.suppress(OSError):
                till.cable.close()
        self.cut_power()


@contextlib.contextmanager
def running_field(folder: Path) -> Iterator[Field]:
    """A field for the length of a block."""
    field = Field(folder)
    try:
        yield field
    finally:
        field.close()
