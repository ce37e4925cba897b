"""The card's side of ISO/IEC 14443-4 (ISO-DEP), without I/O: feed it the reader's block, get what to do.

Blocks are without CRC (the chip adds it). Source: ISO/IEC 14443-4:2018, 5 (activation), 7 (blocks, rules A to E and
1 to 13); EMV Contactless Book D says the same with narrower limits.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from rig.wire.errors import WireError

FRAME_SIZES = (16, 24, 32, 40, 48, 64, 96, 128, 256, 512, 1024, 2048, 4096)
"""Frame sizes by FSDI / FSCI; both count the prologue and two CRC bytes."""

MAX_COMMAND = 4096  # what a reader may chain before the card stops listening; EMV needs 261
MAX_WTXM = 59

_CID, _NAD, _CHAINING, _NAK = 0x08, 0x04, 0x10, 0x10
_I, _R, _DESELECT, _WTX = 0x02, 0xA2, 0xC2, 0xF2


@dataclass(frozen=True)
class Ats:
    """An answer to select.

    Attributes:
        fsci: index into FRAME_SIZES of the longest frame that the card takes.
        fwi: frame waiting time integer, 0 to 14; the reader waits `frame_waiting_s` for an answer.
        sfgi: start-up guard time integer, 0 to 14.
        cid: whether the card understands card identifiers.
        historical: historical bytes, at most 15.
    """

    fsci: int = 8
    fwi: int = 10
    sfgi: int = 0
    cid: bool = True
    historical: bytes = b""

    def __post_init__(self) -> None:
        if not (0 <= self.fsci <= 12 and 0 <= self.fwi <= 14 and 0 <= self.sfgi <= 14 and len(self.historical) <= 15):
            raise WireError(f"no answer to select can say {self}")

    @property
    def frame_waiting_s(self) -> float:
        """How long a reader waits for the card's next block, seconds (14443-4, 7.2)."""
        return float(4096 / 13.56e6 * 2**self.fwi)

    def encode(self) -> bytes:
        """TL, T0, TA (106 kbit/s in both directions alone), TB, TC and the historical bytes."""
        body = bytes([0x70 | self.fsci, 0x80, self.fwi << 4 | self.sfgi, 0x02 if self.cid else 0x00])
        return bytes([len(body) + len(self.historical) + 1]) + body + self.historical


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
    _pps_allowed: bool = False
    _frame_size: int = 16
    _cid: int = 0
    _with_cid: bool = False
    _number: int = 1
    _received: bytes = b""
    _waiting: bool = False
    _rest: bytes = b""
    _last: bytes = b""

    def receive(self, block: bytes) -> Reaction:
        """Take a block from the reader. Never raises: what makes no sense is met with silence, as by a card."""
        if not self._active:
            return self._activate(block)
        if not block:
            return Silence()
        if block[0] & 0xF0 == 0xD0:
            return self._select_parameters(block)
        self._pps_allowed = False
        content = self._strip_prologue(block)
        if content is None:
            return Silence()
        pcb = block[0]
        if pcb & 0xE2 == _I:
            return self._information(pcb, content)
        if pcb & 0xE6 == _R:
            return self._receipt(pcb)
        return self._supervisory(pcb, block)

    def answer(self, response: bytes) -> bytes:
        """The first block of the response to the last Request. Raises WireError when none is waiting."""
        self._still_owed()
        self._waiting, self._rest = False, response
        return self._next_part()

    def extend(self, multiplier: int) -> bytes:
        """A block that asks the reader to wait `multiplier` (1 to 59) times the frame waiting time.

        Raises WireError when no request is waiting or the multiplier is out of range.
        """
        self._still_owed()
        if not 1 <= multiplier <= MAX_WTXM:
            raise WireError(f"a waiting time multiplier of {multiplier} is not 1 to {MAX_WTXM}")
        self._last = self._block(_WTX, bytes([multiplier]))
        return self._last

    def _still_owed(self) -> None:
        if not self._waiting:
            raise WireError("the reader waits for no response")

    def _activate(self, block: bytes) -> Reaction:
        if len(block) != 2 or block[0] != 0xE0 or block[1] & 0x0F == 15:
            return Silence()
        self._active = self._pps_allowed = True
        self._frame_size = min(FRAME_SIZES[min(block[1] >> 4, 12)], self.frame_limit)
        self._cid, self._number = block[1] & 0x0F, 1  # rule C
        self._received = self._rest = self._last = b""
        return Reply(self.ats.encode())

    def _select_parameters(self, block: bytes) -> Reaction:
        """PPS: bit rates. The card offers 106 kbit/s alone, so it agrees to that and to nothing else."""
        rates = block[2:3] if len(block) > 1 and block[1] & 0x10 else b"\0"
        legal = len(block) > 1 and block[1] & 0xEF == 0x01 and rates == b"\0"
        if not (self._pps_allowed and legal and block[0] & 0x0F == self._cid):
            return Silence()
        self._pps_allowed = False
        return Reply(block[:1])

    def _strip_prologue(self, block: bytes) -> bytes | None:
        """The block's content, or None when it is for another card (CID) or uses what we do not offer (NAD)."""
        has_cid = bool(block[0] & _CID)
        if block[0] & 0xC0 == 0x00 and block[0] & _NAD:
            return None
        if has_cid and not (self.ats.cid and len(block) > 1 and block[1] & 0x0F == self._cid):
            return None
        if not has_cid and self._cid:
            return None
        self._with_cid = has_cid
        return block[2:] if has_cid else block[1:]

    def _information(self, pcb: int, content: bytes) -> Reaction:
        if self._waiting:
            return Silence()  # half duplex: a reader that talks while the card owes it an answer broke the rules
        self._number ^= 1  # rule D
        self._last, self._rest = b"", b""
        self._received += content
        if len(self._received) > MAX_COMMAND:
            self._received = b""
            return Silence()
        if pcb & _CHAINING:
            return Reply(self._remember(self._block(_R | self._number)))
        request, self._received, self._waiting = self._received, b"", True
        return Request(request)

    def _receipt(self, pcb: int) -> Reaction:
        if pcb & 1 == self._number:
            return Reply(self._last) if self._last else Silence()  # rule 11
        if pcb & _NAK:
            return Reply(self._block(_R | self._number))  # rule 12
        if self._rest:
            self._number ^= 1  # rules E and 13
            return Reply(self._next_part())
        return Silence()

    def _supervisory(self, pcb: int, block: bytes) -> Reaction:
        if pcb & 0xF7 == _DESELECT:
            self._active = self._waiting = False
            return Deselected(block[: 1 + self._with_cid])
        if pcb & 0xF7 == _WTX and self._waiting:
            return Granted()
        return Silence()

    def _next_part(self) -> bytes:
        room = self._frame_size - 3 - self._with_cid
        part, self._rest = self._rest[:room], self._rest[room:]
        return self._remember(self._block(_I | self._number | (_CHAINING if self._rest else 0), part))

    def _block(self, pcb: int, content: bytes = b"") -> bytes:
        if self._with_cid:
            return bytes([pcb | _CID, self._cid]) + content
        return bytes([pcb]) + content

    def _remember(self, block: bytes) -> bytes:
        self._last = block
        return block
