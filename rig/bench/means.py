"""What the bench has to make a bearer fail by: the port of its cable, its base's relays, its attenuators, its modem."""

from __future__ import annotations

from dataclasses import replace

from rig.bearers.failures import Site
from rig.bearers.failures.base import BaseKeys
from rig.bearers.failures.wrong_apn import ApnModem
from rig.bench.description import BenchFile
from rig.bench.devices import Devices
from rig.bench.parts.network import Base
from rig.bench.signals import Signals
from rig.units import Decibel


class PathOfBearer:
    """The attenuators of one RF path; see :class:`rig.bearers.failures.out_of_range.RadioPath`.

    Where somebody reads at its end, what is set must be felt there: a box that is stuck or lies is the bench's fault.
    """

    def __init__(self, signals: Signals, path: str, read: bool) -> None:
        self._signals, self._path, self._read = signals, path, read

    @property
    def maximum_db(self) -> float:
        """As much as the box can."""
        return float(self._signals.maximum(self._path))

    def attenuate(self, db: float) -> float:
        """Set it; returns what reads back, both in dB."""
        if self._read:
            return float(self._signals.prove_step(self._path, Decibel(db)).to_db)
        return self._signals.attenuate(self._path, Decibel(db))

    def read(self) -> float:
        """What reads back now, in dB."""
        return float(self._signals.attenuation(self._path))

    def make_safe(self) -> object:
        """As at rest."""
        return self._signals.make_safe(self._path)


def host_port(bench: BenchFile, bearer: str) -> int:
    """The host's TCP port on a bearer: another where the terminal speaks without TLS."""
    host = bench.acquirer
    return host.plain_port if bench.bearers[bearer].plain and host.plain_port is not None else host.port


def with_means(site: Site, bench: BenchFile, devices: Devices, signals: Signals) -> Site:
    """The same bearer with what this bench has for it."""
    place = bench.bearers[site.bearer]
    base = place.base
    watching = bench.watched.get(site.bearer)
    modem = devices.modems[watching] if watching is not None and not bench.modems[watching].sentinel else None
    return replace(
        site,
        port=host_port(bench, site.bearer),
        plug=devices.plugs.get(site.bearer),
        base=_keys(base, devices) if base is not None else None,
        path=PathOfBearer(signals, place.path, watching is not None) if place.path is not None else None,
        modem=modem if isinstance(modem, ApnModem) else None,
    )


def _keys(base: Base, devices: Devices) -> BaseKeys:
    power, pairing = (devices.relays.get(name) if name is not None else None for name in (base.power, base.pairing))
    return BaseKeys(power, pairing, base.forget_s, base.pair_s, base.boot_s)
