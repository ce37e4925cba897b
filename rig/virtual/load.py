"""What a relay powers: a process, and the network interfaces that die with its power."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import ipaddress
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pyroute2.iproute.linux import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from rig.history.journal import Journal
from rig.virtual.supplicant import Supplicant

_PR_SET_PDEATHSIG = 1
_METRIC_STEP = 100

_libc = ctypes.CDLL(None, use_errno=True)
_netlink: Any = IPRoute  # pyroute2 is untyped


class Interfaces:
    """The load's own ends of its links, in this process's network namespace.

    Args:
        addresses: interface name to address with prefix length; None for none.
        routes: ``{"to": …, "via": …, "dev": …}``; ``metric`` where the order of the list is not meant.
    """

    def __init__(self, addresses: Mapping[str, str | None], routes: list[Mapping[str, Any]]) -> None:
        self._addresses = addresses
        self._routes = routes

    def up(self) -> None:
        """Bring every interface up, with its address and routes; what is there already is fine."""
        if not self._addresses:
            return
        with _netlink() as netlink:
            numbers = {name: _number(netlink, name) for name in self._addresses}
            for name, address in self._addresses.items():
                if address:
                    parsed = ipaddress.ip_interface(address)
                    with _present_is_fine():
                        netlink.addr(
                            "add", index=numbers[name], address=str(parsed.ip), prefixlen=parsed.network.prefixlen
                        )
                netlink.link("set", index=numbers[name], state="up")
            for place, route in enumerate(self._routes):
                netlink.route(
                    "replace",
                    dst=route["to"],
                    oif=numbers[route["dev"]],
                    priority=route.get("metric", _METRIC_STEP * (place + 1)),
                    **({"gateway": route["via"]} if "via" in route else {}),
                )

    def down(self) -> None:
        """Take every interface down: from here on nothing of the load reaches a wire."""
        if not self._addresses:
            return
        with _netlink() as netlink:
            for name in self._addresses:
                netlink.link("set", index=_number(netlink, name), state="down")


class Load:
    """A process that runs while there is power. Not thread-safe: its relay board asks one thing at a time.

    Args:
        argv: the command.
        env: added to this process's environment.
        interfaces: what loses its carrier with the power.
        journal: told ``load_started``, ``load_killed`` and ``load_died``.
        on_death: called, in a thread, when the load ended by itself.
        radios: what else runs while there is power: the supplicant of each of the load's radios.
    """

    def __init__(
        self,
        argv: list[str],
        env: Mapping[str, str],
        interfaces: Interfaces,
        journal: Journal,
        on_death: Callable[[], None] = lambda: None,
        radios: Sequence[Supplicant] = (),
    ) -> None:
        self._argv = argv
        self._env = {**os.environ, **env}
        self._interfaces = interfaces
        self._journal = journal
        self._on_death = on_death
        self._radios = radios
        self._process: subprocess.Popen[bytes] | None = None
        self._cut = threading.Event()

    @property
    def pid(self) -> int | None:
        """The process id, while it has power."""
        return self._process.pid if self._process else None

    def power_on(self) -> None:
        """Start the load; nothing happens where it has power already."""
        if self._process:
            return
        self._interfaces.up()
        for radio in self._radios:
            radio.power_on()
        self._cut = threading.Event()
        self._process = subprocess.Popen(self._argv, env=self._env, preexec_fn=_die_with_parent)
        self._journal.write("load_started", pid=self._process.pid)
        threading.Thread(target=self._watch, args=(self._process, self._cut), name="load", daemon=True).start()

    def power_off(self) -> None:
        """End the load as a power cut does: its wires go dead first, then it is killed without a word."""
        if not self._process:
            return
        process, self._process = self._process, None
        self._cut.set()
        try:
            self._interfaces.down()
        finally:
            for radio in self._radios:
                radio.power_off()
            process.send_signal(signal.SIGKILL)
            process.wait()
            self._journal.write("load_killed", pid=process.pid)

    def _watch(self, process: subprocess.Popen[bytes], cut: threading.Event) -> None:
        returncode = process.wait()
        if not cut.is_set():
            self._journal.write("load_died", pid=process.pid, returncode=returncode)
            self._on_death()


def _die_with_parent() -> None:
    """Runs in the child: a load never outlives its board, however that ends (prctl(2), PR_SET_PDEATHSIG)."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _number(netlink: Any, name: str) -> int:
    found = netlink.link_lookup(ifname=name)
    if not found:
        raise OSError(errno.ENODEV, f"no interface {name}")
    return int(found[0])


@contextlib.contextmanager
def _present_is_fine() -> Iterator[None]:
    try:
        yield
    except NetlinkError as error:
        if error.code != errno.EEXIST:
            raise
