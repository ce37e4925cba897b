"""The serial line of a simulated PN532: frames in, ACK and answers out, and what of it the log keeps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rig.wire.pn532 import ACK, ERROR, FROM_CHIP, TO_CHIP, Ack, BadFrame, Command, Frame, FrameReader, Nack

SILENCE_S = 0.05  # a host that pauses so long inside a frame has died there
QUIET = frozenset({Command.READ_REGISTER, Command.WRITE_REGISTER})  # hundreds a sale: not worth a line each

Log = Callable[..., object]


@dataclass
class Pending:
    """A command whose answer depends on the air or on time. A `deadline` of None waits for ever."""

    command: Command
    deadline: float | None
    at_deadline: bytes


class HostLine:
    """The chip's end of the line to its host.

    Args:
        name: the chip's, for the log.
        send: takes the bytes for the host.
        log: takes a kind of event and its fields.
        clock: monotonic seconds.
    """

    def __init__(self, name: str, send: Callable[[bytes], None], log: Log, clock: Callable[[], float]) -> None:
        self._name, self._send, self._log, self._clock = name, send, log, clock
        self._frames = FrameReader()
        self._fed_at = clock()
        self._last_answer = b""

    def feed(self, data: bytes) -> Iterator[Frame | Ack]:
        """What the host wants: a command, or (ACK) the end of the one that runs. A NACK is served here."""
        if self._frames.inside_a_frame and self._clock() - self._fed_at > SILENCE_S:
            self._frames.reset()
        self._fed_at = self._clock()
        for item in self._frames.feed(data):
            match item:
                case Nack():
                    self._send(self._last_answer)
                case BadFrame(why):
                    self._log("device_rx", chip=self._name, name="bad frame", why=why)
                case _:
                    yield item

    def acknowledge(self) -> None:
        """Tell the host that its frame was understood."""
        self._send(ACK)

    def answer(self, number: Command, data: bytes) -> None:
        """The answer to a command."""
        self.note("device_tx", number, data)
        self._transmit(bytes([FROM_CHIP, number + 1]) + data)

    def refuse(self, content: bytes) -> None:
        """The error frame: no such command, or too few parameters."""
        self._log("device_rx", chip=self._name, name="syntax error", length=len(content), data=content[:2])
        self._transmit(bytes([ERROR]))

    def note(self, kind: str, number: Command, data: bytes) -> None:
        """Log a command or an answer: name and length always, of the content only what cannot hold card data."""
        if number not in QUIET:
            self._log(kind, chip=self._name, name=number.title, length=len(data), data=data[:5])

    def _transmit(self, content: bytes) -> None:
        self._last_answer = Frame(content).encode()
        self._send(self._last_answer)


def command_of(content: bytes) -> Command | None:
    """The command that a frame holds; None when it is none, or goes the other way."""
    known = len(content) > 1 and content[0] == TO_CHIP and content[1] in set(Command)
    return Command(content[1]) if known else None
