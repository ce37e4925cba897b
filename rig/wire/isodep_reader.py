"""The reader's side of ISO/IEC 14443-4 (ISO-DEP), without I/O: dialogues that say what to send and are told what came.

Source: ISO/IEC 14443-4:2018, 5 (activation), 7.5 (rules 1 to 8, A and B), 8 (deactivation); EMV Contactless Book D, 10,
for the bounds. Blocks are without CRC. A reader runs each dialogue with `run`::

    side = ReaderSide()
    ats = run(side.activate(), exchange)
    response = run(side.transceive(command), exchange)
    run(side.deselect(), exchange)

where ``exchange(send)`` waits ``send.pause_s``, sends ``send.block`` and returns the card's block, or None when
nothing, or nothing sound, came within ``send.wait_s``.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import TypeVar

from rig.wire.errors import WireError
from rig.wire.isodep_blocks import (
    CHAINING,
    CID,
    DESELECT,
    FRAME_SIZES,
    I_BLOCK,
    MAX_FWI,
    MAX_WTXM,
    NAD,
    NAK,
    PPS,
    R_BLOCK,
    RATS,
    WTX,
    Ats,
    is_information,
    is_receipt,
    waiting_s,
)

MAX_RESPONSE = 65_538  # an extended response APDU
MARGIN_S = 49152 / 13.56e6  # what a reader grants beyond the frame waiting time (EMV Book D, delta FWT)
MAX_WAIT_S = waiting_s(MAX_FWI)
MAX_MULTIPLIER = 0x3F  # the bits of a waiting time multiplier; those above tell the power level


class IsoDepError(WireError):
    """The conversation with the card is over; nothing but a new activation helps. ``why`` says what went wrong."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True)
class Send:
    """Send this block after `pause_s`, and wait up to `wait_s` seconds for the card's."""

    block: bytes
    wait_s: float
    pause_s: float = 0.0


Result = TypeVar("Result")
Dialogue = Generator[Send, bytes | None, Result]
Exchange = Callable[[Send], bytes | None]


def run(dialogue: Dialogue[Result], exchange: Exchange) -> Result:
    """Carry a dialogue out and return its result. Raises IsoDepError as the dialogue does."""
    received: bytes | None = None
    try:
        send = next(dialogue)
        while True:
            received = exchange(send)
            send = dialogue.send(received)
    except StopIteration as end:
        result: Result = end.value
        return result


@dataclass(frozen=True)
class _Block:
    """A sound block of the card, its prologue taken off."""

    pcb: int
    content: bytes

    @property
    def number(self) -> int:
        return self.pcb & 1

    @property
    def chained(self) -> bool:
        return bool(self.pcb & CHAINING)


