"""The cables of a virtual bench: veth pairs between its own network namespace and the terminal's.

A segment is one cable with the terminal at one end and the bench at the other. What lies between decides the
backend::

    netem             T:wlan0 ───────────────────── B:wifi     (queueing disciplines on B:wifi)
    user-space link   T:wlan0 ── B:wifi-t ═relay═ B:wifi-h ── B:wifi
    with a radio      T:wwan0 ── B:air-t ═relay═ B:air-h ── …   (``…`` is one of the two above)

The radio's relay stands for physics: it is there with either backend, and the bench never clears it.
"""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rig.bearers.interface import disable_offloads, mute_arp, set_up
from rig.bearers.kernel import kernel_session
from rig.bearers.link import Backend
from rig.bearers.netspace import in_namespace, new_namespace
from rig.bearers.wifi.nl80211 import move_radio
from rig.errors import BenchTrouble, CallerMistake

_FIRST_INDEX = 1000
"""Bench-side interfaces are numbered from here, away from the terminal's.

Where both ends of a veth pair bear the same number in their namespaces, the kernel takes a carrier change for
unimportant, and tells it up to a second later (``linkwatch_urgent_event``).
"""


@dataclass(frozen=True)
class Segment:
    """One cable.

    Attributes:
        name: of the segment; the bench's interface bears it, and so does its link.
        terminal_interface: the terminal's end.
        terminal_address: its address with prefix length.
        bench_address: the bench's address with prefix length; the terminal's gateway to the host.
        carries_host: whether the terminal reaches its host over it.
        radio: the name of the radio link that lies on it, if one does.
        wireless: it is no cable: the terminal's interface is a Wi-Fi radio, and an access point is at the other end.
    """

    name: str
    terminal_interface: str
    terminal_address: str
    bench_address: str
    carries_host: bool = True
    radio: str | None = None
    wireless: bool = False


@dataclass(frozen=True)
class VirtualNetwork:
    """What was built.

    Attributes:
        terminal: descriptor of the terminal's namespace, which lives as long as it is open somewhere.
        backend: who degrades the links.
        interfaces: segment name → the bench's interface.
        relays: link name → its part of the link relay's settings; empty where no relay is needed.
    """

    terminal: int
    backend: Backend
    interfaces: dict[str, str]
    relays: dict[str, dict[str, Any]]


def build_virtual_network(
    segments: Sequence[Segment], backend: Backend, hosts: Iterable[str] = (), seed: int = 1
) -> VirtualNetwork:
    """Build all segments between this thread's network namespace and a new one for the terminal.

    Args:
        segments: the cables.
        backend: who will degrade them.
        hosts: addresses that the acquirer listens on; they go to the bench's loopback, and the terminal gets a
            route to each over every segment that carries the host.
        seed: of the relays' dice; each link gets its own from it.

    Raises:
        CallerMistake: a name too long for an interface, or an address that is none.
        BenchTrouble: the kernel refused.
    """
    hosts = list(hosts)
    _check(segments, hosts)
    _configure_stack()
    terminal = new_namespace()
    in_namespace(terminal, _configure_stack)
    relays: dict[str, dict[str, Any]] = {}
    with kernel_session("virtual network") as kernel:
        builder = _Builder(kernel, terminal, relays, seed)
        for segment in segments:
            if segment.wireless:
                move_radio(segment.terminal_interface, terminal)
            else:
                builder.lay(segment, backend)
        loopback = kernel.link_lookup(ifname="lo")[0]
        for host in hosts:
            kernel.addr("add", index=loopback, address=host, prefixlen=32)
    in_namespace(terminal, lambda: _configure_terminal(segments, hosts))
    set_up("lo", True)
    return VirtualNetwork(terminal, backend, {s.name: s.name for s in segments}, relays)


