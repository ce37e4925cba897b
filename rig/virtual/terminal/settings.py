"""The terminal's settings, read from the JSON file that its process is started with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from rig.errors import CallerMistake
from rig.virtual.terminal.defects import Defect, parse_defects
from rig.virtual.terminal.emv.setup import EmvSettings, read_emv
from rig.virtual.terminal.section import Section

Value = TypeVar("Value")


@dataclass(frozen=True)
class EcrAddress:
    """Where the cash register finds the terminal: a TCP address, or a serial port's name in the runtime folder."""

    tcp: tuple[str, int] | None = None
    serial: str | None = None
    link_ack_s: float = 5.0
    """T2 of a serial line: how long the link acknowledgement of a frame may take."""


@dataclass(frozen=True)
class HostAddress:
    """The acquirer's host and how long it may take; ``ca`` is a PEM file, ``server_name`` is verified,
    ``client_certificate`` (PEM, with its key) is shown to a host that asks for one.

    ``address`` is an IP address or a name, which the bearer's name server is asked for.
    """

    address: str
    port: int
    server_name: str
    ca: Path
    connect_timeout_s: float
    response_timeout_s: float
    client_certificate: Path | None = None


@dataclass(frozen=True)
class LineSetting:
    """A telephone line: the serial port of the modem, and the host's number.

    ``redials``: after BUSY or NO CARRIER, each after ``redial_pause_s``; ``answer_s``: how long a call may take to
    stand (S7); ``hold_s``: how long it stands for another exchange when one is over.
    """

    port: Path
    number: str
    redials: int = 1
    redial_pause_s: float = 0.5
    answer_s: int = 3
    hold_s: float = 2.0


@dataclass(frozen=True)
class BearerSetting:
    """A way to the host: its name, and the interface that sockets are bound to (``None``: any).

    ``server`` tells names and the time there; with ``dhcp`` the network says which one, and gives the address too.
    ``plain``: without TLS, as on private lines. ``address`` and ``port`` stand in for the host's own here. With a
    ``line`` it is a telephone line, which has none of the other things.
    """

    name: str
    interface: str | None
    server: str | None = None
    dhcp: bool = False
    plain: bool = False
    address: str | None = None
    port: int | None = None
    line: LineSetting | None = None


@dataclass(frozen=True)
class Settings:
    """Everything a terminal is told when it is installed. Times are seconds, paths absolute, amounts minor units.

    ``slot`` is the chip slot's socket and ``stripe`` the magnetic head's serial port, where it has them;
    ``floor_limit`` is what a contact card may approve without the host. ``dialect`` is what the host speaks,
    ``master_key`` the key under which it gives session keys, where the dialect has use for them; ``resumes_sessions``:
    a TLS session of the host is used again until the power goes.
    """

    name: str
    runtime: Path
    journals: Path
    redaction: Path
    disk: Path
    ecr: EcrAddress
    reader: Path
    slot: Path | None
    stripe: Path | None
    floor_limit: int
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
    dialect: str = "ascii-1987"
    resumes_sessions: bool = False
    master_key: bytes | None = field(default=None, repr=False)
    emv: EmvSettings = field(default_factory=EmvSettings)


def read_settings(config: Mapping[str, Any]) -> Settings:
    """Check a configuration and make settings of it.

    Raises:
        CallerMistake: a setting is missing or wrong; the message names it.
    """
    top = Section(config)
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
        slot=_made(top, "slot", runtime),
        stripe=_made(top, "stripe", runtime),
        floor_limit=top.amount("floor_limit", 0),
        host=_host(top.section("host")),
        bearers=_bearers(top.get("bearers", list), runtime),
        terminal_id=top.digits("terminal_id", 8),
        merchant_id=merchant,
        currency=top.digits("currency", 3),
        card_timeout_s=top.seconds("card_timeout_s", 30.0),
        ecr_ack_timeout_s=top.seconds("ecr_ack_timeout_s", 5.0),
        reversal_retry_s=top.seconds("reversal_retry_s", 0.5),
        time_from_network=top.get("time_from_network", bool, False),
        print_via_ecr=top.get("print_via_ecr", bool, True),
        defects=parse_defects(top.get("defects", list, [])),
        dialect=top.get("dialect", str, "ascii-1987"),
        resumes_sessions=top.get("resumes_sessions", bool, False),
        master_key=_master_key(top),
        emv=read_emv(top),
    )


