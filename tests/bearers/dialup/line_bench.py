"""A telephone line with both its ends: simulated exchange and answering side as processes, and a host on loopback."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rig.bearers.dialup.client import LineClient
from rig.history import Redactor, read_history
from rig.virtual.terminal.dialling import Dialler
from rig.wire.hdlc import FrameDecoder, encode_frame
from rig.wire.tpdu import MAX_FRAME, FrameReader, Tpdu, frame

TPDU = Tpdu(1, 0)
NUMBER = "0800"
FAST: dict[str, Any] = {
    "dial_tone_ms": 5, "no_tone_ms": 30, "digit_ms": 1, "busy_ms": 10, "ring_ms": 100, "training_ms": 20,
    "carrier_loss_ms": 10,
}  # fmt: skip


class EchoHost:
    """Answers every message with itself, and a number before it. ``silent``: with nothing."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.got: list[bytes] = []
        self.silent = False
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Stop serving."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        reader = FrameReader()
        with contextlib.suppress(OSError), connection:
            while data := connection.recv(4096):
                for tpdu, payload in reader.feed(data):
                    self.got.append(payload)
                    if not self.silent:
                        connection.sendall(frame(tpdu.swapped(), b"%d " % len(self.got) + payload))


class Caller:
    """The terminal's side, spoken by hand."""

    def __init__(self, port: Path) -> None:
        self.modem = Dialler(port, lambda _kind, **_data: None)
        self.frames = FrameDecoder(MAX_FRAME)

    def dial(self, number: str = NUMBER, answer_s: int = 1) -> int:
        """The rate of the call."""
        return self.modem.dial(number, answer_s)

    def say(self, payload: bytes) -> None:
        """One message."""
        self.modem.write(encode_frame(TPDU.encode() + payload), 2.0)

    def hear(self, timeout_s: float = 2.0) -> list[bytes]:
        """The messages that come until one did, or none in time."""
        deadline = time.monotonic() + timeout_s
        messages: list[bytes] = []
        while not messages and (left := deadline - time.monotonic()) > 0:
            messages = [each[5:] for each in self.frames.feed(self.modem.read(left))]
        return messages

    def ask(self, payload: bytes) -> list[bytes]:
        """A message, and what is answered."""
        self.say(payload)
        return self.hear()


class LineBench:
    """Everything from the terminal's serial port to the host; to one's own, where its port is named."""

    def __init__(self, folder: Path, framing: str = "checked", host_port: int | None = None, **exchange: Any) -> None:
        self.folder = folder
        self.host = EchoHost()
        self.processes: list[subprocess.Popen[bytes]] = []
        """The exchange, and the answering side."""
        Redactor.with_new_key([]).save(folder / "redaction.json")
        self._start("rig.virtual.telephone", "exchange", **(FAST | exchange))
        self._start(
            "rig.bearers.dialup", "dialup-line", bearer="dialup", port=str(folder / "answering.tty"), framing=framing,
            host=["127.0.0.1", host_port or self.host.port],
        )  # fmt: skip
        self.line = LineClient("dialup", folder)
        self._caller: Caller | None = None
        self._since_t = 0
        self._before: dict[str, int] = {}

    @property
    def caller(self) -> Caller:
        """By hand; the port is his as soon as he is asked for."""
        self._caller = self._caller or Caller(self.folder / "line.tty")
        return self._caller

    def met(self, what: str) -> int:
        """A count of the answering side, since the last :meth:`reset`."""
        count: int = self.line.state()["met"].get(what, 0)
        return count - self._before.get(what, 0)

    def reset(self) -> None:
        """As if just started: nobody calls, nothing misbehaves, nothing has been counted."""
        self.line.behave("nobody")  # ends the call that a test left behind
        if self._caller is not None:
            deadline = time.monotonic() + 1
            while self._caller.modem.still_up() and time.monotonic() < deadline:
                time.sleep(0.01)
            self._caller.modem.hang_up()
            self._caller.frames = FrameDecoder(MAX_FRAME)
        self.line.clear()
        self.host.got.clear()
        self._before = self.line.state()["met"]
        self._since_t = time.monotonic_ns()

    def events(self, kind: str) -> list[dict[str, Any]]:
        """What the processes have written down."""
        events = read_history(self.folder / "journals").of(kind)
        return [event.data for event in events if event.t >= self._since_t]

    def wait_for(self, kind: str, count: int = 1) -> list[dict[str, Any]]:
        """The events of a kind, once there are so many."""
        deadline = time.monotonic() + 3
        while len(found := self.events(kind)) < count:
            assert time.monotonic() < deadline, f"{len(found)} {kind}, not {count}"
            time.sleep(0.01)
        return found

    def wait_until_over(self) -> None:
        """Until no call stands at the answering side."""
        deadline = time.monotonic() + 3
        while self.line.state()["call"] is not None:
            assert time.monotonic() < deadline, "the call does not end"
            time.sleep(0.01)

    def close(self) -> None:
        """End everything."""
        if self._caller is not None:
            self._caller.modem.close()
        self.line.close()
        for process in reversed(self.processes):
            process.terminate()
            process.wait(5)
        self.host.close()

    def _start(self, module: str, name: str, **settings: Any) -> None:
        common = {"name": name, "runtime": str(self.folder), "journals": str(self.folder / "journals")}
        common["redaction"] = str(self.folder / "redaction.json")
        config = self.folder / f"{name}.json"
        config.write_text(json.dumps(common | settings))
        reading, writing = os.pipe()
        command = [sys.executable, "-m", module, "--config", str(config), "--ready-fd", str(writing)]
        self.processes.append(subprocess.Popen(command, pass_fds=[writing]))
        os.close(writing)
        with os.fdopen(reading) as pipe:
            assert pipe.readline(), f"{module} ended before it was ready"


@contextlib.contextmanager
def line_bench(folder: Path, framing: str = "checked", **settings: Any) -> Iterator[LineBench]:
    """A bench for the length of a block."""
    bench = LineBench(folder, framing, **settings)
    try:
        yield bench
    finally:
        bench.close()
