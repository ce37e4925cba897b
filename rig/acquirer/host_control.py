"""What the host's side door can do beside a gateway's: the ledger, card network and issuers, keys, the business day.

Verbs: ``ledger {since_t}``, ``network {rules}``, ``issuer {bank, out}``, ``keys {tid}`` (session keys change
underneath), ``cut_over`` (the next business date), ``end_of_day``; ``clear`` brings back the issuers too.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from rig.acquirer.control import Control, Reply
from rig.acquirer.delivery import Delivery
from rig.acquirer.doors import Doors
from rig.acquirer.faults import Action
from rig.acquirer.host import Host
from rig.acquirer.rules import NetworkRules


class HostControl(Control):
    """The control socket of a host."""

    def __init__(self, path: Path, doors: Doors, delivery: Delivery, host: Host) -> None:
        super().__init__(path, doors, delivery, delivery.rules, get_args(Action))
        self._host = host
        self._ledger = host.ledger
        self._verbs |= {
            "ledger": self._rows, "network": self._network, "issuer": self._issuer, "keys": self._keys,
            "cut_over": self._cut_over, "end_of_day": self._end_of_day,
        }  # fmt: skip

    async def _clear(self) -> Reply:
        self._host.network.restore()
        return await super()._clear()

    def _network_state(self) -> Reply:
        network = self._host.network
        return {"restored": network.restored, **network.rules.model_dump(mode="json")}

    async def _network(self, rules: Mapping[str, Any]) -> Reply:
        self._host.network.set_rules(NetworkRules.read(rules, "rules"))
        return await self._state()

    async def _issuer(self, bank: str, out: bool) -> Reply:
        self._host.network.set_out(bank, out)
        return await self._state()

    async def _keys(self, tid: str) -> Reply:
        return {"tid": tid, "changed": self._host.security.change_underneath(tid)}

    async def _cut_over(self) -> Reply:
        with self._ledger.transaction():
            date = self._host.day.begin_next()
        return {"business_date": date.isoformat()}

    async def _end_of_day(self) -> Reply:
        """Close every open batch, then cut over."""
        with self._ledger.transaction():
            closed = self._host.settlement.end_day(time.monotonic_ns())
            date = self._host.day.begin_next()
        return {"business_date": date.isoformat(), "batches": closed}

    async def _rows(self, since_t: int = 0) -> Reply:
        return {"rows": [row.to_json() for row in self._ledger.rows(since_t)]}
