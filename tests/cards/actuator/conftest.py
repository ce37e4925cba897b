"""A simulated machine, its cards and their chips: real processes, as the guard starts them."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rig.history import Redactor, read_history
from tests.instruments.conftest import pty_peer as pty_peer

CARDS = Path(__file__).parents[3] / "fixtures/cards"
CHIPS = {"terminal": "terminal.tty", "park": "park.tty"}


@dataclass
class Bench:
    """The field process with an actuator; `journals` holds what it wrote."""

    runtime: Path
    journals: Path
    processes: list[subprocess.Popen[bytes]]

    @property
    def port(self) -> Path:
        return self.runtime / "actuator.tty"

    def places(self, card: str) -> list[str | None]:
        """Where a card has been, one place after the other."""
        return [
            event.data["place"] for event in read_history(self.journals).of("card_moved") if event.data["card"] == card
        ]


@pytest.fixture(scope="session")
def drawer_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the physical cards keep keys and counters: their certificates are made once."""
    return tmp_path_factory.mktemp("drawer")


@pytest.fixture
def install(tmp_path: Path, redactor: Redactor, drawer_state: Path) -> Iterator[Callable[..., Bench]]:
    """Start a field process with the actuator that is described, and its cards."""
    runtime, journals = tmp_path / "runtime", tmp_path / "journals"
    runtime.mkdir()
    redactor.save(tmp_path / "redaction.json")
    common = {"runtime": str(runtime), "journals": str(journals), "redaction": str(tmp_path / "redaction.json")}
    bench = Bench(runtime, journals, [])

    def start(actuator: dict[str, Any], chips: bool = True) -> Bench:
        field = {"name": "field", "chips": CHIPS, "park": ["park"], "actuator": {"port": "actuator.tty", **actuator}}
        bench.processes.append(run("rig.virtual.field", common | field, tmp_path))
        held = [actuator.get("swapped", {}).get(slot, slot) for slot in actuator["cards"]]
        if chips:
            drawer = {"name": "drawer", "cards": held, "folder": str(CARDS), "state": str(drawer_state)}
            bench.processes.append(run("rig.cards.plastic", common | drawer, tmp_path))
        return bench

    yield start
    for process in reversed(bench.processes):
        if process.poll() is None:
            process.terminate()
            assert process.wait(5) == 0
    assert list(runtime.iterdir()) == []


def run(module: str, settings: dict[str, Any], folder: Path) -> subprocess.Popen[bytes]:
    """A process of the bench, once it is ready."""
    config = folder / f"{settings['name']}.json"
    config.write_text(json.dumps(settings))
    reader, writer = os.pipe()
    command = [sys.executable, "-m", module, "--config", str(config), "--ready-fd", str(writer)]
    process = subprocess.Popen(command, pass_fds=[writer])
    os.close(writer)
    with os.fdopen(reader) as pipe:
        assert pipe.readline(), f"{module} ended with {process.wait()}"
    return process
