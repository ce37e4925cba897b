"""How elements lie on the wire: pyiso8583's tables for text and for packed digits.

Lengths and formats are ISO 8583:1987's, out of pyiso8583's own tables; what is changed here is the encoding.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from iso8583.specs import default, default_ascii

from rig.wire.iso8583.message import BINARY, NUMERIC

Spec = Mapping[str, Mapping[str, Any]]
"""pyiso8583's table: ``h``, ``t``, ``p``, and the elements by number."""

TRACKS = frozenset({35, 36})
"""Digits with one separator: packed, it is the nibble D."""

NO_FILL: Mapping[int, str] = {}
TRACKS_WITH_F = {35: "F", 36: "F"}
PAN_AND_TRACKS_WITH_F = {2: "F", **TRACKS_WITH_F}

_PACKED_ON_THE_LEFT = frozenset({2, 22, 32, 33, *TRACKS, 48, 60, 61, 63})
"""Odd digits of these begin at the left, and the pad is behind them; of the others a zero is in front."""

HEXADECIMAL: Spec = default_ascii
"""All is text: bitmaps and binary elements as hexadecimal."""

TEXT: Spec = default
"""Digits as text, bitmaps and binary elements as they are."""


def packed(
    fill: Mapping[int, str] = NO_FILL, digits: Collection[int] = (), binary: Collection[int] = ()
) -> dict[str, dict[str, Any]]:
    """Digits packed two a byte (BCD), lengths packed too, bitmaps and binary elements as they are.

    Args:
        fill: the nibble behind an odd number of digits, where it is not 0, by element.
        digits: further elements of digits only, such as UnionPay's DE48, 60 and 61.
        binary: further elements of bytes, such as DE62 with keys.
    """
    spec = {key: dict(each) for key, each in default.items()}
    spec["t"] |= {"data_enc": "b", "max_len": 2}
    for number in range(2, 129):
        spec[str(number)] |= _packed_element(number, spec[str(number)], fill, digits, binary)
    return spec


def _packed_element(
    number: int, text: Mapping[str, Any], fill: Mapping[int, str], digits: Collection[int], binary: Collection[int]
) -> dict[str, Any]:
    lengths = {"len_enc": "bcd", "len_type": (text["len_type"] + 1) // 2}
    if number in BINARY or number in binary:
        return lengths | {"data_enc": "b", "len_count": "bytes"}
    if number in NUMERIC or number in TRACKS or number in digits:
        padding = {"right_pad": fill.get(number, "0")} if number in _PACKED_ON_THE_LEFT else {"left_pad": "0"}
        return lengths | {"data_enc": "b", "len_count": "nibbles"} | padding
    return lengths
