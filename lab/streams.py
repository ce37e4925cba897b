"""Streams of numbered UDP packets in one thread, with the true times of sending and of arrival.

Both times are of one clock, ``CLOCK_REALTIME``. The sender reads it right before it sends. The arrival is stamped by
the kernel when the packet comes off the wire (``SO_TIMESTAMPNS``, ``socket(7)``): a thread of Python that wakes up
late does not make a packet late. So one thread can send at a pace in both directions and read in between.
"""

from __future__ import annotations

import gc
import select
import socket
import struct
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from lab.part import Disturbed, LabTrouble

CLOCK = "CLOCK_REALTIME at both ends, arrivals stamped by the kernel (SO_TIMESTAMPNS)"
HEADERS = 42
"""Ethernet, IP and UDP headers: what a frame is longer than its payload."""

_SO_NO_CHECK, _SO_TIMESTAMPNS, _SO_RXQ_OVFL = 11, 35, 40
_SO_SNDBUFFORCE, _SO_RCVBUFFORCE = 32, 33
_BUFFER = 1 << 27
_HEAD = struct.Struct("!IQ")
_STAMP = struct.Struct("@ll")
_BATCH = 32
_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Arrival:
    """A packet that came as it was sent; times in nanoseconds."""

    number: int
    sent: int
    came: int

    @property
    def delay_ms(self) -> float:
        """One way."""
        return (self.came - self.sent) / 1e6


@dataclass(slots=True)
class Flow:
    """One stream in one direction, and what became of it.

    Attributes:
        source, sink: made by :func:`udp_socket`.
        count: packets to send.
        per_second: their pace.
        size: of a payload, in bytes; at least 16.
        sent: when each was sent, nanoseconds, by its number.
        arrivals: those that came undamaged, in the order in which they came.
        damaged_bits: of each packet that came damaged, how many bits were turned behind its first 12 bytes.
    """

    source: socket.socket
    sink: socket.socket
    count: int
    per_second: float
    size: int = 100
    sent: list[int] = field(default_factory=list)
    arrivals: list[Arrival] = field(default_factory=list)
    damaged_bits: list[int] = field(default_factory=list)
    _target: tuple[str, int] = ("", 0)
    _dropped: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._target = self.sink.getsockname()

    @property
    def dropped_at_the_end(self) -> int:
        """How many the receiving socket itself threw away, for want of room or for a wrong check sum."""
        return self._dropped[-1] - self._dropped[0] if self._dropped else 0

    @property
    def delays(self) -> list[float]:
        """One-way times in milliseconds, in the order of arrival."""
        return [arrival.delay_ms for arrival in self.arrivals]

    @property
    def numbers(self) -> list[int]:
        """The numbers of what came, in the order of arrival."""
        return [arrival.number for arrival in self.arrivals]

    @property
    def missing(self) -> int:
        """How many did not come, or came damaged."""
        return self.count - len(set(self.numbers))

    @property
    def pace(self) -> float:
        """Packets a second at which they were really sent."""
        return (self.count - 1) * _NS / max(self.sent[-1] - self.sent[0], 1)

    @property
    def complete(self) -> bool:
        """Whether as many came as were sent."""
        return len(self.arrivals) + len(self.damaged_bits) >= self.count

    def send(self) -> None:
        """Send the next one."""
        now = time.time_ns()
        try:
            self.source.sendto(_HEAD.pack(len(self.sent), now).ljust(self.size, b"."), self._target)
        except OSError as error:
            raise LabTrouble(f"a probe could not be sent: {error.strerror}") from error
        self.sent.append(now)

    def receive(self, at_most: int = _BATCH) -> None:
        """Take in what has come."""
        for _ in range(at_most):
            try:
                data, control, _, _ = self.sink.recvmsg(2048, 128)
            except BlockingIOError:
                return
            self._take(data, self._stamp(control))

    def _stamp(self, control: list[tuple[int, int, bytes]]) -> int:
        """When a packet came; and how many the socket had dropped by then, a word that is left out while none."""
        words = {kind: value for _, kind, value in control}
        if _SO_TIMESTAMPNS not in words:
            raise LabTrouble("the kernel stamps no arrivals (SO_TIMESTAMPNS)")
        self._dropped[1:] = [int.from_bytes(words.get(_SO_RXQ_OVFL, b""), sys.byteorder)]
        seconds, nanoseconds = _STAMP.unpack(words[_SO_TIMESTAMPNS])
        return int(seconds * _NS + nanoseconds)

    def _take(self, data: bytes, came: int) -> None:
        number, sent = _HEAD.unpack_from(data)
        body, whole = data[_HEAD.size :], b"." * (self.size - _HEAD.size)
        if body == whole and number < len(self.sent) and self.sent[number] == sent:
            self.arrivals.append(Arrival(number, sent, came))
        else:
            turned = int.from_bytes(body) ^ int.from_bytes(whole[: len(body)])
            cut_short = len(body) != len(whole)  # the bit that was turned is in UDP's length, which nothing protects
            self.damaged_bits.append(turned.bit_count() + cut_short)


