"""The simulated telephone exchange with its two modems: the terminal's own, and the one at the bench's end.

.. code-block:: json

    {"name": "exchange", "runtime": "…", "journals": "…", "redaction": "…",
     "line": "line.tty", "answering": "answering.tty", "number": "0800", "loop_relay": 3, "power_relay": 0,
     "relay_board": "relay-board.sock", "training_ms": 100}

Both are serial ports (PTYs) of the names given. ``loop_relay`` is the relay in the terminal's line: open, it has no
dial tone and no call. ``power_relay`` is the terminal's supply, which its modem shares. Both are of the board whose
side door is ``relay_board``; without one there are no relays. The other settings are those of
:class:`rig.virtual.telephone_exchange.ExchangeSettings`. The octets of a call are counted in the journal
(``exchange_octets``: up is from the terminal), never written down.
"""

from __future__ import annotations

import contextlib
import os
import queue
import select
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

from rig.history.journal import Journal
from rig.process import main_config, wake_on_signal
from rig.rpc import RpcClient
from rig.virtual.device import check_settings, follow
from rig.virtual.pty import PtyPort
from rig.virtual.telephone_exchange import Exchange, ExchangeSettings
from rig.virtual.telephone_modem import LineModem

_UNREAD = 65_536
"""More than this a serial port does not keep for a computer that does not read."""


class TelephoneProcess:
    """One thread moves everything; the relay board's follower only hands it what it heard."""

    def __init__(self, config: dict[str, Any], journal: Journal) -> None:
        own = {field.name for field in fields(ExchangeSettings)}
        check_settings(config, own | {"line", "answering", "loop_relay", "power_relay", "relay_board"})
        runtime = Path(config["runtime"])
        self._journal = journal
        settings = ExchangeSettings(**{key: config[key] for key in own & config.keys()})
        self._exchange = Exchange(settings, journal.write, self._record)
        self.ports: dict[LineModem, PtyPort] = {
            self._exchange.line: PtyPort(runtime / config.get("line", "line.tty")),
            self._exchange.answering: PtyPort(runtime / config.get("answering", "answering.tty")),
        }
        for port in self.ports.values():
            os.set_blocking(port.fileno(), False)
        self._inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._wake_reader, self._wake_writer = socket.socketpair()
        self._relays = {
            channel: act
            for channel, act in (
                (config.get("loop_relay"), self._exchange.set_loop),
                (config.get("power_relay"), self._exchange.set_power),
            )
            if channel is not None
        }
        if self._relays:
            follow(runtime / config.get("relay_board", "relay-board.sock"), self._board_found, self._board_said)

    def run(self, stop: threading.Event, signalled: socket.socket) -> None:
        """Until ``stop``; :meth:`wake` after setting it. ``signalled`` is readable after a signal."""
        while not stop.is_set():
            due = self._exchange.due
            patience = None if due is None else max(0.0, due - time.monotonic())
            waiting: list[Any] = [signalled, self._wake_reader, *self.ports.values()]
            ready, _, _ = select.select(waiting, [], [], patience)
            if signalled in ready:
                signalled.recv(64)
            if self._wake_reader in ready:
                self._wake_reader.recv(4096)
            with contextlib.suppress(queue.Empty):
                while True:
                    self._inbox.get_nowait()()
            for modem, port in self.ports.items():
                if port in ready:
                    self._exchange.receive(modem, port.read(0), time.monotonic())
            self._exchange.tick(time.monotonic())
            for modem, port in self.ports.items():
                self._send(modem, port)

    def wake(self) -> None:
        """Look again."""
        with contextlib.suppress(OSError):
            self._wake_writer.send(b"!")

    def _send(self, modem: LineModem, port: PtyPort) -> None:
        try:
            while modem.out:
                modem.out = modem.out[os.write(port.fileno(), modem.out) :]
        except BlockingIOError:  # nobody reads: a serial port keeps what it can
            modem.out = modem.out[:_UNREAD]

    def _record(self, modem: str, kind: str, line: str) -> None:
        self._journal.write(kind, modem=modem, line=line)

    def _board_found(self, client: RpcClient) -> None:
        relays = client.call("state")["relays"]
        for channel in self._relays:
            if channel < len(relays):
                self._switched(channel, relays[channel])
            else:
                self._journal.write("relay_refused", why=f"the board has no relay {channel}")

    def _board_said(self, event: dict[str, Any]) -> None:
        if event.get("event") == "relay" and event.get("channel") in self._relays:
            self._switched(event["channel"], event["on"])

    def _switched(self, channel: int, on: bool) -> None:
        self._inbox.put(lambda: self._relays[channel](on))
        self.wake()


def main() -> None:
    """Run until SIGTERM."""
    started = main_config()
    signalled = wake_on_signal()
    journal = Journal.of_process(started.config)
    process = TelephoneProcess(started.config, journal)
    ports: dict[str, Any] = {modem.name: str(port.link) for modem, port in process.ports.items()}
    journal.write("started", **ports)
    started.ready(**ports)

    def end() -> None:
        started.stop.wait()
        process.wake()

    threading.Thread(target=end, name="end", daemon=True).start()
    process.run(started.stop, signalled)
    for port in process.ports.values():
        port.close()
    journal.write("ended")


if __name__ == "__main__":
    main()
