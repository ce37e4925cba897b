"""What a virtual smart card reader (vpcd) and the card in it say to each other over a stream socket.

Source: vsmartcard, documentation of "Virtual Smart Card": each message is its length in two bytes, the high one first,
and so many bytes. From the reader a message of one byte controls the card; any other is a command APDU. The card
answers a command, and `Control.ATR`, with one message; the other controls it does not answer.
"""

from __future__ import annotations

from enum import IntEnum

from rig.wire.errors import WireError

MAX_MESSAGE = 0xFFFF
_HEADER = 2


class Control(IntEnum):
    """What the reader does to the card, in a message of this one byte."""

    OFF = 0
    ON = 1
    RESET = 2
    ATR = 4


def encode(message: bytes) -> bytes:
    """A message as it goes over the wire. Raises WireError when it is too long for its length field."""
    if len(message) > MAX_MESSAGE:
        raise WireError(f"a vpcd message has at most {MAX_MESSAGE} bytes, not {len(message)}")
    return len(message).to_bytes(_HEADER, "big") + message


def control(message: bytes) -> Control | None:
    """What a reader's message does to the card; None when it is a command for it."""
    if len(message) != 1 or message[0] not in set(Control):
        return None
    return Control(message[0])


class Decoder:
    """Takes a stream apart into messages, however it was cut on its way."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that these bytes complete, in their order."""
        self._bytes += data
        messages = []
        while len(self._bytes) >= _HEADER:
            end = _HEADER + int.from_bytes(self._bytes[:_HEADER], "big")
            if len(self._bytes) < end:
                break
            messages.append(bytes(self._bytes[_HEADER:end]))
            del self._bytes[:end]
        return messages
