"""An impostor of the host: it shows a forged certificate, and notes what it is given by whoever believes it.

What a victim sends is counted and handed on to the real host, so that a terminal that checks nothing notices nothing;
it is never written down. A victim that speaks HTTP is sent to the portal's page.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

from rig.bearers.services.forged import forged_context

_PATIENCE_S = 10.0
_TLS_HANDSHAKE = 0x16
_METHODS = (b"GET ", b"HEAD", b"POST", b"PUT ", b"OPTI")
_PAGE = b"<!doctype html><title>Free Wi-Fi</title><h1>Please accept the terms of use</h1>\n"

Note = Callable[..., object]


@dataclass
class Catch:
    """What came into the impostor's hands.

    Attributes:
        connections: that were taken.
        hellos: of them, those that began a TLS handshake.
        refused: handshakes that the victim broke off: it saw through the forgery.
        believed: handshakes that the victim finished, and did not end at once.
        application_bytes: given inside TLS by victims that believed; the proof of harm.
        clear_bytes: given without TLS, HTTP aside.
        http: requests that were sent to the portal's page.
    """

    connections: int = 0
    hellos: int = 0
    refused: int = 0
    believed: int = 0
    application_bytes: int = 0
    clear_bytes: int = 0
    http: int = 0


class Impostor:
    """Listens on one address until it is closed.

    Args:
        address: the bench's own address on the bearer.
        settings: ``name`` of the forged certificate, ``certificate`` (``foreign-authority`` or ``self-signed``),
            ``upstream`` (address and port of the real host, or None), ``page`` (URI of the portal's page).
        note: gets an ``impostor_connection`` for each connection that ended.
    """

    def __init__(self, address: str, settings: Mapping[str, Any], note: Note) -> None:
        self.catch = Catch()
        self._settings = settings
        self._note = note
        self._context = forged_context(settings["name"], settings.get("certificate", "foreign-authority"))
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._closed = False
        self._listener = socket.create_server((address, 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, name="impostor", daemon=True).start()

    def close(self) -> None:
        """Take no more connections, and end those that were taken: they would go on through the impostor."""
        _end(self._listener)
        self._listener.close()
        with self._lock:
            self._closed = True
            for each in self._open:
                _end(each)

    def state(self) -> dict[str, Any]:
        """The catch until now."""
        with self._lock:
            return asdict(self.catch)

    def _accept(self) -> None:
        while True:
            try:
                connection, peer = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection, peer[0]), daemon=True).start()

    def _serve(self, connection: socket.socket, peer: str) -> None:
        self._count(connections=1)
        what = "nothing said"
        with connection, self._held(connection):
            try:
                connection.settimeout(_PATIENCE_S)
                first = connection.recv(4, socket.MSG_PEEK | socket.MSG_WAITALL)
                if first[:1] == bytes([_TLS_HANDSHAKE]):
                    what = self._intercept(connection)
                elif first in _METHODS:
                    what = self._redirect(connection)
                elif first:
                    self._count(clear_bytes=len(connection.recv(65536)))
                    what = "spoke in clear"
            except OSError as error:
                what = f"ended: {error}"
        self._note("impostor_connection", peer=peer, what=what)

    @contextlib.contextmanager
    def _held(self, connection: socket.socket) -> Iterator[None]:
        """So long :meth:`close` ends the connection, TLS or not: a second handle of it, for TLS takes the first."""
        with connection.dup() as handle:
            with self._lock:
                self._open.add(handle)
                if self._closed:
                    _end(handle)
            try:
                yield
            finally:
                with self._lock:
                    self._open.discard(handle)

    def _intercept(self, connection: socket.socket) -> str:
        self._count(hellos=1)
        try:
            victim = self._context.wrap_socket(connection, server_side=True)
        except OSError as error:
            self._count(refused=1)
            return f"refused the certificate: {error}"
        with victim:
            # In TLS 1.3 the server has finished before it hears whether the victim believed.
            try:
                data = victim.recv(65536)
            except ssl.SSLError as error:
                self._count(refused=1)
                return f"refused the certificate: {error.reason}"
            if not data:
                return "left after the handshake"
            self._count(believed=1, application_bytes=len(data))
            self._relay(victim, data)
            return "believed the certificate"

    def _relay(self, victim: ssl.SSLSocket, data: bytes) -> None:
        """Hand on to the real host, with a connection of our own that checks nothing, as an attacker's."""
        upstream = self._settings.get("upstream")
        if upstream is None:
            return
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with (
            socket.create_connection((upstream[0], upstream[1]), _PATIENCE_S) as plain,
            context.wrap_socket(plain) as host,
        ):
            host.sendall(data)
            while True:
                for source, sink in self._ready(victim, host):
                    try:
                        source.settimeout(0)
                        chunk = source.recv(65536)
                    except ssl.SSLWantReadError:  # a session ticket, say: to wait for more would keep the other waiting
                        continue
                    finally:
                        source.settimeout(_PATIENCE_S)
                    if not chunk:
                        return
                    if source is victim:
                        self._count(application_bytes=len(chunk))
                    sink.sendall(chunk)

    @staticmethod
    def _ready(victim: ssl.SSLSocket, host: ssl.SSLSocket) -> list[tuple[ssl.SSLSocket, ssl.SSLSocket]]:
        pairs = [(victim, host), (host, victim)]
        waiting = [pair for pair in pairs if pair[0].pending()]
        if waiting:
            return waiting
        readable, _, _ = select.select([victim, host], [], [], _PATIENCE_S)
        if not readable:
            raise TimeoutError("idle")
        return [pair for pair in pairs if pair[0] in readable]

    def _redirect(self, connection: socket.socket) -> str:
        """RFC 8910 and browsers alike: whatever is asked for, the portal's page is the answer."""
        page = self._settings.get("page", "")
        asked = connection.recv(65536).split(b" ")[1:2]
        on_page = asked == [urlsplit(page).path.encode()]
        head = "HTTP/1.1 200 OK\r\n" if on_page else f"HTTP/1.1 302 Found\r\nLocation: {page}\r\n"
        head += f"Content-Type: text/html\r\nContent-Length: {len(_PAGE)}\r\nCache-Control: no-store\r\n"
        self._count(http=1)
        connection.sendall(head.encode() + b"Connection: close\r\n\r\n" + _PAGE)
        return "was shown the portal's page" if on_page else "was sent to the portal's page"

    def _count(self, **more: int) -> None:
        with self._lock:
            for name, number in more.items():
                setattr(self.catch, name, getattr(self.catch, name) + number)


def _end(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it has ended by itself
        connection.shutdown(socket.SHUT_RDWR)
