"""JSON lines over a unix socket: how the processes of one bench ask each other for things.

A request is ``{"id": 1, "do": "verb", …}``, its answer ``{"id": 1, "ok": true, …}`` or
``{"id": 1, "ok": false, "error": "text"}``. A server may push ``{"event": "name", …}`` at any time.
The socket lives in a folder that only its owner can enter, which is its authentication.
"""

from __future__ import annotations

import contextlib
import json
import queue
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from rig.errors import BenchTrouble, DeviceGone, DeviceMute

Handler = Callable[..., Mapping[str, Any] | None]
"""Called with the request's arguments by name; what it returns is merged into the answer."""


class RpcError(BenchTrouble):
    """The other side refused the request; ``what`` is its text. Usual cure: the text names it."""


_SEND_LIMIT = struct.pack("ll", 1, 0)
"""Seconds and microseconds that a server waits for a client to read."""


def _line(message: Mapping[str, Any]) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


class RpcServer:
    """Serves handlers on a unix socket, one thread a client.

    Handlers may be called from several threads at once. An exception of a handler is its client's answer, and
    never ends the server.
    """

    def __init__(self, path: Path, handlers: Mapping[str, Handler]) -> None:
        self._handlers = dict(handlers)
        self._path = path
        self._clients: set[_Client] = set()
        self._lock = threading.Lock()
        path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        path.chmod(0o600)
        self._listener.listen()
        threading.Thread(target=self._accept, name=f"rpc {path.name}", daemon=True).start()

    def push(self, event: str, **data: Any) -> None:
        """Send an event to every client that is connected now."""
        line = _line({"event": event, **data})
        with self._lock:
            clients = list(self._clients)
        for client in clients:
            client.send(line)

    def close(self) -> None:
        """Stop serving and let every client see the end."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._path.unlink(missing_ok=True)
        with self._lock:
            for client in self._clients:
                client.hang_up()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            client = _Client(connection)
            with self._lock:
                self._clients.add(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: _Client) -> None:
        for line in client.lines():
            client.send(self._answer(line))
        with self._lock:
            self._clients.discard(client)
        client.close()

    def _answer(self, line: bytes) -> bytes:
        number: Any = None
        try:
            request = json.loads(line)
            number = request.pop("id", None)
            verb = request.pop("do")
            if verb not in self._handlers:
                return _line({"id": number, "ok": False, "error": f"unknown verb {verb!r}"})
            return _line({"id": number, "ok": True, **(self._handlers[verb](**request) or {})})
        except Exception as error:  # noqa: BLE001 - whatever a handler raises is the client's answer
            return _line({"id": number, "ok": False, "error": f"{type(error).__name__}: {error}"})


class _Client:
    """A server's end of one connection. One that does not read is hung up on: it must not hold up the others."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._lock = threading.Lock()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _SEND_LIMIT)

    def lines(self) -> Iterator[bytes]:
        with contextlib.suppress(OSError), self._socket.makefile("rb") as stream:
            yield from stream

    def send(self, line: bytes) -> None:
        with self._lock:
            try:
                self._socket.sendall(line)
            except OSError:
                # What was sent of the line is torn, so nothing after it could be read.
                self.hang_up()

    def hang_up(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        with self._lock:
            self._socket.close()


class RpcClient:
    """A blocking client. Calls may come from several threads; events wait in :attr:`notifications`.

    Raises:
        DeviceGone: nobody serves the socket, or the server ended.
    """

    def __init__(self, path: Path, name: str | None = None, timeout_s: float = 5.0) -> None:
        self.name = name or path.name
        self.notifications: queue.Queue[dict[str, Any] | None] = queue.Queue()
        """Events in order; ``None`` once the server is gone."""
        self._timeout_s = timeout_s
        self._waiting: dict[int, queue.Queue[dict[str, Any] | None]] = {}
        self._number = 0
        self._lock = threading.Lock()
        self._gone = False
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.connect(str(path))
        except OSError as error:
            self._socket.close()
            raise DeviceGone(
                self.name, f"nobody serves {path}: {error.strerror or error}", "was its process started?"
            ) from error
        threading.Thread(target=self._read, name=f"rpc client {self.name}", daemon=True).start()

    def call(self, verb: str, timeout_s: float | None = None, **arguments: Any) -> dict[str, Any]:
        """Ask, and wait for the answer.

        Raises:
            RpcError: the other side refused.
            DeviceGone: the connection ended.
            DeviceMute: no answer in time.
        """
        inbox: queue.Queue[dict[str, Any] | None] = queue.Queue()
        with self._lock:
            if self._gone:
                raise DeviceGone(self.name, f"its process ended before {verb!r}", "look at its journal")
            self._number += 1
            number = self._number
            self._waiting[number] = inbox
            try:
                self._socket.sendall(_line({"id": number, "do": verb, **arguments}))
            except OSError as error:
                self._waiting.pop(number, None)
                raise DeviceGone(self.name, f"its process ended during {verb!r}", "look at its journal") from error
        try:
            answer = inbox.get(timeout=timeout_s or self._timeout_s)
        except queue.Empty:
            raise DeviceMute(self.name, f"no answer to {verb!r} in {timeout_s or self._timeout_s} s") from None
        finally:
            self._waiting.pop(number, None)
        if answer is None:
            raise DeviceGone(self.name, f"its process ended during {verb!r}", "look at its journal")
        if not answer.pop("ok", False):
            raise RpcError(self.name, f"{verb} refused: {answer.get('error')}")
        answer.pop("id", None)
        return answer

    def close(self) -> None:
        """End the connection."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _read(self) -> None:
        # Who talks nonsense is as good as gone: no answer could be told from another any more.
        with contextlib.suppress(OSError, ValueError, TypeError, AttributeError):
            for line in self._socket.makefile("rb"):
                message = json.loads(line)
                if "event" in message:
                    self.notifications.put(message)
                elif inbox := self._waiting.get(message.get("id")):
                    inbox.put(message)
        with self._lock:
            self._gone = True
            waiting = list(self._waiting.values())
        for inbox in waiting:
            inbox.put(None)
        self.notifications.put(None)
