"""Where the answer to one request goes: its connection, with the frame and header that the request came with."""

from __future__ import annotations

import asyncio
from typing import NamedTuple, Protocol

from rig.acquirer.line import Line
from rig.acquirer.security import NONE, LineKeys, Security
from rig.wire.iso8583 import Dialect, Message, Tpdu


class Path(Protocol):
    """What the way of an answer needs of its connection."""

    @property
    def line(self) -> Line:
        """The connection."""

    @property
    def dialect(self) -> Dialect:
        """What is spoken on it."""

    @property
    def closed(self) -> asyncio.Event:
        """Set once nothing more will come."""

    @property
    def alive(self) -> bool:
        """Whether an answer can still be given to the connection."""

    def payload(self, message: Message) -> bytes:
        """The bytes of an answer. Raises WireError."""

    def frame(self, payload: bytes) -> bytes:
        """What goes over the wire."""

    def send(self, data: bytes) -> None:
        """Write bytes. Raises OSError where the connection is gone."""

    def change_keys(self) -> str:
        """New keys that the terminal is not told of; returns whose."""


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

    def change_keys(self) -> str:
        """New session keys that the terminal is not told of."""
        self.security.change_underneath(self.tid)
        return self.tid


class RawPath(NamedTuple):
    """The way of an answer that another host made: its bytes go on as they came."""

    line: Line
    dialect: Dialect
    tpdu: Tpdu
    raw: bytes

    @property
    def closed(self) -> asyncio.Event:
        """Set once nothing more will come."""
        return self.line.closed

    @property
    def alive(self) -> bool:
        """Whether an answer can still be given to the connection."""
        return self.line.alive

    def payload(self, message: Message) -> bytes:
        """The bytes as they came, header and code included."""
        return self.raw

    def frame(self, payload: bytes) -> bytes:
        """What goes over the wire."""
        return self.dialect.framing.frame(self.tpdu, payload)

    def send(self, data: bytes) -> None:
        """Write bytes. Raises OSError where the connection is gone."""
        self.line.send(data)

    def change_keys(self) -> str:
        """Not the gateway's to do."""
        return ""
