"""A cash register that does what a test scripts, over TCP or over the terminal's serial port."""

from __future__ import annotations

import os
import select
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from rig.wire.zvt import (
    POSITIVE,
    Apdu,
    ApduReader,
    Bmp,
    Command,
    FieldValue,
    Frame,
    FrameReader,
    LinkAck,
    decode_fields,
    encode_fields,
    encode_frame,
    encode_with_password,
)

PASSWORD = "000000"
INTERMEDIATE_STATUS = 0x08


class Silent(AssertionError):
    """The terminal said nothing in time, or hung up."""


class Cable(Protocol):
    """Bytes to and from the terminal, already cut into messages."""

    def send(self, apdu: Apdu) -> None: ...

    def receive(self, timeout_s: float) -> Apdu: ...

    def close(self) -> None: ...


class TcpCable:
    """A TCP connection to the terminal."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._socket = socket.create_connection((host, int(port)), timeout=5)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._reader = ApduReader()
        self._waiting: list[Apdu] = []

    def send(self, apdu: Apdu) -> None:
        self._socket.sendall(apdu.encode())

    def receive(self, timeout_s: float) -> Apdu:
        self._socket.settimeout(timeout_s)
        while not self._waiting:
            try:
                data = self._socket.recv(4096)
            except OSError as error:
                raise Silent(str(error)) from error
            if not data:
                raise Silent("the terminal hung up")
            self._waiting += self._reader.feed(data)
        return self._waiting.pop(0)

    def close(self) -> None:
        self._socket.close()


class SerialCable:
    """The slave side of the terminal's serial port, with link acknowledgements."""

    def __init__(self, port: Path) -> None:
        self._fd = os.open(port, os.O_RDWR | os.O_NOCTTY)
        self._reader = FrameReader()
        self._waiting: list[Apdu] = []
        self.acknowledges = True
        self.frames = 0

    def send(self, apdu: Apdu) -> None:
        os.write(self._fd, encode_frame(apdu.encode()))

    def receive(self, timeout_s: float) -> Apdu:
        deadline = time.monotonic() + timeout_s
        while not self._waiting:
            ready, _, _ = select.select([self._fd], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise Silent("nothing on the serial line")
            for event in self._reader.feed(os.read(self._fd, 4096)):
                if isinstance(event, Frame):
                    self.frames += 1
                    if self.acknowledges:
                        os.write(self._fd, b"\x06")
                        self._waiting += ApduReader().feed(event.apdu)
                else:
                    assert isinstance(event, LinkAck)
        return self._waiting.pop(0)

    def raw(self, data: bytes) -> None:
        """Put bytes on the line that need not be a frame."""
        os.write(self._fd, data)

    def raw_answer(self) -> bytes:
        """One byte from the line."""
        assert select.select([self._fd], [], [], 2)[0], "nothing on the serial line"
        return os.read(self._fd, 1)

    def close(self) -> None:
        os.close(self._fd)


@dataclass
class Ended:
    """How an operation ended: all messages of the terminal, in order."""

    messages: list[Apdu] = field(default_factory=list)

    @property
    def last(self) -> Apdu:
        """The closing message."""
        return self.messages[-1]

    @property
    def approved(self) -> bool:
        """What the cash register may believe: 06 0F after a 04 0F with result 00."""
        return self.last.command == Command.COMPLETION and self.status.get(Bmp.RESULT) == 0

    @property
    def aborted(self) -> int | None:
        """The code of 06 1E."""
        return self.last.data[0] if self.last.command == Command.ABORT else None

    @property
    def status(self) -> dict[int, FieldValue]:
        """The fields of the last 04 0F."""
        found = [m for m in self.messages if m.command == Command.STATUS_INFO]
        return decode_fields(found[-1].data) if found else {}

    def names(self) -> list[str]:
        """What came, by name."""
        return [message.name for message in self.messages]

    def printed(self) -> list[str]:
        """The lines for the receipt."""
        return [m.data[1:].decode("cp437") for m in self.messages if m.command == Command.PRINT_LINE]

    def statuses(self) -> list[int]:
        """The codes of the intermediate statuses."""
        return [m.data[0] for m in self.messages if m.command == Command.INTERMEDIATE_STATUS]


Answer = Callable[[Apdu], Apdu | None]
"""What the cash register answers; ``None`` is silence."""


def willing(_: Apdu) -> Apdu:
    """Acknowledge everything."""
    return POSITIVE


class ScriptedEcr:
    """Sends commands and plays the dialogue to its end."""

    def __init__(self, cable: Cable) -> None:
        self.cable = cable

    def command(self, apdu: Apdu) -> Apdu:
        """Send a command and return the answer to it."""
        self.cable.send(apdu)
        return self.cable.receive(5)

    def register(self, configuration: int = INTERMEDIATE_STATUS) -> Ended:
        """06 00."""
        data = bytes([configuration]) + bytes.fromhex("0978")
        return self.run(Apdu(Command.REGISTRATION, encode_with_password(PASSWORD, data)))

    def sale(self, amount: int, answer: Answer = willing) -> Ended:
        """06 01, to its end."""
        return self.run(payment(amount), answer)

    def void(self, receipt: int, answer: Answer = willing) -> Ended:
        """06 30, to its end."""
        rest = encode_fields({Bmp.RECEIPT: receipt})
        return self.run(Apdu(Command.REVERSAL, encode_with_password(PASSWORD, rest)), answer)

    def repeat_receipt(self) -> Ended:
        """06 20, to its end."""
        return self.run(Apdu(Command.REPEAT_RECEIPT, encode_with_password(PASSWORD)))

    def end_of_day(self) -> Ended:
        """06 50, to its end."""
        return self.run(Apdu(Command.END_OF_DAY, encode_with_password(PASSWORD)))

    def diagnosis(self) -> Ended:
        """06 70, to its end."""
        return self.run(Apdu(Command.DIAGNOSIS))

    def run(self, command: Apdu, answer: Answer = willing) -> Ended:
        """Send a command, see it accepted, and play on until 06 0F or 06 1E."""
        accepted = self.command(command)
        assert accepted.positive, accepted.name
        return self.follow(answer)

    def follow(self, answer: Answer = willing, timeout_s: float = 8.0) -> Ended:
        """Play the dialogue on until its end."""
        ended = Ended()
        while True:
            message = self.cable.receive(timeout_s)
            ended.messages.append(message)
            reply = answer(message)
            if reply is not None:
                self.cable.send(reply)
            if message.command in (Command.COMPLETION, Command.ABORT):
                return ended


def payment(amount: int) -> Apdu:
    """06 01 for an amount of euro cents."""
    return Apdu(Command.AUTHORISATION, encode_fields({Bmp.AMOUNT: amount, Bmp.CURRENCY: 978}))


def unless(command: int, reply: Apdu | None) -> Answer:
    """Acknowledge everything but one kind of message."""
    return lambda message: reply if message.command == command else POSITIVE
