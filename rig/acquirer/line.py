"""One connection: its bytes in, its bytes out, and why it ended.

TLS is spoken on the socket itself, without a second buffer between, and called back by the event loop: that is half the
work of asyncio's own streams, and gives a fault of the host its hand on every byte.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import ssl
import struct
from collections.abc import Callable

from rig.acquirer.limits import Limits
from rig.wire.errors import WireError

_CHUNK = 16384
_AGAIN = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_RESET = struct.pack("ii", 1, 0)
_KEEPALIVE = (
    (socket.TCP_KEEPIDLE, 10),
    (socket.TCP_KEEPINTVL, 5),
    (socket.TCP_KEEPCNT, 3),
    (socket.TCP_USER_TIMEOUT, 25_000),
)

Feed = Callable[[bytes], bool]
"""Takes bytes; returns whether what came so far ends in the middle of a frame. Raises WireError."""


class Line:
    """A connection.

    Attributes:
        peer: the other end's IP address; ``local``: ours.
        security: the TLS version and cipher, or ``plain TCP``; empty before the handshake ended.
        resumed: whether the TLS session was one from before.
        closed: set once nothing more will come.
        why: why it ended.
        received: how many bytes came.
        met_front: whether it was met with a front behind which nothing is served.
    """

    def __init__(self, connection: socket.socket, limits: Limits) -> None:
        self.peer = str(connection.getpeername()[0])
        self.local = str(connection.getsockname()[0])
        self.security = ""
        self.resumed = False
        self.closed = asyncio.Event()
        self.why = ""
        self.received = 0
        self.met_front = False
        self._socket = connection
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._feed: Feed = lambda data: False
        self._done: asyncio.Future[None] = self._loop.create_future()
        self._unsent = bytearray()
        self._last = self._loop.time()
        self._frame_began: float | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._open = True
        self._awaited = asyncio.Event()

    # Beginning and end -------------------------------------------------------------------------------------------

    async def peek(self, beyond: int = 0) -> bytes:
        """What has come and was not taken, before :meth:`open`, once it is more than so many bytes.

        Raises ConnectionResetError where no more will come, and OSError where the connection broke.
        """
        self._socket.setblocking(False)
        # What was peeked at keeps a socket readable: it must not be until there is more (socket(7), SO_RCVLOWAT).
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, beyond + 1)
        await self._ready(self._loop.add_reader, self._loop.remove_reader)
        data = self._socket.recv(_CHUNK, socket.MSG_PEEK)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
        if len(data) <= beyond:
            raise ConnectionResetError("it left before it had said all" if data else "nothing said")
        return data

    async def open(self, tls: ssl.SSLContext | None) -> None:
        """Do the handshake. Raises OSError (ssl.SSLError among them) where it fails or takes too long."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for option, value in _KEEPALIVE:
            self._socket.setsockopt(socket.IPPROTO_TCP, option, value)
        self._socket.setblocking(False)
        if tls is None:
            self.security = "plain TCP"
            return
        secure = tls.wrap_socket(self._socket, server_side=True, do_handshake_on_connect=False)
        self._socket = secure
        try:
            async with asyncio.timeout(self._limits.handshake_s):
                while not await self._shake(secure):
                    pass
        except TimeoutError as error:
            raise error if error.errno else TimeoutError("the TLS handshake was not finished in time") from None
        cipher = secure.cipher()
        self.security = f"{secure.version()} {cipher[0]}" if cipher else ""
        self.resumed = bool(secure.session_reused)

    async def _shake(self, secure: ssl.SSLSocket) -> bool:
        """Go on with the handshake; whether it is over. Waits where the peer must say or take something first."""
        try:
            secure.do_handshake()
        except ssl.SSLWantReadError:
            await self._ready(self._loop.add_reader, self._loop.remove_reader)
        except ssl.SSLWantWriteError:
            await self._ready(self._loop.add_writer, self._loop.remove_writer)
        else:
            return True
        return False

    async def _ready(self, add: Callable[..., None], remove: Callable[..., bool]) -> None:
        """Wait until the socket is ready. Raises ConnectionAbortedError where the connection was ended meanwhile."""
        self._awaited = asyncio.Event()
        add(self._socket, self._awaited.set)
        try:
            await self._awaited.wait()
        finally:
            if self._open:
                remove(self._socket)
        if not self._open:
            raise ConnectionAbortedError(self.why or "the connection is closed")

    async def receive(self, feed: Feed) -> None:
        """Give what comes to ``feed`` until the peer says no more.

        Raises:
            WireError: what came is no frame, or ``feed`` would have no more of it.
            TimeoutError: nothing came for the idle time, or a frame that began was not finished in time.
            OSError: the connection broke.
        """
        if not self._open:
            raise ConnectionAbortedError(self.why or "the connection is closed")
        self._feed = feed
        self._last = self._loop.time()
        self._loop.add_reader(self._socket, self._readable)
        self._watch = self._loop.call_at(self._last + self._limits.idle_s, self._look)
        self._readable()  # TLS may hold bytes that came with the handshake
        try:
            await self._done
        finally:
            self._watch.cancel()
            if self._open:
                self._loop.remove_reader(self._socket)

    def _readable(self) -> None:
        try:
            while self._open and (data := self._socket.recv(_CHUNK)):
                self.received += len(data)
                self._last = self._loop.time()
                self._note(self._feed(data))
                if len(data) < _CHUNK and not self._pending():
                    return
            self._finish(None)
        except _AGAIN:
            return
        except (OSError, WireError) as error:
            self._finish(error)
        except BaseException:
            self._finish(ConnectionAbortedError("the host failed"))
            raise

    def _pending(self) -> int:
        return self._socket.pending() if isinstance(self._socket, ssl.SSLSocket) else 0

    def _note(self, in_frame: bool) -> None:
        """Remember when the frame began that has not ended."""
        if not in_frame:
            self._frame_began = None
        elif self._frame_began is None:
            self._frame_began = self._last
            self._loop.call_at(self._last + self._limits.frame_s, self._look)

    def _look(self) -> None:
        """Whether a time is over. Called when one may be, which spares a timer for every frame."""
        if self._done.done() or self._watch is None:
            return
        now = self._loop.time()
        if self._frame_began is not None and now >= self._frame_began + self._limits.frame_s:
            self._finish(TimeoutError("a frame was not finished in time"))
        elif now >= self._last + self._limits.idle_s:
            self._finish(TimeoutError("idle for too long"))
        else:
            self._watch.cancel()
            self._watch = self._loop.call_at(self._last + self._limits.idle_s, self._look)

    def _finish(self, error: Exception | None) -> None:
        if not self._done.done():
            if self._open:
                self._loop.remove_reader(self._socket)
            if error is None:
                self._done.set_result(None)
            else:
                self._done.set_exception(error)
                self._done.exception()  # whoever waits is told; nobody may wait

    # Sending -----------------------------------------------------------------------------------------------------

    @property
    def alive(self) -> bool:
        """Whether something can still be sent."""
        return self._open and self.security != ""

    def send(self, data: bytes) -> None:
        """Write bytes, at once as far as the peer takes them. Raises OSError where the connection is gone."""
        if not self.alive:
            raise ConnectionResetError("the connection is closed")
        if self._unsent:
            self._unsent += data
        else:
            self._unsent += data[self._write(data) :]
            if self._unsent:
                self._loop.add_writer(self._socket, self._writable)
                self._loop.call_later(self._limits.handshake_s, self._give_up, self._written)
        if len(self._unsent) > self._limits.unsent:
            self.abort("the peer takes nothing")
            raise ConnectionAbortedError("the peer takes nothing")

    _written = 0

    def _write(self, data: bytes | bytearray) -> int:
        try:
            count = self._socket.send(data)
        except _AGAIN:
            return 0
        self._written += count
        return count

    def _writable(self) -> None:
        try:
            del self._unsent[: self._write(self._unsent)]
        except OSError as error:
            self.abort(reason(error))
            return
        if not self._unsent:
            self._loop.remove_writer(self._socket)

    def _give_up(self, written: int) -> None:
        """A peer that took nothing since then takes nothing any more."""
        if not self._unsent or not self._open:
            return
        if self._written == written:
            self.abort("the peer takes nothing")
        else:
            self._loop.call_later(self._limits.handshake_s, self._give_up, self._written)

    # Ending ------------------------------------------------------------------------------------------------------

    def abort(self, why: str) -> None:
        """End the connection at once, without a farewell."""
        self.why = self.why or why
        self._shut(ConnectionAbortedError(why))

    def reset(self, why: str) -> None:
        """End it with a TCP reset: what was not delivered is thrown away on both sides."""
        self.why = self.why or why
        if self._open:
            with contextlib.suppress(OSError):
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._shut(ConnectionAbortedError(why))

    def close(self, why: str = "") -> None:
        """End the connection, with TLS's farewell."""
        self.why = self.why or why
        if self._open and isinstance(self._socket, ssl.SSLSocket) and self.security:
            with contextlib.suppress(OSError, ValueError):
                self._socket.unwrap()
        self._shut(None)

    def _shut(self, error: Exception | None) -> None:
        self.closed.set()
        if not self._open:
            return
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        self._open = False
        self._awaited.set()
        self._finish(error)
        self._socket.close()


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