def exchange(flows: Sequence[Flow], linger_s: float, to_the_end: bool = False, damages: bool = False) -> None:
    """Send all flows at their pace, each a little after the one before, and take in what comes.

    Ends ``linger_s`` after the last packet was sent, or when each flow is complete; only at that time where
    ``to_the_end`` is true, for a flow with duplicates has more to come. Where the link ``damages`` packets, the
    receiving socket throws some away with right.

    Raises:
        Disturbed: the receiver was too slow, or the clock was set meanwhile.
        LabTrouble: sender or receiver failed.
    """
    skew = time.time_ns() - time.monotonic_ns()
    gc.collect()
    gc.disable()  # a pause of the collector would be taken for one of the link's
    try:
        _send_all(flows)
        _await_rest(flows, linger_s, to_the_end)
    finally:
        gc.enable()
    if abs(time.time_ns() - time.monotonic_ns() - skew) > 1_000_000:
        raise Disturbed("the wall clock was set while it measured: measure again")
    if not damages and any(flow.dropped_at_the_end for flow in flows):
        raise Disturbed("the receiver was too slow, and its buffer overflowed: is the machine busy?")


def _send_all(flows: Sequence[Flow]) -> None:
    begun = time.monotonic()
    due = [begun + n / len(flows) / flow.per_second for n, flow in enumerate(flows)]
    by_sink = {flow.sink: flow for flow in flows}
    left = {n for n, flow in enumerate(flows) if flow.count}
    unread = 0
    while left:
        now = time.monotonic()
        for n in list(left):
            if due[n] <= now:
                flow = flows[n]
                flow.send()
                unread += 1
                due[n] += 1 / flow.per_second
                if len(flow.sent) == flow.count:
                    left.remove(n)
        patience = min((due[n] for n in left), default=0.0) - time.monotonic()
        if patience > 0 or unread >= _BATCH:  # reading has time: the kernel has stamped what came
            unread = 0
            for sink in select.select(by_sink, (), (), max(0.0, patience))[0]:
                by_sink[sink].receive()


def _await_rest(flows: Sequence[Flow], linger_s: float, to_the_end: bool) -> None:
    by_sink = {flow.sink: flow for flow in flows}
    end = time.monotonic() + linger_s
    while (left := end - time.monotonic()) > 0 and (to_the_end or not all(flow.complete for flow in flows)):
        for sink in select.select(by_sink, (), (), left)[0]:
            by_sink[sink].receive()


def udp_socket(address: str, interface: str = "") -> socket.socket:
    """A socket at one end, in the network namespace of the calling thread; its UDP has no check sum.

    Without a check sum a damaged payload is seen, not dropped. Buffers are as large as this user may have.
    """
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for forced, plain in ((_SO_RCVBUFFORCE, socket.SO_RCVBUF), (_SO_SNDBUFFORCE, socket.SO_SNDBUF)):
        try:
            made.setsockopt(socket.SOL_SOCKET, forced, _BUFFER)
        except PermissionError:
            made.setsockopt(socket.SOL_SOCKET, plain, _BUFFER)
    for option in (_SO_NO_CHECK, _SO_TIMESTAMPNS, _SO_RXQ_OVFL):
        made.setsockopt(socket.SOL_SOCKET, option, 1)
    if interface:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
    made.bind((address, 0))
    made.setblocking(False)
    return made


def empty(sink: socket.socket) -> None:
    """Throw away what waits there from before."""
    while True:
        try:
            sink.recv(2048)
        except BlockingIOError:
            return
