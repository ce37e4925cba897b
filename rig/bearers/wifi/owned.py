"""An access point with all that belongs to it: hostapd, the bench's address on it, names and addresses for stations."""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyroute2.iwutil  # noqa: F401 - before there are threads, of which two would trip over its circular imports
from pyroute2.netlink.exceptions import NetlinkError

from rig.bearers.kernel import kernel_session, open_kernel
from rig.bearers.wifi.access_point import AccessPoint
from rig.bearers.wifi.air import Note
from rig.bearers.wifi.config import Cell, Network, Security
from rig.bearers.wifi.dnsmasq import Dnsmasq, Serving
from rig.bearers.wifi.hostapd import Hostapd, attach
from rig.errors import BenchTrouble, CallerMistake, DeviceGone, RigError


@dataclass(frozen=True)
class Settings:
    """One access point as the process is told of it.

    Attributes:
        network: what is in the air.
        serving: what dnsmasq serves; its interface is the one that bears the bench's address.
        names: whether dnsmasq is wanted at all.
        control: the folder of the control sockets of a hostapd that somebody else runs; None: ours.
        sample_s: how often signal and rate of every station are written.
    """

    network: Network
    serving: Serving
    names: bool
    control: Path | None
    sample_s: float

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Settings:
        """Check and convert; the keys are those of :class:`Network` and ``address``, ``dhcp``, ``names``, ``serves``,
        ``control``, ``sample_s``.

        Raises:
            CallerMistake: a value that cannot be.
        """
        cells = tuple(Cell(each["interface"], each.get("channel")) for each in raw["cells"])
        network = Network(
            raw["ssid"], Security(raw["security"]), raw.get("passphrase", ""), raw["country"], cells, raw.get("bridge")
        )
        pool = raw.get("dhcp") or {}
        try:
            serving = Serving(
                network.bridge or cells[0].interface,
                ipaddress.IPv4Interface(raw["address"]),
                ipaddress.IPv4Address(pool["first"]) if pool else None,
                ipaddress.IPv4Address(pool["last"]) if pool else None,
                pool.get("lease_s", 3600),
                raw.get("names", {}),
            )
        except ValueError as error:
            raise CallerMistake("access point", str(error), "write such as 10.64.1.1/24") from error
        control = Path(raw["control"]) if raw.get("control") else None
        return cls(network, serving, raw.get("serves", True), control, raw.get("sample_s", 5.0))


class OwnedAccessPoint:
    """Started once, closed once.

    Args:
        name: in the bench file.
        settings: what it is.
        folder: where configurations and sockets go; only its owner may enter it.
        logs: where hostapd and dnsmasq log.
        note: gets ``wifi_event``, ``station`` and ``lease``.
    """

    def __init__(self, name: str, settings: Settings, folder: Path, logs: Path, note: Note) -> None:
        self._name = name
        self._settings = settings
        self._folder = folder
        self._logs = logs
        self._note = note
        self._over = threading.Event()
        self._closing = contextlib.ExitStack()
        self.dnsmasq: Dnsmasq | None = None

    def start(self) -> None:
        """On the air, with its address and its servers.

        Raises:
            BenchTrouble: hostapd or dnsmasq is missing or does not come up, or there is no such interface. Nothing is
                left then.
        """
        with contextlib.ExitStack() as undo:
            name, settings = self._name, self._settings
            if settings.control is not None:
                controls = attach(name, settings.network, settings.control)
            else:
                hostapd = Hostapd(name, settings.network, self._folder, self._logs / f"{name}-hostapd.log")
                undo.callback(hostapd.stop)
                controls = hostapd.start()
            self.access_point = AccessPoint(name, settings.network, controls, self._note)
            undo.callback(self.access_point.close)
            if settings.control is not None:
                self.access_point.take_over()
            if _add_address(settings.serving):
                undo.callback(_remove_address, settings.serving)
            if settings.names:
                self.dnsmasq = Dnsmasq(
                    name, settings.serving, self._folder, self._logs / f"{name}-dnsmasq.log", self._note
                )
                undo.callback(self.dnsmasq.stop)
                self.dnsmasq.start()
            sampler = threading.Thread(target=self._sample, name=f"samples of {name}", daemon=True)
            sampler.start()
            undo.callback(sampler.join)
            undo.callback(self._over.set)
            self._closing = undo.pop_all()

    def state(self) -> dict[str, Any]:
        """What :meth:`AccessPoint.state` says, and who holds which address; ``serves``: whether dnsmasq does."""
        leases = self.dnsmasq.leases() if self.dnsmasq is not None else []
        return {
            **self.access_point.state(),
            "serves": self.dnsmasq is not None and self.dnsmasq.runs,
            "leases": {lease.mac: lease.address for lease in leases},
        }

    def restore(self) -> dict[str, Any]:
        """As the bench file says, its servers too; returns what reads back."""
        read = self.access_point.restore()
        if self.dnsmasq is not None:
            self.dnsmasq.start()
        return {**read, "serves": self.dnsmasq is not None and self.dnsmasq.runs}

    def serve_names(self, serve: bool) -> bool:
        """Let dnsmasq serve, or let go of its ports; returns whether it serves.

        Raises:
            CallerMistake: the bench file wants no servers here.
        """
        if self.dnsmasq is None:
            raise CallerMistake(f"access point {self._name}", "serves no names and addresses", "see access_points")
        (self.dnsmasq.start if serve else self.dnsmasq.stop)()
        return self.dnsmasq.runs

    def close(self) -> None:
        """Off the air; what was ours is gone."""
        self._closing.close()

    def _sample(self) -> None:
        while not self._over.wait(self._settings.sample_s):
            with contextlib.suppress(RigError):  # whoever acts on it next will hear of it
                self.access_point.air.sample()


def _add_address(serving: Serving) -> bool:
    """Give the bench its address; returns whether it had it not."""
    what = f"address {serving.address} on {serving.interface}"
    with open_kernel() as kernel:
        found = kernel.link_lookup(ifname=serving.interface)
        if not found:
            raise DeviceGone(f"interface {serving.interface}", "there is none", "is the radio plugged in?")
        try:
            kernel.addr("add", index=found[0], address=str(serving.address.ip), prefixlen=_length(serving))
        except NetlinkError as error:
            if error.code == errno.EEXIST:
                return False
            raise BenchTrouble(what, f"the kernel refused: {error.args[-1]}", "needs CAP_NET_ADMIN") from error
    return True


def _remove_address(serving: Serving) -> None:
    with contextlib.suppress(BenchTrouble), kernel_session(serving.interface) as kernel:
        for index in kernel.link_lookup(ifname=serving.interface):
            kernel.addr("del", index=index, address=str(serving.address.ip), prefixlen=_length(serving))


def _length(serving: Serving) -> int:
    return serving.address.network.prefixlen