@dataclass
class ReaderSide:
    """A reader and one card, from RATS to DESELECT. After an IsoDepError it must be activated anew.

    Attributes:
        fsdi: index into FRAME_SIZES of the longest frame that the reader takes.
        cid: the card identifier to give, 0 to 14; None for none. It is used when the card understands it.
        frame_limit: the longest frame that the reader sends, whatever the card takes; a PN532's buffer ends at 256.
        retries: how often one block is asked for again before the reader gives up (EMV Book D: 2 or 3).
        max_extensions: how often a card may ask for more time (S(WTX)) before it answers one block.
        activation_wait_s: how long to wait for ATS, PPS response and S(DESELECT); the standard's 4.8 ms are too short
            for a host on a serial line.
    """

    fsdi: int = 8
    cid: int | None = None
    frame_limit: int = 256
    retries: int = 2
    max_extensions: int = 32
    activation_wait_s: float = 0.05
    ats: Ats | None = field(default=None, init=False)
    """What the card answered to RATS; None while it is not active."""
    _number: int = field(default=0, init=False)
    _pause_s: float = field(default=0.0, init=False)

    def activate(self) -> Dialogue[Ats]:
        """RATS. Returns what the card says of itself. Raises IsoDepError when it does not answer, or nonsense."""
        self.ats, self._number = None, 0  # rule A
        rats = bytes([RATS, self.fsdi << 4 | (self.cid or 0)])
        for _ in range(1 + self.retries):
            received = yield Send(rats, self.activation_wait_s)
            if received is None:
                continue
            try:
                self.ats = Ats.decode(received)
            except WireError as error:
                raise IsoDepError(str(error)) from error
            self._pause_s = self.ats.start_up_guard_s
            return self.ats
        raise IsoDepError("no answer to RATS")

    def select_parameters(self) -> Dialogue[None]:
        """PPS for 106 kbit/s, directly after RATS; nobody needs it. Raises IsoDepError without a sound answer."""
        self._active()
        start = PPS | (self.cid or 0)
        for _ in range(1 + self.retries):
            received = yield self._send(bytes([start, 0x11, 0x00]), self.activation_wait_s)
            if received == bytes([start]):
                return
        raise self._over("no answer to PPS")

    def transceive(self, command: bytes) -> Dialogue[bytes]:
        """A command APDU to the card; returns its response APDU, whole.

        Raises:
            IsoDepError: the card was not activated, fell silent, broke the protocol, or asked for too much time.
        """
        room = min(self._active().frame_size, self.frame_limit) - 3 - self._with_cid
        parts = [command[at : at + room] for at in range(0, len(command), room)] or [b""]
        for part in parts[:-1]:
            yield from self._deliver(self._block(I_BLOCK | CHAINING | self._number, part), _continues)
        block = yield from self._deliver(self._block(I_BLOCK | self._number, parts[-1]), _informs)
        response = block.content
        while block.chained:
            if len(response) > MAX_RESPONSE:
                raise self._over("the card chains without end")
            block = yield from self._deliver(self._block(R_BLOCK | self._number), _informs)  # rule 2
            response += block.content
        return response

    def deselect(self) -> Dialogue[bool]:
        """S(DESELECT). Returns whether the card confirmed; one that does not may be ignored (rule 8)."""
        self._active()
        request = self._block(DESELECT)
        for _ in range(1 + self.retries):
            received = yield self._send(request, self.activation_wait_s)
            block = self._parse(received)
            if block is not None and block.pcb == DESELECT and not block.content:
                self.ats = None
                return True
        self.ats = None
        return False

    def _deliver(self, block: bytes, answers: Callable[[_Block], bool]) -> Dialogue[_Block]:
        """Send a block until one comes that `answers` it; the block number is toggled then (rule B)."""
        failures = repeats = extensions = 0
        chains = not is_information(block[0])  # an R(ACK): the card is chaining
        patience = waiting_s(self._active().fwi)
        send = self._send(block, patience)
        while True:
            heard = yield send
            received = self._parse(heard)
            if received is not None and received.pcb == WTX:
                failures, extensions = 0, extensions + 1
                if extensions > self.max_extensions:
                    raise self._over(f"the card asked for more time {extensions} times")
                send = self._grant(received.content[0] & MAX_MULTIPLIER, patience)
            elif received is not None and received.number == self._number and answers(received):
                self._number ^= 1
                return received
            elif received is not None and is_receipt(received.pcb) and received.number != self._number and not chains:
                repeats += 1
                if repeats > self.retries:
                    raise self._over("the card keeps asking for the same block")
                send = self._send(block, patience)  # rule 6
            else:
                failures += 1
                if failures > self.retries:
                    raise self._over("the card fell silent" if heard is None else "the card broke the protocol")
                send = self._send(block if chains else self._block(R_BLOCK | NAK | self._number), patience)  # 4 and 5

    def _grant(self, multiplier: int, patience: float) -> Send:
        """S(WTX): the card may take this much longer, but no longer than any card may (7.3)."""
        return self._send(self._block(WTX, bytes([multiplier])), min(patience * multiplier, MAX_WAIT_S))

    def _parse(self, received: bytes | None) -> _Block | None:
        """A block that a card may send to this reader; None for anything else, as if nothing had come."""
        if not received or len(received) + 2 > FRAME_SIZES[self.fsdi]:
            return None
        pcb, head = received[0], 1 + self._with_cid
        if len(received) < head or bool(pcb & CID) != self._with_cid:
            return None
        if self._with_cid and received[1] & 0x0F != self.cid:
            return None
        block = _Block(pcb & ~CID, received[head:])
        return block if _is_sound(block) else None

    @property
    def _with_cid(self) -> bool:
        return self.cid is not None and self.ats is not None and self.ats.cid

    def _block(self, pcb: int, content: bytes = b"") -> bytes:
        if self._with_cid and self.cid is not None:
            return bytes([pcb | CID, self.cid]) + content
        return bytes([pcb]) + content

    def _send(self, block: bytes, wait_s: float) -> Send:
        pause_s, self._pause_s = self._pause_s, 0.0
        return Send(block, wait_s + MARGIN_S, pause_s)

    def _active(self) -> Ats:
        if self.ats is None:
            raise IsoDepError("the card is not active")
        return self.ats

    def _over(self, why: str) -> IsoDepError:
        self.ats = None
        return IsoDepError(why)


def _continues(block: _Block) -> bool:
    return is_receipt(block.pcb)


def _informs(block: _Block) -> bool:
    return is_information(block.pcb)


def _is_sound(block: _Block) -> bool:
    """Whether the control byte is one that cards use, and the content fits it."""
    if is_information(block.pcb):
        return not block.pcb & NAD and bool(block.content or not block.chained)
    if is_receipt(block.pcb):
        return not block.pcb & NAK and not block.content
    if block.pcb == WTX:
        return len(block.content) == 1 and 1 <= block.content[0] & MAX_MULTIPLIER <= MAX_WTXM
    return block.pcb == DESELECT
