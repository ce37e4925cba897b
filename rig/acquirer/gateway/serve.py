"""The gateway as a process: ``python -m rig.acquirer.gateway.serve --config FILE --ready-fd N``.

Settings beside those of every bench process (:mod:`rig.process`)::

    {"listen": ["10.64.0.10"], "port": 5000, "plain_port": null, "state": "…", "dialect": "ascii-1987",
     "mode": "terminate", "upstream": {"address": "198.51.100.7", "port": 7000, "tls": true, "ca": null}}

With ``pass`` the terminal's TLS goes to the host as it is. The control socket is the host's own
(:mod:`rig.acquirer.control`), but for what only a host can do.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rig.acquirer.authority import host_identity
from rig.acquirer.control import Control
from rig.acquirer.delivery import Delivery
from rig.acquirer.doors import Doors
from rig.acquirer.faults import FaultRules
from rig.acquirer.fronts.meeting import Fronts
from rig.acquirer.gateway import ACTIONS, MODES
from rig.acquirer.gateway.passing import Passing
from rig.acquirer.gateway.relay import Relay
from rig.acquirer.gateway.upstream import Upstream
from rig.acquirer.limits import Limits
from rig.acquirer.serve import SOCKET, Served
from rig.errors import CallerMistake
from rig.history import Journal
from rig.process import main_config
from rig.wire.iso8583 import ASCII87
from rig.wire.iso8583.registry import find_dialect


def main() -> None:
    """Serve until SIGTERM."""
    started = main_config()
    config = started.config
    journal = Journal.of_process(config)
    journal.write("started", listen=config["listen"], mode=config["mode"])
    try:
        asyncio.run(serve(config, journal, started.stop, lambda served: started.ready(**served._asdict())))
    finally:
        journal.write("ended")
        journal.close()


async def serve(
    config: Mapping[str, Any], journal: Journal, stop: threading.Event, ready: Callable[[Served], None]
) -> None:
    """Serve until ``stop``; ``ready`` is called once the gateway listens.

    Raises:
        CallerMistake: a setting is wrong.
        DeviceGone: an address cannot be bound.
    """
    mode = config.get("mode", "terminate")
    if mode not in MODES:
        raise CallerMistake("gateway.mode", f"is {mode!r}", f"use {' or '.join(MODES)}")
    passes = mode == "pass"
    upstream, limits = Upstream.read(config["upstream"], passes), Limits(**config.get("limits", {}))
    state, listen = Path(config["state"]), config["listen"]

    def push(event: str, **data: Any) -> None:
        control.push(event, **data)

    rules = FaultRules()
    dialect = find_dialect(config.get("dialect", ASCII87.name))
    with_tls = not passes and config.get("tls", True)
    identity = host_identity(state, listen) if with_tls else None
    fronts = Fronts(state, identity, listen, journal) if identity else None
    delivery = Delivery(rules, journal, push)
    passing = Passing(upstream, rules, journal, push)
    converse = passing.converse if passes else Relay(dialect, upstream, delivery, journal).converse
    tls = identity.server_context() if identity else None
    plain_port = config.get("plain_port")
    doors = Doors(converse, journal, listen, config["port"], tls, limits, plain_port=plain_port, fronts=fronts)
    delivery.fell_over = lambda: doors.drop_all("the gateway is told that the host fell over")
    control = Control(Path(config["runtime"]) / SOCKET, doors, passing if passes else delivery, rules, ACTIONS)
    doors.open()
    await control.open()
    ready(Served(doors.port, doors.plain_port, identity.fingerprint if identity else None))
    await asyncio.to_thread(stop.wait)
    await doors.shut("the gateway ends")
    await control.close()


if __name__ == "__main__":
    main()
