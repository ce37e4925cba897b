"""The card's side of ISO/IEC 14443-4 (ISO-DEP), without I/O: feed it the reader's block, get what to do.

Blocks are without CRC (the chip adds it). Source: ISO/IEC 14443-4:2018, 5 (activation), 7.5 (blocks, rules C to E and 9
to 13), 8 (deactivation); EMV Contactless Book D says the same with narrower limits.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from rig.wire.errors import WireError
from rig.wire.isodep_blocks import (
    CHAINING,
    CID,
    DESELECT,
    FRAME_SIZES,
    I_BLOCK,
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
)

__all__ = ["FRAME_SIZES", "MAX_COMMAND", "MAX_WTXM", "Ats", "CardSide"]
__all__ += ["Deselected", "Granted", "Reaction", "Reply", "Request", "Silence"]

MAX_COMMAND = 4096  # what a reader may chain before the card stops listening; EMV needs 261


@dataclass(frozen=True)
class Reply:
    """Send this block and wait for the next."""

    block: bytes


@dataclass(frozen=True)
class Request:
    """A whole command APDU came. Give `CardSide.answer` its response; until then `CardSide.extend` buys time."""

    apdu: bytes


@dataclass(frozen=True)
class Granted:
    """The reader grants the extension of the waiting time; the request is still to be answered."""


@dataclass(frozen=True)
class Deselected:
    """Send this block; then the card is halted until it is activated anew."""

    block: bytes


@dataclass(frozen=True)
class Silence:
    """A block that a card does not answer."""


Reaction = Reply | Request | Granted | Deselected | Silence


@dataclass
class CardSide:
    """A card, from RATS to DESELECT and to the next RATS.

    Attributes:
        ats: what the card answers to RATS.
        frame_limit: the longest frame that the card sends, whatever the reader takes; a PN532's FIFO ends at 256.
    """

    ats: Ats = field(default_factory=Ats)
    frame_limit: int = 256
    _active: bool = False
    _deaf: bool = False
    _pps_allowed: bool = False
    _reader_takes: int = 16
    _cid: int = 0
    _with_cid: bool = False
    _number: int = 1
    _received: bytes = b""
    _waiting: bool = False
    _rest: bytes = b""
    _last: bytes = b""
    _postponed: bytes = b""

    @property
    def reader_takes(self) -> int:
        """The longest frame that the reader takes, bytes, checksum included."""
        return self._reader_takes

    @property
    def all_sent(self) -> bool:
        """Whether nothing is owed and the last block of the last answer has been returned once."""
        return not (self._waiting or self._rest or self._postponed)

    def receive(self, block: bytes) -> Reaction:
        """Take a block from the reader. Never raises: what makes no sense is met with silence, as by a card."""
        if not self._active:
            return self._activate(block)
        if not block or len(block) + 2 > self.ats.frame_size:
            return Silence()
        if block[0] & 0xF0 == PPS:
            return self._select_parameters(block)
        self._pps_allowed = False
        content = self._strip_prologue(block)
        if content is None:
            return Silence()
        pcb = block[0]
        if is_information(pcb):
            return self._information(pcb, content)
        if is_receipt(pcb) and not content:
            return self._receipt(pcb)
        return self._supervisory(pcb & ~CID, block, content)

    def answer(self, response: bytes, first: int | None = None) -> bytes:
        """The first block of the response to the last Request, with at most `first` bytes of it.

        Raises WireError when no request is waiting.
        """
        self._still_owed()
        self._waiting, self._rest = False, response
        return self._next_part(first)

    def extend(self, multiplier: int) -> bytes:
        """A block that asks the reader to wait `multiplier` (1 to 59) times the frame waiting time.

        Raises WireError when no request is waiting or the multiplier is out of range.
        """
        self._still_owed()
        return self._ask_for_time(multiplier)

    def postpone(self, reply: Reply, multiplier: int) -> bytes:
        """As `extend`, but instead of an I-block or R(ACK) that `receive` has just returned, inside a chain (rule 9).

        The block itself comes as the Reply to the reader's grant. Raises WireError when the reply is another block,
        or the multiplier is out of range.
        """
        if not reply.block or reply.block != self._last or self._waiting or reply.block[0] & 0xC0 == 0xC0:
            raise WireError("only an I-block or R(ACK) that is due now can be postponed")
        asked = self._ask_for_time(multiplier)
        self._postponed = reply.block
        return asked

    def _ask_for_time(self, multiplier: int) -> bytes:
        if not 1 <= multiplier <= MAX_WTXM:
            raise WireError(f"a waiting time multiplier of {multiplier} is not 1 to {MAX_WTXM}")
        return self._remember(self._block(WTX, bytes([multiplier])))

    def _still_owed(self) -> None:
        if not self._waiting:
            raise WireError("the reader waits for no response")

    def _activate(self, block: bytes) -> Reaction:
        if len(block) != 2 or block[0] != RATS or block[1] & 0x0F == 15:
            return Silence()
        self._active = self._pps_allowed = True
        self._reader_takes = FRAME_SIZES[min(block[1] >> 4, 12)]
        self._cid = block[1] & 0x0F if self.ats.cid else 0
        self._number = 1  # rule C
        self._received = self._rest = self._last = self._postponed = b""
        self._waiting = self._with_cid = self._deaf = False
        return Reply(self.ats.encode())

    def _select_parameters(self, block: bytes) -> Reaction:
        """PPS: bit rates. The card offers 106 kbit/s alone, so it agrees to that and to nothing else."""
        legal = block[1:] in (b"\x01", b"\x11\x00")
        if not (self._pps_allowed and legal and block[0] & 0x0F == self._cid):
            self._pps_allowed = False
            return Silence()
        self._pps_allowed = False
        return Reply(block[:1])

    def _strip_prologue(self, block: bytes) -> bytes | None:
        """The block's content, or None when it is for another card (CID) or uses what we do not offer (NAD)."""
        has_cid = bool(block[0] & CID)
        if block[0] & 0xC0 == 0x00 and block[0] & NAD:
            return None
        if has_cid and not (self.ats.cid and len(block) > 1 and block[1] & 0x0F == self._cid):
            return None
        if not has_cid and self._cid:
            return None
        self._with_cid = has_cid
        return block[2:] if has_cid else block[1:]

    def _information(self, pcb: int, content: bytes) -> Reaction:
        if self._waiting or self._postponed:
            return Silence()  # half duplex: a reader that talks while the card owes it an answer broke the rules
        if self._deaf or pcb & 1 == self._number:
            return Silence()  # sent again without being asked: it has been carried out (7.5.4.2, note to rule D)
        self._number ^= 1  # rule D
        self._last, self._rest = b"", b""
        self._received += content
        if len(self._received) > MAX_COMMAND:
            self._received, self._deaf = b"", True
            return Silence()
        if pcb & CHAINING:
            return Reply(self._remember(self._block(R_BLOCK | self._number)))
        request, self._received, self._waiting = self._received, b"", True
        return Request(request)

    def _receipt(self, pcb: int) -> Reaction:
        if pcb & 1 == self._number:
            return Reply(self._last) if self._last else Silence()  # rule 11
        if pcb & NAK:
            return Reply(self._block(R_BLOCK | self._number))  # rule 12
        if self._rest and not self._postponed:
            self._number ^= 1  # rules E and 13
            return Reply(self._next_part())
        return Silence()

    def _supervisory(self, pcb: int, block: bytes, content: bytes) -> Reaction:
        if pcb == DESELECT and not content:
            self._active = self._waiting = False
            self._postponed = self._rest = self._received = b""
            return Deselected(block)
        if pcb == WTX and self._last[:1] and self._last[0] & ~CID == WTX and content == self._last[-1:]:
            if self._waiting:
                return Granted()
            if self._postponed:
                block, self._postponed = self._postponed, b""
                return Reply(self._remember(block))
        return Silence()

    def _next_part(self, most: int | None = None) -> bytes:
        room = min(self._reader_takes, self.frame_limit) - 3 - self._with_cid
        room = room if most is None else min(room, most)
        part, self._rest = self._rest[:room], self._rest[room:]
        return self._remember(self._block(I_BLOCK | self._number | (CHAINING if self._rest else 0), part))

    def _block(self, pcb: int, content: bytes = b"") -> bytes:
        if self._with_cid:
            return bytes([pcb | CID, self._cid]) + content
        return bytes([pcb]) + content

    def _remember(self, block: bytes) -> bytes:
        self._last = block
        return block
