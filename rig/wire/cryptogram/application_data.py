"""Issuer application data (tag 9F10): what a card tells its issuer beside the cryptogram.

Four layouts, all public:

``visa``
    06, key index, version, card verification results of 4 bytes (03 and three bytes); issuer's own data may follow
    (VIS 1.5 appendix, formats 0, 1 and 3).
``visa-2``
    1F, version, key index, results of 5 bytes, 24 bytes of the issuer's own (VIS 1.6, format 2).
``mastercard``
    Key index, version, results of 6 bytes, data authentication code or dynamic number of 2, counters of 8
    (M/Chip 4; M/Chip Advance may have 16 bytes of counters and more behind).
``unionpay``
    07, key index, version, results of 4 bytes as Visa's, algorithm 01 (triple DES), as cards of PBOC 2.0 have it.

In each the first byte of the results that is no length tells the decisions: bits 8 and 7 the second GENERATE AC (10 is
"not requested"), bits 6 and 5 the first one; 00 is an AAC, 01 a TC, 10 an ARQC (EMV Book 3 annex C9.2, VIS, M/Chip).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rig.wire.cryptogram.versions import RULES, CryptogramVersion, Layout
from rig.wire.errors import WireError

Decision = Literal["AAC", "TC", "ARQC"]
"""A declined, an approved, and an undecided transaction: what a cryptogram says."""

_CODES: dict[Decision, int] = {"AAC": 0b00, "TC": 0b01, "ARQC": 0b10}
_DECISIONS: dict[int, Decision] = {code: decision for decision, code in _CODES.items()}
_NOT_REQUESTED = 0b10
_RESULTS: dict[Layout, slice] = {
    "visa": slice(3, 7), "visa-2": slice(3, 8), "mastercard": slice(2, 8), "unionpay": slice(3, 7),
}  # fmt: skip
_SHORTEST: dict[Layout, int] = {"visa": 7, "visa-2": 32, "mastercard": 18, "unionpay": 8}


@dataclass(frozen=True)
class IssuerData:
    """9F10, read.

    Attributes:
        key_index: which of the issuer's keys the card's own was derived from.
        results: the card verification results, a length byte of theirs included.
        decision: what the cryptogram beside it is.
        first: what the first cryptogram was, where this is the second one; else None.
        dynamic: Mastercard: data authentication code, or dynamic number; else empty.
        counters: Mastercard: what a cryptogram of version 17 or 21 covers beyond the results; else empty.
    """

    key_index: int
    results: bytes
    decision: Decision
    first: Decision | None
    dynamic: bytes = b""
    counters: bytes = b""


def issuer_data(
    version: CryptogramVersion,
    decision: Decision,
    *,
    first: Decision | None = None,
    key_index: int = 1,
    dynamic: bytes = bytes(2),
    counters: bytes = bytes(7) + b"\xff",
) -> bytes:
    """Tag 9F10 as a card of this version gives it beside a cryptogram.

    Args:
        version: whose layout.
        decision: what the cryptogram is.
        first: for the answer to a second GENERATE AC, what the first one was.
        key_index: which of the issuer's keys.
        dynamic: Mastercard: data authentication code or dynamic number, 2 bytes.
        counters: Mastercard: amount (6 bytes) and number (1) of offline transactions in a row, FF.
    """
    rules = RULES[version]
    told = _told(decision, first)
    match rules.layout:
        case "visa":
            return bytes([0x06, key_index, rules.number, 0x03, told, 0, 0])
        case "visa-2":
            return bytes([0x1F, rules.number, key_index, told]) + bytes(28)
        case "unionpay":
            return bytes([0x07, key_index, rules.number, 0x03, told, 0, 0, 0x01])
        case "mastercard":
            if len(dynamic) != 2 or len(counters) not in (8, 16):
                raise WireError("tag 9F10 of Mastercard has a dynamic number of 2 bytes and counters of 8 or 16")
            return bytes([key_index, rules.number, told]) + bytes(5) + dynamic + counters


def read_issuer_data(version: CryptogramVersion, tag_9f10: bytes) -> IssuerData:
    """Read tag 9F10. Raises WireError where it is too short for its version, names another, or says nothing known."""
    rules = RULES[version]
    layout = rules.layout
    if len(tag_9f10) < _SHORTEST[layout]:
        raise WireError(f"tag 9F10 has {len(tag_9f10)} bytes, {version} needs {_SHORTEST[layout]}")
    number_at, index_at = {"visa": (2, 1), "unionpay": (2, 1), "visa-2": (1, 2), "mastercard": (1, 0)}[layout]
    if tag_9f10[number_at] != rules.number:
        raise WireError(f"tag 9F10 names the cryptogram version {tag_9f10[number_at]:02X}, not that of {version}")
    results = tag_9f10[_RESULTS[layout]]
    decision, first = _decided(results[1] if layout in ("visa", "unionpay") else results[0])
    own = layout == "mastercard"
    # 18 and 20 bytes have 8 bytes of counters, 26 and 28 have 16 (the last online ATC takes the two bytes more).
    counters = tag_9f10[10:18] if len(tag_9f10) < 26 else tag_9f10[10:26]
    return IssuerData(
        tag_9f10[index_at], results, decision, first, tag_9f10[8:10] if own else b"", counters if own else b""
    )


def _told(decision: Decision, first: Decision | None) -> int:
    if first is None:
        return _NOT_REQUESTED << 6 | _CODES[decision] << 4
    if decision == "ARQC":
        raise WireError("the second GENERATE AC gives an AAC or a TC")
    return _CODES[decision] << 6 | _CODES[first] << 4


def _decided(told: int) -> tuple[Decision, Decision | None]:
    second, first = told >> 6, told >> 4 & 0b11
    if first not in _DECISIONS or second not in _DECISIONS:
        raise WireError("tag 9F10 tells a decision that does not exist")
    if second == _NOT_REQUESTED:
        return _DECISIONS[first], None
    return _DECISIONS[second], _DECISIONS[first]
