"""The process that holds the virtual bench's air: PN532 chips on pseudo-terminals around one field, and plastic cards.

Settings, beside those of every bench process::

    {"chips": {"bench": "pn532.tty", "second": "pn532-2.tty", "terminal": "reader.tty", "park": "park.tty"},
     "park": ["park"],
     "actuator": {"device": "grbl", "port": "actuator.tty", "cards": {"visa-credit": {"park": [0, 0], …}}}}

Each chip's port is found under its name in the runtime folder; there may be any number of chips. A client may die and
another open the port again, as with hardware. With an ``actuator`` (`rig.virtual.actuator`) there are two airs: that
of the chips named in ``park``, and that of all others, the terminal's. The physical cards that the machine carries
between them have their chips in another process, which connects to ``NAME.card`` in the runtime folder
(`rig.virtual.plastic`). The journal holds the commands of each chip, `field` with `state` (on, off, collision) and
`cards`, `park_field` with the same for the air at rest, and `card_moved` with `card` and `place`.
"""

from __future__ import annotations

import os
import selectors
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from rig.errors import CallerMistake
from rig.history import Journal
from rig.process import Started, main_config, wake_on_signal
from rig.virtual.actuator import Arrangement, Machine, check
from rig.virtual.air import Air
from rig.virtual.device import check_settings
from rig.virtual.grbl import GrblGantry
from rig.virtual.maestro import MaestroArms
from rig.virtual.plastic import PlasticCard
from rig.virtual.pn532_chip import Chip
from rig.virtual.pty import PtyPort
from rig.virtual.solenoids import SolenoidBoard


class Timed(Protocol):
    """What has something to do at a date."""

    @property
    def deadline(self) -> float | None:
        """The date, on the monotonic clock."""

    def tick(self) -> None:
        """Do what is due."""


def main() -> None:
    """Serve until SIGTERM."""
    started = main_config()
    config = started.config
    check_settings(config, {"chips", "park", "actuator"})
    journal = Journal.of_process(config)
    with ExitStack() as stack:
        field = Field(config, journal, stack)
        journal.write("started", pid=os.getpid(), chips=config["chips"])
        try:
            field.serve(started)
        finally:
            journal.write("ended", durable=True)
            journal.close()


class Field:
    """The chips, the machine and its cards, and the ports and sockets where they are met."""

    def __init__(self, config: Mapping[str, Any], journal: Journal, stack: ExitStack) -> None:
        self._config, self._journal, self._stack = config, journal, stack
        self._runtime = Path(config["runtime"])
        self._selector = stack.enter_context(selectors.DefaultSelector())
        self._timed: list[Timed] = []
        self._airs = {
            "field": Air(partial(self._note, "field")),
            "park": Air(partial(self._note, "park_field")),
        }
        parked = config.get("park", [])
        if unknown := set(parked) - config["chips"].keys():
            raise CallerMistake(f"device {config['name']}", f"park: no chips {', '.join(sorted(unknown))}", "see chips")
        self._ports = {name: self._port(link) for name, link in config["chips"].items()}
        for name, port in self._ports.items():
            air = self._airs["park" if name in parked else "field"]
            self._attend(port, Chip(name, air, self._sender(name, port), self._log(name in parked), time.monotonic))
        self._cards: dict[str, PlasticCard] = {}
        self._chips: dict[str, socket.socket] = {}
        if config.get("actuator"):
            self._install(config["actuator"])

    def serve(self, started: Started) -> None:
        """Move bytes until the process is asked to stop."""
        self._selector.register(wake_on_signal(), selectors.EVENT_READ, lambda: None)
        started.ready(ports={name: port.path for name, port in self._ports.items()})
        while not started.stop.is_set():
            dates = [each.deadline for each in self._timed if each.deadline is not None]
            for key, _ in self._selector.select(max(0.0, min(dates) - time.monotonic()) if dates else None):
                key.data()
            for each in self._timed:
                each.tick()

    def _install(self, settings: Mapping[str, Any]) -> None:
        check(self._config["name"], settings)
        held = {slot: settings.get("swapped", {}).get(slot, slot) for slot in settings["cards"]}
        for name in held.values():
            self._cards[name] = card = PlasticCard(name, self._runtime / f"{name}.card", time.monotonic)
            self._stack.callback(card.close)
            self._timed.append(card)
            self._selector.register(card.listener, selectors.EVENT_READ, partial(self._greet, card))
        port = self._port(settings["port"])
        moved = partial(self._moved, held)
        arrangement = Arrangement(
            settings["cards"], settings.get("fault"), moved, self._sender("actuator", port), time.monotonic
        )
        self._attend(port, self._machine(settings["device"], arrangement))

    def _machine(self, device: str, arrangement: Arrangement) -> Machine:
        machines: dict[str, Callable[[], Machine]] = {
            "grbl": lambda: GrblGantry(arrangement),
            "maestro": lambda: MaestroArms(arrangement),
            "relay": lambda: SolenoidBoard(arrangement, self._journal),
        }
        if device not in machines:
            raise CallerMistake(
                f"device {self._config['name']}", f"no simulated actuator {device}", f"use {', '.join(machines)}"
            )
        return machines[device]()

    def _moved(self, held: Mapping[str, str], slot: str, place: str | None) -> None:
        card = self._cards[held[slot]]
        self._journal.write("card_moved", card=card.name, slot=slot, place=place)
        card.carry(self._airs[place] if place else None)

    def _greet(self, card: PlasticCard) -> None:
        self._part(card)
        self._chips[card.name] = chip = card.accept()
        self._selector.register(chip, selectors.EVENT_READ, partial(self._hear, card))

    def _hear(self, card: PlasticCard) -> None:
        if not card.receive():
            self._part(card)

    def _part(self, card: PlasticCard) -> None:
        chip = self._chips.pop(card.name, None)
        if chip is not None:
            self._selector.unregister(chip)

    def _note(self, kind: str, state: str, cards: list[str]) -> None:
        self._journal.write(kind, state=state, cards=cards)

    def _port(self, link: str) -> PtyPort:
        port = PtyPort(self._runtime / link)
        self._stack.callback(port.close)
        os.set_blocking(port.fileno(), False)
        return port

    def _attend(self, port: PtyPort, device: Machine) -> None:
        self._timed.append(device)
        self._selector.register(port.fileno(), selectors.EVENT_READ, lambda: device.feed(port.read(0)))

    def _sender(self, name: str, port: PtyPort) -> Callable[[bytes], None]:
        def send(data: bytes) -> None:
            try:
                port.write(data)
            except BlockingIOError:  # a host that never reads loses what does not fit, as on a UART
                self._journal.write("device_overrun", chip=name, length=len(data))

        return send

    def _log(self, parked: bool) -> Callable[..., None]:
        """Where a chip's events go; the field at rest has a name of its own."""

        def log(kind: str, **data: Any) -> None:
            self._journal.write("park_field" if parked and kind == "field" else kind, **data)

        return log


if __name__ == "__main__":
    main()
