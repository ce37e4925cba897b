"""One terminal among others behind a shared interface, such as an access point's: HTB at the root, a class for it.

What goes to its MAC address passes through its class and the netem in there. Everybody else's packets no filter leads
anywhere, so HTB passes them on at once, as ever. Every kind of frame is the terminal's where its address is in it:
ARP answers, DHCP and EAPOL to it are impaired like its data, and the same with what it sends
(:mod:`rig.bearers.netem.mirror`), its broadcasts included. Not impaired: broadcasts and multicasts *to* it, for they
are everybody's; and EAPOL that hostapd exchanges through nl80211's control port, which passes by every queueing
discipline.

Several terminals may be impaired at once, by one process or by several: classes come and go one by one, under
:func:`rig.bearers.kernel.one_at_a_time`, and the root goes with the last. A netem that duplicates must be the only one
of its interface on kernels since 2025 (``check_netem_in_tree``); they refuse it otherwise, and so does the link.

Facts: ``tc-htb(8)``, ``tc-flower(8)``, ``net/sched/sch_htb.c`` (``htb_classify``: what is not classified is "direct").
"""

from __future__ import annotations

import zlib
from typing import Any

from rig.bearers.netem import tc_messages as tc
from rig.bearers.netem.mirror import STATION_PREFERENCE, station_of
from rig.bearers.netem.qdisc import SHARED_HANDLE, Place, foreign, queue_at
from rig.bearers.netem.rtnetlink import Port, Refused
from rig.errors import BenchTrouble, CallerMistake

_FIRST_NETEM = 0x7C20
_MOST_STATIONS = 0x6E
_MAJOR = 0xFFFF_0000


class SharedRoot:
    """The root of an interface that stations share.

    Args:
        port: to the kernel.
        interface: its name.
        index: its number.
    """

    def __init__(self, port: Port, interface: str, index: int) -> None:
        self._port = port
        self._interface = interface
        self._index = index

    def stations(self) -> dict[str, Place]:
        """Every station that has a class, and the place of its netem."""
        return {mac: self._place(classid) for mac, (classid, _) in self._filters().items()}

    def claim(self, station: str) -> Place:
        """Make a class for a station, where it has none.

        Raises:
            BenchTrouble: a stranger's queueing discipline is at the root, or the kernel refused.
        """
        root = queue_at(self._port, self._interface, self._index, tc.ROOT)
        if root is not None and not _is_ours(root):
            raise foreign(self._interface, root, "root")
        taken = self._filters()
        if station in taken:
            return self._place(taken[station][0])
        self._sweep(taken)
        classid = self._free(station, {classid for classid, _ in taken.values()})
        messages = [] if root is not None else [tc.htb(self._index, SHARED_HANDLE)]
        messages.append(tc.htb_class(self._index, SHARED_HANDLE, classid))
        messages.append(tc.station_class_filter(self._index, SHARED_HANDLE, STATION_PREFERENCE, station, classid))
        try:
            self._ask(*messages)
        except BenchTrouble:
            self.release(station)
            raise
        return self._place(classid)

    def release(self, station: str) -> bool:
        """Take a station's class away, and the root with the last one. Returns whether there was one."""
        root = queue_at(self._port, self._interface, self._index, tc.ROOT)
        if root is None or not _is_ours(root):
            return False
        taken = self._filters()
        mine = taken.pop(station, None)
        if not taken:  # with its last station the root goes, and with it all that hangs there
            self._ask(tc.remove_queue(self._index, tc.ROOT, SHARED_HANDLE))
            return True
        if mine is not None:
            classid, handle = mine
            going = tc.remove_filter(self._index, SHARED_HANDLE, STATION_PREFERENCE, handle, "flower")
            self._ask(going, tc.remove_class(self._index, classid))
        self._sweep(taken)
        return mine is not None

    def _sweep(self, taken: dict[str, tuple[int, int]]) -> None:
        """Remove classes without a filter: a holder of the lock was killed between the two."""
        led_to = {classid for classid, _ in taken.values()}
        for message in self._port.dump(tc.dump_classes(self._index)):
            classid = tc.decode(message)["handle"]
            if classid & _MAJOR == SHARED_HANDLE and classid not in led_to:
                self._ask(tc.remove_class(self._index, classid))

    def _filters(self) -> dict[str, tuple[int, int]]:
        """Station → (class, handle of the filter)."""
        root = queue_at(self._port, self._interface, self._index, tc.ROOT)
        if root is None or not _is_ours(root):
            return {}
        told = [tc.decode(each) for each in self._port.dump(tc.dump_filters(self._index, SHARED_HANDLE))]
        return {
            mac: (each.get_attr("TCA_OPTIONS").get_attr("TCA_FLOWER_CLASSID"), each["handle"])
            for each in told
            if each["handle"] and (mac := station_of(each, "DST"))
        }

    def _free(self, station: str, taken: set[int]) -> int:
        """A class for a station: not simply the next, so that one station's old one is rarely another's new one."""
        begin = zlib.crc32(station.encode())
        for number in range(_MOST_STATIONS):
            classid = SHARED_HANDLE | 1 + (begin + number) % _MOST_STATIONS
            if classid not in taken:
                return classid
        raise BenchTrouble(f"interface {self._interface}", f"has {len(taken)} impaired stations", "clear some")

    def _place(self, classid: int) -> Place:
        first = _FIRST_NETEM + 2 * (classid & 0xFFFF)
        return Place(self._interface, self._index, classid, first << 16, (first + 1) << 16)

    def _ask(self, *messages: bytes) -> None:
        try:
            self._port.ask(*messages)
        except Refused as refusal:
            raise refusal.trouble(f"interface {self._interface}") from refusal


def require_station(station: str) -> str:
    """A MAC address of one station, in lower case.

    Raises:
        CallerMistake: it is none, or a group's.
    """
    parts = station.split(":")
    if len(parts) != 6 or not all(len(part) == 2 and set(part) <= set("0123456789abcdefABCDEF") for part in parts):
        raise CallerMistake("station", f"{station!r} is no MAC address", "write such as 02:00:00:00:01:00")
    if int(parts[0], 16) & 1:
        raise CallerMistake("station", f"{station} is a group's address", "name one station's own")
    return station.lower()


def _is_ours(root: Any) -> bool:
    return bool(root["handle"] == SHARED_HANDLE and root.get_attr("TCA_KIND") == "htb")
