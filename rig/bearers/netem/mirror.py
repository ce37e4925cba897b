"""What comes in on an interface, led through the egress of an ``ifb`` of our own, for netem knows egress only.

``ingress`` + a filter + ``mirred``: all that comes in (``matchall``), or what one MAC address sends (``flower``), which
gets an ``ifb`` of its own while nobody else's packets take another way than before. Offloads by which several packets
travel as one are turned off while an ``ifb`` is there, for loss is per packet.

Whose a thing is, is written at the thing itself, so that whoever finds it after a crash knows:

- The ``ifb`` has an alias. It says what it is for, and which offloads its interface had, to be put back.
- An ``ingress`` is ours where one of our filters is in it; both go in one message, so there is never one without.

Facts: ``tc-mirred(8)``, ``tc-flower(8)``, ``linux/ethtool.h`` (ETHTOOL_GFEATURES).
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import re
from dataclasses import dataclass
from typing import Any

from rig.bearers.interface import joining_offloads, switch_offloads
from rig.bearers.netem import link_messages as links
from rig.bearers.netem import tc_messages as tc
from rig.bearers.netem.qdisc import foreign, queue_at
from rig.bearers.netem.rtnetlink import Port, Refused
from rig.errors import DeviceGone

WHOLE_PREFERENCE, STATION_PREFERENCE = 0x7C10, 0x7C11
_ALIAS = re.compile(r"pos-rig: what comes in on (\S+) \((\d+)\)(?: from (\S+))?; its offloads were ([0-9a-f]+)")


@dataclass(frozen=True)
class Note:
    """What the alias of an ``ifb`` of ours says.

    Attributes:
        mirror: number of the ``ifb``.
        interface: whose incoming packets it carries.
        index: that one's number.
        station: the one sender of these packets; ``None`` for all.
        offloads: what was on before, as feature bits.
    """

    mirror: int
    interface: str
    index: int
    station: str | None
    offloads: int


def notes(port: Port) -> list[Note]:
    """Every ``ifb`` of ours in this network namespace."""
    return [note for message in port.dump(links.dump_interfaces()) if (note := _note(links.decode(message)))]


def interface_index(port: Port, interface: str) -> int:
    """The number of an interface.

    Raises:
        DeviceGone: there is none of that name.
    """
    found = _find(port, interface)
    if found is None:
        raise DeviceGone(f"interface {interface}", "there is none", "was the bench's network built?")
    return found.index


class Mirror:
    """The way of what comes in on an interface. Lay and remove it under :func:`rig.bearers.kernel.one_at_a_time`.

    Args:
        port: to the kernel.
        interface: its name.
        index: its number.
        station: the one MAC address whose packets take this way; ``None``: all.
    """

    def __init__(self, port: Port, interface: str, index: int, station: str | None) -> None:
        self._port = port
        self._interface = interface
        self._index = index
        self._station = station
        whose = hashlib.blake2s(f"{index} {station}".encode(), digest_size=6).hexdigest()
        self.name = f"rig-ifb{index}" if station is None else f"rig{whose}"

    def find(self) -> int | None:
        """The number of the ``ifb``; ``None`` where there is none of ours."""
        found = _find(self._port, self.name)
        return found.index if found is not None and _note(found) else None

    def lay(self) -> int:
        """Lead the packets through the ``ifb``; returns its number.

        Raises:
            BenchTrouble: somebody else's ingress is there, or the kernel refused. What was made is not taken back.
        """
        filters = self._require_ours()
        mirror = self.find()
        if mirror is None:
            self.remove()  # a filter without its ifb would lead nowhere
            filters = self._filters()
            mirror = self._make_mirror()
        switch_offloads(self._interface, joining_offloads(self._interface), False)
        if not any(self._is_mine(each) for each in filters or ()):
            self._lead(mirror, first=filters is None)
        return mirror

    def remove(self) -> bool:
        """Take the way away, and put the offloads back with the last one; a stranger's ingress and filters stay.

        Where the interface is gone, and its filters and offloads with it, our ``ifb`` is not: it goes all the same.
        """
        try:
            filters = self._filters() or []
        except DeviceGone:
            filters = []
        mine = [each for each in filters if self._is_mine(each)]
        if mine and len(mine) == len(filters):
            self._ask(tc.remove_queue(self._index, tc.INGRESS, tc.INGRESS_HANDLE))
        else:
            for each in mine:
                self._ask(_remove(self._index, each))
        mirror = self.find()
        if mirror is not None:
            all_here = [note for note in notes(self._port) if note.index == self._index]
            if len(all_here) == 1:
                with contextlib.suppress(DeviceGone):
                    switch_offloads(self._interface, all_here[0].offloads, True)
            self._ask(links.remove_interface(mirror))
        return bool(mine) or mirror is not None

    def _make_mirror(self) -> int:
        kept = next((n.offloads for n in notes(self._port) if n.index == self._index), None)
        offloads = joining_offloads(self._interface) if kept is None else kept
        sender = f" from {self._station}" if self._station else ""
        alias = f"pos-rig: what comes in on {self._interface} ({self._index}){sender}; its offloads were {offloads:x}"
        self._ask(links.make_ifb(self.name), links.start(self.name, alias))
        return interface_index(self._port, self.name)

    def _redirection(self, mirror: int) -> bytes:
        if self._station is None:
            return tc.redirect(self._index, WHOLE_PREFERENCE, mirror)
        return tc.station_redirect(self._index, STATION_PREFERENCE, self._station, mirror)

    def _require_ours(self) -> list[Any] | None:
        """The filters that meet what comes in; ``None`` where there is no place for any yet.

        Raises:
            BenchTrouble: the place is a stranger's, or in the rig's other use.
        """
        filters = self._filters()
        if filters is None:
            return None
        preference = WHOLE_PREFERENCE if self._station is None else STATION_PREFERENCE
        if {each["info"] >> 16 for each in filters} != {preference}:
            queue = queue_at(self._port, self._interface, self._index, tc.INGRESS)
            if queue is not None:
                raise foreign(self._interface, queue, "ingress")
        return filters

    def _filters(self) -> list[Any] | None:
        if queue_at(self._port, self._interface, self._index, tc.INGRESS) is None:
            return None
        told = [tc.decode(each) for each in self._port.dump(tc.dump_filters(self._index, tc.INGRESS_HANDLE))]
        return [each for each in told if each["handle"]]  # without one it is the list itself, not a filter in it

    def _is_mine(self, each: Any) -> bool:
        preference = each["info"] >> 16
        if self._station is None:
            return bool(preference == WHOLE_PREFERENCE and each.get_attr("TCA_KIND") == "matchall")
        return bool(preference == STATION_PREFERENCE and station_of(each, "SRC") == self._station)

    def _lead(self, mirror: int, first: bool) -> None:
        """Put the filter in, with the place for it if it is the first: a kill cannot come between the two."""
        messages = ([tc.ingress(self._index)] if first else []) + [self._redirection(mirror)]
        try:
            self._port.ask(*messages)
        except Refused as refusal:
            if refusal.position:  # the place was made, and this kernel has no such filter
                self._port.ask(tc.remove_queue(self._index, tc.INGRESS, tc.INGRESS_HANDLE))
            raise refusal.trouble(f"interface {self._interface}") from refusal

    def _ask(self, *messages: bytes) -> None:
        try:
            self._port.ask(*messages)
        except Refused as refusal:
            raise refusal.trouble(f"interface {self._interface}") from refusal


def station_of(each: Any, side: str) -> str | None:
    """The MAC address that a filter of ours looks for."""
    options = each.get_attr("TCA_OPTIONS") if each.get_attr("TCA_KIND") == "flower" else None
    return None if options is None else options.get_attr(f"TCA_FLOWER_KEY_ETH_{side}")


def _remove(index: int, each: Any) -> bytes:
    preference, kind = each["info"] >> 16, each.get_attr("TCA_KIND")
    return tc.remove_filter(index, tc.INGRESS_HANDLE, preference, each["handle"], kind)


def _find(port: Port, name: str) -> links.Interface | None:
    try:
        return links.decode(port.ask(links.ask_interface(name))[0])
    except Refused as refusal:
        if refusal.number == errno.ENODEV:
            return None
        raise refusal.trouble(f"interface {name}") from refusal


def _note(found: links.Interface) -> Note | None:
    said = _ALIAS.fullmatch(found.alias) if found.kind == "ifb" else None
    if said is None:
        return None
    interface, index, station, offloads = said.groups()
    return Note(found.index, interface, int(index), station, int(offloads, 16))
