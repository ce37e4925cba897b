"""One connection of a terminal to the host: its frames in, its answers out, and why it ended."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass

from rig.wire.errors import WireError
from rig.wire.iso8583 import Dialect, FrameReader, Message, Tpdu, frame

_CHUNK = 4096
_KEEPALIVE = (
    (socket.TCP_KEEPIDLE, 10),
    (socket.TCP_KEEPINTVL, 5),
    (socket.TCP_KEEPCNT, 3),
    (socket.TCP_USER_TIMEOUT, 25_000),
)


@dataclass(frozen=True)
class Limits:
    """What a peer may ask of the server; times in seconds."""

    connections: int = 64
    outstanding: int = 16
    handshake_s: float = 5.0
    frame_s: float = 5.0
    idle_s: float = 300.0


class Line:
    """A connection.

    Attributes:
        peer: the other end's IP address; ``local``: ours.
        security: the TLS version and cipher, or ``plain TCP``; empty before the handshake ended.
        closed: set once nothing more will come.
        why: why it ended.
        requests: how many frames came.
    """

    def __init__(self, connection: socket.socket, dialect: Dialect, limits: Limits) -> None:
        self.peer = str(connection.getpeername()[0])
        self.local = str(connection.getsockname()[0])
        self.security = ""
        self.closed = asyncio.Event()
        self.why = ""
        self.requests = 0
        self._connection = connection
        self._dialect = dialect
        self._limits = limits
        self._reader = asyncio.StreamReader()
        self._writer: asyncio.StreamWriter | None = None

    async def open(self, tls: ssl.SSLContext | None) -> None:
        """Do the handshake. Raises OSError (ssl.SSLError among them) where it fails or takes too long."""
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for option, value in _KEEPALIVE:
            self._connection.setsockopt(socket.IPPROTO_TCP, option, value)
        loop = asyncio.get_running_loop()
        protocol = asyncio.StreamReaderProtocol(self._reader)
        handshake_s = self._limits.handshake_s if tls else None
        transport, _ = await loop.connect_accepted_socket(
            lambda: protocol, self._connection, ssl=tls, ssl_handshake_timeout=handshake_s
        )
        self._writer = asyncio.StreamWriter(transport, protocol, self._reader, loop)
        cipher = transport.get_extra_info("cipher")
        self.security = f"{cipher[1]} {cipher[0]}" if cipher else "plain TCP"

    async def frames(self) -> AsyncIterator[tuple[Tpdu, bytes]]:
        """What comes, until the peer closes the connection.

        Raises:
            WireError: what came is no frame.
            TimeoutError: nothing came for the idle time, or a frame that began was not finished in time.
            OSError: the connection broke.
        """
        reader = FrameReader()
        loop = asyncio.get_running_loop()
        frame_ends: float | None = None
        while data := await self._read(frame_ends):
            found = reader.feed(data)
            for each in found:
                self.requests += 1
                yield each
            if found or not reader.partial:
                frame_ends = None
            if reader.partial and frame_ends is None:
                frame_ends = loop.time() + self._limits.frame_s

    async def _read(self, frame_ends: float | None) -> bytes:
        deadline = frame_ends or asyncio.get_running_loop().time() + self._limits.idle_s
        try:
            async with asyncio.timeout_at(deadline):
                return await self._reader.read(_CHUNK)
        except TimeoutError as error:
            if error.errno == errno.ETIMEDOUT:
                raise
            raise TimeoutError("a frame was not finished in time" if frame_ends else "idle for too long") from None

    @property
    def alive(self) -> bool:
        """Whether something can still be sent."""
        return self._writer is not None and not self._writer.is_closing()

    async def send(self, tpdu: Tpdu, message: Message) -> None:
        """Write one answer to a request that came with ``tpdu``. Raises OSError where the connection is gone."""
        if self._writer is None or not self.alive:
            raise ConnectionResetError("the connection is closed")
        self._writer.write(frame(tpdu.swapped(), self._dialect.encode(message)))
        async with asyncio.timeout(self._limits.handshake_s):
            await self._writer.drain()

    def decode(self, payload: bytes) -> Message:
        """Read a payload in this line's dialect. Raises WireError."""
        return self._dialect.decode(payload)

    def abort(self, why: str) -> None:
        """End the connection at once, without a farewell."""
        self.why = self.why or why
        self.closed.set()
        if self._writer is not None:
            self._writer.transport.abort()

    async def close(self) -> None:
        """End the connection, politely where that is still possible."""
        self.closed.set()
        if self._writer is None:
            self._connection.close()
            return
        self._writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(self._limits.handshake_s):
                await self._writer.wait_closed()


@dataclass(frozen=True)
class ReplyPath:
    """Where the answer to one request goes: its connection, and the header it came with."""

    line: Line
    tpdu: Tpdu

    @property
    def closed(self) -> asyncio.Event:
        """Set once nothing more will come."""
        return self.line.closed

    @property
    def alive(self) -> bool:
        """Whether an answer can still be given to the connection."""
        return self.line.alive

    async def send(self, message: Message) -> None:
        """Send the answer. Raises OSError where the connection is gone."""
        await self.line.send(self.tpdu, message)


def reason(error: Exception) -> str:
    """Why a connection ended, in words for the history."""
    if isinstance(error, ssl.SSLError):
        return (error.reason or "TLS error").replace("_", " ").lower()
    if isinstance(error, WireError):
        return str(error)
    if isinstance(error, TimeoutError) and error.errno == errno.ETIMEDOUT:
        return "the peer went away without a word"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
