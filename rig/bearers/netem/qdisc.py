"""One netem in one place, under handles that are ours; a stranger's queueing discipline is never touched.

A place has two handles: one while packets pass, one while the direction is cut. A change under the same handle keeps
what is queued. A change of the handle makes the kernel put a fresh netem in the old one's place in one step, and what
was queued is gone: which is what a cut means.

``7c10:`` and ``7c11:`` are the root's, ``7c12:`` is the root that shares an interface among stations
(:mod:`rig.bearers.netem.station`), ``7c20:`` to ``7cff:`` are what hangs there.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass
from typing import Any

from rig.bearers.impairment import CUT, Impairment
from rig.bearers.link import DirectionCounters
from rig.bearers.netem import tc_messages as tc
from rig.bearers.netem.encoder import decode
from rig.bearers.netem.rtnetlink import Port, Refused
from rig.bearers.netem.settings import NetemSettings
from rig.errors import BenchTrouble

OPEN_HANDLE, CUT_HANDLE, SHARED_HANDLE = 0x7C10_0000, 0x7C11_0000, 0x7C12_0000


@dataclass(frozen=True)
class Place:
    """Where a netem goes.

    Attributes:
        interface: the interface's name, for messages.
        index: its number.
        parent: the root, or a class.
        open_handle: while packets pass.
        cut_handle: while none does.
    """

    interface: str
    index: int
    parent: int = tc.ROOT
    open_handle: int = OPEN_HANDLE
    cut_handle: int = CUT_HANDLE

    @property
    def device(self) -> str:
        """How errors name it."""
        return f"interface {self.interface}"


@dataclass(frozen=True)
class Encoded:
    """An impairment in this place, as messages.

    Attributes:
        handle: under which it stands.
        change: alters the netem that has this handle already; never makes or displaces anything.
        add: makes one where none is; never displaces anything.
        replace: puts one in the place of ours with the other handle.
        silence: where this duplicates packets, what must replace ours before it can be changed to this.
    """

    handle: int
    change: bytes
    add: bytes
    replace: bytes
    silence: bytes | None = None


class PlacedNetem:
    """The netem in a place.

    Args:
        port: to the kernel.
        place: where.
        past: what was counted before, and grows when a netem is taken away.
    """

    def __init__(self, port: Port, place: Place, past: DirectionCounters) -> None:
        self._port = port
        self._place = place
        self._past = past
        self.handle = 0

    def encode(self, impairment: Impairment) -> Encoded:
        """The messages that put an impairment in force here."""
        handle = self._place.cut_handle if impairment.cut else self._place.open_handle
        change = tc.netem(tc.CHANGE, self._place.index, self._place.parent, handle, NetemSettings.of(impairment))
        doubles = impairment.duplicate_percent and not impairment.cut
        silence = tc.doing(self._silence(handle), tc.REPLACE) if doubles else None
        return Encoded(handle, change, tc.doing(change, tc.ADD), tc.doing(change, tc.REPLACE), silence)

    def put(self, wanted: Encoded) -> None:
        """Put an encoded impairment in force, whatever of ours was before.

        Raises:
            BenchTrouble: a stranger's queueing discipline is there, or the kernel refused.
        """
        if self.handle == wanted.handle and self._change(wanted):
            return
        before = self.look()
        # What only alters or adds cannot displace a stranger; what displaces has looked immediately before.
        if before is None:
            self._ask(wanted.add)
        elif before["handle"] == wanted.handle:
            self._ask(wanted.change)
        else:
            self._replace(before, wanted)
            self._retire(before)
        self.handle = wanted.handle

    def read(self) -> Impairment:
        """What is in force; clean where none of ours is."""
        ours = self._ours(self._there())
        return Impairment() if ours is None else decode(ours).impairment(cut=ours["handle"] == self._place.cut_handle)

    def counters(self) -> DirectionCounters:
        """What passed and what was lost, the past included."""
        now, past = _statistics(self._ours(self._there())), self._past
        return {"packets": past["packets"] + now["packets"], "dropped": past["dropped"] + now["dropped"]}

    def remove(self) -> bool:
        """Take ours away, and leave a stranger's. Returns whether there was one."""
        self.handle = 0
        ours = self._ours(self._there())
        if ours is None:
            return False
        self._ask(tc.remove_queue(self._place.index, self._place.parent, ours["handle"]))
        self._retire(ours)
        return True

    def look(self) -> Any | None:
        """Our netem, if it is there.

        Raises:
            BenchTrouble: a stranger's queueing discipline is there.
        """
        there = self._there()
        ours = self._ours(there)
        if there is not None and ours is None:
            raise foreign(self._place.interface, there, "root")
        return ours

    def _there(self) -> Any | None:
        return queue_at(self._port, self._place.interface, self._place.index, self._place.parent)

    def _ours(self, queue: Any | None) -> Any | None:
        handles = (self._place.open_handle, self._place.cut_handle)
        if queue is None or queue["handle"] not in handles or queue.get_attr("TCA_KIND") != "netem":
            return None
        return queue

    def _replace(self, before: Any, wanted: Encoded) -> None:
        """Put a fresh one in the place of ours with the other handle.

        For a moment there are two, and kernels of 2025 and later, older stable ones too, refuse any netem beside one
        that duplicates (``check_netem_in_tree``): so neither does then, and nothing passes meanwhile.
        """
        if before.get_attr("TCA_OPTIONS")["duplicate"]:
            self._ask(self._silence(before["handle"]))
        if wanted.silence is None:
            self._ask(wanted.replace)
        else:
            self._ask(wanted.silence)
            self._ask(wanted.change)

    def _silence(self, handle: int) -> bytes:
        """The change to one that lets nothing pass, and doubles nothing."""
        return tc.netem(tc.CHANGE, self._place.index, self._place.parent, handle, NetemSettings.of(CUT))

    def _change(self, wanted: Encoded) -> bool:
        """Change in place; ``False`` where ours is not there any more."""
        try:
            self._port.ask(wanted.change)
        except Refused:  # gone, or displaced: looked at, and named, before anything is made
            return False
        return True

    def _ask(self, message: bytes) -> None:
        try:
            self._port.ask(message)
        except Refused as refusal:
            raise refusal.trouble(self._place.device) from refusal

    def _retire(self, netem: Any) -> None:
        """Keep the counts of a netem that went; what it still held is lost."""
        last = _statistics(netem)
        held = netem.get_attr("TCA_STATS2").get_attr("TCA_STATS_QUEUE")["qlen"]
        self._past["packets"] += last["packets"]
        self._past["dropped"] += last["dropped"] + held


