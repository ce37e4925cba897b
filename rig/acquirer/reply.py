"""Where the answer to one request goes: its connection, with the frame and header that the request came with."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from rig.acquirer.line import Line
from rig.acquirer.security import NONE, LineKeys, Security
from rig.wire.iso8583 import Dialect, Message, Tpdu


class ReplyPath(NamedTuple):
    """The way back of one request; ``keys`` are what its answer is sealed with, ``tid`` who sent it."""

    line: Line
    dialect: Dialect
    security: Security
    tpdu: Tpdu
    header: bytes
    tid: str = ""
    keys: LineKeys = NONE

    @property
    def closed(self) -> asyncio.Event:
        """Set once nothing more will come."""
        return self.line.closed

    @property
    def alive(self) -> bool:
        """Whether an answer can still be given to the connection."""
        return self.line.alive

    def payload(self, message: Message) -> bytes:
        """The bytes of an answer, sealed where the dialect has a code. Raises WireError."""
        return self.security.encode(message, self.keys)

    def frame(self, payload: bytes) -> bytes:
        """What goes over the wire."""
        return self.dialect.framing.frame(self.tpdu.swapped(), self.header + payload)

    def send(self, data: bytes) -> None:
        """Write bytes. Raises OSError where the connection is gone."""
        self.line.send(data)
