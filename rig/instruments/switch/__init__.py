"""A port of a managed switch: taken down and up, and deprived of its power (PoE) where it gives some.

.. code-block:: yaml

    switches:
      desk: {driver: snmp, address: 192.168.20.40, settings: {community: …}}
    bearers:
      ethernet: {kind: ethernet, interface: enp3s0, plugged: {switch: desk, port: 7}}
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rig.errors import CallerMistake
from rig.instruments.switch.http import HttpPort
from rig.instruments.switch.http import check as check_http
from rig.instruments.switch.port import PortState, SwitchPort
from rig.instruments.switch.snmp import SnmpPort
from rig.instruments.switch.snmp import check as check_snmp
from rig.instruments.transcript import Observe, unobserved

__all__ = ["PortState", "SwitchPort", "check_settings", "open_switch_port", "restored_port"]

_DRIVERS: Mapping[str, tuple[Callable[..., SwitchPort], Callable[[Mapping[str, Any]], object]]] = {
    "snmp": (SnmpPort, check_snmp),
    "http": (HttpPort, check_http),
}


def check_settings(driver: str, settings: Mapping[str, Any]) -> None:
    """See that a driver would take these settings, without touching anything.

    Raises:
        CallerMistake: it would not; names the setting.
    """
    _DRIVERS[_known(driver)][1](settings)


def open_switch_port(
    driver: str, address: str, port: int, settings: Mapping[str, Any], *, name: str, observe: Observe = unobserved
) -> SwitchPort:
    """Open one port of a switch, and see that the switch answers.

    Args:
        driver: ``snmp`` or ``http``.
        address: of the switch, as its driver wants it.
        port: its number, from 1.
        settings: the driver's own.
        name: what the bench calls it.
        observe: told what is asked and answered; never a community, a password or a header.

    Raises:
        CallerMistake: a setting or an address that cannot be.
        BenchTrouble: it does not answer, or has no such port.
    """
    return _DRIVERS[_known(driver)][0](address, port, settings, name=name, observe=observe)


def restored_port(port: SwitchPort) -> PortState:
    """A port that is up, and gives power where it can; returns what reads back. One that is so is left alone."""
    state = port.read()
    if not state.enabled:
        state = port.up()
    return port.power_on() if state.powered is False else state


def _known(driver: str) -> str:
    if driver not in _DRIVERS:
        raise CallerMistake(driver, "no driver for switches of that name", f"there are {', '.join(_DRIVERS)}")
    return driver
