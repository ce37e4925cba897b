"""dnsmasq as our own child: names and addresses for the stations of an access point.

It answers on the access point's interface and nowhere else, asks no other server, and knows the host's name alone.

Source of the options: the manual page dnsmasq(8) (https://thekelleys.org.uk/dnsmasq/docs/dnsmasq-man.html).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rig.bearers.wifi.child import Child
from rig.errors import CallerMistake

_START_S = 10.0
_GRANTED = re.compile(r"DHCPACK\([^)]*\) (?P<address>\S+) (?P<mac>[0-9a-f:]{17})")
_HOST_NAME = re.compile(r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$")

Note = Callable[..., object]


@dataclass(frozen=True)
class Serving:
    """What is served.

    Attributes:
        interface: where; the bridge, where there is one.
        address: the bench's own address there, with prefix length: router, name server and time server.
        first: the first address of the pool; None where no addresses are given out.
        last: the last one.
        lease_s: how long a lease lasts; dnsmasq knows nothing shorter than 120.
        names: name → address.

    Raises:
        CallerMistake: an address or a name is none, or the pool is not in the network.
    """

    interface: str
    address: ipaddress.IPv4Interface
    first: ipaddress.IPv4Address | None = None
    last: ipaddress.IPv4Address | None = None
    lease_s: int = 3600
    names: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, address in self.names.items():
            if not _HOST_NAME.match(name):
                raise CallerMistake("names", f"{name!r} is no host name", "letters, digits, hyphens and dots")
            try:
                ipaddress.IPv4Address(address)
            except ValueError as error:
                raise CallerMistake("names", f"{name}: {error}", "an IPv4 address") from error
        if self.first is None or self.last is None:
            return
        network = self.address.network
        if self.first not in network or self.last not in network or not self.first <= self.last:
            raise CallerMistake("dhcp", f"{self.first} to {self.last} is no pool in {network}", "first, then last")


@dataclass(frozen=True, slots=True)
class Lease:
    """An address that a station holds; ``until`` is wall time in seconds."""

    mac: str
    address: str
    until: int


def dnsmasq_config(serving: Serving, leases: Path, pid: Path) -> str:
    """The configuration file."""
    lines = [
        "keep-in-foreground",
        "log-facility=-",
        "user=root",  # whoever changes its user or group is no longer told when its parent dies (prctl(2))
        "group=root",
        f"pid-file={pid}",
        f"interface={serving.interface}",
        "except-interface=lo",
        "bind-dynamic",  # that interface alone, also after it was gone for a while
        "no-resolv",
        "no-hosts",
        "no-poll",
        "cache-size=0",
        "log-queries",
        "local=/#/",  # what is not known here does not exist
    ]
    lines += [f"host-record={name},{address}" for name, address in serving.names.items()]
    if serving.first is not None and serving.last is not None:
        own = serving.address.ip
        lines += [
            f"dhcp-range={serving.first},{serving.last},{serving.address.netmask},{serving.lease_s}s",
            f"dhcp-leasefile={leases}",
            "dhcp-authoritative",
            "no-ping",  # it would hold every offer back for seconds, to see that nobody has the address
            "log-dhcp",
            *(f"dhcp-option=option:{name},{own}" for name in ("router", "dns-server", "ntp-server")),
        ]
    return "\n".join(lines) + "\n"


class Dnsmasq:
    """The server of one access point. It can be stopped, so that another takes its place, and started again.

    Args:
        name: of the access point, for errors and events.
        serving: what is served.
        folder: where its files go.
        log: what it says.
        note: gets ``lease`` for every address that was granted.

    Raises:
        DeviceGone: dnsmasq is not installed.
    """

    def __init__(self, name: str, serving: Serving, folder: Path, log: Path, note: Note) -> None:
        self._name = name
        self._note = note
        self._leases = folder / f"{name}.leases"
        config = folder / f"{name}-dnsmasq.conf"
        config.write_text(dnsmasq_config(serving, self._leases, folder / f"{name}-dnsmasq.pid"))
        self._child = Child(f"dnsmasq of {name}", "dnsmasq", ["-C", str(config)], log, self._heard)

    @property
    def runs(self) -> bool:
        """Whether it serves now."""
        return self._child.runs

    def start(self) -> None:
        """Serve; nothing happens where it does already.

        Raises:
            DeviceGone: it ended; the message has its last words.
        """
        if not self._child.runs:
            self._child.start(lambda line: "started, version" in line, _START_S)

    def stop(self) -> None:
        """Let go of its ports. Leases are kept."""
        self._child.stop()

    def leases(self) -> list[Lease]:
        """Who holds which address now."""
        return read_leases(self._leases.read_text()) if self._leases.exists() else []

    def _heard(self, line: str) -> None:
        if found := _GRANTED.search(line):
            self._note("lease", access_point=self._name, **found.groupdict())


def read_leases(text: str) -> list[Lease]:
    """Read dnsmasq's lease file: ``expiry MAC address name client-id`` a line."""
    fields = (line.split() for line in text.splitlines())
    return [Lease(each[1], each[2], int(each[0])) for each in fields if len(each) >= 3 and each[0].isdigit()]
