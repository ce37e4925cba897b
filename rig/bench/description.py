"""A bench as a file: what surrounds one terminal, in YAML, checked as a whole before anything is touched.

A bench file is data: no code, no shell, no environment. Relative ``port`` names lie in the bench's runtime folder,
relative ``cards``, ``impairments`` and ``timelines`` beside the bench file. The keys are the fields of the classes
below; ``fixtures/benches/`` holds a virtual and a real example. A mistake is reported with the line and the field.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from rig.bearers.wifi.config import Cell as WifiCell
from rig.bearers.wifi.config import Network as WifiNetwork
from rig.bearers.wifi.config import Security
from rig.errors import CallerMistake
from rig.units import CURRENCY_NUMERIC

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,40}$")]
Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=3600)]


class _WrongField(ValueError):
    """A field that is wrong in the light of others, with its place below the part that was checked."""

    def __init__(self, message: str, *place: str) -> None:
        super().__init__(message)
        self.place = place


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "there are none"


def _ipv4(address: str) -> str:
    return str(ipaddress.IPv4Address(address))


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TestPans(_Part):
    """A range of PANs that this bench may meet: everything that begins with ``prefix``."""

    __test__ = False

    prefix: Annotated[str, StringConstraints(pattern=r"^[0-9]{4,12}$")]
    lengths: tuple[int, ...] = (13, 14, 15, 16, 17, 18, 19)


class Tcp(_Part):
    """A TCP address."""

    host: str
    port: Port


class Serial(_Part):
    """A serial line."""

    port: str
    baud: int = 9600


class Terminal(_Part):
    """The terminal under test, and what its maker or its settings say of its timing."""

    protocol: str = "zvt"
    tcp: Tcp | None = None
    serial: Serial | None = None
    terminal_id: Annotated[str, StringConstraints(pattern=r"^[0-9]{8}$")]
    merchant_id: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z ]{15}$")]
    currency: str = "EUR"
    password: Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")] = "000000"
    t3_s: Seconds = 5.0
    t4_s: Seconds = 180.0
    connect_timeout_s: Seconds = 10.0
    """How long the terminal tries to reach its host on one bearer."""
    response_timeout_s: Seconds = 30.0
    """How long the terminal waits for its host before it gives up and reverses."""
    idle_limit_s: Seconds = 60.0
    """After a fault is over, the terminal must be idle again within this time."""
    boot_limit_s: Seconds = 120.0
    flush_limit_s: Seconds = 60.0
    """How long the terminal's reversal queue may take to drain once its network is back."""

    @model_validator(mode="after")
    def _one_line(self) -> Terminal:
        if (self.tcp is None) == (self.serial is None):
            raise ValueError("exactly one of tcp and serial describes the cash-register line")
        if self.currency not in CURRENCY_NUMERIC:
            raise _WrongField(f"{self.currency!r} is unknown; use one of {', '.join(CURRENCY_NUMERIC)}", "currency")
        return self


class Modem(Serial):
    """The modem that reads the cellular signal, on a splitter of the same path as the terminal or inside it."""

    watches: Name | None = None
    """The bearer whose signal it sees; the first cellular one with an RF path where left out."""


class Link(_Part):
    """Where a link can be degraded: the bench-side interface that carries it."""

    interface: str
    terminal_address: Annotated[str, AfterValidator(_ipv4)] | None = None
    """The terminal's IPv4 address on it, for probes; a simulated segment tells its own."""
    station: Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{2}:){5}[0-9a-f]{2}$")] | None = None
    """The terminal's MAC address, where others share the interface: only this one's packets are degraded then."""


class Bearer(Link):
    """A way of the terminal to its host."""

    kind: Literal["wifi", "cellular", "ethernet"]
    path: Name | None = None
    """The RF path that attenuates it."""
    access_point: Name | None = None
    """The access point of the bench's own that it is."""


class Attenuator(_Part):
    """A programmable attenuator at a VISA resource."""

    dialect: str = "mini-circuits"
    resource: str
    safe_db: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    """Where the guard leaves every channel."""


class RfPath(_Part):
    """An RF path: which channel of which attenuator."""

    attenuator: Name
    channel: Annotated[int, Field(ge=1)]


class Power(_Part):
    """The relay that switches the terminal's supply."""

    driver: Literal["numato"] = "numato"
    port: str
    channel: Annotated[int, Field(ge=0, le=63)] = 0


class Presenter(_Part):
    """What puts a card into the field."""

    driver: Literal["pn532"] = "pn532"
    port: str


class Acquirer(_Part):
    """The host that the terminal's test profile points at."""

    listen: tuple[str, ...] = Field(min_length=1)
    port: Port = 5000
    tls: bool = True
    name: str = "acquirer.bench"


class Pool(_Part):
    """The addresses that the bench's DHCP server gives out on a bearer."""

    first: str
    last: str
    lease_s: Annotated[int, Field(ge=2, le=604_800)] = 3600


