"""Asking the process that owns the access points of a bench. May be used from several threads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rig.bearers.wifi.station import Station
from rig.rpc import RpcClient

SOCKET = "access-points.sock"
"""The control socket's name in the runtime folder."""
_ACTING_S = 60.0
_MORE_S = 5.0


class AccessPointClient:
    """One access point. The methods are those of :class:`rig.bearers.wifi.access_point.AccessPoint`, with its evidence.

    Args:
        name: of the access point in the bench file.
        path: the control socket.

    Raises:
        DeviceGone: nobody serves the socket; every method raises it when the process ends, and RpcError where it
            refuses.
    """

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self._rpc = RpcClient(path, f"access point {name}", _ACTING_S)

    def state(self) -> dict[str, Any]:
        """``cells``, ``stations``, ``refused``, ``serves``, ``leases``."""
        return self._rpc.call("state", access_point=self.name)

    def stations(self) -> list[Station]:
        """Everybody who is on it now, with signal and rate."""
        return [Station.from_dict(each) for each in self.state()["stations"]]

    def wait_for_station(self, limit_s: float, mac: str | None = None) -> Station:
        """Wait until the station, or any, may send data."""
        found = self._rpc.call("wait", limit_s + _MORE_S, access_point=self.name, limit_s=limit_s, mac=mac)
        return Station.from_dict(found)

    def wait_for_refusal(self, limit_s: float) -> int:
        """Wait until a station came with a wrong key; returns how often one did since the last action."""
        return int(self._rpc.call("refused", limit_s + _MORE_S, access_point=self.name, limit_s=limit_s)["count"])

    def vanish(self, silent: bool = True) -> dict[str, Any]:
        """Off the air, without a word or with one."""
        return self._rpc.call("vanish", access_point=self.name, silent=silent)

    def appear(self) -> dict[str, Any]:
        """On the air again."""
        return self._rpc.call("appear", access_point=self.name)

    def deauthenticate(self, mac: str | None = None, reason: int = 3, disassociate: bool = False) -> dict[str, Any]:
        """Send a station, or everybody, away."""
        more: dict[str, Any] = {"mac": mac, "reason": reason, "disassociate": disassociate}
        return self._rpc.call("deauthenticate", access_point=self.name, **more)

    def change_channel(self, channel: int, mac: str | None = None) -> dict[str, Any]:
        """Move the radio that a station is on to another channel, announced."""
        return self._rpc.call("channel", access_point=self.name, channel=channel, mac=mac)

    def set_key(self, passphrase: str) -> dict[str, Any]:
        """Another passphrase."""
        return self._rpc.call("key", access_point=self.name, passphrase=passphrase)

    def secure(self, security: str) -> dict[str, Any]:
        """Another security: ``open``, ``wpa2`` or ``wpa3``."""
        return self._rpc.call("secure", access_point=self.name, security=security)

    def roam(self, mac: str | None = None, hard: bool = False, limit_s: float = 20.0) -> dict[str, Any]:
        """Bring a station to the other cell."""
        more: dict[str, Any] = {"mac": mac, "hard": hard, "limit_s": limit_s}
        return self._rpc.call("roam", limit_s + _ACTING_S, access_point=self.name, **more)

    def restore(self) -> dict[str, Any]:
        """As the bench file says; returns what reads back."""
        return self._rpc.call("restore", access_point=self.name)

    def serve_names(self, serve: bool) -> bool:
        """Let its dnsmasq serve, or let go of its ports; returns whether it serves."""
        return bool(self._rpc.call("names", access_point=self.name, serve=serve)["serves"])

    def close(self) -> None:
        """End the connection; what was set stays set."""
        self._rpc.close()
