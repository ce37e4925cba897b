"""An access point of the bench's own."""

from __future__ import annotations

import ipaddress
from typing import Literal

from pydantic import model_validator

from rig.bearers.wifi.config import Cell as WifiCell
from rig.bearers.wifi.config import Network as WifiNetwork
from rig.bearers.wifi.config import Security
from rig.bench.parts.base import HardwareAddress, Part, Seconds, WrongField
from rig.bench.parts.network import Pool
from rig.errors import CallerMistake


class Cell(Part):
    """A further cell of an access point's network: with a channel on a radio of its own, else on the same radio."""

    interface: str
    channel: int | None = None


class AccessPoint(Part):
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
    station: HardwareAddress | None = None
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
            raise WrongField(f"{error.what}; {error.cure}", error.device) from error
        try:
            network = ipaddress.IPv4Interface(self.address).network
            pool = [ipaddress.IPv4Address(each) for each in (self.dhcp.first, self.dhcp.last)] if self.dhcp else []
        except ValueError as error:
            raise WrongField(f"{error}; write such as 10.64.1.1/24", "address") from error
        if any(each not in network for each in pool):
            raise WrongField(f"is not in {network}", "dhcp")
        if self.dhcp is not None and not self.dnsmasq:
            raise WrongField("is given out by dnsmasq, which is not wanted", "dhcp")
        return self
