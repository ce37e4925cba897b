"""The services as a process: ``python -m rig.bearers.services --config FILE --ready-fd N``.

Settings beside those of every bench process (:mod:`rig.process`)::

    {"bearers": {"wifi": {"interface": "wifi", "address": "10.64.1.1/24", "names": {"acquirer.bench": ["10.64.0.10"]},
                          "dhcp": {"first": "10.64.1.2", "last": "10.64.1.2"}, "standby": false}}}

It is asked over ``services.sock`` in the runtime folder: ``rule {bearer, service, rule}``, ``impersonate {bearer,
settings}``, ``clear {bearer}`` (``all`` for all: the restore recipe), ``state {bearer}`` (its read-back).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rig.bearers.services.bearer import BearerServices
from rig.bearers.services.client import SOCKET
from rig.errors import CallerMistake
from rig.history import Journal
from rig.process import Started, main_config
from rig.rpc import Handler, RpcServer


class ServiceDesk:
    """The verbs of the control socket."""

    def __init__(self, bearers: Mapping[str, Mapping[str, Any]], journal: Journal) -> None:
        self._bearers = {name: BearerServices(name, each, journal.write) for name, each in bearers.items()}
        self.verbs: dict[str, Handler] = {
            "rule": self._rule,
            "impersonate": self._impersonate,
            "clear": self._clear,
            "state": self._state,
        }

    def close(self) -> None:
        """End every service."""
        for each in self._bearers.values():
            each.clear()
            each.close()

    def _bearer(self, name: str) -> BearerServices:
        if name not in self._bearers:
            raise CallerMistake("services", f"none for bearer {name!r}", f"there are {', '.join(self._bearers)}")
        return self._bearers[name]

    def _rule(self, bearer: str, service: str, rule: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return self._bearer(bearer).set_rule(service, rule)

    def _impersonate(self, bearer: str, settings: Mapping[str, Any]) -> dict[str, Any]:
        return {"port": self._bearer(bearer).impersonate(settings)}

    def _clear(self, bearer: str) -> dict[str, Any]:
        names = list(self._bearers) if bearer == "all" else [bearer]
        return {"bearers": {name: self._bearer(name).clear() for name in names}}

    def _state(self, bearer: str) -> dict[str, Any]:
        return self._bearer(bearer).state()


def main() -> None:
    """Serve until SIGTERM."""
    started: Started = main_config()
    config = started.config
    journal = Journal.of_process(config)
    desk = ServiceDesk(config["bearers"], journal)
    server = RpcServer(Path(config["runtime"]) / SOCKET, desk.verbs)
    journal.write("started", bearers=sorted(config["bearers"]))
    started.ready(bearers=sorted(config["bearers"]))
    started.stop.wait()
    server.close()
    desk.close()
    journal.write("ended")
    journal.close()


if __name__ == "__main__":
    main()
