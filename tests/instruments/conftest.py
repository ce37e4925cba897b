"""Peers that play an exact byte dialogue: what the driver must send, and what comes back."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from rig.virtual.pty import PtyPort

Turn = tuple[bytes, bytes | None]
"""Bytes that the driver sends, and the answer; None ends the connection instead."""


@dataclass
class Peer:
    """Plays turns over a pair of read and write functions, and remembers what was not as expected."""

    wrong: list[str] = field(default_factory=list)
    played: threading.Event = field(default_factory=threading.Event)

    def play(self, turns: list[Turn], read: Callable[[int], bytes], write: Callable[[bytes], object]) -> None:
        for expected, answer in turns:
            got = b""
            while len(got) < len(expected) and (more := read(len(expected) - len(got))):
                got += more
            if got != expected:
                self.wrong.append(f"expected {expected!r}, got {got!r}")
                return
            if answer is None:
                break
            with contextlib.suppress(OSError):
                write(answer)
        self.played.set()


class TcpPeer(Peer):
    """One scripted connection after another; a function is called with the port to make its turns."""

    def __init__(self, *connections: list[Turn] | Callable[[int], list[Turn]], greeting: bytes = b"\r\n") -> None:
        super().__init__()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.address = f"TCPIP::127.0.0.1::{self.port}::SOCKET"
        self.accepted: list[socket.socket] = []
        self._connections = [turns(self.port) if callable(turns) else turns for turns in connections]
        self._greeting = greeting
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        for turns in self._connections:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.accepted.append(connection)
            connection.settimeout(5)
            connection.sendall(self._greeting)
            with contextlib.suppress(OSError):
                self.play(turns, connection.recv, connection.sendall)
            if turns and turns[-1][1] is None:
                connection.close()

    def close(self) -> None:
        self._listener.close()
        for connection in self.accepted:
            connection.close()


class PtyPeer(Peer):
    """A scripted serial device."""

    def __init__(self, link: Path, turns: list[Turn]) -> None:
        super().__init__()
        self.port = PtyPort(link)
        self.address = str(link)
        self._pending = b""
        threading.Thread(target=self.play, args=(turns, self._read, self.port.write), daemon=True).start()

    def _read(self, count: int) -> bytes:
        if not self._pending:
            self._pending = self.port.read(5)
        taken, self._pending = self._pending[:count], self._pending[count:]
        return taken


@pytest.fixture
def tcp_peer() -> Iterator[Callable[..., TcpPeer]]:
    """Start a scripted TCP peer; the test fails where the driver did not say what the script expects."""
    peers: list[TcpPeer] = []

    def start(*connections: list[Turn] | Callable[[int], list[Turn]], greeting: bytes = b"\r\n") -> TcpPeer:
        peers.append(TcpPeer(*connections, greeting=greeting))
        return peers[-1]

    yield start
    for peer in peers:
        peer.close()
        assert peer.wrong == []


@pytest.fixture
def pty_peer(tmp_path: Path) -> Iterator[Callable[[list[Turn]], PtyPeer]]:
    """Start a scripted serial device; the test fails where the driver did not say what the script expects."""
    peers: list[PtyPeer] = []

    def start(turns: list[Turn]) -> PtyPeer:
        peers.append(PtyPeer(tmp_path / f"device{len(peers)}.tty", turns))
        return peers[-1]

    yield start
    for peer in peers:
        peer.port.link.unlink(missing_ok=True)
        assert peer.wrong == []
