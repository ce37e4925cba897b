"""One command of a presented card, from its arrival to the last block of its answer, and what goes wrong on the way."""

from __future__ import annotations

import time
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

from rig.cards.emv.card import Exchange
from rig.cards.faults import BadBlocks, BlockFault, CardFault, Late, Spoil, Tear, WaitStorm
from rig.wire.isodep_blocks import CID, NAK, R_BLOCK, checksum


@dataclass(frozen=True)
class Answer:
    """What the card makes of a command: the exchange, its answer spoiled already, and the faults that it meets."""

    exchange: Exchange
    faults: tuple[CardFault, ...] = ()

    @classmethod
    def spoiled(cls, exchange: Exchange, faults: list[CardFault]) -> Answer:
        """The answer as the faults leave it. A spoiling that finds nothing to spoil does not happen."""
        met: list[CardFault] = []
        for fault in faults:
            if isinstance(fault, Spoil):
                response = fault.how.apply(exchange.response)
                if response == exchange.response:
                    continue
                kept = exchange.cryptogram if exchange.cryptogram and exchange.cryptogram.value in response else None
                exchange = replace(exchange, response=response, cryptogram=kept)
            met.append(fault)
        return cls(exchange, tuple(met))

    def spoilt(self, sent: bool) -> dict[CardFault, str]:
        """What the terminal was told wrong, if it was told."""
        return {each: "the answer left so" for each in self.faults if sent and isinstance(each, Spoil)}

    def tear(self, place: str) -> Tear | None:
        """The tear that happens there, if one does."""
        return next((each for each in self.faults if isinstance(each, Tear) and each.place == place), None)


@dataclass
class Turn:
    """The command that the card works on. The thread that owns the chip uses it.

    Attributes:
        thought: the answer, once it is there.
        multiplier: what the last extension of the waiting time was; 1 before the first.
        answering: the blocks that leave now are those of the answer.
        answered: a sound block of the answer has left.
        happened: what went wrong by now, in words.
    """

    thought: Future[Answer]
    began: float = field(default_factory=time.monotonic)
    multiplier: int = 1
    answering: bool = False
    answered: bool = False
    happened: dict[CardFault, str] = field(default_factory=dict)
    _done: dict[CardFault, int] = field(default_factory=dict)

    @property
    def answer(self) -> Answer:
        """The answer; call it when `thought` is done."""
        return self.thought.result()

    def storms(self) -> bool:
        """Whether to ask for more time once more, for no reason."""
        return self._next(WaitStorm, "extensions of the waiting time asked for") is not None

    def lateness_s(self, frame_waiting_s: float) -> float:
        """How long to stay silent from now on before the answer, seconds; 0 when the answer is to be in time."""
        for fault in self.answer.faults:
            if isinstance(fault, Late) and fault not in self.happened:
                self.happened[fault] = f"silent for {frame_waiting_s + fault.by_s:.3f} s"
                return max(0.0, self.began + frame_waiting_s + fault.by_s - time.monotonic())
        return 0.0

    def bad_block(self) -> BlockFault | None:
        """What is to be wrong with the block that leaves now."""
        fault = self._next(BadBlocks, "wrong blocks")
        return fault.kind if isinstance(fault, BadBlocks) else None

    def _next(self, kind: type[WaitStorm] | type[BadBlocks], what: str) -> CardFault | None:
        for fault in self.answer.faults:
            done = self._done.get(fault, 0)
            if isinstance(fault, WaitStorm | BadBlocks) and isinstance(fault, kind) and done < fault.times:
                self._done[fault] = done + 1
                self.happened[fault] = f"{done + 1} of {fault.times} {what}"
                return fault
        return None


def misshapen(block: bytes, kind: BlockFault, reader_takes: int) -> bytes:
    """The block as the fault leaves it, without checksum; nothing for one that is lost.

    Args:
        block: the sound block.
        kind: what is wrong; a bad checksum leaves the block itself as it is.
        reader_takes: the reader's frame size, checksum included.
    """
    pcb, rest = block[0], block[1:]
    match kind:
        case "bad-pcb":
            return bytes([pcb ^ 0x02]) + rest  # a bit that is set in every control byte of a card
        case "wrong-number":
            return bytes([pcb ^ 0x01]) + rest
        case "nak-storm":
            cid = rest[:1] if pcb & CID else b""
            return bytes([R_BLOCK | NAK | pcb & (CID | 0x01)]) + cid
        case "overlong":
            return block.ljust(reader_takes - 1, b"\0")  # one byte more than fits beside the checksum
        case "lost":
            return b""
    return block


def with_wrong_checksum(block: bytes) -> bytes:
    """A block and a checksum that is not its own."""
    return block + bytes(byte ^ 0xFF for byte in checksum(block))
