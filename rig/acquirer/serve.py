"""The host as a process: ``python -m rig.acquirer.serve --config FILE --ready-fd N``.

Settings beside those of every bench process (:mod:`rig.process`)::

    {"listen": ["10.64.0.10"], "port": 5000, "tls": true, "plain_port": null,
     "state": "…", "cards": "…", "ledger": "….sqlite",
     "currency": "EUR", "terminals": {"52000001": "POSRIG000000001"}, "limits": {"idle_s": 300}}

``state`` is the bench's state directory (certificates, issuer keys), ``cards`` the folder of card profiles,
``terminals`` the terminals served with their merchants, ``plain_port`` where it listens without TLS as well. Ready says
``port``, ``plain_port`` and the certificate's ``fingerprint``.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from rig.acquirer.authority import host_identity
from rig.acquirer.control import Control
from rig.acquirer.delivery import Delivery
from rig.acquirer.faults import FaultRules
from rig.acquirer.host import Host
from rig.acquirer.keys import IssuerKeys
from rig.acquirer.ledger import Ledger
from rig.acquirer.line import Limits
from rig.acquirer.network import CardNetwork
from rig.acquirer.profiles import load_profiles
from rig.acquirer.server import Server
from rig.errors import CallerMistake
from rig.history import Journal
from rig.process import Started, main_config
from rig.units import CURRENCY_NUMERIC

SOCKET = "acquirer.sock"
"""The control socket's name in the runtime folder."""


def main() -> None:
    """Serve until SIGTERM."""
    started = main_config()
    config = started.config
    journal = Journal.of_process(config)
    journal.write("started", listen=config["listen"], tls=config.get("tls", True))
    try:
        ledger = Ledger(Path(config["ledger"]))
        asyncio.run(_serve(started, journal, ledger))
        ledger.close()
    finally:
        journal.write("ended")
        journal.close()


async def _serve(started: Started, journal: Journal, ledger: Ledger) -> None:
    config = started.config
    state = Path(config["state"])
    identity = host_identity(state, config["listen"]) if config.get("tls", True) else None
    network = CardNetwork(load_profiles(Path(config["cards"])), IssuerKeys(state / "issuer-keys.json"))
    host = Host(ledger, network, journal.redactor, journal, config["terminals"], _numeric(config["currency"]))

    def push(event: str, **data: Any) -> None:
        control.push(event, **data)

    delivery = Delivery(FaultRules(), journal, push)
    tls = identity.server_context() if identity else None
    limits = Limits(**config.get("limits", {}))
    plain_port = config.get("plain_port")
    server = Server(host, delivery, journal, config["listen"], config["port"], tls, limits, plain_port=plain_port)
    control = Control(Path(config["runtime"]) / SOCKET, server, delivery, ledger)
    server.open()
    await control.open()
    fingerprint = identity.fingerprint if identity else None
    started.ready(port=server.port, plain_port=server.plain_port, fingerprint=fingerprint)
    await asyncio.to_thread(started.stop.wait)
    await server.shut("the host ends")
    await control.close()


def _numeric(currency: str) -> str:
    if currency in CURRENCY_NUMERIC.values():
        return currency
    if currency not in CURRENCY_NUMERIC:
        raise CallerMistake("currency", f"{currency!r} is unknown", f"use one of {', '.join(CURRENCY_NUMERIC)}")
    return CURRENCY_NUMERIC[currency]


if __name__ == "__main__":
    main()
