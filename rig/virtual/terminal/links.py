"""The cash register's cable: messages over TCP, or over a serial line with acknowledged frames.

TCP (PA00P016): the terminal listens, raw messages, no framing. Serial: frames with a check sum, a single-byte
ACK or NAK sent at once, T1 200 ms between bytes, T2 5 s to the acknowledgement, at most two repeats.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
from pathlib import Path
from typing import Protocol

from rig.virtual.pty import PtyPort
from rig.virtual.terminal.settings import EcrAddress
from rig.wire.zvt import Apdu, ApduReader, BadFrame, Frame, FrameReader, LinkAck, LinkNak, encode_frame
from rig.wire.zvt.serial import ACK, NAK

_T1_S = 0.2
_REPEATS = 2


class Link(Protocol):
    """One connection to a cash register."""

    def send(self, apdu: Apdu) -> None:
        """Hand a message over; never waits for the other side. Quietly nothing when the link is down."""
        ...

    def close(self) -> None:
        """End the connection."""
        ...


class LinkUser(Protocol):
    """Who is told what happens on the links."""

    def opened(self, link: Link) -> None:
        """A cash register has connected; an older connection is obsolete."""
        ...

    def received(self, link: Link, apdu: Apdu) -> None:
        """A message came."""
        ...

    def lost(self, link: Link, why: str) -> None:
        """The link is down, or the other side does not take frames."""
        ...


class TcpLink:
    """An accepted connection."""

    def __init__(self, connection: socket.socket, user: LinkUser) -> None:
        self._connection = connection
        self._user = user
        self._sending = threading.Lock()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def send(self, apdu: Apdu) -> None:
        """Messages are small and one at a time: the socket's buffer takes them even while the cable is out."""
        with self._sending, contextlib.suppress(OSError):
            self._connection.sendall(apdu.encode())

    def close(self) -> None:
        """End the connection, which also ends its thread."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def serve(self) -> None:
        """Receive until the end of the connection."""
        reader = ApduReader()
        why = "closed by the cash register"
        with self._connection:
            try:
                while data := self._connection.recv(4096):
                    for apdu in reader.feed(data):
                        self._user.received(self, apdu)
            except OSError as error:
                why = str(error)
        self._user.lost(self, why)


class TcpServer:
    """Listens for the cash register. One client counts: the newest, since a cash register has one connection."""

    def __init__(self, address: tuple[str, int], user: LinkUser) -> None:
        self._user = user
        self._listener = socket.create_server(address, reuse_port=False, backlog=4)
        self.address: tuple[str, int] = self._listener.getsockname()[:2]
        threading.Thread(target=self._accept, name="ecr", daemon=True).start()

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            link = TcpLink(connection, self._user)
            self._user.opened(link)
            threading.Thread(target=link.serve, name="ecr client", daemon=True).start()


class SerialLink:
    """A serial port. Sending has a thread of its own, because a frame may have to be repeated for 15 s."""

    def __init__(self, port: PtyPort, user: LinkUser, link_ack_s: float) -> None:
        self._port = port
        self._user = user
        self._link_ack_s = link_ack_s
        self._outbox: queue.SimpleQueue[Apdu] = queue.SimpleQueue()
        self._link_answers: queue.SimpleQueue[LinkAck | LinkNak] = queue.SimpleQueue()
        user.opened(self)
        threading.Thread(target=self._receive, name="ecr serial", daemon=True).start()
        threading.Thread(target=self._send_all, name="ecr serial out", daemon=True).start()

    def send(self, apdu: Apdu) -> None:
        """Queue a message; the sender's thread repeats its frame as the protocol orders."""
        self._outbox.put(apdu)

    def close(self) -> None:
        """A cable is not closed: it stays."""

    def _receive(self) -> None:
        frames = FrameReader()
        while True:
            data = self._port.read(_T1_S if frames.inside else None)
            if not data:
                frames.abandon()
                self._port.write(bytes([NAK]))
                continue
            for event in frames.feed(data):
                match event:
                    case Frame(apdu=apdu):
                        self._port.write(bytes([ACK]))
                        for message in ApduReader().feed(apdu):
                            self._user.received(self, message)
                    case BadFrame():
                        self._port.write(bytes([NAK]))
                    case LinkAck() | LinkNak():
                        self._link_answers.put(event)

    def _send_all(self) -> None:
        while True:
            apdu = self._outbox.get()
            if not any(self._send_once(apdu) for _ in range(1 + _REPEATS)):
                self._user.lost(self, f"no link acknowledgement for {apdu.name}")

    def _send_once(self, apdu: Apdu) -> bool:
        while not self._link_answers.empty():  # an answer to an earlier frame, too late to count
            self._link_answers.get()
        self._port.write(encode_frame(apdu.encode()))
        with contextlib.suppress(queue.Empty):
            return isinstance(self._link_answers.get(timeout=self._link_ack_s), LinkAck)
        return False


def open_links(address: EcrAddress, runtime: Path, user: LinkUser) -> str:
    """Begin to serve the cash register; returns where, for people and for the parent process."""
    if address.tcp is not None:
        host, port = TcpServer(address.tcp, user).address
        return f"{host}:{port}"
    port_link = PtyPort(runtime / (address.serial or "ecr.tty"))
    SerialLink(port_link, user, address.link_ack_s)
    return str(port_link.link)
