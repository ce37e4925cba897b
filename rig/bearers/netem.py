"""The kernel's netem as the degrader of a link, at the bench's end of it.

Down (host → terminal) is the egress of the interface. Up comes in, and netem knows egress only: so what comes in is
redirected to the egress of an ``ifb`` of our own (``ingress`` + ``matchall`` + ``mirred``), and netem sits there.
Offloads of the interface are turned off while it is impaired, for loss is per packet and an offloaded packet is many.

Everything of ours can be told apart: reserved handles, a reserved filter preference, an ``ifb`` whose alias says
whose it is. What is not ours is refused, never touched; what a crash of ours left, :func:`reconcile` removes.

Facts: ``tc-netem(8)``, ``tc-mirred(8)``, ``linux/if_link.h``. Fidelity seen: 20 ms asked, p1/p50/p99 20.10/20.17/20.35.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from typing import Any

from rig.bearers.impairment import CLEAN, Impairment
from rig.bearers.interface import disable_offloads, is_up, set_up
from rig.bearers.kernel import kernel_session, open_kernel, refusals
from rig.bearers.link import Backend, Counters, ReadBack
from rig.bearers.netem_encoder import register
from rig.bearers.netem_qdisc import RootNetem, foreign, interface_index, nothing_counted
from rig.bearers.netspace import in_namespace, new_namespace
from rig.errors import BenchTrouble, DeviceClamped, RigError

_INGRESS = 0xFFFF_FFF1
_INGRESS_HANDLE = 0xFFFF_0000
_OUR_PREFERENCE = 0x7C10
_ALIAS = "pos-rig: what comes in on "
_MISSING_MODULE = "modprobe sch_netem ifb sch_ingress cls_matchall act_mirred; or use the user-space link"


class NetemLink:
    """One link, degraded by the kernel at ``interface``, in the network namespace of the thread that makes this.

    Raises:
        DeviceGone: no such interface.
    """

    backend: Backend = "netem"

    def __init__(self, name: str, interface: str) -> None:
        register()
        self.name = name
        self.interface = interface
        self._lock = threading.Lock()
        self._kernel = open_kernel()
        self._index = interface_index(self._kernel, interface)
        self._past: Counters = {"up": nothing_counted(), "down": nothing_counted()}
        self._down = RootNetem(self._kernel, interface, self._index, self._past["down"])
        self._up: RootNetem | None = None
        if mirrors := self._kernel.link_lookup(ifname=_mirror_name(self._index)):  # another process of ours degrades
            self._up = self._up_netem(mirrors[0])

    def apply(self, up: Impairment, down: Impairment) -> ReadBack:
        """Put exactly this in force, and ask the kernel what is."""
        with self._lock:
            if self._up is None:
                disable_offloads(self.interface)
                self._up = self._redirect_ingress()
            self._up.set(up)
            self._down.set(down)
            read_back = self._read()
        read_back.require(self.name, up, down)
        return read_back

    def read(self) -> ReadBack:
        """What the kernel says is in force."""
        with self._lock:
            return self._read()

    def clear(self) -> None:
        """Nothing of ours is left at the interface, and it is up."""
        with self._lock:
            self._down.remove()
            if self._up is not None:
                self._up.remove()
                self._up = None
            _remove_ingress(self._kernel, self.interface, self._index)
            set_up(self.interface, True)

    def counters(self) -> Counters:
        """What passed and what did not; packets are counted while an impairment, be it a clean one, is in force."""
        with self._lock:
            queues = self._kernel.get_qdiscs()
            up = self._up.counters(queues) if self._up is not None else self._past["up"]
            return {"up": {**up}, "down": self._down.counters(queues)}

    def carrier(self, up: bool) -> bool:
        """Bring the bench's end of the cable down, which takes the carrier from the terminal's, or up again."""
        with self._lock:
            set_up(self.interface, up)
            read_back = is_up(self.interface)
        if read_back != up:
            raise DeviceClamped(f"link {self.name}", f"{self.interface} did not follow", "who else switches it?")
        return read_back

    def close(self) -> None:
        """Let go of the kernel session; what is in force stays in force."""
        self._kernel.close()

    def _read(self) -> ReadBack:
        queues = list(self._kernel.get_qdiscs())
        up = self._up.read(queues) if self._up is not None else CLEAN
        return ReadBack(up, self._down.read(queues), is_up(self.interface))

    def _redirect_ingress(self) -> RootNetem:
        """Lead what comes in through an ``ifb``, once; returns where its netem goes."""
        owner = _ingress_owner(self._kernel, self.interface, self._index)
        mirror = _mirror_name(self._index)
        with refusals(f"interface {self.interface}"):
            if not self._kernel.link_lookup(ifname=mirror):
                self._kernel.link("add", ifname=mirror, kind="ifb", ifalias=_ALIAS + self.interface)
            mirror_index = interface_index(self._kernel, mirror)
            self._kernel.link("set", index=mirror_index, ifalias=_ALIAS + self.interface, state="up")
            if owner is None:
                self._kernel.tc("add", "ingress", self._index)
                redirect = {"kind": "mirred", "direction": "egress", "action": "redirect", "ifindex": mirror_index}
                self._kernel.tc(
                    "add-filter", "matchall", self._index, parent=_INGRESS_HANDLE, prio=_OUR_PREFERENCE, action=redirect
                )
        return self._up_netem(mirror_index)

    def _up_netem(self, mirror_index: int) -> RootNetem:
        return RootNetem(self._kernel, _mirror_name(self._index), mirror_index, self._past["up"])


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


def reconcile() -> list[str]:
    """Remove what a crash left of ours at any interface of this thread's network namespace; returns what that was.

    Raises:
        BenchTrouble: the kernel refused.
    """
    removed = []
    with kernel_session("leftovers of the rig") as kernel:
        links = list(kernel.get_links())
        for link in links:
            name, index = link.get("ifname"), link["index"]
            if RootNetem(kernel, name, index, nothing_counted()).remove():
                removed.append(f"netem at {name}")
            if _remove_ingress(kernel, name, index):
                removed.append(f"redirection of what comes in on {name}")
        for link in links:
            if (link.get("ifalias") or "").startswith(_ALIAS) and kernel.link_lookup(ifname=link.get("ifname")):
                kernel.link("del", index=link["index"])
                removed.append(f"interface {link.get('ifname')}")
    return removed


def _mirror_name(index: int) -> str:
    return f"rig-ifb{index}"


def _ingress_owner(kernel: Any, interface: str, index: int) -> Any | None:
    """Our ingress redirection, if it is there.

    Raises:
        BenchTrouble: somebody else's ingress is.
    """
    for queue in kernel.get_qdiscs(index):
        if queue["parent"] != _INGRESS:
            continue
        if not _is_our_ingress(kernel, index):
            raise foreign(interface, queue, "ingress")
        return queue
    return None


def _is_our_ingress(kernel: Any, index: int) -> bool:
    """Ours has our filter alone; or none yet, beside our ``ifb``, where a crash came between."""
    preferences = {each["info"] >> 16 for each in kernel.get_filters(index, parent=_INGRESS_HANDLE)}
    if not preferences:
        return bool(kernel.link_lookup(ifname=_mirror_name(index)))
    return preferences == {_OUR_PREFERENCE}


def _remove_ingress(kernel: Any, interface: str, index: int) -> bool:
    """Remove our redirection and its ``ifb``; returns whether there was one. A stranger's stays."""
    try:
        ours = _ingress_owner(kernel, interface, index)
    except BenchTrouble:
        return False
    with refusals(f"interface {interface}"):
        if ours is not None:
            kernel.tc("del", "ingress", index)
        for mirror in kernel.link_lookup(ifname=_mirror_name(index)):
            kernel.link("del", index=mirror)
    return ours is not None
