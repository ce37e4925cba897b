"""The relay's side door: JSON lines on a unix socket, served from the same loop that carries the packets.

The wire format is that of :mod:`rig.rpc`. Served in the loop, and not by a thread, a change is in force between two
packets, and its answer says so truly.
"""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Verb = Callable[..., Mapping[str, Any]]
"""Called with the request's arguments by name; what it returns is merged into the answer."""

_LONGEST_LINE = 65_536


class ControlSocket:
    """Listens on a unix socket and answers requests, never blocking."""

    def __init__(self, path: Path, verbs: Mapping[str, Verb]) -> None:
        self._path = path
        self._verbs = dict(verbs)
        self._clients: dict[socket.socket, bytearray] = {}
        path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        self._listener.setblocking(False)
        self._listener.bind(str(path))
        path.chmod(0o600)
        self._listener.listen()

    @property
    def sockets(self) -> list[socket.socket]:
        """What to wait for."""
        return [self._listener, *self._clients]

    def serve(self, ready: socket.socket) -> None:
        """Handle a socket of :attr:`sockets` that is readable."""
        if ready is self._listener:
            with contextlib.suppress(OSError):
                client, _ = self._listener.accept()
                client.setblocking(False)
                self._clients[client] = bytearray()
        elif ready in self._clients:
            self._read(ready, self._clients[ready])

    def close(self) -> None:
        """Stop listening and let every client see the end."""
        self._path.unlink(missing_ok=True)
        for each in self.sockets:
            each.close()

    def _read(self, client: socket.socket, pending: bytearray) -> None:
        try:
            received = client.recv(_LONGEST_LINE)
        except BlockingIOError:
            return
        except OSError:
            received = b""
        pending += received
        *lines, rest = bytes(pending).split(b"\n")
        pending[:] = rest
        try:
            for line in lines:
                client.sendall(json.dumps(self._answer(line), separators=(",", ":")).encode() + b"\n")
        except OSError:  # gone, or it asks without reading
            received = b""
        if not received or len(pending) > _LONGEST_LINE:
            del self._clients[client]
            client.close()

    def _answer(self, line: bytes) -> dict[str, Any]:
        number: Any = None
        try:
            request = json.loads(line)
            number = request.pop("id", None)
            verb = request.pop("do")
            if verb not in self._verbs:
                return {"id": number, "ok": False, "error": f"unknown verb {verb!r}; use {', '.join(self._verbs)}"}
            return {"id": number, "ok": True, **self._verbs[verb](**request)}
        except Exception as error:  # noqa: BLE001 - whatever a verb raises is its client's answer
            return {"id": number, "ok": False, "error": f"{type(error).__name__}: {error}"}
