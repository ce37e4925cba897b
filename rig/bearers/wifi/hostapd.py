"""hostapd as our own child: one process for all radios of an access point."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rig.bearers.wifi.child import Child
from rig.bearers.wifi.config import Network, hostapd_config
from rig.bearers.wifi.control import Control

_START_S = 15.0
"""A radio waits for its country's rules, which may take seconds."""


class Hostapd:
    """The daemon of one access point.

    Args:
        name: of the access point, for errors.
        network: what it is.
        folder: where its configuration goes, readable by its owner alone; the control sockets too.
        log: what it says.

    Raises:
        DeviceGone: hostapd is not installed.
    """

    def __init__(self, name: str, network: Network, folder: Path, log: Path) -> None:
        self._name = name
        self._network = network
        self._sockets = folder / f"{name}-hostapd"
        configs = []
        for cells in network.radios:
            config = folder / f"{name}-{cells[0].interface}.conf"
            config.touch(mode=0o600)
            config.write_text(hostapd_config(network, cells, self._sockets))
            configs.append(str(config))
        # Its log goes through stdio, which would keep lines back on a pipe; a log file it writes line by line.
        self._child = Child(
            f"hostapd of {name}", "hostapd", ["-f", "/proc/self/fd/1", *configs], log, lambda _line: None
        )

    @property
    def pid(self) -> int | None:
        """Its process id, while it lives."""
        return self._child.pid

    def start(self) -> dict[str, Control]:
        """Start it and wait until every radio is on the air; returns the control of each cell by its interface.

        Raises:
            DeviceGone: it ended; the message has its last words.
            DeviceMute: a radio did not come up in time.
        """
        self._child.start(_all_up({cells[0].interface for cells in self._network.radios}), _START_S)
        return attach(self._name, self._network, self._sockets)

    def stop(self) -> None:
        """Off the air, and ended."""
        self._child.stop()


def attach(name: str, network: Network, sockets: Path) -> dict[str, Control]:
    """The controls of a hostapd that runs, whoever started it.

    Raises:
        DeviceGone: it does not serve a cell's interface there.
    """
    return {
        cell.interface: Control(sockets / cell.interface, f"access point {name}, {cell.interface}")
        for cell in network.cells
    }


def _all_up(waiting: set[str]) -> Callable[[str], bool]:
    """Tells from hostapd's lines whether every radio is on the air."""

    def ready(line: str) -> bool:
        for interface in list(waiting):
            if f"{interface}: AP-ENABLED" in line:
                waiting.discard(interface)
        return not waiting

    return ready
