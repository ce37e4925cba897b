"""ZVT messages over a transport: bare over TCP; framed, acknowledged and repeated over a serial line.

Source: PA00P016. Serial: T1 between two bytes of a frame, then NAK; T2 from a frame to its ACK, then the frame is
repeated, at most twice; then it is a transmission error.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from typing import Protocol

from rig.errors import BenchTrouble, DeviceGone, DeviceMute, DeviceNonsense
from rig.terminals.base import Observe
from rig.terminals.transport import NotSent, Transport
from rig.wire.errors import WireError
from rig.wire.zvt import Apdu, ApduReader, BadFrame, Frame, FrameReader, LinkAck, LinkNak, encode_frame

_ACK, _NAK = b"\x06", b"\x15"


@dataclass(frozen=True)
class Timeouts:
    """How long the ECR waits, in seconds. The values are those of PA00P016, the last three our own.

    Attributes:
        t1_s: between two bytes of a serial frame.
        t2_s: from a serial frame to its acknowledgement.
        t3_s: from a command to its answer.
        t4_s: from that answer, or the last status, to the end of the operation.
        repeats: how often a serial frame is repeated.
        connect_s: for a TCP connection.
        registration_s: for a registration, and for asking what is stored.
        resolve_s: for settling an unknown outcome, all attempts together.
    """

    t1_s: float = 0.2
    t2_s: float = 5.0
    t3_s: float = 5.0
    t4_s: float = 180.0
    repeats: int = 2
    connect_s: float = 2.0
    registration_s: float = 15.0
    resolve_s: float = 30.0


class Link(Protocol):
    """A line that carries whole messages."""

    @property
    def is_open(self) -> bool:
        """Whether the line was opened and not closed since."""
        ...

    def open(self) -> None:
        """Open the line; does nothing when it is open. Raises DeviceGone."""
        ...

    def send(self, apdu: Apdu) -> None:
        """Send a message. Raises NotSent when it certainly did not arrive, other BenchTrouble when it may have."""
        ...

    def receive(self, timeout_s: float) -> Apdu | None:
        """The next message, or None when none came in time. Raises BenchTrouble when the line ended."""
        ...

    def hang_up(self) -> None:
        """End the line from another thread: whoever waits for it sees it gone at once. Never raises."""
        ...

    def close(self) -> None:
        """Close the line. Never raises."""
        ...


class _ObservedLine:
    """What both kinds of line do alike: opening, closing, and telling what passes."""

    def __init__(self, transport: Transport, observe: Observe) -> None:
        self._transport = transport
        self._observe = observe
        self._received: deque[Apdu] = deque()

    def hang_up(self) -> None:
        """End the line from another thread."""
        self._transport.hang_up()

    @property
    def is_open(self) -> bool:
        """Whether the line was opened and not closed since."""
        return self._transport.is_open

    def open(self) -> None:
        """Open the line, and forget what an earlier connection left behind. Raises DeviceGone."""
        if not self.is_open:
            self._reset()
            self._transport.open()
            self._tell(f"{self._transport.name} opened")

    def close(self) -> None:
        """Close the line."""
        if self.is_open:
            self._transport.close()
            self._tell(f"{self._transport.name} closed")

    def _reset(self) -> None:
        self._received.clear()

    def _tell(self, what: str) -> None:
        self._observe("ecr_link", {"what": what})

    def _tell_sent(self, apdu: Apdu) -> None:
        self._observe("ecr_tx", {"data": apdu.encode(), "name": apdu.name})

    def _take(self) -> Apdu:
        apdu = self._received.popleft()
        self._observe("ecr_rx", {"data": apdu.encode(), "name": apdu.name})
        return apdu


class TcpLink(_ObservedLine):
    """Messages follow each other in the stream."""

    def __init__(self, transport: Transport, observe: Observe) -> None:
        super().__init__(transport, observe)
        self._reader = ApduReader()

    def send(self, apdu: Apdu) -> None:
        """Send a message. Raises NotSent."""
        self._tell_sent(apdu)
        self._transport.send(apdu.encode())

    def receive(self, timeout_s: float) -> Apdu | None:
        """The next message, or None when none came in time. Raises DeviceGone when the connection ended."""
        deadline = time.monotonic() + timeout_s
        while not self._received:
            data = self._transport.receive(deadline - time.monotonic())
            if not data and time.monotonic() >= deadline:
                return None
            self._received.extend(self._reader.feed(data))
        return self._take()

    def _reset(self) -> None:
        super()._reset()
        self._reader = ApduReader()


class SerialLink(_ObservedLine):
    """Messages in frames; each is acknowledged by a single byte before it is looked at."""

    def __init__(self, transport: Transport, observe: Observe, timeouts: Timeouts | None = None) -> None:
        super().__init__(transport, observe)
        self._timeouts = timeouts or Timeouts()
        self._reader = FrameReader()
        self._acknowledged = False
        self._repeat_wanted = False

    def send(self, apdu: Apdu) -> None:
        """Send a frame until it is acknowledged.

        Raises:
            NotSent: the port did not take the frame the first time.
            DeviceMute: the frame and its repeats went unacknowledged; one of them may have arrived all the same.
            DeviceGone: the port ended after the frame had left.
        """
        self._tell_sent(apdu)
        frame = encode_frame(apdu.encode())
        self._acknowledged = False
        self._transport.send(frame)
        for attempt in range(self._timeouts.repeats + 1):
            if attempt:
                self._repeat(frame)
            if self._await_acknowledgement():
                return
        raise DeviceMute(
            self._transport.name,
            f"transmission error: {apdu.name} and {self._timeouts.repeats} repeats unacknowledged",
            "the terminal's power, the cable, the baud rate",
        )

    def receive(self, timeout_s: float) -> Apdu | None:
        """The next message, or None when none came in time. Raises DeviceGone when the port ended."""
        deadline = time.monotonic() + timeout_s
        while not self._received:
            if not self._listen(deadline) and time.monotonic() >= deadline:
                return None
        return self._take()

    def _await_acknowledgement(self) -> bool:
        """A frame counts as an acknowledgement too.

        The terminal speaks only after it took ours; if merely its ACK was lost, repeating a payment command would
        be a second payment command.
        """
        self._repeat_wanted = False
        held = len(self._received)
        deadline = time.monotonic() + self._timeouts.t2_s
        while not self._repeat_wanted:
            heard = self._listen(deadline)
            if self._acknowledged or len(self._received) > held:
                return True
            if not heard and time.monotonic() >= deadline:
                self._tell("no acknowledgement within T2")
                return False
        self._tell("NAK received")
        return False

    def _repeat(self, frame: bytes) -> None:
        self._tell("frame repeated")
        try:
            self._transport.send(frame)
        except NotSent as error:
            raise DeviceGone(error.device, error.what, error.cure) from error

    def _listen(self, deadline: float) -> bool:
        """Take in what the line delivers next; whether there was anything."""
        wait_s = deadline - time.monotonic()
        t1_runs = self._reader.inside and wait_s >= self._timeouts.t1_s
        data = self._transport.receive(self._timeouts.t1_s if t1_runs else wait_s)
        if t1_runs and not data:
            self._reader.abandon()
            self._refuse("a frame stopped for longer than T1")
        for event in self._reader.feed(data):
            match event:
                case Frame(apdu):
                    self._accept(apdu)
                case BadFrame(why):
                    self._refuse(why)
                case LinkAck():
                    self._acknowledged = True
                case LinkNak():
                    self._repeat_wanted = True
        return bool(data)

    def _accept(self, data: bytes) -> None:
        self._transport.send(_ACK)
        try:
            self._received.append(Apdu.decode(data))
        except WireError as error:
            raise DeviceNonsense(
                self._transport.name, f"a frame holds no ZVT message: {error}", "the terminal's ECR protocol setting"
            ) from error

    def _refuse(self, why: str) -> None:
        self._tell(f"NAK sent: {why}")
        self._transport.send(_NAK)

    def _reset(self) -> None:
        super()._reset()
        self._reader = FrameReader()


def discard_stale(link: Link) -> None:
    """Take what an earlier exchange left in the line, so that it answers no later command.

    A line that ended meanwhile is closed, so that the next use opens it again.
    """
    try:
        while link.is_open and link.receive(0) is not None:
            continue
    except BenchTrouble:
        link.close()
