"""A card presented by a PN532 and read by another, both simulated, each with its own driver.

The round trip of an APDU against that of a command that a chip answers by itself, over the same ports and in turn; and
a thousand cards presented, read and removed, one after the other, with what the process and its children hold after.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rig.cards.bureau import CardBureau
from rig.cards.pn532 import Pn532Presenter
from rig.cards.pn532_reader import Pn532CardReader
from rig.cards.profile import load_card
from rig.cards.tty import open_device
from rig.history import Redactor, TestRange

PROJECT = Path(__file__).resolve().parent.parent
CARD = "visa-credit"
BLOCKS, APDUS = 10, 100
PRESENTATIONS, WARM_UP = 1000, 10
SETTLE_S = 2.0

SELECT_PPSE = bytes.fromhex("00A404000E") + b"2PAY.SYS.DDF01" + b"\0"


@dataclass(frozen=True)
class Held:
    """What this process and the field's hold: open files, threads, children."""

    files: int
    threads: int
    processes: int
    field_files: int

    @classmethod
    def now(cls, field: int) -> Held:
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
        files = [len(os.listdir(f"/proc/{pid}/fd")) for pid in ("self", field)]  # noqa: PTH208 - links, not paths
        return cls(files[0], threading.active_count(), len(children), files[1])

    def beyond(self, before: Held) -> dict[str, int]:
        """What there is more of than before."""
        more = {name: count - getattr(before, name) for name, count in asdict(self).items()}
        return {name: count for name, count in more.items() if count > 0}


def leaked(field: int, before: Held) -> dict[str, int]:
    """What is left over, once threads that have been told to end had time for it; nothing, if all is well."""
    deadline = time.monotonic() + SETTLE_S
    while (left := Held.now(field).beyond(before)) and time.monotonic() < deadline:
        time.sleep(0.01)
    return left


@contextmanager
def field(folder: Path) -> Iterator[int]:
    """The field process with the chips `bench`, `terminal` and `idle`; its process id."""
    redactor = Redactor.with_new_key([TestRange("476173")])
    redactor.save(folder / "redaction.json")
    settings = {
        "name": "field", "runtime": str(folder), "journals": str(folder / "journals"),
        "redaction": str(folder / "redaction.json"),
        "chips": {chip: f"{chip}.tty" for chip in ("bench", "terminal", "idle")},
    }  # fmt: skip
    (folder / "field.json").write_text(json.dumps(settings))
    reader, writer = os.pipe()
    command = [sys.executable, "-m", "rig.virtual.field", "--config", str(folder / "field.json")]
    process = subprocess.Popen([*command, "--ready-fd", str(writer)], pass_fds=[writer])
    os.close(writer)
    with os.fdopen(reader) as pipe:
        pipe.readline()
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait()


@contextmanager
def devices(folder: Path) -> Iterator[tuple[Pn532Presenter, Pn532CardReader]]:
    """A presenter and a reader in the field."""
    bureau = CardBureau(folder / "state", Redactor.load(folder / "redaction.json"))
    presenter = Pn532Presenter(folder / "bench.tty", bureau, lambda *_: None, lambda *_: None)
    reader = Pn532CardReader(folder / "terminal.tty")
    try:
        yield presenter, reader
    finally:
        reader.close()
        presenter.close()


def round_trips(presenter: Pn532Presenter, reader: Pn532CardReader, idle: Path) -> tuple[list[float], list[float]]:
    """Milliseconds each: APDUs, and commands that a chip answers by itself."""
    apdus: list[float] = []
    commands: list[float] = []
    chip, line = open_device(idle)
    presenter.arm(load_card(CARD, PROJECT / "fixtures/cards"))
    with reader.card() as card:
        for _ in range(BLOCKS):
            for _ in range(APDUS):
                began = time.perf_counter()
                assert card.transceive(SELECT_PPSE).endswith(b"\x90\x00")
                apdus.append((time.perf_counter() - began) * 1000)
            for _ in range(APDUS):
                began = time.perf_counter()
                chip.chipset.get_firmware_version()
                commands.append((time.perf_counter() - began) * 1000)
    presenter.remove()
    line.close()
    return apdus, commands


def present_one_after_the_other(presenter: Pn532Presenter, reader: Pn532CardReader, count: int) -> list[float]:
    """Arm, read one APDU, remove; milliseconds each."""
    card, took = load_card(CARD, PROJECT / "fixtures/cards"), []
    for _ in range(count):
        began = time.perf_counter()
        presenter.arm(card)
        with reader.card() as there:
            assert there.transceive(SELECT_PPSE).endswith(b"\x90\x00")
        presenter.remove()
        took.append((time.perf_counter() - began) * 1000)
    return took


def measure() -> list[dict[str, Any]]:
    """Two lines: the round trip, and the presentations with what they left behind."""
    with (
        tempfile.TemporaryDirectory(prefix="rig-bench-") as made,
        field(Path(made)) as pid,
        devices(Path(made)) as (presenter, reader),
    ):
        apdus, commands = round_trips(presenter, reader, Path(made) / "idle.tty")
        present_one_after_the_other(presenter, reader, WARM_UP)
        before = Held.now(pid)
        took = present_one_after_the_other(presenter, reader, PRESENTATIONS)
        left = leaked(pid, before)
    p50, p50_command = statistics.median(apdus), statistics.median(commands)
    return [
        {
            "benchmark": "APDU over two simulated chips",
            "apdus": len(apdus),
            "p50_ms": round(p50, 2),
            "p99_ms": round(statistics.quantiles(apdus, n=100)[98], 2),
            "chip_command_p50_ms": round(p50_command, 2),
            "times_a_chip_command": round(p50 / p50_command, 1),
            "limit_ms": 3,
        },
        {
            "benchmark": "card presentations",
            "presentations": len(took),
            "p50_ms": round(statistics.median(took), 2),
            "seconds": round(sum(took) / 1000, 1),
            "leaked": left,
        },
    ]


if __name__ == "__main__":
    for line in measure():
        print(json.dumps(line))
