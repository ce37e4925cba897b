"""One netem at the root of one interface, under handles that are ours; a stranger's is never touched.

Two handles are reserved: ``7c10:`` while packets pass, ``7c11:`` while the direction is cut. A change under the same
handle keeps what is queued. A change of the handle makes the kernel put a fresh netem in the old one's place in one
step, and what was queued is gone: which is what a cut means.
"""

from __future__ import annotations

from typing import Any

from rig.bearers.impairment import Impairment
from rig.bearers.kernel import refusals
from rig.bearers.link import DirectionCounters
from rig.bearers.netem_encoder import NetemSettings, decode
from rig.errors import BenchTrouble, DeviceGone

OPEN_HANDLE, CUT_HANDLE = 0x7C10_0000, 0x7C11_0000
_OURS = (OPEN_HANDLE, CUT_HANDLE)
_ROOT = 0xFFFF_FFFF


class RootNetem:
    """The root queueing discipline of an interface.

    Args:
        kernel: a ``pyroute2.IPRoute``.
        interface: its name, for messages.
        index: its number.
        past: what was counted before, and grows when a netem is taken away.
    """

    def __init__(self, kernel: Any, interface: str, index: int, past: DirectionCounters) -> None:
        self._kernel = kernel
        self._interface = interface
        self._index = index
        self._handle = 0
        self._past = past

    def set(self, impairment: Impairment) -> None:
        """Put an impairment in force, whatever of ours was before.

        Raises:
            BenchTrouble: a stranger's queueing discipline is there, or the kernel refused.
        """
        wanted = CUT_HANDLE if impairment.cut else OPEN_HANDLE
        settings = NetemSettings.of(impairment)
        if self._handle == wanted and self._change(settings):
            return
        self._retire(self.look())
        with refusals(f"interface {self._interface}"):
            self._kernel.tc("replace", "netem", self._index, handle=wanted, parent=_ROOT, settings=settings)
        self._handle = wanted

    def read(self, queues: list[Any]) -> Impairment:
        """What is in force, out of a dump of all queueing disciplines; clean where none of ours is."""
        ours = self._own(queues)
        return Impairment() if ours is None else decode(ours).impairment(cut=ours["handle"] == CUT_HANDLE)

    def counters(self, queues: list[Any]) -> DirectionCounters:
        """What passed and what was lost, the past included."""
        now = _statistics(self._own(queues))
        return {
            "packets": self._past["packets"] + now["packets"],
            "dropped": self._past["dropped"] + now["dropped"],
        }

    def remove(self) -> bool:
        """Take ours away, and leave a stranger's. Returns whether there was one."""
        ours = self._own(self._kernel.get_qdiscs(self._index))
        self._handle = 0
        if ours is None:
            return False
        self._retire(ours)
        with refusals(f"interface {self._interface}"):
            self._kernel.tc("del", None, self._index, handle=ours["handle"], parent=_ROOT)
        return True

    def look(self) -> Any | None:
        """Our netem at the root, if it is there.

        Raises:
            BenchTrouble: a stranger's queueing discipline is there.
        """
        queues = self._kernel.get_qdiscs(self._index)
        for queue in queues:
            if queue["parent"] == _ROOT and queue["handle"] and not _is_ours(queue):
                raise foreign(self._interface, queue, "root")
        return self._own(queues)

    def _own(self, queues: list[Any]) -> Any | None:
        return next((q for q in queues if q["index"] == self._index and _is_ours(q)), None)

    def _change(self, settings: NetemSettings) -> bool:
        """Change in place; ``False`` where ours is not there any more. Never makes or displaces anything."""
        from pyroute2.netlink.exceptions import NetlinkError

        try:
            self._kernel.tc("change", "netem", self._index, handle=self._handle, parent=_ROOT, settings=settings)
        except NetlinkError:  # gone, or displaced: looked at, and named, before anything is made
            return False
        return True

    def _retire(self, netem: Any | None) -> None:
        """Keep the counts of a netem that goes; what it still holds is lost."""
        last = _statistics(netem)
        held = netem.get_attr("TCA_STATS2").get_attr("TCA_STATS_QUEUE")["qlen"] if netem is not None else 0
        self._past["packets"] += last["packets"]
        self._past["dropped"] += last["dropped"] + held


def nothing_counted() -> DirectionCounters:
    """The counters of a direction that has not begun."""
    return {"packets": 0, "dropped": 0}


def foreign(interface: str, queue: Any, where: str) -> BenchTrouble:
    """The error about a queueing discipline that is not ours."""
    kind, handle = queue.get_attr("TCA_KIND"), queue["handle"] >> 16
    return BenchTrouble(
        f"interface {interface}",
        f"has a {kind} queueing discipline {handle:x}: at its {where} that is not the rig's",
        f"if nobody needs it: tc qdisc del dev {interface} {where}",
    )


def interface_index(kernel: Any, interface: str) -> int:
    """The number of an interface.

    Raises:
        DeviceGone: there is none of that name.
    """
    found = kernel.link_lookup(ifname=interface)
    if not found:
        raise DeviceGone(f"interface {interface}", "there is none", "was the bench's network built?")
    return int(found[0])


def _is_ours(queue: Any) -> bool:
    return queue["handle"] in _OURS and queue["parent"] == _ROOT and queue.get_attr("TCA_KIND") == "netem"


def _statistics(netem: Any | None) -> DirectionCounters:
    if netem is None:
        return nothing_counted()
    told = netem.get_attr("TCA_STATS2")
    return {
        "packets": told.get_attr("TCA_STATS_BASIC")["packets"],
        "dropped": told.get_attr("TCA_STATS_QUEUE")["drops"],
    }
