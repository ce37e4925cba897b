"""The links of a bench, who degrades them, and the servers on them."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Literal

from pydantic import Field, model_validator

from rig.bench.parts.base import HardwareAddress, Ipv4Address, Name, Part, Seconds, WrongField

BearerKind = Literal["wifi", "cellular", "ethernet", "private", "dial-up", "bluetooth"]


class Network(Part):
    """Where the bench's processes live, and how links are degraded."""

    isolation: Literal["private", "host"] = "host"
    """``private``: in a network namespace of the bench's own, away from everything else."""
    backend: Literal["auto", "netem", "user-space link"] = "auto"
    start_limit_s: Seconds = 20.0
    """How long the bench's processes may take to come up."""


class Link(Part):
    """Where a link can be degraded: the bench-side interface that carries it."""

    interface: str
    terminal_address: Ipv4Address | None = None
    """The terminal's IPv4 address on it, for probes; a simulated segment tells its own."""
    station: HardwareAddress | None = None
    """The terminal's MAC address, where others share the interface: only this one's packets are degraded then."""


class Answering(Part):
    """How the bench answers the terminal's calls: the modem at the bearer's ``interface``, a serial port."""

    baud: Annotated[int, Field(ge=300, le=921_600)] = 115_200
    """The speed of the serial line to the modem, not of the call."""
    loop: Name | None = None
    """The relay that lies in the terminal's line: open, there is no dial tone."""
    framing: Literal["checked", "plain"] = "checked"
    """How messages lie in a call: in frames with a check, or as on TCP, behind two bytes of length."""


class Base(Part):
    """What software can do to a Bluetooth base, or to a telephone that the terminal is tethered to."""

    power: Name | None = None
    """The relay of its supply."""
    pairing: Name | None = None
    """The relay beside its key for pairing; open, the key is pressed."""
    forget_s: Seconds = 6.0
    """How long the key is held until the base has forgotten all terminals."""
    pair_s: Seconds = 0.5
    """How long it is pressed to let terminals pair."""
    boot_s: Seconds = 20.0
    """How long the base needs from its supply until its key means something."""


class SwitchPort(Part):
    """The port of a managed switch that a terminal's cable is in."""

    switch: Name
    port: Annotated[int, Field(ge=1, le=4096)]


class Bearer(Link):
    """A way of the terminal to its host."""

    kind: BearerKind
    path: Name | None = None
    """The RF path that attenuates it."""
    access_point: Name | None = None
    """The access point of the bench's own that it is."""
    plugged: SwitchPort | None = None
    """Where its cable is plugged in; for ``ethernet``."""
    answering: Answering | None = None
    """How its calls are answered; for ``dial-up``, whose ``interface`` is the modem's serial port."""
    base: Base | None = None
    """For ``bluetooth``."""
    plain: bool = False
    """The terminal speaks without TLS here, as on many private lines; to ``acquirer.plain_port``."""

    @property
    def has_packets(self) -> bool:
        """Whether its ``interface`` is one of the network; a telephone line has none."""
        return self.kind != "dial-up"

    @model_validator(mode="after")
    def _is_of_its_kind(self) -> Bearer:
        for field, kind in (("plugged", "ethernet"), ("answering", "dial-up"), ("base", "bluetooth")):
            if getattr(self, field) is not None and self.kind != kind:
                raise WrongField(f"is for kind {kind}, and this one is {self.kind}", field)
        if self.kind == "dial-up" and self.answering is None:
            raise WrongField("is required for kind dial-up: write answering: {baud: 115200}", "answering")
        return self


class Pool(Part):
    """The addresses that the bench's DHCP server gives out on a bearer."""

    first: str
    last: str
    lease_s: Annotated[int, Field(ge=2, le=604_800)] = 3600


class Services(Part):
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
            raise WrongField(f"{error}; write such as 10.64.1.1/24", "address") from error
        for name in ("first", "last") if self.dhcp is not None else ():
            try:
                inside = ipaddress.IPv4Address(getattr(self.dhcp, name)) in network
            except ValueError as error:
                raise WrongField(str(error), "dhcp", name) from error
            if not inside:
                raise WrongField(f"is not in {network}", "dhcp", name)
        return self
