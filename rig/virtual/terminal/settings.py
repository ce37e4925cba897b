"""The terminal's settings, read from the JSON file that its process is started with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from rig.errors import CallerMistake
from rig.virtual.terminal.defects import Defect, parse_defects

Setting = TypeVar("Setting")


@dataclass(frozen=True)
class EcrAddress:
    """Where the cash register finds the terminal: a TCP address, or a serial port's name in the runtime folder."""

    tcp: tuple[str, int] | None = None
    serial: str | None = None
    link_ack_s: float = 5.0
    """T2 of a serial line: how long the link acknowledgement of a frame may take."""


@dataclass(frozen=True)
class HostAddress:
    """The acquirer's host and how long it may take; ``ca`` is a PEM file, ``server_name`` is verified.

    ``address`` is an IP address or a name, which the bearer's name server is asked for.
    """

    address: str
    port: int
    server_name: str
    ca: Path
    connect_timeout_s: float
    response_timeout_s: float


@dataclass(frozen=True)
class BearerSetting:
    """A way to the host: its name, and the interface that sockets are bound to (``None``: any).

    ``server`` tells names and the time there; with ``dhcp`` the network says which one, and gives the address too.
    """

    name: str
    interface: str | None
    server: str | None = None
    dhcp: bool = False


@dataclass(frozen=True)
class Settings:
    """Everything a terminal is told when it is installed. Times are seconds, paths absolute."""

    name: str
    runtime: Path
    journals: Path
    redaction: Path
    disk: Path
    ecr: EcrAddress
    reader: Path
    host: HostAddress
    bearers: tuple[BearerSetting, ...]
    terminal_id: str
    merchant_id: str
    currency: str
    card_timeout_s: float
    ecr_ack_timeout_s: float
    reversal_retry_s: float
    time_from_network: bool
    print_via_ecr: bool
    defects: frozenset[Defect]


class _Section:
    """One object of the JSON file, which knows its place for the error messages."""

    def __init__(self, raw: object, place: str = "") -> None:
        if not isinstance(raw, Mapping):
            raise CallerMistake(f"terminal setting {place or 'file'}", "is not an object", "write {…}")
        self._raw: Mapping[str, Any] = raw
        self._place = place

    def get(self, key: str, kind: type[Setting], default: Setting | None = None) -> Setting:
        """A value of this type; without a default it must be there."""
        value = self._raw.get(key, default)
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if value is None or not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            found = "is missing" if value is None else f"is {value!r}"
            raise CallerMistake(f"terminal setting {self._place}{key}", found, f"it is a {kind.__name__}")
        return value

    def seconds(self, key: str, default: float | None = None) -> float:
        """A time above zero."""
        value = self.get(key, float, default)
        if value <= 0:
            raise CallerMistake(f"terminal setting {self._place}{key}", f"is {value}", "a time is above zero")
        return value

    def digits(self, key: str, length: int) -> str:
        """A number written with exactly so many digits."""
        value = self.get(key, str)
        if len(value) != length or not (value.isascii() and value.isdigit()):
            raise CallerMistake(f"terminal setting {self._place}{key}", f"is {value!r}", f"it has {length} digits")
        return value

    def section(self, key: str) -> _Section:
        """An object inside this one."""
        return _Section(self._raw.get(key), f"{self._place}{key}.")

    def has(self, key: str) -> bool:
        """Whether the key is there at all."""
        return key in self._raw


def read_settings(config: Mapping[str, Any]) -> Settings:
    """Check a configuration and make settings of it.

    Raises:
        CallerMistake: a setting is missing or wrong; the message names it.
    """
    top = _Section(config)
    runtime = Path(top.get("runtime", str))
    merchant = top.get("merchant_id", str)
    if len(merchant) != 15 or not merchant.isascii():
        raise CallerMistake("terminal setting merchant_id", f"is {merchant!r}", "it has 15 characters")
    return Settings(
        name=top.get("name", str),
        runtime=runtime,
        journals=Path(top.get("journals", str)),
        redaction=Path(top.get("redaction", str)),
        disk=Path(top.get("disk", str)),
        ecr=_ecr(top.section("ecr")),
        reader=runtime / top.get("reader", str, "reader.tty"),
        host=_host(top.section("host")),
        bearers=_bearers(top.get("bearers", list)),
        terminal_id=top.digits("terminal_id", 8),
        merchant_id=merchant,
        currency=top.digits("currency", 3),
        card_timeout_s=top.seconds("card_timeout_s", 30.0),
        ecr_ack_timeout_s=top.seconds("ecr_ack_timeout_s", 5.0),
        reversal_retry_s=top.seconds("reversal_retry_s", 0.5),
        time_from_network=top.get("time_from_network", bool, False),
        print_via_ecr=top.get("print_via_ecr", bool, True),
        defects=parse_defects(top.get("defects", list, [])),
    )


def _ecr(section: _Section) -> EcrAddress:
    if section.has("serial"):
        return EcrAddress(serial=section.get("serial", str), link_ack_s=section.seconds("link_ack_s", 5.0))
    tcp = section.get("tcp", list)
    match tcp:
        case [str(host), int(port)] if 0 <= port < 65536 and host not in ("", "0.0.0.0", "::"):
            return EcrAddress(tcp=(host, port))
    raise CallerMistake("terminal setting ecr.tcp", f"is {tcp!r}", 'write ["10.64.9.2", 20007]: never all addresses')


def _host(section: _Section) -> HostAddress:
    return HostAddress(
        address=section.get("address", str),
        port=section.get("port", int),
        server_name=section.get("server_name", str),
        ca=Path(section.get("ca", str)),
        connect_timeout_s=section.seconds("connect_timeout_s", 3.0),
        response_timeout_s=section.seconds("response_timeout_s", 5.0),
    )


def _bearers(raw: list[Any]) -> tuple[BearerSetting, ...]:
    bearers = []
    for each in raw:
        section = _Section(each, "bearers.")
        interface = None if each.get("interface") is None else section.get("interface", str)
        server = None if each.get("server") is None else section.get("server", str)
        dhcp = section.get("dhcp", bool, False)
        bearers.append(BearerSetting(section.get("name", str), interface, server, dhcp))
    if not bearers:
        raise CallerMistake("terminal setting bearers", "is empty", 'write [{"name": "wifi", "interface": "wlan0"}]')
    return tuple(bearers)
