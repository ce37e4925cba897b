"""The host's doors: TCP with TLS 1.2 or newer, and plain TCP for a private line or a call declared as such.

It listens on the bench's own addresses alone. A connection may carry several messages, and a held answer keeps no
other from being served. What a peer can do to it is bounded (:class:`~rig.acquirer.line.Limits`): connections, frame
size, handshake time, time for a frame that has begun, idle time, answers outstanding; a peer that is gone without a
word is found by keepalives.
"""

from __future__ import annotations

import asyncio
import socket
import sqlite3
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass

from rig.acquirer.codes import BROKEN, MALFORMED
from rig.acquirer.delivery import Delivery
from rig.acquirer.host import Host, Refused
from rig.acquirer.line import Limits, Line, ReplyPath, reason
from rig.acquirer.request import Arrival, Request
from rig.errors import DeviceGone, RigError
from rig.history import Journal
from rig.wire.errors import WireError
from rig.wire.iso8583 import ASCII87, Dialect, Message, response_mti

Tasks = set[asyncio.Task[None]]


@dataclass
class Door:
    """A port, the same on every address, and its TLS settings; None for plain TCP."""

    port: int
    tls: ssl.SSLContext | None


class Server:
    """Listens, reads frames, and has them served.

    Args:
        addresses: where to listen, and nowhere else.
        port: TCP port; 0 picks one, the same for every address.
        tls: the TLS settings, or None for plain TCP.
        plain_port: a port without TLS beside it; 0 picks one, None: there is none.
    """

    def __init__(
        self,
        host: Host,
        delivery: Delivery,
        journal: Journal,
        addresses: Sequence[str],
        port: int,
        tls: ssl.SSLContext | None,
        limits: Limits | None = None,
        dialect: Dialect = ASCII87,
        plain_port: int | None = None,
    ) -> None:
        self.doors = [Door(port, tls), *([Door(plain_port, None)] if plain_port is not None else [])]
        self.lines: set[Line] = set()
        self._host = host
        self._delivery = delivery
        self._journal = journal
        self._addresses = tuple(addresses)
        self._limits = limits or Limits()
        self._dialect = dialect
        self._listeners: list[socket.socket] = []
        self._acceptors: Tasks = set()
        self._conversations: Tasks = set()

    @property
    def port(self) -> int:
        """The TCP port of its first door."""
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
        for line in set(self.lines):
            line.abort(why)
        if self._conversations:
            await asyncio.wait(set(self._conversations), timeout=self._limits.handshake_s)

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
                line = Line(connection, self._dialect, self._limits)
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
            await line.open(tls)
            self._journal.write(
                "connection_open", peer=line.peer, local=line.local, tls=tls is not None, why=line.security
            )
            await self._serve(line)
            line.why = line.why or "the peer closed it"
        except WireError as error:
            self._journal.write("request_refused", why=str(error))
            line.abort(str(error))
        except (OSError, TimeoutError) as error:
            line.why = line.why or reason(error)
            if tls and not line.requests and (isinstance(error, ssl.SSLError) or not line.security):
                self._journal.write("tls_failed", peer=line.peer, why=line.why)
            line.abort(line.why)
        finally:
            self.lines.discard(line)
            await line.close()
            if line.security:
                self._journal.write("connection_closed", peer=line.peer, local=line.local, why=line.why)

    async def _serve(self, line: Line) -> None:
        """Serve frame after frame; answers go out beside the reading."""
        deliveries: Tasks = set()
        try:
            async for tpdu, payload in line.frames():
                if len(deliveries) >= self._limits.outstanding:
                    raise WireError(f"more than {self._limits.outstanding} answers outstanding")
                path = ReplyPath(line, tpdu)
                try:
                    request = self._host.admit(_decode(line, payload))
                except Refused as refused:
                    await self._refuse(path, refused)
                else:
                    self._book(request, path, deliveries)
        finally:
            line.closed.set()
            if deliveries:
                await asyncio.wait(deliveries)

    def _book(self, request: Request, path: ReplyPath, deliveries: Tasks) -> None:
        taken = self._delivery.begin(request)
        rule = taken.rule if taken else None
        arrival = Arrival(path.line.peer, path.line.local, time.monotonic_ns())
        try:
            answer = self._host.serve(request, arrival, rule)
        except (sqlite3.Error, RigError) as error:
            self._journal.write("bench_fault", device="acquirer", what=str(error), cure="is the disk full?")
            answer = Message(response_mti(request.message.mti), {11: request.stan, 39: BROKEN})
        _keep(deliveries, asyncio.create_task(self._delivery.deliver(request, answer, path, rule)))

    async def _refuse(self, path: ReplyPath, refused: Refused) -> None:
        if refused.answer is None:
            raise WireError(refused.why)
        self._journal.write("request_refused", why=refused.why)
        await path.send(refused.answer)


def _decode(line: Line, payload: bytes) -> Message:
    """Read a payload; Refused with a format error where at least its type can be read."""
    try:
        return line.decode(payload)
    except WireError as error:
        try:
            answer = Message(response_mti(payload[:4].decode("ascii", "replace")), {39: MALFORMED})
        except WireError:
            answer = None
        raise Refused(str(error), answer) from None


def _keep(tasks: Tasks, task: asyncio.Task[None]) -> None:
    """Hold a reference to a task while it runs."""
    tasks.add(task)
    task.add_done_callback(tasks.discard)
