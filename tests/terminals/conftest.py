"""A driver and a scripted terminal, over TCP and over a pseudo-terminal."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from rig.terminals.link import SerialLink, TcpLink, Timeouts
from rig.terminals.transport import SerialTransport, TcpTransport
from rig.terminals.zvt import ZvtTerminal
from tests.terminals.peer import SerialPeer, TcpPeer

QUICK = Timeouts(
    t1_s=0.1, t2_s=0.25, t3_s=0.4, t4_s=0.6, connect_s=0.5, registration_s=1.5, resolve_s=0.8
)  # fmt: skip


class Witness:
    """Keeps what the driver told, and holds a moment where a test asks for it."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.moments: list[tuple[str, dict[str, Any]]] = []
        self.held: dict[str, threading.Event] = {}
        self.on_moment: dict[str, Any] = {}

    def observe(self, kind: str, data: dict[str, Any]) -> None:
        self.events.append((kind, data))

    def moment(self, name: str, data: dict[str, Any]) -> None:
        self.moments.append((name, data))
        if name in self.held:
            assert self.held[name].wait(5)
        if name in self.on_moment:
            self.on_moment[name]()

    def names(self, kind: str) -> list[str]:
        return [data["name"] for each, data in self.events if each == kind]

    def told(self, kind: str = "ecr_link") -> str:
        return "; ".join(data["what"] for each, data in self.events if each == kind)


@pytest.fixture
def witness() -> Witness:
    return Witness()


@pytest.fixture
def tcp_peer() -> Iterator[TcpPeer]:
    with TcpPeer() as peer:
        yield peer


@pytest.fixture
def serial_peer() -> Iterator[SerialPeer]:
    with SerialPeer() as peer:
        yield peer


@pytest.fixture
def tcp_terminal(tcp_peer: TcpPeer, witness: Witness) -> Iterator[ZvtTerminal]:
    link = TcpLink(TcpTransport("127.0.0.1", tcp_peer.port, QUICK.connect_s), witness.observe)
    terminal = ZvtTerminal("terminal", link, witness.moment, QUICK)
    yield terminal
    terminal.close()


@pytest.fixture
def serial_terminal(serial_peer: SerialPeer, witness: Witness) -> Iterator[ZvtTerminal]:
    link = SerialLink(SerialTransport(serial_peer.path), witness.observe, QUICK)
    terminal = ZvtTerminal("terminal", link, witness.moment, QUICK)
    yield terminal
    terminal.close()
