"""The dialogues of nfcpy's driver as a card, byte by byte: open, listen, exchange, close.

They are recorded from the simulated chip of this project (``pytest tests/cards/test_golden.py --record-golden``): they
hold the driver and our use of it still, and prove nothing about hardware. What does: test_pn532_with_device.py.
"""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cards import golden_lines
from tests.cards.golden_drive import DIALOGUES, Drive, RemoteReader

PROJECT = Path(__file__).parents[2]
WHERE = "the simulated PN532 of this project, not from hardware"


@pytest.mark.parametrize("name", DIALOGUES)
def test_the_driver_says_what_is_recorded(name: str) -> None:
    line = golden_lines.Replay(golden_lines.read("open") + (golden_lines.read(name) if name != "open" else []))
    drive = Drive(line)
    try:
        drive.open()
        getattr(drive, name)(lambda: None)
        assert line.mismatch == ""
        assert line.over
    finally:
        drive.end()


@pytest.mark.parametrize("name", DIALOGUES)
def test_the_simulator_says_what_is_recorded(
    name: str, air: Any, open_reader: Callable[[], Any], request: pytest.FixtureRequest
) -> None:
    line = golden_lines.Tap(air.port("bench"))
    drive = Drive(line)
    reader = RemoteReader(open_reader())
    try:
        drive.open()
        opened = list(line.words)
        if name != "open":
            line.words.clear()
            getattr(drive, name)(reader.visit)
        said = opened if name == "open" else list(line.words)
    finally:
        drive.end()
        reader.close()
    if request.config.getoption("record_golden"):
        golden_lines.write(name, said, WHERE)
    assert said == golden_lines.read(name)


def test_the_test_with_a_device_passes_on_the_simulator(air: Any) -> None:
    ports = [f"--pn532={air.port(chip)}" for chip in ("bench", "terminal")]
    command = [sys.executable, "-m", "pytest", "-q", *ports, "tests/cards/test_pn532_with_device.py"]
    ended = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert "4 passed" in ended.stdout, ended.stdout