def _master_key(top: Section) -> bytes | None:
    """The key that was injected for this terminal's id, where there is a file of them."""
    if not top.has("injected_keys"):
        return None
    path = Path(top.get("injected_keys", str))
    try:
        return bytes.fromhex(json.loads(path.read_text())[top.digits("terminal_id", 8)]["master"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CallerMistake("terminal setting injected_keys", f"{path}: {error}", "name a file of keys") from None


def _made(top: Section, key: str, runtime: Path) -> Path | None:
    """A place in the runtime folder that the terminal makes, where it is asked for."""
    return _inside(runtime, key, top.get(key, str)) if top.has(key) else None


def _inside(runtime: Path, setting: str, name: str) -> Path:
    if name != Path(name).name or name in ("", ".", ".."):
        raise CallerMistake(f"terminal setting {setting}", f"is {name!r}", "it is a name in the runtime folder")
    return runtime / name


def _ecr(section: Section) -> EcrAddress:
    if section.has("serial"):
        return EcrAddress(serial=section.get("serial", str), link_ack_s=section.seconds("link_ack_s", 5.0))
    tcp = section.get("tcp", list)
    match tcp:
        case [str(host), int(port)] if 0 <= port < 65536 and host not in ("", "0.0.0.0", "::"):
            return EcrAddress(tcp=(host, port))
    raise CallerMistake("terminal setting ecr.tcp", f"is {tcp!r}", 'write ["10.64.9.2", 20007]: never all addresses')


def _host(section: Section) -> HostAddress:
    return HostAddress(
        address=section.get("address", str),
        port=section.get("port", int),
        server_name=section.get("server_name", str),
        ca=Path(section.get("ca", str)),
        connect_timeout_s=section.seconds("connect_timeout_s", 3.0),
        response_timeout_s=section.seconds("response_timeout_s", 5.0),
        client_certificate=Path(shown) if (shown := section.get("client_certificate", str, "")) else None,
    )


def _bearers(raw: list[Any], runtime: Path) -> tuple[BearerSetting, ...]:
    bearers = []
    for each in raw:
        section = Section(each, "bearers.")
        bearers.append(
            BearerSetting(
                section.get("name", str),
                interface=_optional(each, section, "interface", str),
                server=_optional(each, section, "server", str),
                dhcp=section.get("dhcp", bool, False),
                plain=section.get("plain", bool, False),
                address=_optional(each, section, "address", str),
                port=_optional(each, section, "port", int),
                line=_line(section.section("line"), runtime) if section.has("line") else None,
            )
        )
    if not bearers:
        raise CallerMistake("terminal setting bearers", "is empty", 'write [{"name": "wifi", "interface": "wlan0"}]')
    return tuple(bearers)


def _optional(raw: Mapping[str, Any], section: Section, key: str, kind: type[Value]) -> Value | None:
    return None if raw.get(key) is None else section.get(key, kind)


def _line(section: Section, runtime: Path) -> LineSetting:
    number = section.get("number", str)
    if not number or set(number) - set("0123456789*#,"):
        raise CallerMistake("terminal setting bearers.line.number", f"is {number!r}", "digits, * and #, a comma waits")
    answer_s = section.amount("answer_s", LineSetting.answer_s)
    if not 1 <= answer_s <= 255:
        raise CallerMistake("terminal setting bearers.line.answer_s", f"is {answer_s}", "1 to 255 s")
    return LineSetting(
        port=_inside(runtime, "bearers.line.port", section.get("port", str)),
        number=number,
        redials=section.amount("redials", LineSetting.redials),
        redial_pause_s=section.seconds("redial_pause_s", LineSetting.redial_pause_s),
        answer_s=answer_s,
        hold_s=section.seconds("hold_s", LineSetting.hold_s),
    )
