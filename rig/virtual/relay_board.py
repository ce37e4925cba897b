"""The simulated relay board: a Numato USB relay module on a PTY; its relay 0 powers the terminal.

Its other relays are plain contacts, closed at the start as on a bench at rest, that other simulated devices follow.

.. code-block:: json

    {"name": "relay", "runtime": "…", "journals": "…", "redaction": "…",
     "port": "relay.tty", "relays": 4, "power_on": true,
     "load": {"argv": ["python", "-m", "…"], "env": {},
              "interfaces": {"wlan0": {"address": "10.64.1.2/24"}}, "supplicants": {},
              "routes": [{"to": "10.64.0.10/32", "via": "10.64.1.1", "dev": "wlan0"}]}}

Runs in the load's network namespace. Off takes the load's interfaces down first, so that no FIN of the dying process
escapes, and then kills it: that is what a power cut looks like from outside. A load that dies by itself leaves the
relay on. The load dies with the board.

Its side door is the unix socket ``relay-board.sock`` in the runtime folder (``side_door``, where a bench has several
boards): ``state`` answers ``{"relays": [true, …]}``, and each switching is pushed as
``{"event": "relay", "channel": n, "on": closed}`` once the load has followed.

Source: Numato Lab, "USB Relay Module" user guides, chapter "The Command Set" (https://numato.com/docs).
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from pyroute2.netlink.exceptions import NetlinkError

from rig.history.journal import Journal
from rig.process import main_config
from rig.rpc import RpcServer
from rig.virtual.device import check_settings
from rig.virtual.load import Interfaces, Load
from rig.virtual.pty import PtyPort
from rig.virtual.supplicant import Supplicant

_NAMES = "0123456789ABCDEFGHIJKLMNOPQRSTUV"
_MAX_LINE = 128


class Powered(Protocol):
    """What a relay gives power to."""

    def power_on(self) -> None:
        """It has power."""

    def power_off(self) -> None:
        """It has none."""


class RelayBoard:
    """The board's command set; relay 0 switches ``load``."""

    def __init__(
        self, relays: int, load: Powered, journal: Journal, told: Callable[[int, bool], None] = lambda *_: None
    ) -> None:
        self._load = load
        self._journal = journal
        self._told = told
        self._closed = [relay != 0 for relay in range(relays)]
        self._pending = b""
        self._lock = threading.Lock()
        self._ended = False

    def receive(self, data: bytes) -> bytes:
        """What goes back for what came in: the echo of each byte, the answer of each line, the prompt."""
        reply = bytearray()
        for byte in data:
            reply.append(byte)
            if byte == 0x0A:
                continue
            if byte != 0x0D:
                self._pending = (self._pending + bytes([byte]))[-_MAX_LINE:]
                continue
            line, self._pending = self._pending.decode("ascii", "replace").strip(), b""
            reply += b"\n\r" + self._answer(line) + b">"
        return bytes(reply)

    def switch(self, relay: int, closed: bool) -> None:
        """Close or open a relay; the load follows relay 0. Nothing switches after :meth:`end`."""
        with self._lock:
            if self._ended:
                return
            self._closed[relay] = closed
            self._journal.write("relay", channel=relay, on=closed)
            if relay == 0:
                try:
                    (self._load.power_on if closed else self._load.power_off)()
                except (OSError, NetlinkError) as error:
                    self._journal.write("load_failed", on=closed, why=str(error))
            self._told(relay, closed)

    @property
    def relays(self) -> list[bool]:
        """Which relays are closed."""
        return list(self._closed)

    def end(self) -> None:
        """The board itself loses power, and its load with it."""
        with self._lock:
            self._ended = True
            with contextlib.suppress(OSError, NetlinkError):  # the namespace may be gone before the board
                self._load.power_off()

    def _answer(self, line: str) -> bytes:
        if not line:
            return b""
        self._journal.write("device_rx", line=line)
        answer = self._execute(line.split())
        if answer:
            self._journal.write("device_tx", line=answer)
            return answer.encode() + b"\n\r"
        return b""

    def _execute(self, words: list[str]) -> str:
        match words:
            case ["ver"]:
                return "00000009"
            case ["id", "get"]:
                return "00000000"
            case ["relay", "readall"]:
                return f"{sum(closed << relay for relay, closed in enumerate(self._closed)):02x}"
            case ["relay", "on" | "off" | "read" as verb, name] if name in _NAMES[: len(self._closed)]:
                return self._relay(verb, _NAMES.index(name))
        return ""  # the real board is silent about what it does not know

    def _relay(self, verb: str, relay: int) -> str:
        if verb == "read":
            return "on" if self._closed[relay] else "off"
        self.switch(relay, verb == "on")
        return ""


def serve(port: PtyPort, receive: Callable[[bytes], bytes]) -> None:
    """Answer what comes in at the port, in a thread, until the process ends."""

    def run() -> None:
        while True:
            answer = receive(port.read())
            with contextlib.suppress(BlockingIOError):  # nobody reads: a serial line loses what is not read
                port.write(answer)

    os.set_blocking(port.fileno(), False)
    threading.Thread(target=run, name=port.link.name, daemon=True).start()


def load_of(config: dict[str, Any], journal: Journal, folder: Path) -> Load:
    """The load that the settings describe; files of its radios go to ``folder``."""
    addresses = {name: settings.get("address") for name, settings in config.get("interfaces", {}).items()}
    interfaces = Interfaces(addresses, config.get("routes", []))
    radios = [
        Supplicant(name, settings, folder, journal.write) for name, settings in config.get("supplicants", {}).items()
    ]
    return Load(config["argv"], config.get("env", {}), interfaces, journal, radios=radios)


def main() -> None:
    """Run until SIGTERM."""
    started = main_config()
    check_settings(started.config, {"port", "relays", "power_on", "load", "side_door"})
    journal = Journal.of_process(started.config)
    runtime = Path(started.config["runtime"])
    load = load_of(started.config["load"], journal, runtime)

    def tell(relay: int, closed: bool) -> None:
        side_door.push("relay", channel=relay, on=closed)

    board = RelayBoard(started.config.get("relays", 4), load, journal, tell)
    side_door = RpcServer(
        runtime / started.config.get("side_door", "relay-board.sock"), {"state": lambda: {"relays": board.relays}}
    )
    port = PtyPort(runtime / started.config.get("port", "relay.tty"))
    journal.write("started", port=port.path)
    if started.config.get("power_on", True):
        board.switch(0, True)
    serve(port, board.receive)
    started.ready(port=str(port.link))
    started.stop.wait()
    board.end()
    side_door.close()
    port.link.unlink(missing_ok=True)
    journal.write("ended")


if __name__ == "__main__":
    main()