class Services(_Part):
    """The bench's own servers on a bearer: names (DNS), time (SNTP), and addresses (DHCP) where there is a pool."""

    address: str
    """The bench's own address on the bearer, with prefix length: the terminal's gateway and servers."""
    dhcp: Pool | None = None
    standby: bool = False
    """Another server, such as the access point's dnsmasq, does the work; these stand in for it in a failure."""

    @model_validator(mode="after")
    def _addresses_are_some(self) -> Services:
        try:
            network = ipaddress.IPv4Interface(self.address).network
        except ValueError as error:
            raise _WrongField(f"{error}; write such as 10.64.1.1/24", "address") from error
        for name in ("first", "last") if self.dhcp is not None else ():
            try:
                inside = ipaddress.IPv4Address(getattr(self.dhcp, name)) in network
            except ValueError as error:
                raise _WrongField(str(error), "dhcp", name) from error
            if not inside:
                raise _WrongField(f"is not in {network}", "dhcp", name)
        return self


class Cell(_Part):
    """A further cell of an access point's network: with a channel on a radio of its own, else on the same radio."""

    interface: str
    channel: int | None = None


class AccessPoint(_Part):
    """A Wi-Fi access point of the bench's own: hostapd on a radio of this machine, dnsmasq for names and addresses."""

    interface: str
    ssid: str
    security: Literal["open", "wpa2", "wpa3"] = "wpa2"
    passphrase: str = ""
    channel: int = 1
    country: str
    address: str
    """The bench's own address there, with prefix length."""
    dhcp: Pool | None = None
    dnsmasq: bool = True
    second: Cell | None = None
    bridge: str | None = None
    """The interface that joins two cells."""
    station: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{2}(:[0-9a-f]{2}){5}$")] | None = None
    """The terminal's hardware address, where others use the access point too."""
    join_limit_s: Seconds = 60.0
    """How long the terminal may take to come back on it."""
    sample_s: Seconds = 5.0
    """How often signal and rate of its stations are written to the history."""
    control: str | None = None
    """The folder of the control sockets of a hostapd that somebody else runs."""

    @property
    def carrier(self) -> str:
        """The interface through which everything of its stations passes."""
        return self.bridge or self.interface

    @property
    def network(self) -> WifiNetwork:
        """What is in the air."""
        cells = [WifiCell(self.interface, self.channel)]
        if self.second is not None:
            cells.append(WifiCell(self.second.interface, self.second.channel))
        security = Security(self.security)
        return WifiNetwork(self.ssid, security, self.passphrase, self.country, tuple(cells), self.bridge)

    @model_validator(mode="after")
    def _can_be(self) -> AccessPoint:
        try:
            _ = self.network
        except CallerMistake as error:
            raise _WrongField(f"{error.what}; {error.cure}", error.device) from error
        try:
            network = ipaddress.IPv4Interface(self.address).network
            pool = [ipaddress.IPv4Address(each) for each in (self.dhcp.first, self.dhcp.last)] if self.dhcp else []
        except ValueError as error:
            raise _WrongField(f"{error}; write such as 10.64.1.1/24", "address") from error
        if any(each not in network for each in pool):
            raise _WrongField(f"is not in {network}", "dhcp")
        if self.dhcp is not None and not self.dnsmasq:
            raise _WrongField("is given out by dnsmasq, which is not wanted", "dhcp")
        return self


class Network(_Part):
    """Where the bench's processes live, and how links are degraded."""

    isolation: Literal["private", "host"] = "host"
    """``private``: in a network namespace of the bench's own, away from everything else."""
    backend: Literal["auto", "netem", "user-space link"] = "auto"
    start_limit_s: Seconds = 20.0
    """How long the bench's processes may take to come up."""


class Segment(_Part):
    """A simulated cable: the terminal's end and the bench's end."""

    terminal_interface: str
    terminal_address: str
    bench_address: str
    carries_host: bool = True
    dhcp: bool = False
    """Whether the terminal asks for its address there; else it is given ``terminal_address``."""
    air: bool = False
    """Whether a simulated radio lies on it."""
    access_point: Name | None = None
    """No cable: ``terminal_interface`` is a Wi-Fi radio of this machine, which joins this access point."""
    joins_open: bool = False
    """Whether the terminal takes a network of that name without a key, too."""


class SimulatedDevice(_Part):
    """A device that the guard starts; ``settings`` are the device's own."""

    device: str
    settings: dict[str, Any] = {}


class Simulation(_Part):
    """Everything that a virtual bench has in the place of hardware."""

    segments: dict[Name, Segment]
    devices: dict[Name, SimulatedDevice]
    terminal: dict[str, Any] = {}
    """Settings of the virtual terminal, such as ``defects``."""


