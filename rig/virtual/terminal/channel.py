"""What a message to the host and its answer travel on: a connection, or a telephone call. Whole messages each way."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Protocol

from rig.virtual.terminal.bearers import end
from rig.wire.tpdu import WITH_TPDU, Framing, Tpdu


class Channel(Protocol):
    """One way to the host that stands. Methods raise OSError where it is broken, and WireError for what is no frame."""

    @property
    def slowness_s(self) -> float:
        """What the way's own slowness adds to the time until an answer, for the request that was sent."""
        ...

    def send(self, tpdu: Tpdu, payload: bytes, timeout_s: float) -> None:
        """Let a message leave."""
        ...

    def receive(self, timeout_s: float) -> list[bytes]:
        """The messages that are whole after the next bytes came; there may be none yet."""
        ...

    def close(self, done: bool) -> None:
        """It is not needed any more. ``done``: nothing is owed on it, so that another exchange might use it."""
        ...


class ClosedByHost(OSError):
    """The other side has ended it."""


class StreamChannel:
    """A TCP connection, with TLS or without: 2 bytes of length before each message. Used once.

    ``remember`` is shown the connection before it ends, where all went well.
    """

    slowness_s = 0.0

    def __init__(
        self,
        connection: socket.socket,
        framing: Framing = WITH_TPDU,
        remember: Callable[[socket.socket], None] = lambda connection: None,
    ) -> None:
        self._connection = connection
        self._framing = framing
        self._frames = framing.reader()
        self._remember = remember

    def send(self, tpdu: Tpdu, payload: bytes, timeout_s: float) -> None:
        """Let a message leave."""
        self._connection.settimeout(timeout_s)
        self._connection.sendall(self._framing.frame(tpdu, payload))

    def receive(self, timeout_s: float) -> list[bytes]:
        """The messages that the next bytes complete."""
        self._connection.settimeout(timeout_s)
        data = self._connection.recv(4096)
        if not data:
            raise ClosedByHost("the host closed the connection")
        return [payload for _, payload in self._frames.feed(data)]

    def close(self, done: bool) -> None:
        """End the connection."""
        if done:
            self._remember(self._connection)
        end(self._connection)
