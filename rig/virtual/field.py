"""The process that holds the virtual bench's air: PN532 chips on pseudo-terminals around one field.

Settings, beside those of every bench process::

    {"chips": {"bench": "pn532.tty", "terminal": "reader.tty"}}

Each chip's port is found under its name in the runtime folder. A client may die and another open the port again, as
with hardware. The journal holds the commands of each chip and `field` with `state` (on, off, collision) and `cards`.
"""

from __future__ import annotations

import os
import selectors
import time
from pathlib import Path

from rig.history import Journal
from rig.process import Started, main_config, wake_on_signal
from rig.virtual.air import Air
from rig.virtual.pn532_chip import Chip
from rig.virtual.pty import PtyPort


def main() -> None:
    """Serve until SIGTERM."""
    started = main_config()
    config = started.config
    journal = Journal.of_process(config)
    ports = {name: PtyPort(Path(config["runtime"]) / link) for name, link in config["chips"].items()}
    journal.write("started", pid=os.getpid(), chips=config["chips"])
    try:
        serve(started, ports, journal)
    finally:
        for port in ports.values():
            port.close()
        journal.write("ended", durable=True)
        journal.close()


def serve(started: Started, ports: dict[str, PtyPort], journal: Journal) -> None:
    """Move bytes between the ports and their chips until the process is asked to stop."""
    air = Air(lambda state, cards: _note(journal, state, cards))
    chips = {name: _chip(name, port, air, journal) for name, port in ports.items()}
    with selectors.DefaultSelector() as selector:
        selector.register(wake_on_signal(), selectors.EVENT_READ)
        for name, port in ports.items():
            selector.register(port.fileno(), selectors.EVENT_READ, (chips[name], port))
        started.ready(ports={name: port.path for name, port in ports.items()})
        while not started.stop.is_set():
            _turn(selector, list(chips.values()))


def _turn(selector: selectors.BaseSelector, chips: list[Chip]) -> None:
    deadlines = [chip.deadline for chip in chips if chip.deadline is not None]
    patience = max(0.0, min(deadlines) - time.monotonic()) if deadlines else None
    for key, _ in selector.select(patience):
        if key.data is not None:
            chip, port = key.data
            chip.feed(port.read(0))
    for chip in chips:
        chip.tick()


def _chip(name: str, port: PtyPort, air: Air, journal: Journal) -> Chip:
    os.set_blocking(port.fileno(), False)

    def send(data: bytes) -> None:
        try:
            port.write(data)
        except BlockingIOError:  # a host that never reads loses what does not fit, as on a UART
            journal.write("device_overrun", chip=name, length=len(data))

    return Chip(name, air, send, journal.write, time.monotonic)


def _note(journal: Journal, state: str, cards: list[str]) -> None:
    journal.write("field", state=state, cards=cards)


if __name__ == "__main__":
    main()
