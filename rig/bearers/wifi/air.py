"""An access point as hostapd tells of it: cells, stations, events; and the few steps that all actions are made of."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

from rig.bearers.wifi.config import KEY_MANAGEMENT, Network, Security, security_settings
from rig.bearers.wifi.control import Control
from rig.bearers.wifi.happenings import Happenings
from rig.bearers.wifi.nl80211 import station_figures
from rig.bearers.wifi.station import Station, parse_station
from rig.errors import DeviceClamped, RigError

Note = Callable[..., object]

_ENABLE_S = 15.0
"""A radio waits for its country's rules, which may take seconds."""
_UP_OR_NOT = ("AP-ENABLED", "INTERFACE-DISABLED")


class Air:
    """What is in the air, through the controls of all cells.

    Args:
        name: of the access point, for errors and events.
        network: what it is.
        controls: interface of each cell → its control.
        note: gets ``wifi_event`` (what hostapd told) and ``station`` (a :class:`Station`).

    Raises:
        BenchTrouble: hostapd is gone, mute, or talks nonsense; every method raises it.
    """

    def __init__(self, name: str, network: Network, controls: Mapping[str, Control], note: Note) -> None:
        self.controls = dict(controls)
        self.happenings = Happenings()
        self._name = name
        self._network = network
        self._note = note
        for cell, control in self.controls.items():
            control.attach(lambda event, cell=cell: self._heard(cell, event))  # type: ignore[misc]

    def close(self) -> None:
        """Let go of hostapd; what was set stays set."""
        for control in self.controls.values():
            control.close()

    def stations(self) -> list[Station]:
        """Everybody who is on it now, in all its cells."""
        return [station for cell in self.controls for station in self._stations_of(cell)]

    def connected(self) -> list[str]:
        """The addresses of the stations that may send data."""
        return [station.mac for station in self.stations() if station.authorized]

    def sample(self) -> None:
        """Write a ``station`` event for everybody who is on it."""
        for station in self.stations():
            self._note("station", access_point=self._name, **station.to_dict())

    def cell(self, interface: str) -> dict[str, Any]:
        """A cell's ``state`` (``ENABLED``, ``DISABLED`` …), ``mhz``, ``bssid``, ``security``, as hostapd has them."""
        status = self.controls[interface].facts("STATUS")
        config = self.controls[interface].facts("GET_CONFIG")
        security = Security.OPEN
        if config.get("wpa", "0") != "0":
            keys = config.get("key_mgmt", "").split()
            security = next((s for s, name in KEY_MANAGEMENT.items() if name in keys), Security.WPA2)
        return {
            "state": status.get("state", "UNKNOWN"),
            "mhz": int(status.get("freq", "0")),
            "bssid": config.get("bssid", ""),
            "security": str(security),
        }

    def read(self) -> dict[str, Any]:
        """``cells``, as :meth:`cell` has them, and the addresses of the ``stations``."""
        return {"cells": {cell: self.cell(cell) for cell in self.controls}, "stations": self.connected()}

    def disable(self) -> None:
        """Every radio off the air.

        Raises:
            DeviceClamped: one still is on it.
        """
        for cells in self._network.radios:
            interface = cells[0].interface
            if self._state(interface) != "DISABLED":
                self.controls[interface].do("DISABLE", _ENABLE_S)
            self._require_state(interface, "DISABLED")

    def enable(self) -> None:
        """Every radio on the air.

        Raises:
            DeviceClamped: one is not.
        """
        for cells in self._network.radios:
            interface = cells[0].interface
            if self._state(interface) == "ENABLED":
                continue
            since = self.happenings.now()
            self.controls[interface].do("ENABLE", _ENABLE_S)
            if self._state(interface) != "ENABLED":
                self.happenings.wait_for(since, lambda told: any(each.word in _UP_OR_NOT for each in told), _ENABLE_S)
            self._require_state(interface, "ENABLED")

    def set(self, network: Network) -> None:
        """Security, key and channels, of which all but the first channel need :meth:`disable` before and
        :meth:`enable` after.
        """
        for cells in network.radios:
            for cell in cells:
                for key, value in security_settings(network):
                    self.controls[cell.interface].do(f"SET {key} {value}")
            self.controls[cells[0].interface].do(f"SET channel {cells[0].channel}")

    def require_security(self, wanted: Security) -> None:
        """See that every cell has it.

        Raises:
            DeviceClamped: one has another.
        """
        for cell in self.controls:
            if (found := self.cell(cell)["security"]) != wanted:
                raise self.clamped(f"{cell} was set to {wanted} and reads back {found}")

    def clamped(self, what: str) -> DeviceClamped:
        """What to raise where something else reads back."""
        return DeviceClamped(f"access point {self._name}", what, "see hostapd's log; who else drives it?")

    def _state(self, interface: str) -> str:
        return self.controls[interface].facts("STATUS").get("state", "UNKNOWN")

    def _require_state(self, interface: str, wanted: str) -> None:
        if (found := self._state(interface)) != wanted:
            raise self.clamped(f"{interface} should be {wanted} and is {found}")

    def _stations_of(self, cell: str) -> list[Station]:
        control = self.controls[cell]
        found: list[Station] = []
        station = parse_station(control.ask("STA-FIRST"), cell)
        while station is not None:
            found.append(station)
            station = parse_station(control.ask(f"STA-NEXT {station.mac}"), cell)
        figures: Mapping[str, Mapping[str, int]] = {}
        if found:
            with contextlib.suppress(RigError):  # hostapd's figures alone will do
                figures = station_figures(cell)
        return [each.with_kernel(figures.get(each.mac, {})) for each in found]

    def _heard(self, cell: str, text: str) -> None:
        happening = self.happenings.add(cell, text)
        self._note("wifi_event", access_point=self._name, cell=cell, event=text)
        if happening.word == "AP-STA-CONNECTED":
            with contextlib.suppress(RigError):
                self.sample()
