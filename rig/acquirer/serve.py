"""The host as a process: ``python -m rig.acquirer.serve --config FILE --ready-fd N``.

Settings beside those of every bench process (:mod:`rig.process`)::

    {"listen": ["10.64.0.10"], "port": 5000, "tls": true, "plain_port": null,
     "state": "…", "cards": "…", "ledger": "….sqlite",
     "currency": "EUR", "terminals": {"52000001": "POSRIG000000001"}, "limits": {"idle_s": 300},
     "dialect": "ascii-1987", "rules": null, "front": "good"}

``state`` is the bench's state directory (certificates, issuer keys), ``cards`` the folder of card profiles,
``terminals`` the terminals served with their merchants (null: every terminal), ``plain_port`` where it listens without
TLS as well, ``rules`` a file for :mod:`rig.acquirer.rules`. Ready says what :class:`Served` holds.
"""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from rig.acquirer.authority import host_identity
from rig.acquirer.delivery import Delivery
from rig.acquirer.doors import Doors
from rig.acquirer.faults import FaultRules
from rig.acquirer.fronts.meeting import Fronts
from rig.acquirer.host import Host
from rig.acquirer.host_control import HostControl
from rig.acquirer.keys import IssuerKeys
from rig.acquirer.ledger import Ledger
from rig.acquirer.limits import Limits
from rig.acquirer.network import CardNetwork
from rig.acquirer.profiles import load_profiles
from rig.acquirer.rules import NetworkRules
from rig.acquirer.security import Security
from rig.acquirer.server import Service
from rig.acquirer.terminal_keys import FILE, TerminalKeyStore
from rig.acquirer.vault import PanVault
from rig.errors import CallerMistake
from rig.history import Journal
from rig.process import main_config
from rig.units import CURRENCY_NUMERIC
from rig.wire.iso8583 import ASCII87
from rig.wire.iso8583.registry import find_dialect

SOCKET = "acquirer.sock"
"""The control socket's name in the runtime folder."""


class Served(NamedTuple):
    """Where the host listens: its port, the one without TLS beside it, and the SHA-256 of its certificate."""

    port: int
    plain_port: int | None
    fingerprint: str | None


def main() -> None:
    """Serve until SIGTERM."""
    started = main_config()
    config = started.config
    journal = Journal.of_process(config)
    journal.write("started", listen=config["listen"], tls=config.get("tls", True))
    try:
        ledger = Ledger(Path(config["ledger"]))
        asyncio.run(serve(config, journal, ledger, started.stop, lambda served: started.ready(**served._asdict())))
        ledger.close()
    finally:
        journal.write("ended")
        journal.close()


async def serve(
    config: Mapping[str, Any],
    journal: Journal,
    ledger: Ledger,
    stop: threading.Event,
    ready: Callable[[Served], None],
) -> None:
    """Serve until ``stop``; ``ready`` is called once the host listens.

    Raises:
        CallerMistake: a setting is wrong.
        DeviceGone: an address cannot be bound.
    """
    identity = host_identity(Path(config["state"]), config["listen"]) if config.get("tls", True) else None

    def push(event: str, **data: Any) -> None:
        control.push(event, **data)

    delivery = Delivery(FaultRules(), journal, push)
    limits = Limits(**config.get("limits", {}))
    host = make_host(config, ledger, journal)
    service = Service(host, delivery, journal, limits)
    tls = identity.server_context() if identity else None
    plain_port = config.get("plain_port")
    fronts = Fronts(Path(config["state"]), identity, config["listen"], journal) if identity else None
    if fronts is not None:
        fronts.put_up(config.get("front") or "good")
    listen, port = config["listen"], config["port"]
    doors = Doors(service.converse, journal, listen, port, tls, limits, plain_port=plain_port, fronts=fronts)
    delivery.fell_over = lambda: doors.drop_all("the host fell over")
    control = HostControl(Path(config["runtime"]) / SOCKET, doors, delivery, host)
    doors.open()
    await control.open()
    _settle_memory()
    ready(Served(doors.port, doors.plain_port, identity.fingerprint if identity else None))
    await asyncio.to_thread(stop.wait)
    await doors.shut("the host ends")
    await control.close()


def _settle_memory() -> None:
    """What is there now stays: the collector need not look at it again, and a sale leaves few cycles behind."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def make_host(config: Mapping[str, Any], ledger: Ledger, journal: Journal) -> Host:
    """The host of these settings. Raises CallerMistake for what they get wrong."""
    state = Path(config["state"])
    dialect = find_dialect(config.get("dialect", ASCII87.name))
    rules = NetworkRules.load(Path(config["rules"])) if config.get("rules") else None
    network = CardNetwork(load_profiles(Path(config["cards"])), IssuerKeys(state / "issuer-keys.json"), rules)
    security = Security(dialect, TerminalKeyStore(state / FILE))
    vault = PanVault.of_bench(state)
    redactor, currency = journal.redactor, _numeric(config["currency"])
    return Host(dialect, ledger, network, security, vault, redactor, journal, config["terminals"], currency)


def _numeric(currency: str) -> str:
    if currency in CURRENCY_NUMERIC.values():
        return currency
    if currency not in CURRENCY_NUMERIC:
        raise CallerMistake("currency", f"{currency!r} is unknown", f"use one of {', '.join(CURRENCY_NUMERIC)}")
    return CURRENCY_NUMERIC[currency]


if __name__ == "__main__":
    main()
