"""Two ways to ask a terminal's address for a round trip: an echo, and a connection that is refused.

An ICMP echo (RFC 792) first: a ping socket where the system allows one, else a raw one. A terminal that answers none
is asked by TCP instead: the time that its refusal of a connection to a closed port takes (RFC 9293: RST) is the same
round trip. The receive time is the kernel's (``SO_TIMESTAMPNS``), so that a busy machine does not lengthen it.

Both need the terminal to answer on the probed bearer; what never answers is silent, be it cut or just polite.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from rig.errors import BenchTrouble, CallerMistake

WayName = Literal["icmp", "tcp"]

_ECHO, _ECHO_REPLY = 8, 0
_SOL_RAW, _ICMP_FILTER = 255, 1
_SO_TIMESTAMPNS = 35  # also the type of the control message, ``asm-generic/socket.h``
_TOKEN = 8
_REMEMBERED = 4096
_MOST_KNOCKS = 256
_CLOSED_PORT = 9
"""``discard``, which nobody serves any more; should it be open, its acceptance tells the round trip as well."""
SYN_REPEATED_S = 0.95
"""The kernel repeats a SYN after a second: a later answer may be that of the second one, so it says nothing."""
_SILENCE = (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.ENOBUFS, errno.EHOSTDOWN, errno.ETIMEDOUT)
"""What sending says while a link is cut or its carrier is away: nothing left, as with a packet that is lost."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: when its question was sent (monotonic ns), and the round trip in milliseconds."""

    sent_t: int
    rtt_ms: float


class Way(Protocol):
    """A way to ask. Answers may come late and out of order; each is told once."""

    name: WayName

    def ask(self) -> int:
        """Ask once; returns when, monotonic ns, by which the answer will be known."""
        ...

    def sockets(self) -> list[socket.socket]:
        """What becomes readable or writable with an answer."""
        ...

    def answers(self) -> list[Answer]:
        """The answers that have come; never waits."""
        ...

    def close(self) -> None:
        """Stop asking."""
        ...


class IcmpEcho:
    """Echo requests with an identifier, a sequence number and a token of our own, so that only ours count.

    Raises:
        CallerMistake: the address is none.
        BenchTrouble: the system allows neither a ping socket nor a raw one, or there is no such interface.
    """

    name: WayName = "icmp"

    def __init__(self, address: str, interface: str = "") -> None:
        self._raw, self._socket = _icmp_socket()
        with _closing_on_error(self._socket):
            _bind(self._socket, interface)
            _connect(self._socket, (address, 0))
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
            self._socket.setblocking(False)
        self._identifier = int.from_bytes(os.urandom(2))
        self._token = os.urandom(_TOKEN)
        self._sequence = 0
        self._waiting: dict[int, tuple[int, int]] = {}

    def ask(self) -> int:
        """Send an echo request."""
        self._sequence = (self._sequence + 1) % 0x10000
        packet = _echo_request(self._identifier, self._sequence, self._token)
        if len(self._waiting) >= _REMEMBERED:
            del self._waiting[next(iter(self._waiting))]
        wall, sent_t = time.time_ns(), time.monotonic_ns()
        self._waiting[self._sequence] = (sent_t, wall)
        try:
            self._socket.send(packet)
        except OSError as error:
            if error.errno not in _SILENCE:
                raise BenchTrouble("probe", f"cannot send: {error.strerror}", "is the interface there?") from error
        return sent_t

    def sockets(self) -> list[socket.socket]:
        """The one socket."""
        return [self._socket]

    def answers(self) -> list[Answer]:
        """Match what came with what was asked."""
        came: list[Answer] = []
        while True:
            try:
                data, control, _, _ = self._socket.recvmsg(512, socket.CMSG_SPACE(16))
            except BlockingIOError:
                return came
            except OSError:  # an ICMP error for an earlier request: told once, and no answer
                return came
            if answer := self._match(data, control, time.monotonic_ns()):
                came.append(answer)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _match(self, data: bytes, control: list[tuple[int, int, bytes]], now: int) -> Answer | None:
        message = data[(data[0] & 15) * 4 :] if self._raw and data else data
        if len(message) < 8 + _TOKEN or message[0] != _ECHO_REPLY or message[8 : 8 + _TOKEN] != self._token:
            return None
        sequence = int.from_bytes(message[6:8])
        if sequence not in self._waiting:
            return None
        sent_t, wall = self._waiting.pop(sequence)
        took = now - sent_t
        for level, kind, value in control:
            if (level, kind) == (socket.SOL_SOCKET, _SO_TIMESTAMPNS):
                seconds, nanoseconds = struct.unpack("@ll", value[:16])
                by_kernel = seconds * 1_000_000_000 + nanoseconds - wall
                if 0 <= by_kernel <= took:  # else the wall clock was set meanwhile
                    took = by_kernel
        return Answer(sent_t, took / 1e6)


