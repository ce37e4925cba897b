"""What an access point is: its network, its cells, and what hostapd is told of them.

A cell is one BSS: an interface of a radio that beacons. A cell with a channel has a radio of its own; one without
shares the radio of the cell before it, and hostapd makes its interface.

Source of the keys: hostapd's ``hostapd.conf`` example (https://w1.fi/cgit/hostap/plain/hostapd/hostapd.conf).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from rig.bearers.wifi.channels import operating_class
from rig.errors import CallerMistake

_INTERFACE = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$")


class Security(StrEnum):
    """How stations prove that they belong here."""

    OPEN = "open"
    """They do not."""
    WPA2 = "wpa2"
    """By a passphrase: WPA2-Personal (RSN with PSK and CCMP)."""
    WPA3 = "wpa3"
    """By a passphrase: WPA3-Personal (SAE), with protected management frames."""


KEY_MANAGEMENT = {Security.WPA2: "WPA-PSK", Security.WPA3: "SAE"}


@dataclass(frozen=True)
class Cell:
    """One BSS.

    Attributes:
        interface: its name; of a radio of its own the machine has it, else hostapd makes it.
        channel: of its own radio; None: it shares the radio of the cell before it.
    """

    interface: str
    channel: int | None = None


@dataclass(frozen=True)
class Network:
    """An access point, or several that are one network.

    Attributes:
        ssid: the network's name, 1 to 32 bytes.
        security: how stations prove that they belong here.
        passphrase: 8 to 63 printable ASCII characters; empty for an open network.
        country: two letters, which decide over channels and power.
        cells: its BSSs; the first has a channel.
        bridge: the interface that joins the cells; None for a single one.

    Raises:
        CallerMistake: a value that hostapd or the air does not allow.
    """

    ssid: str
    security: Security
    passphrase: str
    country: str
    cells: tuple[Cell, ...]
    bridge: str | None = None

    def __post_init__(self) -> None:
        if not 1 <= len(self.ssid.encode()) <= 32:
            raise CallerMistake("ssid", f"{self.ssid!r} has no length of 1 to 32 bytes", "give another name")
        if self.security is not Security.OPEN:
            check_passphrase(self.passphrase)
        if not re.match(r"^[A-Z]{2}$", self.country):
            raise CallerMistake("country", f"{self.country!r} is no country", "two capital letters, such as DE")
        if not self.cells or self.cells[0].channel is None:
            raise CallerMistake("channel", "the first cell has none", "give its channel")
        if len(self.cells) > 1 and self.bridge is None:
            raise CallerMistake("bridge", "several cells are joined by none", "name one, such as br-wifi")
        for cell in self.cells:
            if not _INTERFACE.match(cell.interface):
                raise CallerMistake("interface", f"{cell.interface!r} cannot be one", "15 letters, digits, . _ -")
            if cell.channel is not None:
                operating_class(cell.channel)

    @property
    def radios(self) -> tuple[tuple[Cell, ...], ...]:
        """The cells, radio by radio; the first of each has the channel."""
        radios: list[list[Cell]] = []
        for cell in self.cells:
            if cell.channel is not None:
                radios.append([])
            radios[-1].append(cell)
        return tuple(tuple(cells) for cells in radios)

    def channel_of(self, cell: Cell) -> int:
        """The channel of a cell's radio."""
        channel = next(cells[0].channel for cells in self.radios if cell in cells)
        assert channel is not None
        return channel

    def secured(self, security: Security) -> Network:
        """The same network with another security."""
        return replace(self, security=security)


def check_passphrase(passphrase: str) -> None:
    """See that it can be one.

    Raises:
        CallerMistake: it has not 8 to 63 printable ASCII characters. The message does not show it.
    """
    if not 8 <= len(passphrase) <= 63 or not all(" " <= letter <= "~" for letter in passphrase):
        raise CallerMistake("passphrase", "is none", "8 to 63 printable ASCII characters")


def security_settings(network: Network) -> list[tuple[str, str]]:
    """The keys and values of hostapd that make the security; all of them, so that they can be set over any others."""
    if network.security is Security.OPEN:
        return [("wpa", "0"), ("ieee80211w", "0")]
    return [
        ("wpa", "2"),
        ("wpa_key_mgmt", KEY_MANAGEMENT[network.security]),
        ("rsn_pairwise", "CCMP"),
        ("ieee80211w", "2" if network.security is Security.WPA3 else "0"),
        ("wpa_passphrase", network.passphrase),
    ]


def hostapd_config(network: Network, cells: Sequence[Cell], control: Path) -> str:
    """The configuration file of one radio.

    Args:
        network: the network.
        cells: the radio's cells.
        control: the folder of the control sockets.
    """
    first = cells[0]
    assert first.channel is not None
    radio = [
        ("interface", first.interface),
        ("driver", "nl80211"),
        ("country_code", network.country),
        ("ieee80211d", "1"),
        ("hw_mode", "g" if first.channel < 15 else "a"),
        ("channel", str(first.channel)),
        ("ieee80211n", "1"),
    ]
    blocks = [radio + _cell(network, control)]
    blocks += [[("bss", cell.interface), *_cell(network, control)] for cell in cells[1:]]
    return "\n\n".join("\n".join(f"{key}={value}" for key, value in block) for block in blocks) + "\n"


def _cell(network: Network, control: Path) -> list[tuple[str, str]]:
    return [
        *([("bridge", network.bridge)] if network.bridge is not None else []),
        ("ctrl_interface", str(control)),
        ("ssid2", network.ssid.encode().hex()),  # as bytes: nothing in a name can become another setting
        ("auth_algs", "1"),
        ("wmm_enabled", "1"),
        ("bss_transition", "1"),  # IEEE 802.11v: a station can be asked to roam
        ("rrm_neighbor_report", "1"),  # IEEE 802.11k
        *security_settings(network),
        *([("sae_pwe", "2")] if network.security is Security.WPA3 else []),  # old and new way to the password element
    ]
