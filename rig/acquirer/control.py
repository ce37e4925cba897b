"""The host's side door for the bench: faults, the ledger, the listener. JSON lines as in :mod:`rig.rpc`.

Verbs: ``ping``, ``arm {rule}``, ``release {key}`` (``"all"`` for all), ``down``, ``up``, ``hang`` (connections are
taken, and nothing is said), ``restart {ms}``, ``clear`` (no rule armed, nothing held, every issuer there, the listener
up: the restore recipe), ``state`` (its read-back), ``pending``, ``ledger {since_t}``, ``network {rules}``, ``issuer
{bank, out}``, ``keys {tid}`` (session keys change underneath), ``cut_over`` (the next business date), ``end_of_day``,
``front {name}`` (:mod:`rig.acquirer.fronts`).
Pushed events: ``received``, ``held``, ``answered``, ``lost``, ``withheld``, each with ``key`` and ``mti``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rig.acquirer.delivery import Delivery
from rig.acquirer.doors import Doors
from rig.acquirer.faults import Rule
from rig.acquirer.host import Host
from rig.acquirer.rules import NetworkRules
from rig.errors import CallerMistake, RigError

Reply = dict[str, Any]
_UNHEARD_LIMIT = 1 << 20  # bytes that a client may leave unread before it is dropped


class Control:
    """Serves one unix socket in the bench's runtime folder, inside the host's event loop."""

    def __init__(self, path: Path, doors: Doors, delivery: Delivery, host: Host) -> None:
        self._path = path
        self._server = doors
        self._delivery = delivery
        self._host = host
        self._ledger = host.ledger
        self._restarting: asyncio.Task[None] | None = None
        self._clients: set[asyncio.StreamWriter] = set()
        self._listener: asyncio.Server | None = None
        self._verbs: dict[str, Callable[..., Awaitable[Reply]]] = {
            "ping": self._ping, "arm": self._arm, "release": self._release, "clear": self._clear, "down": self._down,
            "up": self._up, "state": self._state, "pending": self._pending, "ledger": self._rows, "hang": self._hang,
            "restart": self._restart, "network": self._network, "issuer": self._issuer, "keys": self._keys,
            "cut_over": self._cut_over, "end_of_day": self._end_of_day,
            "front": self._front,
        }  # fmt: skip

    async def open(self) -> None:
        """Begin to serve; the socket is its owner's alone."""
        self._path.unlink(missing_ok=True)
        self._listener = await asyncio.start_unix_server(self._serve, self._path)
        self._path.chmod(0o600)

    async def close(self) -> None:
        """Stop serving and let every client see the end."""
        if self._listener is not None:
            self._listener.close()
        for client in set(self._clients):
            client.close()
        self._path.unlink(missing_ok=True)

    def push(self, event: str, **data: Any) -> None:
        """Tell every client. One that does not listen is dropped rather than waited for."""
        if not self._clients:
            return
        line = _line({"event": event, **data})
        for client in set(self._clients):
            if client.transport.get_write_buffer_size() > _UNHEARD_LIMIT:
                client.transport.abort()
            else:
                client.write(line)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients.add(writer)
        try:
            while line := await reader.readline():
                writer.write(_line(await self._reply(line)))
                await writer.drain()
        except (OSError, ValueError):  # gone, or a line without an end
            pass
        finally:
            self._clients.discard(writer)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _reply(self, line: bytes) -> Reply:
        number: Any = None
        try:
            request = json.loads(line)
            number = request.pop("id", None)
            verb = request.pop("do", None)
            if verb not in self._verbs:
                return _refused(number, f"unknown verb {verb!r}")
            return {"id": number, "ok": True, **await self._verbs[verb](**request)}
        except (RigError, TypeError, ValueError, AttributeError) as error:
            return _refused(number, str(error))

    # Verbs -------------------------------------------------------------------------------------------------------

    async def _ping(self) -> Reply:
        return {"pid": os.getpid()}

    async def _arm(self, rule: Mapping[str, Any]) -> Reply:
        return {"rule": self._delivery.rules.arm(Rule.read(rule))}

    async def _release(self, key: str = "all") -> Reply:
        return {"released": self._delivery.release(key)}

    async def _clear(self) -> Reply:
        self._delivery.rules.clear()
        self._delivery.release("all")
        self._host.network.restore()
        if self._server.fronts is not None:
            self._server.fronts.put_up("good")
        if self._restarting is not None:
            self._restarting.cancel()
        await self._unhang()
        self._server.open()
        return await self._state()

    async def _down(self) -> Reply:
        await self._server.shut("the host is told to be down")
        return await self._state()

    async def _up(self) -> Reply:
        await self._unhang()
        self._server.open()
        return await self._state()

    async def _hang(self) -> Reply:
        self._server.hanging = True
        self._server.drop_all("the host is told to hang")
        return await self._state()

    async def _unhang(self) -> None:
        if self._server.hanging:
            self._server.hanging = False
            self._server.drop_all("the host does not hang any more")

    async def _restart(self, ms: int) -> Reply:
        """Be down for a while, and come back without being told."""
        await self._server.shut("the host restarts")

        async def come_back() -> None:
            await asyncio.sleep(ms / 1000)
            self._server.open()

        self._restarting = asyncio.create_task(come_back())
        return await self._state()

    async def _front(self, name: str) -> Reply:
        if self._server.fronts is None:
            raise CallerMistake("front", "this host listens without TLS", "give it TLS")
        self._server.fronts.put_up(name)
        return await self._state()

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

    async def _state(self) -> Reply:
        lines = [{"peer": line.peer, "local": line.local, "security": line.security} for line in self._server.lines]
        held = (await self._pending())["pending"]
        listener = {
            "up": self._server.up and not self._server.hanging, "hangs": self._server.hanging,
            "port": self._server.port, "plain_port": self._server.plain_port,
        }  # fmt: skip
        network = self._host.network
        told = {"restored": network.restored, **network.rules.model_dump(mode="json")}
        rules = self._delivery.rules.state()
        fronts = self._server.fronts
        front = {"name": fronts.name, "seen": asdict(fronts.seen)} if fronts else None
        return {
            "front": front,
            "rules": rules,
            "held": held,
            "connections": lines,
            "listener": listener,
            "network": told,
        }

    async def _pending(self) -> Reply:
        return {"pending": [{"key": h.key, "mti": h.mti, "since_t": h.since_t} for h in self._delivery.held]}

    async def _rows(self, since_t: int = 0) -> Reply:
        return {"rows": [row.to_json() for row in self._ledger.rows(since_t)]}


def _line(message: Mapping[str, Any]) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def _refused(number: Any, why: str) -> Reply:
    return {"id": number, "ok": False, "error": why}
