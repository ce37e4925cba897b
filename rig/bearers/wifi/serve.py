"""The access points of a bench as a process: ``python -m rig.bearers.wifi.serve --config FILE --ready-fd N``.

Settings beside those of every bench process (:mod:`rig.process`)::

    {"logs": "…", "access_points": {"ap": {
        "ssid": "bench", "security": "wpa2", "passphrase": "…", "country": "DE",
        "cells": [{"interface": "wlan0", "channel": 1}], "bridge": null,
        "address": "10.64.1.1/24", "dhcp": {"first": "10.64.1.50", "last": "10.64.1.99"},
        "names": {"acquirer.bench": "10.64.0.10"}, "serves": true, "control": null, "sample_s": 5}}}

It owns hostapd and dnsmasq, which end with it. It is asked over ``access-points.sock`` in the runtime folder; every
verb names its ``access_point``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rig.bearers.wifi.access_point import AccessPoint
from rig.bearers.wifi.client import SOCKET
from rig.bearers.wifi.config import Security
from rig.bearers.wifi.owned import OwnedAccessPoint, Settings
from rig.errors import CallerMistake
from rig.history import Journal
from rig.process import main_config
from rig.rpc import Handler, RpcServer


class Desk:
    """The verbs of the control socket."""

    def __init__(self, access_points: Mapping[str, OwnedAccessPoint]) -> None:
        self._owned = access_points
        self.verbs: dict[str, Handler] = {
            "state": lambda access_point: self._get(access_point).state(),
            "wait": self._wait,
            "refused": lambda access_point, limit_s: {"count": self._ap(access_point).wait_for_refusal(limit_s)},
            "vanish": lambda access_point, silent: self._ap(access_point).vanish(silent),
            "appear": lambda access_point: self._ap(access_point).appear(),
            "deauthenticate": self._deauthenticate,
            "channel": lambda access_point, channel, mac: self._ap(access_point).change_channel(channel, mac),
            "key": lambda access_point, passphrase: self._ap(access_point).set_key(passphrase),
            "secure": self._secure,
            "roam": self._roam,
            "restore": lambda access_point: self._get(access_point).restore(),
            "names": lambda access_point, serve: {"serves": self._get(access_point).serve_names(serve)},
        }

    def _get(self, name: str) -> OwnedAccessPoint:
        if name not in self._owned:
            raise CallerMistake("access points", f"none is {name!r}", f"there are {', '.join(self._owned)}")
        return self._owned[name]

    def _ap(self, name: str) -> AccessPoint:
        return self._get(name).access_point

    def _wait(self, access_point: str, limit_s: float, mac: str | None) -> dict[str, Any]:
        return self._ap(access_point).wait_for_station(limit_s, mac).to_dict()

    def _deauthenticate(self, access_point: str, mac: str | None, reason: int, disassociate: bool) -> dict[str, Any]:
        return self._ap(access_point).deauthenticate(mac, reason, disassociate)

    def _secure(self, access_point: str, security: str) -> dict[str, Any]:
        return self._ap(access_point).secure(Security(security))

    def _roam(self, access_point: str, mac: str | None, hard: bool, limit_s: float) -> dict[str, Any]:
        return self._ap(access_point).roam(mac, hard, limit_s)


def main() -> None:
    """Serve until SIGTERM."""
    started = main_config()
    config = started.config
    journal = Journal.of_process(config)
    runtime, logs = Path(config["runtime"]), Path(config["logs"])
    with contextlib.ExitStack() as closing:
        owned = {
            name: OwnedAccessPoint(name, Settings.read(raw), runtime, logs, journal.write)
            for name, raw in config["access_points"].items()
        }
        for each in owned.values():
            each.start()
            closing.callback(each.close)
        server = RpcServer(runtime / SOCKET, Desk(owned).verbs)
        closing.callback(server.close)
        journal.write("started", access_points=sorted(owned))
        started.ready(access_points=sorted(owned))
        started.stop.wait()
    journal.write("ended")
    journal.close()


if __name__ == "__main__":
    main()
