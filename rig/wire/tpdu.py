"""Frames between terminal and host: 2 bytes of length (big-endian), a TPDU where the dialect has one, the message.

The TPDU ``60 dst(2) src(2)`` is what dial-up concentrators routed by; its addresses come back swapped in the answer.
"""

from __future__ import annotations

from dataclasses import dataclass

from rig.wire.errors import WireError

MAX_FRAME = 4096
"""The longest frame that is taken or sent, TPDU included, in bytes."""

_TPDU_ID = 0x60
_TPDU_LENGTH = 5


@dataclass(frozen=True)
class Tpdu:
    """The transport header of a frame, ``60 destination source``; addresses are 0 to 65535."""

    destination: int
    source: int

    def swapped(self) -> Tpdu:
        """The header of the answer."""
        return Tpdu(self.source, self.destination)

    def encode(self) -> bytes:
        """The header's five bytes."""
        if not (0 <= self.destination <= 0xFFFF and 0 <= self.source <= 0xFFFF):
            raise WireError("a TPDU address is two bytes")
        return bytes([_TPDU_ID]) + self.destination.to_bytes(2, "big") + self.source.to_bytes(2, "big")

    @classmethod
    def decode(cls, data: bytes) -> Tpdu:
        """Read five bytes. Raises WireError where they are no TPDU."""
        if len(data) != _TPDU_LENGTH or data[0] != _TPDU_ID:
            raise WireError("no TPDU (60 and two addresses)")
        return cls(int.from_bytes(data[1:3], "big"), int.from_bytes(data[3:5], "big"))


NO_TPDU = Tpdu(0, 0)
"""Stands for the header of a frame that has none."""


@dataclass(frozen=True)
class Framing:
    """What is around a message: two bytes of length, and a TPDU or none."""

    tpdu: bool = True

    def frame(self, tpdu: Tpdu, payload: bytes) -> bytes:
        """One frame. Raises WireError where it would be longer than :data:`MAX_FRAME`."""
        body = tpdu.encode() + payload if self.tpdu else payload
        if len(body) > MAX_FRAME:
            raise WireError(f"a frame of {len(body)} bytes is longer than {MAX_FRAME}")
        return len(body).to_bytes(2, "big") + body

    def reader(self) -> FrameReader:
        """Cuts a stream of such frames."""
        return FrameReader(self)


WITH_TPDU = Framing()
"""What most dialects have."""


def frame(tpdu: Tpdu, payload: bytes) -> bytes:
    """One frame with a TPDU. Raises WireError where it would be longer than :data:`MAX_FRAME`."""
    return WITH_TPDU.frame(tpdu, payload)


class FrameReader:
    """Cuts a byte stream into frames, however it was fragmented.

    After a WireError the stream has no frame boundary any more: the connection must be closed.
    """

    def __init__(self, framing: Framing = WITH_TPDU) -> None:
        self._buffer = bytearray()
        self._tpdu = framing.tpdu
        self._shortest = _TPDU_LENGTH if framing.tpdu else 0

    @property
    def partial(self) -> bool:
        """Whether a frame has begun and has not ended."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> list[tuple[Tpdu, bytes]]:
        """Take bytes and return the frames that they complete, as header and payload.

        Raises WireError for a length or a header that cannot be; where whole frames precede it, they are returned
        first, and the next call raises.
        """
        self._buffer += data
        frames: list[tuple[Tpdu, bytes]] = []
        while (length := self._next_length(bool(frames))) is not None:
            body = bytes(self._buffer[2 : 2 + length])
            del self._buffer[: 2 + length]
            header = Tpdu.decode(body[:_TPDU_LENGTH]) if self._tpdu else NO_TPDU
            frames.append((header, body[self._shortest :]))
        return frames

    def _next_length(self, postpone_error: bool) -> int | None:
        """The length of the whole frame at the head of the buffer; None where there is none yet."""
        if len(self._buffer) < 3:
            return None
        length = int.from_bytes(self._buffer[:2], "big")
        if self._shortest < length <= MAX_FRAME and (not self._tpdu or self._buffer[2] == _TPDU_ID):
            return length if len(self._buffer) >= 2 + length else None
        if postpone_error:
            return None
        raise WireError(f"{self._buffer[:3].hex(' ').upper()} begins no frame of at most {MAX_FRAME} bytes")
