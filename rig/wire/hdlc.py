"""Frames with a check on a line that damages octets: flags, octet stuffing and a 16-bit check sequence. No I/O.

Source: RFC 1662 (PPP in HDLC-like framing, after ISO/IEC 13239): 4.2 the flag and transparency, C.2 the check
sequence. Of PPP there is nothing else here: no address, control or protocol field, and nothing is negotiated.

Beside what must be stuffed are the octets by which a modem is spoken to: XON and XOFF, carriage return and ``+``. So no
message can hold ``+++``, or the line ``NO CARRIER`` by which a modem tells the end of a call.
"""

from __future__ import annotations

FLAG = 0x7E
_ESCAPE = 0x7D
_TURNED = 0x20
_STUFFED = frozenset({FLAG, _ESCAPE, 0x11, 0x13, 0x91, 0x93, 0x0D, ord("+")})
_GOOD = 0xF0B8
"""What the check of a whole frame, its check sequence included, comes to (RFC 1662, C.2)."""


def _entry(octet: int) -> int:
    for _ in range(8):
        octet = octet >> 1 ^ 0x8408 if octet & 1 else octet >> 1
    return octet


_TABLE = [_entry(octet) for octet in range(256)]


def _check(data: bytes | bytearray) -> int:
    value = 0xFFFF
    for octet in data:
        value = value >> 8 ^ _TABLE[(value ^ octet) & 0xFF]
    return value


def encode_frame(payload: bytes) -> bytes:
    """One frame, with a flag before and behind.

    >>> encode_frame(b"123456789").hex(" ")
    '7e 31 32 33 34 35 36 37 38 39 6e 90 7e'
    """
    body = payload + (_check(payload) ^ 0xFFFF).to_bytes(2, "little")
    stuffed = bytearray([FLAG])
    for octet in body:
        stuffed += bytes([_ESCAPE, octet ^ _TURNED]) if octet in _STUFFED else bytes([octet])
    stuffed.append(FLAG)
    return bytes(stuffed)


class FrameDecoder:
    """Cuts octets into frames. What is damaged is dropped and counted; of what is damaged badly, one frame in 65,536
    passes the check all the same, as on every line of this kind.

    Args:
        longest: of a payload, in bytes; what has no end by then is no frame.
    """

    def __init__(self, longest: int) -> None:
        self.damaged = 0
        """How many pieces between two flags were no frames."""
        self._limit = 2 * (longest + 2)
        self._piece: bytearray | None = None

    def feed(self, data: bytes) -> list[bytes]:
        """Take octets; returns the payloads that they complete. Octets before the first flag are nobody's."""
        payloads = []
        for octet in data:
            if octet == FLAG:
                if self._piece:
                    payload = _unstuff(self._piece)
                    if payload is not None:
                        payloads.append(payload)
                    else:
                        self.damaged += 1
                self._piece = bytearray()  # one flag may end a frame and begin the next
            elif self._piece is not None:
                self._piece.append(octet)
                if len(self._piece) > self._limit:
                    self.damaged += 1
                    self._piece = None
        return payloads


def _unstuff(piece: bytearray) -> bytes | None:
    body = bytearray()
    octets = iter(piece)
    for octet in octets:
        if octet == _ESCAPE:
            following = next(octets, None)
            if following is None:
                return None
            body.append(following ^ _TURNED)
        else:
            body.append(octet)
    return bytes(body[:-2]) if len(body) > 2 and _check(body) == _GOOD else None
