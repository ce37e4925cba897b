"""The kernel's netem as the degrader of a link, at the bench's end of it.

Down (host → terminal) is the egress of the interface. Up comes in, and netem knows egress only, so it goes through an
``ifb`` (:mod:`rig.bearers.netem.mirror`). An interface that other machines use too, such as a shared access point's,
can be impaired for one of its stations alone (:mod:`rig.bearers.netem.station`).

Everything of ours can be told apart: reserved handles, reserved filter preferences, an ``ifb`` whose alias says whose
it is and what is to be put back. What is not ours is refused, never touched. netem dies with nobody: what a crash of
ours left, :func:`reconcile` or the link's own :meth:`NetemLink.clear` removes, in whatever process.

An impairment is laid with netem's whole set of options, read back and compared; one that is refused, or clamped, or
reaches one direction only, is taken back before the error is raised.

Facts: ``tc-netem(8)``, ``tc-mirred(8)``, ``linux/if_link.h``. Fidelity seen: 20 ms asked, p1/p50/p99 20.10/20.17/20.35.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from rig.bearers.impairment import CLEAN, Impairment
from rig.bearers.interface import is_up, set_up
from rig.bearers.kernel import one_at_a_time
from rig.bearers.link import Backend, Counters, ReadBack
from rig.bearers.netem.mirror import Mirror, interface_index
from rig.bearers.netem.prepared import Ends, PreparedNetem
from rig.bearers.netem.qdisc import Encoded, Place, PlacedNetem, nothing_counted
from rig.bearers.netem.rtnetlink import Port, Refused
from rig.bearers.netem.station import SharedRoot, require_station
from rig.bearers.netspace import in_namespace, new_namespace
from rig.errors import CallerMistake, DeviceClamped, DeviceGone, DeviceNonsense, RigError

T = TypeVar("T")
_MISSING_MODULE = "modprobe sch_netem ifb sch_ingress cls_matchall act_mirred; or use the user-space link"


class NetemLink:
    """One link, degraded by the kernel at ``interface``, in the network namespace of the thread that makes this.

    The threads that use it live in that namespace too.

    Args:
        name: of the link in the bench file.
        interface: the bench's end.
        station: the MAC address of the terminal, where others are behind the interface that must stay untouched.

    Raises:
        CallerMistake: the station is no MAC address.
        DeviceGone: no such interface.
    """

    backend: Backend = "netem"

    def __init__(self, name: str, interface: str, station: str | None = None) -> None:
        self.name = name
        self.interface = interface
        self.station = None if station is None else require_station(station)
        self._lock = threading.Lock()
        self._port = Port()
        try:
            self._index = interface_index(self._port, interface)
        except RigError:
            self._port.close()
            raise
        self._past: Counters = {"up": nothing_counted(), "down": nothing_counted()}
        self._mirror = Mirror(self._port, interface, self._index, self.station)
        self._shared = SharedRoot(self._port, interface, self._index)
        self._ends: Ends | None = None
        self._last: tuple[Impairment, Impairment] | None = None

    def apply(self, up: Impairment, down: Impairment) -> ReadBack:
        """Put exactly this in force, and ask the kernel what is.

        Raises:
            DeviceClamped: something else reads back; what was before is in force again.
            BenchTrouble: a stranger's queueing discipline is there, the interface is gone, or the kernel refused;
                what was before is in force again, as far as there is still something to hold it.
        """
        with self._lock:
            return self._again(lambda: self._apply(up, down))

    def prepare(self, steps: Sequence[tuple[Impairment, Impairment]]) -> PreparedNetem:
        """Lay out pairs of up and down as netlink messages; the link's place in the kernel is made, clean, if need be.

        Raises:
            BenchTrouble: as :meth:`apply` does; nothing is left of it then.
        """
        with self._lock:
            if self._attach() is None:
                self._apply(CLEAN, CLEAN)
            assert self._ends is not None
            return PreparedNetem(self, steps, self._ends)

    def put_prepared(self, prepared: PreparedNetem, number: int) -> None:
        """Put a prepared step in force; :meth:`PreparedNetem.put` is what to call."""
        with self._lock:
            up, down = prepared.steps[number]
            if self._ends is None or not self._send(prepared.ready(number, self._ends)):
                self._again(lambda: self._apply(up, down))
            self._last = (up, down)

    def read(self) -> ReadBack:
        """What the kernel says is in force. Of the delay's distribution it can only say which table came last."""
        with self._lock:
            return self._again(self._read)

    def clear(self) -> None:
        """Nothing of ours is left at the interface for this link, its offloads are as before, and it is up."""
        with self._lock:
            self._ends = None
            self._take_down()
            set_up(self.interface, True)

    def counters(self) -> Counters:
        """What passed and what did not; packets are counted while an impairment, be it a clean one, is in force."""
        with self._lock:
            return self._again(self._count)

    def carrier(self, up: bool) -> bool:
        """Bring the bench's end of the cable down, which takes the carrier from the terminal's, or up again.

        Raises:
            CallerMistake: other stations share the interface, who would lose theirs too.
            DeviceClamped: it did not follow.
        """
        if self.station is not None and not up:
            cure = "switch the access point, or cut the bearer"
            raise CallerMistake(f"link {self.name}", f"{self.interface} carries other stations too", cure)
        with self._lock:
            set_up(self.interface, up)
            read_back = is_up(self.interface)
        if read_back != up:
            raise DeviceClamped(f"link {self.name}", f"{self.interface} did not follow", "who else switches it?")
        return read_back

    def close(self) -> None:
        """Let go of the kernel; what is in force stays in force."""
        self._port.close()

    def _again(self, act: Callable[[], T]) -> T:
        """Do it; and once more, all places looked up anew, where another process has taken ours away."""
        try:
            return act()
        except DeviceGone:
            if self._ends is None:
                raise
            self._ends = None
            return act()

    def _apply(self, up: Impairment, down: Impairment) -> ReadBack:
        ends = self._attach()
        before = None if ends is None else self._before()
        try:
            for end, wanted in zip(ends or self._lay(), (up, down), strict=True):
                end.put(end.encode(wanted))
            read_back = self._read()
            read_back.require(self.name, up, down)
        except RigError:
            self._roll_back(before)
            raise
        self._last = (up, down)
        return read_back

    def _before(self) -> tuple[Impairment, Impairment]:
        if self._last is not None:
            return self._last
        try:
            read_back = self._read()
        except DeviceNonsense:  # a stranger's hand was on it: that is not what to go back to
            return CLEAN, CLEAN
        return read_back.up, read_back.down

    def _roll_back(self, before: tuple[Impairment, Impairment] | None) -> None:
        """As it was; what has gone meanwhile cannot be put back, and the error that led here says so."""
        with contextlib.suppress(RigError):
            if before is None:
                self._take_down()
        for end, wanted in zip(self._ends or (), before or (), strict=False):
            with contextlib.suppress(RigError):
                end.put(end.encode(wanted))

    def _send(self, messages: tuple[Encoded, Encoded]) -> bool:
        """Change both directions at once, where neither changes its handle; returns whether that went well."""
        assert self._ends is not None
        pairs = list(zip(self._ends, messages, strict=True))
        try:
            if all(end.handle == message.handle for end, message in pairs):
                self._port.ask(messages[0].change, messages[1].change)
            else:
                for end, message in pairs:
                    end.put(message)
        except (Refused, RigError):
            return False
        return True

    def _read(self) -> ReadBack:
        ends = self._attach()
        up, down = (CLEAN, CLEAN) if ends is None else (ends[0].read(), ends[1].read())
        return ReadBack(up, down, is_up(self.interface))

    def _count(self) -> Counters:
        ends = self._attach()
        if ends is None:
            return {"up": {**self._past["up"]}, "down": {**self._past["down"]}}
        return {"up": ends[0].counters(), "down": ends[1].counters()}

    def _attach(self) -> Ends | None:
        """The two netems, where this link's way through the kernel is laid, by whatever process."""
        if self._ends is not None:
            return self._ends
        mirror = self._mirror.find()
        down: Place | None = Place(self.interface, self._index)
        if self.station is not None:
            down = self._shared.stations().get(self.station)
        if mirror is not None and down is not None:
            self._ends = self._netems(mirror, down)
        return self._ends

    def _netems(self, mirror: int, down: Place) -> Ends:
        up = PlacedNetem(self._port, Place(self._mirror.name, mirror), self._past["up"])
        return up, PlacedNetem(self._port, down, self._past["down"])

    def _lay(self) -> Ends:
        """Make this link's way through the kernel: nothing is impaired yet."""
        with one_at_a_time():
            if self.station is None:
                down = Place(self.interface, self._index)
                PlacedNetem(self._port, down, nothing_counted()).look()  # refuses a stranger's before anything is made
            else:
                down = self._shared.claim(self.station)
            self._ends = self._netems(self._mirror.lay(), down)
        return self._ends

    def _take_down(self) -> None:
        self._last = None
        with one_at_a_time():
            try:
                self._remove_netems()
            finally:
                self._mirror.remove()  # its ifb outlives an interface that is gone
        self._ends = None

    def _remove_netems(self) -> None:
        ends = self._attach()
        if ends is None and self.station is None:
            PlacedNetem(self._port, Place(self.interface, self._index), self._past["down"]).remove()
        for end in ends or ():
            with contextlib.suppress(DeviceGone):
                end.remove()
        if self.station is not None:
            self._shared.release(self.station)


@dataclass(frozen=True)
class NetemProbe:
    """Whether this kernel can do what :class:`NetemLink` needs; true where it can.

    Attributes:
        reason: what it lacks, and how to get it; empty where nothing.
    """

    reason: str = ""

    def __bool__(self) -> bool:
        return not self.reason


def netem_available() -> NetemProbe:
    """Try all of it in a namespace of its own: nothing that exists is touched."""

    def trial() -> None:
        set_up("lo", True)
        link = NetemLink("probe", "lo")
        try:
            link.apply(Impairment(delay_ms=1, rate_kbit=1000), Impairment(loss_percent=1))
        finally:
            link.close()

    try:
        namespace = new_namespace()
        try:
            in_namespace(namespace, trial)
        finally:
            os.close(namespace)
    except RigError as error:
        return NetemProbe(f"kernel has no sch_netem, or not all that goes with it: {error.what} ({_MISSING_MODULE})")
    return NetemProbe()
