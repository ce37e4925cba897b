"""Forwards a call as a network access controller does: whole messages, each in the frame of the other side."""

from __future__ import annotations

from typing import Literal, Protocol, get_args

from rig.errors import CallerMistake
from rig.wire.hdlc import FrameDecoder, encode_frame
from rig.wire.tpdu import MAX_FRAME

Framing = Literal["checked", "plain"]
"""How messages lie in the octets of a call: in frames with a check (:mod:`rig.wire.hdlc`), or as on TCP, behind two
bytes of length."""

_TPDU_ID = 0x60
_SHORTEST = 5


class Gate(Protocol):
    """One way of a call."""

    @property
    def frames(self) -> int:
        """How many whole messages have passed."""
        ...

    @property
    def damaged(self) -> int:
        """How many were dropped because they were damaged."""
        ...

    def feed(self, data: bytes) -> bytes:
        """Take bytes; returns what goes on now."""
        ...


class FrameGate:
    """Holds the bytes of a message back until it is whole. What is no frame of ours passes as it comes, from there on:
    noise, or another protocol; the host will know which.
    """

    def __init__(self) -> None:
        self.frames = 0
        self.damaged = 0
        self.torn = False
        """Whether something came that is no frame."""
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """Take bytes; returns what may go on now."""
        self._held += data
        out = b""
        while self._held and not self.torn:
            if len(self._held) < 3:
                return out
            length = int.from_bytes(self._held[:2], "big")
            if not _SHORTEST <= length <= MAX_FRAME or self._held[2] != _TPDU_ID:
                self.torn = True
            elif len(self._held) < 2 + length:
                return out
            else:
                out, self._held = out + self._held[: 2 + length], self._held[2 + length :]
                self.frames += 1
        out, self._held = out + self._held, b""
        return out


class CheckedUp:
    """From the line to the host: whole frames whose check is right; the damaged are dropped here."""

    def __init__(self) -> None:
        self.frames = 0
        self._decoder = FrameDecoder(MAX_FRAME)

    @property
    def damaged(self) -> int:
        """How many were dropped."""
        return self._decoder.damaged

    def feed(self, data: bytes) -> bytes:
        """Take octets of the line; returns bytes for the host."""
        out = b""
        for payload in self._decoder.feed(data):
            self.frames += 1
            out += len(payload).to_bytes(2, "big") + payload
        return out


class CheckedDown:
    """From the host to the line: each message gets its flags and its check."""

    damaged = 0

    def __init__(self) -> None:
        self._held = b""
        self.frames = 0

    def feed(self, data: bytes) -> bytes:
        """Take bytes of the host; returns octets for the line."""
        self._held += data
        out = b""
        while len(self._held) >= 2 and len(self._held) >= 2 + int.from_bytes(self._held[:2], "big"):
            length = int.from_bytes(self._held[:2], "big")
            out += encode_frame(self._held[2 : 2 + length])
            self._held = self._held[2 + length :]
            self.frames += 1
        return out


def make_gates(framing: Framing) -> tuple[Gate, Gate]:
    """The gates of one call, up and down.

    Raises:
        CallerMistake: there is no such framing.
    """
    if framing not in get_args(Framing):
        raise CallerMistake("answering.framing", f"is {framing!r}", f"use {' or '.join(get_args(Framing))}")
    return (CheckedUp(), CheckedDown()) if framing == "checked" else (FrameGate(), FrameGate())
