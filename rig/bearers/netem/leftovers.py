"""What a crash left in the kernel, found by what is written at it, and removed. netem itself dies with nobody.

A link's own leftovers :meth:`NetemLink.clear` removes too, in whatever process; this is for a start-up, and for a
person who wants the machine as it was.
"""

from __future__ import annotations

import contextlib

from rig.bearers.kernel import one_at_a_time
from rig.bearers.netem import link_messages as links
from rig.bearers.netem.mirror import Mirror, interface_index, notes
from rig.bearers.netem.qdisc import Place, PlacedNetem, nothing_counted
from rig.bearers.netem.rtnetlink import Port
from rig.bearers.netem.station import SharedRoot, require_station
from rig.errors import DeviceGone

_NOBODY = ""


def reconcile(interface: str | None = None, station: str | None = None) -> list[str]:
    """Remove what was left of the rig's in this thread's network namespace; returns what that was.

    A bench that shares its machine with living benches names its own: nothing else is touched then, other stations of
    the same interface included.

    Args:
        interface: the impairment of this whole interface alone; ``None``: everything of the rig's, whoever's it is.
        station: of that interface, this one MAC address alone.

    Raises:
        CallerMistake: the station is no MAC address.
        DeviceGone: no such interface.
        BenchTrouble: the kernel refused.
    """
    port = Port()
    try:
        with one_at_a_time():
            if interface is None:
                return _everything(port)
            index = interface_index(port, interface)
            if station is None:
                return _whole(port, interface, index)
            return _station(port, interface, index, require_station(station))
    finally:
        port.close()


def _everything(port: Port) -> list[str]:
    removed = []
    mirrors = {note.mirror for note in notes(port)}
    for found in [links.decode(message) for message in port.dump(links.dump_interfaces())]:
        if found.index not in mirrors:
            with contextlib.suppress(DeviceGone):  # somebody took it away meanwhile
                removed += _all_at(port, found.name, found.index)
    for note in notes(port):  # its interface is gone
        port.ask(links.remove_interface(note.mirror))
        removed.append(f"redirection of what came in on {note.interface}")
    return removed


def _all_at(port: Port, interface: str, index: int) -> list[str]:
    removed = _whole(port, interface, index)
    shared = SharedRoot(port, interface, index)
    of_ifbs = {note.station for note in notes(port) if note.index == index and note.station}
    for station in sorted(of_ifbs | set(shared.stations())):
        removed += _station(port, interface, index, station)
    if shared.release(_NOBODY):
        removed.append(f"htb at {interface}")
    return removed


def _whole(port: Port, interface: str, index: int) -> list[str]:
    removed = []
    if PlacedNetem(port, Place(interface, index), nothing_counted()).remove():
        removed.append(f"netem at {interface}")
    if Mirror(port, interface, index, None).remove():
        removed.append(f"redirection of what comes in on {interface}")
    return removed


def _station(port: Port, interface: str, index: int, station: str) -> list[str]:
    removed = []
    if SharedRoot(port, interface, index).release(station):
        removed.append(f"netem of {station} at {interface}")
    if Mirror(port, interface, index, station).remove():
        removed.append(f"redirection of what comes in on {interface} from {station}")
    return removed
