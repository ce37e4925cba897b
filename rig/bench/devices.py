"""The devices of a bench, opened by one owner, in the way that the bench file says."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from rig.acquirer.client import AcquirerClient
from rig.bearers.bearer import Bearer, BearerKind
from rig.bearers.dialup.client import LineClient
from rig.bearers.dialup.link import TelephoneLink
from rig.bearers.link import Backend, Link
from rig.bearers.netem import NetemLink
from rig.bearers.probe import Prober
from rig.bearers.services.client import SOCKET as SERVICES_SOCKET
from rig.bearers.services.client import ServicesClient
from rig.bearers.stimulus import Witness
from rig.bearers.userspace import UserSpaceLink
from rig.bearers.wifi.client import SOCKET as AIR_SOCKET
from rig.bearers.wifi.client import AccessPointClient
from rig.bench.description import BenchFile
from rig.bench.parts.instruments import Presenter as PresenterPart
from rig.bench.plan import Places
from rig.cards.bureau import CardBureau
from rig.cards.presenter import Presenter
from rig.cards.registry import presenter_driver
from rig.errors import BenchTrouble
from rig.history import Redactor
from rig.instruments.android import Android
from rig.instruments.attenuator import Attenuator, open_attenuator
from rig.instruments.modem import Modem
from rig.instruments.power import NumatoBoard, NumatoRelay, PowerSwitch
from rig.instruments.signal import SignalReader
from rig.instruments.switch import SwitchPort, open_switch_port
from rig.rpc import RpcClient
from rig.terminals.base import Terminal
from rig.terminals.registry import terminal_driver

Observe = Callable[[str, dict[str, Any]], None]
Moment = Callable[[str, dict[str, Any]], None]


def ignore(_kind: str, _data: dict[str, Any]) -> None:
    """Observe nothing."""


@dataclass
class Devices:
    """Opened devices; what the bench file does not name is None or absent."""

    bearers: dict[str, Bearer] = field(default_factory=dict)
    ecr_line: Bearer | None = None
    attenuators: dict[str, Attenuator] = field(default_factory=dict)
    modems: dict[str, SignalReader] = field(default_factory=dict)
    power: PowerSwitch | None = None
    relays: dict[str, PowerSwitch] = field(default_factory=dict)
    plugs: dict[str, SwitchPort] = field(default_factory=dict)
    """Bearer → the port of a managed switch that its cable is in."""
    presenters: dict[str, Presenter] = field(default_factory=dict)
    card_faults: Counter[str] = field(default_factory=Counter)
    """How often each fault of a card has happened, by its name."""
    acquirer: AcquirerClient | None = None
    services: ServicesClient | None = None
    access_points: dict[str, AccessPointClient] = field(default_factory=dict)
    terminal: Terminal | None = None
    _open: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def at_close(self, call: Callable[[], object]) -> None:
        """Call this when the devices are let go of: for what must not outlive their use."""
        self._open.callback(call)

    def close(self) -> None:
        """Let go of every device; what was set stays set."""
        self._open.close()

    @property
    def links(self) -> dict[str, Bearer]:
        """Every link that can be degraded: the bearers, and the cash-register line."""
        return self.bearers | ({"ecr": self.ecr_line} if self.ecr_line is not None else {})


class DeviceOpener:
    """Opens the devices of a bench one by one, so that each failure names its device."""

    def __init__(self, bench: BenchFile, places: Places, backend: Backend, observe: Observe = ignore) -> None:
        self._bench = bench
        self._places = places
        self._backend = backend
        self._observe = observe
        self._relay: RpcClient | None = None
        self._boards: dict[str, NumatoBoard] = {}

    def port(self, name: str) -> str:
        """A port's path; relative ones lie in the bench's runtime folder."""
        return str(self._places.runtime / name)

    def link(self, name: str, interface: str) -> Link:
        """A link by the backend in use."""
        if name in self._bench.bearers and not self._bench.bearers[name].has_packets:
            answering = self._bench.bearers[name].answering
            loop = answering.loop if answering is not None else None
            find = partial(self.relay, loop) if loop is not None else None
            return TelephoneLink(name, LineClient(name, self._places.runtime), find)
        if self._backend == "netem":
            return NetemLink(name, interface, self._station(name))
        if self._relay is None:
            self._relay = RpcClient(self._places.runtime / "link.sock", "link relay")
        return UserSpaceLink(name, self._relay)

    def _station(self, link: str) -> str | None:
        place = self._bench.ecr_link if link == "ecr" else self._bench.bearers[link]
        return place.station if place is not None else None

    def bearers(self) -> Iterator[Bearer]:
        """The bearers, and the cash-register line as ``ecr``."""
        for name, bearer in self._bench.bearers.items():
            yield self._bearer(name, bearer.kind, bearer.interface)
        if self._bench.ecr_link is not None:
            yield self._bearer("ecr", "ecr", self._bench.ecr_link.interface)

    def _bearer(self, name: str, kind: BearerKind, interface: str) -> Bearer:
        link = self.link(name, interface)
        address = self._bench.terminal_address(name)
        prober = Prober(address, interface) if address is not None else None
        return Bearer(name, kind, link, self._note, Witness(link, prober))

    def attenuator(self, name: str) -> Attenuator:
        """One attenuator."""
        box = self._bench.attenuators[name]
        private = self._bench.network.isolation == "private"  # the same address is another box in each such network
        locks = self._places.state.root if private else self._places.state.instrument_locks
        return open_attenuator(
            box.dialect,
            box.resource,
            name=f"attenuator {name}",
            lock_folder=locks,
            observe=self._observe,
            settings=box.settings,
        )

    def modem(self, name: str) -> SignalReader:
        """One reader of a signal."""
        modem = self._bench.modems[name]
        if modem.reader == "android":
            return Android.open(modem.address, modem.serial, name=f"modem {name}", observe=self._observe)
        assert modem.port is not None
        return Modem.open(self.port(modem.port), name=f"modem {name}", baudrate=modem.baud, observe=self._observe)

    def power(self) -> NumatoRelay:
        """The relay of the terminal's supply."""
        assert self._bench.power is not None
        return self._board(self._bench.power.port).relay(self._bench.power.channel, "power")

    def relay(self, name: str) -> NumatoRelay:
        """Another relay, which bearers name."""
        part = self._bench.relays[name]
        return self._board(part.port).relay(part.channel, f"relay {name}")

    def plug(self, bearer: str) -> SwitchPort:
        """The port of a managed switch that a bearer's cable is in."""
        plugged = self._bench.bearers[bearer].plugged
        assert plugged is not None
        part = self._bench.switches[plugged.switch]
        name = f"port {plugged.port} of switch {plugged.switch}"
        return open_switch_port(
            part.driver, part.address, plugged.port, part.settings, name=name, observe=self._observe
        )

    def _board(self, port: str) -> NumatoBoard:
        """The board at a port: one session for all of its relays."""
        if port not in self._boards or self._boards[port].closed:
            power = self._bench.power
            name = "power" if power is not None and power.port == port else f"relays at {port}"
            self._boards[port] = NumatoBoard.open(self.port(port), name=name, observe=self._observe)
        return self._boards[port]

    def presenter(self, name: str, moment: Moment = ignore) -> Presenter:
        """What presents cards to one interface."""
        part = self._bench.presenters[name]
        bureau = CardBureau(self._places.state.root, Redactor.load(self._places.state.redaction))
        driver = presenter_driver(part.driver)
        return driver.open(
            self._place(part), bureau, self._note, lambda when, data: moment(when, dict(data)), **part.settings
        )

    def _place(self, part: PresenterPart) -> Path | str:
        """Where a presenter is: a port or a socket in the bench's runtime folder, or ``HOST:PORT``."""
        if part.port is not None:
            return Path(self.port(part.port))
        assert part.address is not None
        return part.address if ":" in part.address else self.port(part.address)

    def acquirer(self) -> AcquirerClient:
        """The control of the host."""
        return AcquirerClient(self._places.runtime / "acquirer.sock")

    def services(self) -> ServicesClient:
        """The control of the bench's own name, address and time servers."""
        return ServicesClient(self._places.runtime / SERVICES_SOCKET)

    def access_point(self, name: str) -> AccessPointClient:
        """The control of one access point."""
        return AccessPointClient(name, self._places.runtime / AIR_SOCKET)

    def terminal(self, moment: Moment = ignore) -> Terminal:
        """The driver of the terminal; not connected yet."""
        settings = self._bench.terminal.model_dump()
        if self._bench.terminal.serial is not None:
            settings["serial"]["port"] = self.port(self._bench.terminal.serial.port)
        driver = terminal_driver(self._bench.terminal.protocol)
        return driver.from_settings("terminal", settings, self._observe, moment)

    def _note(self, kind: str, data: Any) -> None:
        self._observe(kind, dict(data))


