"""A card's data objects as people read them: name, masked value, meaning. Source: EMV Book 3 annexes A and C."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from rig.history import Redactor
from rig.wire import tlv
from rig.wire.emv_tags import name_of
from rig.wire.errors import WireError

_TRACKS = (0x57, 0x9F6B)
_DOLS = (0x9F38, 0x8C, 0x8D, 0x97, 0x9F49)
_TEXTS = (0x50, 0x5F20, 0x5F2D, 0x9F12)
_DATES = (0x5F24, 0x5F25, 0x9A)
_NUMBERS = (0x9F36, 0x9F13, 0x9F17, 0x87)
_INTERCHANGE = {
    0x40: "SDA", 0x20: "DDA", 0x10: "cardholder verification", 0x08: "terminal risk management",
    0x04: "issuer authentication", 0x02: "on-device cardholder verification", 0x01: "CDA",
}  # fmt: skip
_DECISIONS = {0x00: "AAC (decline)", 0x40: "TC (approve offline)", 0x80: "ARQC (ask the issuer)"}
_METHODS = {
    0x00: "fail", 0x01: "plain PIN by the card", 0x02: "online PIN", 0x03: "plain PIN by the card and signature",
    0x04: "enciphered PIN by the card", 0x05: "enciphered PIN by the card and signature", 0x1E: "signature",
    0x1F: "no CVM",
}  # fmt: skip
_USAGE = (
    "domestic cash", "international cash", "domestic goods", "international goods", "domestic services",
    "international services", "ATMs", "other terminals", "domestic cashback", "international cashback",
)  # fmt: skip


@dataclass(frozen=True)
class Decoded:
    """One data object. `value` is upper-case hex, card data in it masked; `meaning` is empty where hex says it all."""

    tag: str
    name: str
    value: str = ""
    meaning: str = ""
    inside: tuple[Decoded, ...] = field(default=())

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        own: dict[str, Any] = {"tag": self.tag, "name": self.name}
        if self.inside:
            return {**own, "inside": [each.to_dict() for each in self.inside]}
        return {**own, "value": self.value, "meaning": self.meaning}


def decode(data: bytes, redactor: Redactor) -> list[Decoded]:
    """The objects of TLV data. Raises WireError when it is none."""
    return [_object(each, redactor) for each in tlv.parse(data)]


def _object(each: tlv.Tlv, redactor: Redactor) -> Decoded:
    tag, name = f"{each.tag:X}", name_of(each.tag)
    if each.constructed:
        return Decoded(tag, name, inside=tuple(decode(each.value, redactor)))
    if each.tag in _TRACKS:
        return Decoded(tag, name, _masked_track(each.value, redactor))
    if each.tag == 0x5A:
        return Decoded(tag, name, redactor.mask(each.value.hex().upper().rstrip("F")))
    return Decoded(tag, name, redactor.data(each.value).hex().upper(), _meaning(each))


def _masked_track(value: bytes, redactor: Redactor) -> str:
    """Track 2: the number masked, and nothing of what is behind it."""
    number, separator, rest = value.hex().upper().partition("D")
    return redactor.mask(number) + separator + "*" * len(rest)


def _meaning(each: tlv.Tlv) -> str:
    try:
        return next((explain(each.value) for tags, explain in _EXPLAINED if each.tag in tags), "")
    except (WireError, IndexError, ValueError):
        return "malformed"


def _text(value: bytes) -> str:
    return "".join(chr(each) if 0x20 <= each < 0x7F else "." for each in value)


def _date(value: bytes) -> str:
    digits = value.hex()
    return f"20{digits[:2]}-{digits[2:4]}" + (f"-{digits[4:6]}" if len(digits) > 4 else "")


def _dol(value: bytes) -> str:
    return ", ".join(f"{each.tag:X} {name_of(each.tag) or '?'} ({each.length})" for each in tlv.parse_dol(value))


def _tags(value: bytes) -> str:
    return ", ".join(f"{each.tag:X}" for each in tlv.parse_dol(b"".join(bytes([b]) + b"\0" for b in value)))


def _interchange(value: bytes) -> str:
    return _listed(text for bit, text in _INTERCHANGE.items() if value[0] & bit)


def _files(value: bytes) -> str:
    told = []
    for at in range(0, len(value), 4):
        file, first, last, signed = value[at : at + 4]
        told.append(f"file {file >> 3} records {first}-{last}" + (f", {signed} signed" if signed else ""))
    return "; ".join(told)


def _decision(value: bytes) -> str:
    return _DECISIONS.get(value[0] & 0xC0, "?")


def _methods(value: bytes) -> str:
    codes = value[8::2]
    return _listed(_METHODS.get(code & 0x3F, f"{code:02X}") for code in codes) if codes else "empty"


def _usage(value: bytes) -> str:
    bits = int.from_bytes(value[:2], "big")
    return _listed(text for place, text in enumerate(_USAGE) if bits & 0x8000 >> place)


def _listed(texts: Iterable[str]) -> str:
    return ", ".join(texts) or "nothing"


_EXPLAINED: tuple[tuple[tuple[int, ...], Callable[[bytes], str]], ...] = (
    (_TEXTS, _text),
    (_DATES, _date),
    (_DOLS, _dol),
    (_NUMBERS, lambda value: str(int.from_bytes(value, "big"))),
    ((0x84,), lambda value: _text(value) if value.endswith(b".DDF01") else ""),
    ((0x9F4A,), _tags),
    ((0x82,), _interchange),
    ((0x94,), _files),
    ((0x9F27,), _decision),
    ((0x8E,), _methods),
    ((0x9F07,), _usage),
)


def lines(decoded: Iterable[Decoded], depth: int = 0) -> Iterator[tuple[int, Decoded]]:
    """Every object with how deep it stands, parents first."""
    for each in decoded:
        yield depth, each
        yield from lines(each.inside, depth + 1)
