"""One answered call: the caller's modem at one side, a TCP connection to the host at the other."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from typing import Any

from rig.bearers.dialup.direction import Direction
from rig.bearers.dialup.gate import Gate
from rig.bearers.dialup.modem import AnsweringModem

Note = Callable[..., object]
"""Called with the kind of an event and its data by name."""

_HOST_S = 2.0
_CHUNK = 4096


class Ended(Exception):
    """The call is over, or must be; the text says why."""


class Call:
    """Relays octets until :class:`Ended`. Counts what came over the line and what was given to it.

    Args:
        number: of the call, from 1.
        modem: in data state.
        up: terminal → host.
        down: host → terminal.
        host: address and TCP port.
        gates: what makes messages of octets, up and down.
        note: gets ``line_octets`` after every message, and ``frame_damaged``.

    Raises:
        Ended: the host cannot be reached.
    """

    def __init__(
        self,
        number: int,
        modem: AnsweringModem,
        up: Direction,
        down: Direction,
        host: tuple[str, int],
        gates: tuple[Gate, Gate],
        note: Note,
    ) -> None:
        self.number = number
        self.drop_after: int | None = None
        """The bench hangs up when so many octets more have gone to the caller."""
        self._modem = modem
        self._up, self._down = up, down
        self._note = note
        self._came = self._gone = 0
        self._gates = gates
        self._told = self._told_damaged = 0
        self._host_gone = False
        try:
            self._host = socket.create_connection(host, timeout=_HOST_S)
        except OSError as error:
            raise Ended(f"the host cannot be reached: {error.strerror or error}") from error
        self._host.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @property
    def sockets(self) -> list[socket.socket]:
        """What to wait for beside the modem."""
        return [] if self._host_gone else [self._host]

    @property
    def octets(self) -> dict[str, Any]:
        """What came over the line and what was given to it, since the call began."""
        return {"up": self._came, "down": self._gone}

    def came_up(self, data: bytes, now: float) -> None:
        """Octets came over the line."""
        self._came += len(data)
        self._up.take(data, now)

    def host_ready(self, now: float) -> None:
        """The host has sent something, or closed."""
        try:
            data = self._host.recv(_CHUNK)
        except OSError:
            data = b""
        self._host_gone = not data
        self._down.take(self._gates[1].feed(data), now)

    @property
    def damaged(self) -> int:
        """How many messages of the caller were damaged on their way, and dropped."""
        return self._gates[0].damaged

    def pump(self, now: float) -> None:
        """Let go on what may.

        Raises:
            Ended: the host has closed and all it sent has gone, or the bench drops the call now.
        """
        if out := self._gates[0].feed(self._up.due(now)):
            with contextlib.suppress(OSError):  # it has closed: its end of file says so
                self._host.sendall(out)
        if out := self._down.due(now, self.drop_after):
            self._modem.write(out)
            self._gone += len(out)
            if self.drop_after is not None:
                self.drop_after -= len(out)
        self._tell_frames()
        if self.drop_after == 0:
            raise Ended("the bench hung up")
        if self._host_gone and not self._down.waiting and not self._down.impairment.cut:
            raise Ended("the host closed the connection")

    def next_due(self) -> float | None:
        """When :meth:`pump` has something to do again, monotonic seconds."""
        return min((due for each in (self._up, self._down) if (due := each.next_due()) is not None), default=None)

    def close(self) -> None:
        """Let go of the host; what waits is lost."""
        for each in (self._up, self._down):
            each.empty()
        self._host.close()

    def _tell_frames(self) -> None:
        frames = sum(gate.frames for gate in self._gates)
        if frames != self._told and not self._down.waiting:
            self._told = frames
            self._note("line_octets", call=self.number, **self.octets)
        if self.damaged != self._told_damaged:
            self._told_damaged = self.damaged
            self._note("frame_damaged", call=self.number, damaged=self.damaged)