def open_devices(
    bench: BenchFile, places: Places, backend: Backend, observe: Observe, card_moment: Moment, ecr_moment: Moment
) -> Devices:
    """Open everything that a test process uses.

    Raises:
        BenchTrouble: a device is missing, mute or talks nonsense; names it. What was opened is closed again.
    """
    opener = DeviceOpener(bench, places, backend, observe)
    devices = Devices()

    def note_card(kind: str, data: dict[str, Any]) -> None:
        if kind == "card_fault":
            devices.card_faults[data["fault"]] += 1
        observe(kind, data)

    card_opener = DeviceOpener(bench, places, backend, note_card)
    with _closing_on_error(devices):
        for bearer in opener.bearers():
            devices._open.callback(bearer.close)
            if bearer.kind == "ecr":
                devices.ecr_line = bearer
            else:
                devices.bearers[bearer.name] = bearer
        for name in bench.attenuators:
            devices.attenuators[name] = devices._open.enter_context(contextlib.closing(opener.attenuator(name)))
        for name in bench.modems:
            devices.modems[name] = devices._open.enter_context(contextlib.closing(opener.modem(name)))
        if bench.power is not None:
            devices.power = devices._open.enter_context(contextlib.closing(opener.power()))
        for name in bench.relays:
            devices.relays[name] = devices._open.enter_context(contextlib.closing(opener.relay(name)))
        for name, bearer_part in bench.bearers.items():
            if bearer_part.plugged is not None:
                devices.plugs[name] = devices._open.enter_context(contextlib.closing(opener.plug(name)))
        for name in bench.presenters:
            presenter = card_opener.presenter(name, card_moment)
            devices.presenters[name] = devices._open.enter_context(contextlib.closing(presenter))
        devices.acquirer = devices._open.enter_context(contextlib.closing(opener.acquirer()))
        if bench.services:
            devices.services = devices._open.enter_context(contextlib.closing(opener.services()))
        for name in bench.access_points:
            devices.access_points[name] = devices._open.enter_context(contextlib.closing(opener.access_point(name)))
        devices.terminal = devices._open.enter_context(contextlib.closing(opener.terminal(ecr_moment)))
    return devices


@contextmanager
def _closing_on_error(devices: Devices) -> Iterator[None]:
    try:
        yield
    except BaseException:
        devices.close()
        raise


def require(device: Any, name: str) -> Any:
    """A device that this bench has.

    Raises:
        BenchTrouble: it has none; a case that needs one is for another bench.
    """
    if device is None:
        raise BenchTrouble(name, "this bench has none", "see the capabilities that rig doctor lists")
    return device
