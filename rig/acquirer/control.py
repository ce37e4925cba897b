"""The host's side door for the bench: faults, the ledger, the listener. JSON lines as in :mod:`rig.rpc`.

Verbs: ``ping``, ``arm {rule}``, ``release {key}`` (``"all"`` for all), ``down``, ``up``, ``clear`` (no rule armed,
nothing held, the listener up: the restore recipe), ``state`` (its read-back), ``pending``, ``ledger {since_t}``.
Pushed events: ``received``, ``held``, ``answered``, ``lost``, ``withheld``, each with ``key`` and ``mti``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from rig.acquirer.delivery import Delivery
from rig.acquirer.faults import Rule
from rig.acquirer.ledger import Ledger
from rig.acquirer.server import Server
from rig.errors import RigError

Reply = dict[str, Any]
_UNHEARD_LIMIT = 1 << 20  # bytes that a client may leave unread before it is dropped


class Control:
    """Serves one unix socket in the bench's runtime folder, inside the host's event loop."""

    def __init__(self, path: Path, server: Server, delivery: Delivery, ledger: Ledger) -> None:
        self._path = path
        self._server = server
        self._delivery = delivery
        self._ledger = ledger
        self._clients: set[asyncio.StreamWriter] = set()
        self._listener: asyncio.Server | None = None
        self._verbs: dict[str, Callable[..., Awaitable[Reply]]] = {
            "ping": self._ping, "arm": self._arm, "release": self._release, "clear": self._clear, "down": self._down,
            "up": self._up, "state": self._state, "pending": self._pending, "ledger": self._rows,
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
        self._server.open()
        return await self._state()

    async def _down(self) -> Reply:
        await self._server.shut("the host is told to be down")
        return await self._state()

    async def _up(self) -> Reply:
        self._server.open()
        return await self._state()

    async def _state(self) -> Reply:
        lines = [{"peer": line.peer, "local": line.local, "security": line.security} for line in self._server.lines]
        held = (await self._pending())["pending"]
        listener = {"up": self._server.up, "port": self._server.port, "plain_port": self._server.plain_port}
        return {"rules": self._delivery.rules.state(), "held": held, "connections": lines, "listener": listener}

    async def _pending(self) -> Reply:
        return {"pending": [{"key": h.key, "mti": h.mti, "since_t": h.since_t} for h in self._delivery.held]}

    async def _rows(self, since_t: int = 0) -> Reply:
        return {"rows": [row.to_json() for row in self._ledger.rows(since_t)]}


def _line(message: Mapping[str, Any]) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def _refused(number: Any, why: str) -> Reply:
    return {"id": number, "ok": False, "error": why}
