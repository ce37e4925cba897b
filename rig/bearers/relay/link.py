"""One link of the relay: two interfaces, a queue a direction, and packets that leave when their time has come."""

from __future__ import annotations

import contextlib
import errno
import socket
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

from rig.bearers.impairment import CLEAN, Impairment
from rig.bearers.interface import has_carrier, is_up, set_up
from rig.bearers.relay.model import DirectionModel
from rig.errors import CallerMistake, DeviceGone

_ETH_P_ALL = 0x0003
_SOL_PACKET, _PACKET_IGNORE_OUTGOING, _PACKET_QDISC_BYPASS = 263, 23, 20
_SO_SNDBUFFORCE, _SO_RCVBUFFORCE = 32, 33
_BUFFER = 1 << 24
_LARGEST_FRAME = 65_536
_BATCH = 64
"""Packets taken from one interface before the others have their turn."""
_BACKLOG = 4096
"""More than this may not have come since the last turn; a bound, so that a flood cannot hold up a change."""


class Direction:
    """One way through a link. The model keeps the order, so that a plain queue is sorted by itself."""

    def __init__(self, source: socket.socket, sink: socket.socket, seed: int) -> None:
        self.source = source
        self._sink = sink
        self.model = DirectionModel(seed)
        self._queue: deque[tuple[int, bytes]] = deque()

    @property
    def next_departure(self) -> int | None:
        """When the first packet may leave, monotonic nanoseconds."""
        return self._queue[0][0] if self._queue else None

    def receive(self, at_most: int = _BATCH) -> None:
        """Take in what came; what need not wait leaves at once."""
        model, queue = self.model, self._queue
        for _ in range(at_most):
            try:
                frame = self.source.recv(_LARGEST_FRAME)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno == errno.ENETDOWN:  # told once when the interface goes down; it comes back by itself
                    return
                raise
            now = time.monotonic_ns()
            for departure, overtakes, turned_bit in model.admit(now, len(frame)):
                sent = frame if turned_bit is None else _damaged(frame, turned_bit)
                if overtakes or (departure <= now and not queue):
                    self._send(sent)
                else:
                    queue.append((departure, sent))

    def release(self, now: int) -> None:
        """Send every packet whose time has come."""
        queue = self._queue
        while queue and queue[0][0] <= now:
            self._send(queue.popleft()[1])

    def set(self, impairment: Impairment) -> int:
        """Put an impairment in force. Returns how many waiting packets a cut has lost.

        What came before this moment still meets the impairment before.
        """
        self.receive(_BACKLOG)
        self.model.set(impairment)
        return self.drop_queue() if impairment.cut else 0

    def drop_queue(self) -> int:
        """Lose everything that waits."""
        self._queue.clear()
        return self.model.empty()

    def counters(self) -> dict[str, int]:
        """What passed and what was lost since the start."""
        return {"packets": self.model.passed, "dropped": self.model.dropped}

    def _send(self, frame: bytes) -> None:
        try:
            self._sink.send(frame)
        except OSError:  # interface down, buffers full, frame too long: lost, as on any wire
            self.model.depart(delivered=False)
        else:
            self.model.depart(delivered=True)


