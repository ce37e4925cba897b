"""How a process of the bench starts: one JSON file of settings, one line back when it is ready, SIGTERM to end.

``python -m MODULE --config FILE.json --ready-fd N``. The guard starts every helper process and every simulated
device this way, so that "is it up?" is an event to wait for and never a guess.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any


@dataclass(frozen=True)
class Started:
    """What a process knows when it begins.

    Attributes:
        config: the settings from the file.
        stop: set when the process was asked to end (SIGTERM).
    """

    config: dict[str, Any]
    stop: threading.Event
    _ready_fd: int | None

    def ready(self, **info: object) -> None:
        """Tell the parent, once, that this process serves now; ``info`` is what the parent must know."""
        if self._ready_fd is None:
            return
        os.write(self._ready_fd, json.dumps({"ready": True, **info}).encode() + b"\n")
        os.close(self._ready_fd)


def main_config(arguments: Sequence[str] | None = None) -> Started:
    """Read the command line of a bench process and arrange for its end.

    SIGINT is ignored: Ctrl-C is the test process's business, and a device must outlive it.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", required=True, type=Path)
    parser.add_argument("--ready-fd", type=int)
    options = parser.parse_args(arguments)
    stop = threading.Event()

    def on_terminate(_signal: int, _frame: FrameType | None) -> None:
        # In a thread: the main thread may hold the event's own lock right now, in wait().
        threading.Thread(target=stop.set, daemon=True).start()

    signal.signal(signal.SIGTERM, on_terminate)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return Started(json.loads(options.config.read_text()), stop, options.ready_fd)


def wake_on_signal() -> socket.socket:
    """A socket that becomes readable as soon as a signal came: for a loop that waits for packets without end.

    Call it once, from the main thread.
    """
    reader, writer = socket.socketpair()
    reader.setblocking(False)
    writer.setblocking(False)
    signal.set_wakeup_fd(writer.detach())
    return reader