class _Builder:
    """Lays veth pairs; all its interfaces are in the bench's namespace but the terminal's ends."""

    def __init__(self, kernel: Any, terminal: int, relays: dict[str, dict[str, Any]], seed: int) -> None:
        self._kernel = kernel
        self._terminal = terminal
        self._relays = relays
        self._seed = seed
        self._index = _FIRST_INDEX

    def lay(self, segment: Segment, backend: Backend) -> None:
        """Lay one segment, from the terminal to the bench."""
        relayed = [segment.radio] if segment.radio else []
        if backend == "user-space link":
            relayed.append(segment.name)
        near_ends = [f"{name}-t" for name in relayed] + [segment.name]
        far_ends = [segment.terminal_interface] + [f"{name}-h" for name in relayed]
        for near, far in zip(near_ends, far_ends, strict=True):
            self._pair(near, far, far_in_terminal=far == segment.terminal_interface)
        for name in relayed:
            self._prepare_relay(name, by_radio=name == segment.radio)
        disable_offloads(segment.name)
        index = self._kernel.link_lookup(ifname=segment.name)[0]
        address = ipaddress.ip_interface(segment.bench_address)
        self._kernel.addr("add", index=index, address=str(address.ip), prefixlen=address.network.prefixlen)
        set_up(segment.name, True)

    def _pair(self, near: str, far: str, far_in_terminal: bool) -> None:
        peer: dict[str, Any] = {"ifname": far}
        if far_in_terminal:
            peer["net_ns_fd"] = self._terminal
        self._kernel.link("add", ifname=near, kind="veth", index=self._index, peer=peer)
        self._index += 1

    def _prepare_relay(self, name: str, by_radio: bool) -> None:
        ends = {"inner": f"{name}-t", "outer": f"{name}-h"}
        for end in ends.values():
            mute_arp(end)
            disable_offloads(end)
            set_up(end, True)
        self._relays[name] = {**ends, "seed": self._seed + len(self._relays), "radio": by_radio}


def _configure_terminal(segments: Sequence[Segment], hosts: Iterable[str]) -> None:
    set_up("lo", True)
    with kernel_session("terminal's network") as kernel:
        for preference, segment in enumerate(segments):
            index = kernel.link_lookup(ifname=segment.terminal_interface)[0]
            address = ipaddress.ip_interface(segment.terminal_address)
            disable_offloads(segment.terminal_interface)
            kernel.addr("add", index=index, address=str(address.ip), prefixlen=address.network.prefixlen)
            set_up(segment.terminal_interface, True)
            gateway = str(ipaddress.ip_interface(segment.bench_address).ip)
            for host in hosts if segment.carries_host else ():
                kernel.route("add", dst=f"{host}/32", gateway=gateway, oif=index, priority=100 * (preference + 1))


_STACK = {
    "ipv6/conf/all/disable_ipv6": "1",  # router solicitations would be noise in captures and counters
    "ipv6/conf/default/disable_ipv6": "1",
    "ipv4/conf/all/rp_filter": "0",  # the terminal's two bearers lead to the same host: answers come in on either
    "ipv4/conf/default/rp_filter": "0",
    "ipv4/conf/all/arp_ignore": "0",
    "ipv4/conf/default/arp_ignore": "0",
}


def _configure_stack() -> None:
    """Settings of this thread's namespace. A new namespace inherits some of them from the machine."""
    for name, wanted in _STACK.items():
        path = Path("/proc/sys/net") / name
        with contextlib.suppress(FileNotFoundError):
            _write_setting(path, wanted)


def _write_setting(path: Path, wanted: str) -> None:
    if path.read_text().strip() == wanted:
        return
    try:
        path.write_text(wanted)
    except OSError as error:
        if "rp_filter" in path.name:
            what = f"cannot be set to {wanted}: {error.strerror}"
            raise BenchTrouble(str(path), what, "mount /proc/sys writable") from error


def _check(segments: Sequence[Segment], hosts: Iterable[str]) -> None:
    def readable(what: str, parse: Callable[[str], object], address: str) -> None:
        try:
            parse(address)
        except ValueError as error:
            raise CallerMistake(what, str(error), "write such as 10.64.1.1/24") from error

    for segment in segments:
        for name in (f"{segment.name}-t", segment.terminal_interface, f"{segment.radio or ''}-t"):
            if len(name) > 15:
                raise CallerMistake(f"segment {segment.name}", f"{name!r} is too long for an interface", "15 letters")
        readable(f"segment {segment.name}", ipaddress.ip_interface, segment.terminal_address)
        readable(f"segment {segment.name}", ipaddress.ip_interface, segment.bench_address)
    for host in hosts:
        readable("host address", ipaddress.ip_address, host)