class RelayLink:
    """A link between an inner interface (towards the terminal) and an outer one (towards the host).

    Args:
        inner: interface whose far end the terminal sees.
        outer: interface whose far end the bench sees.
        seed: of the dice of both directions.
        by_radio: set by the simulated radio; not the bench's to clear.

    Raises:
        DeviceGone: an interface is not there.
    """

    def __init__(self, name: str, inner: str, outer: str, seed: int, by_radio: bool) -> None:
        self.name = name
        self.by_radio = by_radio
        self._inner, self._outer = inner, outer
        self._carrier_wanted = True
        inner_socket, outer_socket = _packet_socket(inner), _packet_socket(outer)
        self.up = Direction(inner_socket, outer_socket, 2 * seed)
        self.down = Direction(outer_socket, inner_socket, 2 * seed + 1)
        self.directions = (self.up, self.down)
        self._plan = 0
        self._steps: list[tuple[Impairment, Impairment]] = []

    def set(self, up: Impairment, down: Impairment) -> int:
        """Put impairments in force, whatever was before. Returns how many waiting packets were lost by it."""
        return self.up.set(up) + self.down.set(down)

    def prepare(self, steps: Sequence[tuple[Impairment, Impairment]], plan: int = 0) -> int:
        """Keep pairs of up and down: as a new plan in the place of the one before, or added to that plan.

        Returns the number of the plan.

        Raises:
            CallerMistake: the plan to add to is not the last one.
        """
        if plan:
            self._require_plan(plan)
            self._steps.extend(steps)
        else:
            self._plan, self._steps = self._plan + 1, list(steps)
        return self._plan

    def step(self, plan: int, number: int) -> tuple[Impairment, Impairment]:
        """A pair that was kept, counted from 0.

        Raises:
            CallerMistake: another plan took its place, or it has no such step.
        """
        self._require_plan(plan)
        if not 0 <= number < len(self._steps):
            raise CallerMistake(f"link {self.name}", f"there is no step {number} of {len(self._steps)}")
        return self._steps[number]

    def _require_plan(self, plan: int) -> None:
        if plan != self._plan:
            what = f"plan {plan} is not in hand, plan {self._plan} is"
            raise CallerMistake(f"link {self.name}", what, "prepare it again: one plan a link")

    def read(self) -> dict[str, Any]:
        """What is in force."""
        return {
            "up": self.up.model.impairment.to_dict(),
            "down": self.down.model.impairment.to_dict(),
            **self.read_carrier(),
        }

    def read_carrier(self) -> dict[str, bool]:
        """``up_flag``: the terminal is given a carrier; ``carrier``: there is one, the terminal's end being up too."""
        return {"up_flag": is_up(self._inner), "carrier": has_carrier(self._inner)}

    def set_carrier(self, up: bool) -> dict[str, bool]:
        """Take the carrier from the terminal, or give it back; what waited is lost with the carrier."""
        self._carrier_wanted = up
        self.follow_carrier()
        return self.read_carrier()

    def follow_carrier(self) -> None:
        """Give the terminal a carrier where it is wanted and the outer side has one, as a media converter does."""
        up = self._carrier_wanted and has_carrier(self._outer)
        if up == is_up(self._inner):
            return
        set_up(self._inner, up)
        if not up:
            for direction in self.directions:
                direction.drop_queue()

    def clear(self) -> None:
        """As if never touched."""
        self.set(CLEAN, CLEAN)
        self.set_carrier(True)


def _damaged(frame: bytes, turned_bit: int) -> bytes:
    damaged = bytearray(frame)
    damaged[turned_bit // 8] ^= 1 << turned_bit % 8
    return bytes(damaged)


def _packet_socket(interface: str) -> socket.socket:
    # Protocol 0 receives nothing until the socket is bound to its own interface.
    packets = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
    packets.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
    for forced, plain in ((_SO_RCVBUFFORCE, socket.SO_RCVBUF), (_SO_SNDBUFFORCE, socket.SO_SNDBUF)):
        try:
            packets.setsockopt(socket.SOL_SOCKET, forced, _BUFFER)
        except PermissionError:  # in a user namespace; the system's own maximum must do there
            packets.setsockopt(socket.SOL_SOCKET, plain, _BUFFER)
    with contextlib.suppress(OSError):
        packets.setsockopt(_SOL_PACKET, _PACKET_QDISC_BYPASS, 1)
    packets.setblocking(False)
    try:
        packets.bind((interface, _ETH_P_ALL))
    except OSError as error:
        packets.close()
        raise DeviceGone(f"interface {interface}", f"cannot be relayed: {error.strerror}", "was it built?") from error
    return packets