class BenchFile(_Part):
    """One bench."""

    name: Name
    about: str = ""
    cards: str = "../cards"
    impairments: str = "../impairments"
    timelines: str = "../timelines"
    test_pans: tuple[TestPans, ...] = Field(min_length=1)
    terminal: Terminal
    network: Network = Network()
    bearers: dict[Name, Bearer] = Field(min_length=1)
    ecr_link: Link | None = None
    attenuators: dict[Name, Attenuator] = {}
    paths: dict[Name, RfPath] = {}
    modem: Modem | None = None
    power: Power | None = None
    presenter: Presenter | None = None
    acquirer: Acquirer
    services: dict[Name, Services] = {}
    access_points: dict[Name, AccessPoint] = {}
    simulation: Simulation | None = None

    @property
    def watched(self) -> str | None:
        """The bearer whose signal the bench can read; None where it reads none."""
        if self.modem is None:
            return None
        attenuated = (name for name, b in self.bearers.items() if b.kind == "cellular" and b.path is not None)
        return self.modem.watches or next(attenuated, None)

    def terminal_address(self, link: str) -> str | None:
        """The terminal's IPv4 address on a bearer, or on ``ecr``; None where nobody knows it."""
        place = self.ecr_link if link == "ecr" else self.bearers[link]
        if place is not None and place.terminal_address is not None:
            return place.terminal_address
        if self.simulation is not None and link in self.simulation.segments:
            return self.simulation.segments[link].terminal_address.split("/")[0]
        return None

    @model_validator(mode="after")
    def _names_are_known(self) -> BenchFile:
        for name, path in self.paths.items():
            if path.attenuator not in self.attenuators:
                raise _WrongField(
                    f"{path.attenuator!r} is not among attenuators ({_listed(self.attenuators)})",
                    "paths", name, "attenuator",
                )  # fmt: skip
        for name, bearer in self.bearers.items():
            if bearer.path is not None and bearer.path not in self.paths:
                raise _WrongField(
                    f"{bearer.path!r} is not among paths ({_listed(self.paths)})", "bearers", name, "path"
                )
        for name in self.services:
            if name not in self.bearers:
                raise _WrongField(f"is not among bearers ({_listed(self.bearers)})", "services", name)
        self._check_access_points()
        if self.modem is not None and self.modem.watches not in (None, *self.bearers):
            raise _WrongField(
                f"{self.modem.watches!r} is not among bearers ({_listed(self.bearers)})", "modem", "watches"
            )
        if self.simulation is not None and self.network.isolation != "private":
            raise _WrongField("simulated devices need isolation: private", "network", "isolation")
        return self


    def _check_access_points(self) -> None:
        known = f"is not among access_points ({_listed(self.access_points)})"
        for name, bearer in self.bearers.items():
            if bearer.access_point is None:
                continue
            if bearer.access_point not in self.access_points:
                raise _WrongField(f"{bearer.access_point!r} {known}", "bearers", name, "access_point")
            carrier = self.access_points[bearer.access_point].carrier
            if bearer.interface != carrier or bearer.kind != "wifi":
                raise _WrongField(f"is kind wifi on {carrier}, as its access point", "bearers", name, "interface")
            if name in self.services and not self.services[name].standby:
                raise _WrongField("is needed beside an access point's dnsmasq", "services", name, "standby")
        for name, segment in self.simulation.segments.items() if self.simulation is not None else ():
            if segment.access_point is not None and segment.access_point not in self.access_points:
                raise _WrongField(f"{segment.access_point!r} {known}", "simulation", "segments", name, "access_point")


def load_bench(path: Path) -> BenchFile:
    """Read a bench file.

    Raises:
        CallerMistake: no such file, no YAML, or a field that is wrong; names the line and the field.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        known = ", ".join(sorted(str(p) for p in Path("fixtures/benches").glob("*.yaml")))
        raise CallerMistake(str(path), f"no bench file: {error}", f"there are: {known or 'none here'}") from error
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        raw = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: a date that no calendar has
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error)
        raise CallerMistake(f"{path}{line}", f"not YAML: {problem}", "mind indentation and quotes") from error
    if not isinstance(raw, dict):
        raise CallerMistake(str(path), "a bench file is a mapping of keys", "begin with: name: my-bench")
    for twice in _written_twice(node):
        # YAML would silently take the last one.
        raise CallerMistake(str(path), twice, "keep one of them")
    try:
        return BenchFile.model_validate(raw)
    except ValidationError as error:
        raise CallerMistake(str(path), _problems(error, node), "the fields are told in docs/bench-file.md") from error


def _problems(error: ValidationError, node: yaml.Node | None) -> str:
    lines = []
    for problem in error.errors(include_url=False):
        place = (*problem["loc"], *getattr(problem.get("ctx", {}).get("error"), "place", ()))
        field = ".".join(str(part) for part in place) or "the file"
        message = problem["msg"].removeprefix("Value error, ")
        lines.append(f"line {_line_of(node, place)}, {field}: {message}")
    return "; ".join(lines)


def _written_twice(node: yaml.Node | None, place: str = "") -> Iterator[str]:
    """Keys that one mapping has more than once, each with its second line."""
    if isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            yield from _written_twice(item, f"{place}{number}.")
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                yield f"line {key.start_mark.line + 1}, {place}{key.value}: written twice"
            if isinstance(key.value, str):
                seen.add(key.value)
            yield from _written_twice(value, f"{place}{key.value}.")


def _line_of(node: yaml.Node | None, location: tuple[int | str, ...]) -> int:
    """The line of the innermost node on the way to ``location`` that the file really has, from 1."""
    line = 1
    for part in location:
        if isinstance(node, yaml.MappingNode):
            pair = next(((k, v) for k, v in node.value if k.value == str(part)), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    return line