class TcpKnock:
    """Connections to a closed port; the refusal is the answer.

    Raises:
        CallerMistake: the address is none.
    """

    name: WayName = "tcp"

    def __init__(self, address: str, interface: str = "", port: int = _CLOSED_PORT) -> None:
        self._address, self._interface, self._port = address, interface, port
        self._waiting: dict[socket.socket, int] = {}

    def ask(self) -> int:
        """Begin to connect. The oldest are given up where nobody collects answers: each holds a socket."""
        while len(self._waiting) >= _MOST_KNOCKS:
            oldest = next(iter(self._waiting))
            del self._waiting[oldest]
            oldest.close()
        knock = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        with _closing_on_error(knock):
            _bind(knock, self._interface)
            knock.setblocking(False)
            sent_t = time.monotonic_ns()
            _connect(knock, (self._address, self._port))
        self._waiting[knock] = sent_t
        return sent_t

    def sockets(self) -> list[socket.socket]:
        """Those that wait."""
        return list(self._waiting)

    def answers(self) -> list[Answer]:
        """Those that were refused, or accepted."""
        _, decided, _ = select.select([], self.sockets(), [], 0)
        now, came = time.monotonic_ns(), []
        for knock, sent_t in list(self._waiting.items()):
            late = now - sent_t > SYN_REPEATED_S * 1e9
            if knock not in decided and not late:
                continue
            refused = knock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) if knock in decided else errno.ETIMEDOUT
            if refused in (0, errno.ECONNREFUSED) and not late:
                came.append(Answer(sent_t, (now - sent_t) / 1e6))
            del self._waiting[knock]
            knock.close()
        return came

    def close(self) -> None:
        """Give up on those that wait."""
        for knock in self._waiting:
            knock.close()
        self._waiting.clear()


def _echo_request(identifier: int, sequence: int, payload: bytes) -> bytes:
    head = struct.pack("!BBHHH", _ECHO, 0, 0, identifier, sequence)
    packet = head + payload + bytes(len(payload) % 2)
    total = sum(struct.unpack(f"!{len(packet) // 2}H", packet))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    checksum: bytes = (~total & 0xFFFF).to_bytes(2)
    return packet[:2] + checksum + packet[4:]


def _icmp_socket() -> tuple[bool, socket.socket]:
    """Whether it is a raw one, and the socket."""
    refused: OSError | None = None
    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
        try:
            made = socket.socket(socket.AF_INET, kind | socket.SOCK_CLOEXEC, socket.IPPROTO_ICMP)
        except OSError as error:
            refused = error
            continue
        if kind == socket.SOCK_RAW:
            made.setsockopt(_SOL_RAW, _ICMP_FILTER, struct.pack("@I", ~(1 << _ECHO_REPLY) & 0xFFFF_FFFF))
        return kind == socket.SOCK_RAW, made
    assert refused is not None
    raise BenchTrouble(
        "probe", f"no ICMP socket: {refused.strerror}", "needs CAP_NET_RAW, or sysctl net.ipv4.ping_group_range"
    ) from refused


def _bind(asking: socket.socket, interface: str) -> None:
    if not interface:
        return
    try:
        asking.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
    except OSError as error:
        raise BenchTrouble(
            f"interface {interface}", f"cannot be probed: {error.strerror}", "is it there, and is CAP_NET_RAW held?"
        ) from error


def _connect(asking: socket.socket, address: tuple[str, int]) -> None:
    try:
        socket.inet_aton(address[0])
    except OSError:
        raise CallerMistake(
            "terminal_address", f"{address[0]!r} is no IPv4 address", "write such as 10.64.1.2"
        ) from None
    try:
        asking.connect(address)
    except BlockingIOError:
        pass
    except OSError as error:
        if error.errno not in (*_SILENCE, errno.ECONNREFUSED):
            raise BenchTrouble("probe", f"cannot ask {address[0]}: {error.strerror}", "see its routes") from error


@contextlib.contextmanager
def _closing_on_error(made: socket.socket) -> Iterator[None]:
    try:
        yield
    except BaseException:
        made.close()
        raise