def queue_at(port: Port, interface: str, index: int, parent: int) -> Any | None:
    """The queueing discipline that somebody set in a place; ``None`` for none, or the kernel's own default.

    Raises:
        DeviceGone: the interface is.
    """
    try:
        told = port.ask(tc.ask_queue(index, parent))
    except Refused as refusal:
        if refusal.number == errno.ENOENT:  # no ingress, or no such class
            return None
        raise refusal.trouble(f"interface {interface}") from refusal
    queue = tc.decode(told[0]) if told else None
    return queue if queue is not None and queue["handle"] else None


def nothing_counted() -> DirectionCounters:
    """The counters of a direction that has not begun."""
    return {"packets": 0, "dropped": 0}


def foreign(interface: str, queue: Any, where: str) -> BenchTrouble:
    """The error about a queueing discipline that is not ours, or not of this use."""
    kind, handle = queue.get_attr("TCA_KIND"), queue["handle"]
    if kind == "htb" and handle == SHARED_HANDLE:
        what, cure = "is impaired by single stations already", "impair it whole, or by its stations: not both"
        return BenchTrouble(f"interface {interface}", what, cure)
    if kind == "netem" and handle in (OPEN_HANDLE, CUT_HANDLE):
        what, cure = "is impaired whole already", "impair it whole, or by its stations: not both"
        return BenchTrouble(f"interface {interface}", what, cure)
    return BenchTrouble(
        f"interface {interface}",
        f"has a {kind} queueing discipline {handle >> 16:x}: at its {where} that is not the rig's",
        f"if nobody needs it: tc qdisc del dev {interface} {where}",
    )


def _statistics(netem: Any | None) -> DirectionCounters:
    if netem is None:
        return nothing_counted()
    told = netem.get_attr("TCA_STATS2")
    return {
        "packets": told.get_attr("TCA_STATS_BASIC")["packets"],
        "dropped": told.get_attr("TCA_STATS_QUEUE")["drops"],
    }
