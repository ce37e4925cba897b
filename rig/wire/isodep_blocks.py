"""What both sides of ISO/IEC 14443-4 (ISO-DEP) share: the answer to select, the control bytes, the checksum.

Source: ISO/IEC 14443-4:2018, 5 (activation) and 7.1 (block format); ISO/IEC 14443-3:2018, annex B (CRC_A).
"""

from __future__ import annotations

from dataclasses import dataclass

from rig.wire.errors import WireError

FRAME_SIZES = (16, 24, 32, 40, 48, 64, 96, 128, 256, 512, 1024, 2048, 4096)
"""Frame sizes by FSDI / FSCI; both count the prologue and two CRC bytes."""

CARRIER_HZ = 13.56e6
MAX_WTXM = 59
MAX_FWI = 14

CID, NAD, CHAINING, NAK = 0x08, 0x04, 0x10, 0x10
I_BLOCK, R_BLOCK, DESELECT, WTX, PPS, RATS = 0x02, 0xA2, 0xC2, 0xF2, 0xD0, 0xE0

_HAS_TA, _HAS_TB, _HAS_TC = 0x10, 0x20, 0x40


def waiting_s(integer: int) -> float:
    """256 × 16 / fc × 2^integer, seconds: the frame waiting time of an FWI, the guard time of an SFGI (7.2, 5.2.5)."""
    return float(256 * 16 / CARRIER_HZ * 2**integer)


def is_information(pcb: int) -> bool:
    """Whether a control byte begins an I-block."""
    return pcb & 0xE2 == I_BLOCK


def is_receipt(pcb: int) -> bool:
    """Whether a control byte begins an R-block."""
    return pcb & 0xE6 == R_BLOCK


def checksum(block: bytes) -> bytes:
    """CRC_A of a block, in the order in which it goes over the air."""
    value = 0x6363
    for byte in block:
        byte ^= value & 0xFF
        byte ^= byte << 4 & 0xFF
        value = value >> 8 ^ byte << 8 ^ byte << 3 ^ byte >> 4
    return value.to_bytes(2, "little")


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
        in_range = 0 <= self.fsci <= 12 and 0 <= self.fwi <= MAX_FWI and 0 <= self.sfgi <= 14
        if not in_range or len(self.historical) > 15:
            raise WireError(f"no answer to select can say {self}")

    @property
    def frame_size(self) -> int:
        """The longest frame that the card takes, bytes, checksum included."""
        return FRAME_SIZES[self.fsci]

    @property
    def frame_waiting_s(self) -> float:
        """How long a reader waits for the card's next block, seconds (7.2)."""
        return waiting_s(self.fwi)

    @property
    def start_up_guard_s(self) -> float:
        """How long a reader leaves the card alone after this answer, seconds; SFGI 0 asks for nothing (5.2.5)."""
        return waiting_s(self.sfgi) if self.sfgi else 0.0

    def encode(self) -> bytes:
        """TL, T0, TA (106 kbit/s in both directions alone), TB, TC and the historical bytes."""
        body = bytes([0x70 | self.fsci, 0x80, self.fwi << 4 | self.sfgi, 0x02 if self.cid else 0x00])
        return bytes([len(body) + len(self.historical) + 1]) + body + self.historical

    @classmethod
    def decode(cls, data: bytes) -> Ats:
        """An answer to select as a reader has to take it (5.2): what is absent has its default (T0: 32 bytes, TB: FWI 4
        and no guard time, TC: card identifiers understood), what is reserved is read as the standard says.

        Bit rates (TA) are not kept: this reader stays at 106 kbit/s. Raises WireError when the length byte TL is not
        the length of the data, or the interface bytes are cut.
        """
        if not data or data[0] != len(data):
            raise WireError("the length byte of the answer to select is wrong")
        if len(data) == 1:
            return cls(fsci=2, fwi=4)
        first, rest = data[1], data[2:]
        present = [bit for bit in (_HAS_TA, _HAS_TB, _HAS_TC) if first & bit]
        if len(rest) < len(present):
            raise WireError("the answer to select is cut inside its interface bytes")
        said = dict(zip(present, rest, strict=False))
        times = said.get(_HAS_TB, 0x40)
        fwi, sfgi = times >> 4, times & 0x0F
        return cls(
            fsci=min(first & 0x0F, 12),
            fwi=fwi if fwi <= MAX_FWI else 4,
            sfgi=sfgi if sfgi <= 14 else 0,
            cid=bool(said.get(_HAS_TC, 0x02) & 0x02),
            historical=rest[len(present) :][:15],
        )
