"""Forwards a call as a network access controller does: whole frames, as long as what comes is made of frames."""

from __future__ import annotations

from rig.wire.tpdu import MAX_FRAME

_TPDU_ID = 0x60
_SHORTEST = 5


class FrameGate:
    """Holds the bytes of a frame back until it is whole. What is no frame passes as it comes, from there on."""

    def __init__(self) -> None:
        self.frames = 0
        """How many whole frames have passed."""
        self.torn = False
        """Whether something came that is no frame: noise, or another protocol."""
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
