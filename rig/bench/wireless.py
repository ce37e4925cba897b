"""The access points of a bench in the hands of faults: what is done to them, its proof, and everything undone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rig.bearers.wifi.client import AccessPointClient
from rig.bench.description import BenchFile
from rig.bench.devices import Devices, Observe
from rig.errors import BenchTrouble, CallerMistake, RigError
from rig.faults import Facts, LateProof, Proof

_REFUSED_WITHIN_S = 20.0
"""A terminal that was sent away looks for its network again and again, and gets tired of it."""


class Wireless:
    """All access points of a bench. May be used from several threads; each one does one thing at a time.

    Writes ``access_point`` for what is done to one, with its evidence, and ``station_missing`` where nobody came back.
    """

    def __init__(self, bench: BenchFile, devices: Devices, observe: Observe) -> None:
        self._bench = bench
        self._devices = devices
        self._observe = observe

    def has(self, bearer: str) -> bool:
        """Whether the bearer is an access point of the bench."""
        return bearer in self._bench.bearers and self._bench.bearers[bearer].access_point is not None

    def act(self, bearer: str, act: str, options: Facts) -> Proof | LateProof:
        """Do one of ``vanish``, ``deauthenticate``, ``change_channel``, ``wrong_key``, ``roam``.

        Raises:
            CallerMistake: no access point there, or an option that cannot be.
            BenchTrouble: hostapd is gone, mute or refused.
        """
        point = self._of(bearer)
        acts: dict[str, Callable[..., Proof | LateProof]] = {
            "vanish": self._vanish,
            "deauthenticate": self._deauthenticate,
            "change_channel": self._change_channel,
            "wrong_key": self._wrong_key,
            "roam": self._roam,
        }
        return acts[act](point, **options)

    def restore(self) -> None:
        """Every access point as the bench file says, read back.

        Raises:
            BenchTrouble: the first that is not; the others are, all the same.
        """
        trouble: RigError | None = None
        for point in self._devices.access_points.values():
            try:
                self._tell(point, "restore", point.restore())
            except RigError as error:
                trouble = trouble or error
        if trouble is not None:
            raise trouble

    def restore_one(self, bearer: str) -> None:
        """The access point of a bearer as the bench file says, read back; raises as :meth:`act`."""
        point = self._of(bearer)
        self._tell(point, "restore", point.restore())

    def wait_for_station(self, bearer: str) -> None:
        """Wait until the terminal is on it.

        Raises:
            BenchTrouble: it does not come in time.
        """
        if self.has(bearer):
            point = self._of(bearer)
            described = self._bench.access_points[point.name]
            point.wait_for_station(described.join_limit_s, described.station)

    def wait_for_stations(self) -> None:
        """Wait until the terminal is on every access point, and say where it is not: that is the terminal's matter."""
        for bearer in self._bench.bearers:
            try:
                self.wait_for_station(bearer)
            except BenchTrouble as error:
                self._observe("station_missing", {"bearer": bearer, "what": error.what})

    def usual_server(self, bearer: str) -> UsualServer | None:
        """Its dnsmasq, for failures of names and addresses."""
        if self.has(bearer) and self._bench.access_points[self._of(bearer).name].dnsmasq:
            return UsualServer(self._of(bearer))
        return None

    def openable(self, bearer: str) -> Openable | None:
        """Its security, for failures that take it away."""
        return Openable(self, bearer) if self.has(bearer) else None

    def secure(self, bearer: str, security: str) -> dict[str, Any]:
        """Another security."""
        point = self._of(bearer)
        return self._tell(point, "secure", point.secure(security))

    def configured_security(self, bearer: str) -> str:
        """What the bench file says."""
        return self._bench.access_points[self._of(bearer).name].security

    def _vanish(self, point: AccessPointClient, silent: bool) -> Proof:
        evidence = self._tell(point, "vanish", point.vanish(silent))
        off = all(cell["state"] == "DISABLED" for cell in evidence["cells"].values())
        return Proof(off and not evidence["stations"], evidence)

    def _deauthenticate(self, point: AccessPointClient, reason: int, disassociate: bool) -> Proof:
        station = self._bench.access_points[point.name].station
        evidence = self._tell(point, "deauthenticate", point.deauthenticate(station, reason, disassociate))
        return Proof(bool(evidence["left"]), evidence)

    def _change_channel(self, point: AccessPointClient, channel: int) -> Proof:
        station = self._bench.access_points[point.name].station
        evidence = self._tell(point, "change_channel", point.change_channel(channel, station))
        return Proof(bool(evidence["stations_before"]), evidence)  # its frequency has been read back already

    def _wrong_key(self, point: AccessPointClient) -> LateProof:
        evidence = self._tell(point, "wrong_key", point.set_key(_another_key(self._bench, point.name)))

        def prove() -> Proof:
            refused = point.wait_for_refusal(_REFUSED_WITHIN_S)
            inside = [station.mac for station in point.stations() if station.authorized]
            return Proof(refused > 0 and not inside, {**evidence, "refused": refused, "inside": inside})

        return prove

    def _roam(self, point: AccessPointClient, hard: bool) -> Proof:
        evidence = self._tell(point, "roam", point.roam(self._bench.access_points[point.name].station, hard))
        return Proof(bool(evidence["roamed"]), evidence)

    def _of(self, bearer: str) -> AccessPointClient:
        name = self._bench.bearers[bearer].access_point if bearer in self._bench.bearers else None
        if name is None:
            having = ", ".join(each for each in self._bench.bearers if self.has(each))
            raise CallerMistake(bearer, "no access point of the bench", f"there is one on {having or 'none'}")
        return self._devices.access_points[name]

    def _tell(self, point: AccessPointClient, act: str, evidence: Mapping[str, Any]) -> dict[str, Any]:
        told = {"access_point": point.name, "act": act, **evidence}
        self._observe("access_point", told)
        return told


@dataclass(frozen=True)
class UsualServer:
    """The dnsmasq of an access point (:class:`rig.bearers.failures.failure.UsualServer`)."""

    point: AccessPointClient

    def stop(self) -> None:
        """Let go of its ports."""
        self.point.serve_names(False)

    def start(self) -> None:
        """Serve again."""
        self.point.serve_names(True)


@dataclass(frozen=True)
class Openable:
    """The security of an access point (:class:`rig.bearers.failures.failure.AccessPoint`)."""

    wireless: Wireless
    bearer: str

    def open_network(self) -> Mapping[str, Any]:
        """Take encryption away, and have the terminal back on it.

        Raises:
            BenchTrouble: it does not come: it takes no network without a key.
        """
        evidence = self.wireless.secure(self.bearer, "open")
        self.wireless.wait_for_station(self.bearer)
        return evidence

    def secure_network(self) -> None:
        """As the bench file says."""
        self.wireless.secure(self.bearer, self.wireless.configured_security(self.bearer))


def _another_key(bench: BenchFile, name: str) -> str:
    known = bench.access_points[name].passphrase
    return next(key for key in ("somebody changed it", "somebody changed it again") if key != known)
