"""Doors: TCP with TLS 1.2 or newer, and plain TCP for a private line or a call declared as such.

They are on the bench's own addresses alone. Connections, handshake time, idle time and the time for a frame that has
begun are bounded; a peer that is gone without a word is found by keepalives.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rig.acquirer.fronts.meeting import Fronts
from rig.acquirer.limits import Limits
from rig.acquirer.line import Line, reason
from rig.errors import DeviceGone
from rig.history import Journal
from rig.wire.errors import WireError

Converse = Callable[[Line], Awaitable[None]]
"""Serves one connection until its end; raises what ended it."""


@dataclass
class Door:
    """A port, the same on every address, and its TLS settings; None for plain TCP."""

    port: int
    tls: ssl.SSLContext | None


class Doors:
    """Listens, takes connections, and has them served.

    Args:
        converse: serves a connection.
        journal: gets ``listener``, ``connection_open``, ``connection_closed``, ``tls_failed``, ``request_refused``.
        addresses: where to listen, and nowhere else.
        port: TCP port; 0 picks one, the same for every address.
        tls: the TLS settings, or None for plain TCP.
        plain_port: a port without TLS beside it; 0 picks one, None: there is none.
        fronts: how the door with TLS shows itself; None: as ``tls`` says.
    """

    def __init__(
        self,
        converse: Converse,
        journal: Journal,
        addresses: Sequence[str],
        port: int,
        tls: ssl.SSLContext | None,
        limits: Limits,
        plain_port: int | None = None,
        fronts: Fronts | None = None,
    ) -> None:
        self.doors = [Door(port, tls), *([Door(plain_port, None)] if plain_port is not None else [])]
        self.lines: set[Line] = set()
        self.hanging = False
        """Whether connections are taken and then nothing is said on them."""
        self.fronts = fronts
        self._serve = converse
        self._journal = journal
        self._addresses = tuple(addresses)
        self._limits = limits
        self._listeners: list[socket.socket] = []
        self._acceptors: set[asyncio.Task[None]] = set()
        self._conversations: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """The TCP port of the first door."""
        return self.doors[0].port

    @property
    def plain_port(self) -> int | None:
        """The TCP port of the door beside it that asks for no TLS, where there is one."""
        return self.doors[1].port if len(self.doors) > 1 else None

    @property
    def up(self) -> bool:
        """Whether it listens."""
        return bool(self._listeners)

    def open(self) -> None:
        """Begin to listen; nothing if it does already. Raises DeviceGone where an address cannot be bound."""
        if self.up:
            return
        listeners: list[tuple[socket.socket, Door]] = []
        try:
            for door in self.doors:
                for address in self._addresses:
                    listeners.append((self._bind(address, door), door))
        except DeviceGone:
            for listener, _ in listeners:
                listener.close()
            raise
        self._listeners = [listener for listener, _ in listeners]
        for listener, door in listeners:
            _keep(self._acceptors, asyncio.create_task(self._accept(listener, door)))
        self._tell_listeners(up=True)

    async def shut(self, why: str) -> None:
        """Stop listening and end every connection at once; what was kept back on them is lost."""
        if self.up:
            for acceptor in self._acceptors:
                acceptor.cancel()
            await asyncio.gather(*self._acceptors, return_exceptions=True)
            for listener in self._listeners:
                listener.close()
            self._listeners = []
            self._tell_listeners(up=False)
        self.drop_all(why)
        if self._conversations:
            await asyncio.wait(set(self._conversations), timeout=self._limits.handshake_s)

    def drop_all(self, why: str) -> None:
        """End every connection at once."""
        for line in set(self.lines):
            line.abort(why)

    def _tell_listeners(self, up: bool) -> None:
        for door in self.doors:
            self._journal.write("listener", up=up, addresses=self._addresses, port=door.port, tls=door.tls is not None)

    def _bind(self, address: str, door: Door) -> socket.socket:
        listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((address, door.port))
            listener.listen(self._limits.connections)
        except OSError as error:
            listener.close()
            what = f"cannot listen on {address} port {door.port}: {error.strerror}"
            raise DeviceGone("acquirer", what, "is the address configured, and the port free?") from error
        listener.setblocking(False)
        door.port = listener.getsockname()[1]
        return listener

    async def _accept(self, listener: socket.socket, door: Door) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(listener)
                line = Line(connection, self._limits)
            except OSError as error:  # the peer left before it was taken, or descriptors ran out
                self._journal.write("request_refused", why=f"no connection: {reason(error)}")
                await asyncio.sleep(0.05)
                continue
            if len(self.lines) >= self._limits.connections:
                self._journal.write("request_refused", why=f"more than {self._limits.connections} connections")
                connection.close()
                continue
            self.lines.add(line)
            _keep(self._conversations, asyncio.create_task(self._converse(line, door.tls)))

    async def _converse(self, line: Line, tls: ssl.SSLContext | None) -> None:
        """One connection from its beginning to its end."""
        try:
            if self.hanging:
                self._journal.write("connection_hangs", peer=line.peer, local=line.local)
                await line.closed.wait()
                return
            if tls is not None and self.fronts is not None:
                if not self.fronts.is_sound:
                    await self.fronts.meet(line, self._limits.handshake_s)
                    return
                tls = self.fronts.context()
            await line.open(tls)
            if tls is not None and self.fronts is not None:
                self.fronts.note_served()
            told: dict[str, Any] = {"tls": tls is not None, "resumed": line.resumed, "why": line.security}
            self._journal.write("connection_open", peer=line.peer, local=line.local, **told)
            await self._serve(line)
            line.why = line.why or "the peer closed it"
        except WireError as error:
            self._journal.write("request_refused", why=str(error))
            line.abort(str(error))
        except (OSError, TimeoutError) as error:
            line.why = line.why or reason(error)
            if tls and not line.received and (isinstance(error, ssl.SSLError) or not line.security):
                self._journal.write("tls_failed", peer=line.peer, why=line.why)
            line.abort(line.why)
        finally:
            self.lines.discard(line)
            line.close()
            if line.security and not line.met_front:
                self._journal.write("connection_closed", peer=line.peer, local=line.local, why=line.why)


def _keep(tasks: set[asyncio.Task[None]], task: asyncio.Task[None]) -> None:
    """Hold a reference to a task while it runs."""
    tasks.add(task)
    task.add_done_callback(tasks.discard)
