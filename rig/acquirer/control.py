"""The host's side door for the bench: faults, the ledger, the listener. JSON lines as in :mod:`rig.rpc`.

Verbs: ``ping``, ``arm {rule}``, ``release {key}`` (``"all"`` for all), ``down``, ``up``, ``hang`` (connections are
taken, and nothing is said), ``restart {ms}``, ``front {name}`` (:mod:`rig.acquirer.fronts`), ``clear`` (no rule armed,
nothing held, the good front, the listener up: the restore recipe), ``state`` (its read-back), ``pending``; a host's own
are in :mod:`rig.acquirer.host_control`.
Pushed events: ``received``, ``held``, ``answered``, ``lost``, ``withheld``, each with ``key`` and ``mti``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from rig.acquirer.doors import Doors
from rig.acquirer.faults import FaultRules, HeldAnswer, Rule
from rig.errors import CallerMistake, RigError

Reply = dict[str, Any]
_UNHEARD_LIMIT = 1 << 20  # bytes that a client may leave unread before it is dropped


class Held(Protocol):
    """Who keeps answers back."""

    @property
    def held(self) -> list[HeldAnswer]:
        """The answers that are kept back now."""

    def release(self, key: str) -> list[str]:
        """Let them go, by their request's key or ``"all"``."""


class Control:
    """Serves one unix socket in the bench's runtime folder, inside the event loop of a host or a gateway.

    ``actions`` are the faults that can be armed here.
    """

    def __init__(self, path: Path, doors: Doors, delivery: Held, rules: FaultRules, actions: Collection[str]) -> None:
        self._path = path
        self._server = doors
        self._delivery = delivery
        self._rules = rules
        self._actions = actions
        self._restarting: asyncio.Task[None] | None = None
        self._clients: set[asyncio.StreamWriter] = set()
        self._listener: asyncio.Server | None = None
        self._verbs: dict[str, Callable[..., Awaitable[Reply]]] = {
            "ping": self._ping, "arm": self._arm, "release": self._release, "clear": self._clear, "down": self._down,
            "up": self._up, "state": self._state, "pending": self._pending, "ledger": self._no_rows, "hang": self._hang,
            "restart": self._restart, "front": self._front,
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
        read = Rule.read(rule)
        if read.action not in self._actions:
            raise CallerMistake("action", f"{read.action} is not for a gateway", f"use {', '.join(self._actions)}")
        return {"rule": self._rules.arm(read)}

    async def _release(self, key: str = "all") -> Reply:
        return {"released": self._delivery.release(key)}

    async def _clear(self) -> Reply:
        self._rules.clear()
        self._delivery.release("all")
        if self._server.fronts is not None:
            self._server.fronts.put_up("good")
            await self._server.fronts.all_left()
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
        await self._server.fronts.all_left()
        return await self._state()

    async def _state(self) -> Reply:
        lines = [{"peer": line.peer, "local": line.local, "security": line.security} for line in self._server.lines]
        held = (await self._pending())["pending"]
        listener = {
            "up": self._server.up and not self._server.hanging, "hangs": self._server.hanging,
            "port": self._server.port, "plain_port": self._server.plain_port,
        }  # fmt: skip
        rules = self._rules.state()
        fronts = self._server.fronts
        front = {"name": fronts.name, "seen": asdict(fronts.seen)} if fronts else None
        return {
            "front": front,
            "rules": rules,
            "held": held,
            "connections": lines,
            "listener": listener,
            "network": self._network_state(),
        }

    async def _pending(self) -> Reply:
        return {"pending": [{"key": h.key, "mti": h.mti, "since_t": h.since_t} for h in self._delivery.held]}

    async def _no_rows(self, since_t: int = 0) -> Reply:
        return {"rows": []}

    def _network_state(self) -> Reply:
        return {"restored": True}


def _line(message: Mapping[str, Any]) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def _refused(number: Any, why: str) -> Reply:
    return {"id": number, "ok": False, "error": why}
