"""Ways to spoil a card's answer: each takes a sound response APDU and returns a wrong one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from rig.wire import tlv
from rig.wire.errors import WireError

_STATUS = 2
_Edit = Callable[[tlv.Tlv], list[tlv.Tlv]]


class Spoiling(Protocol):
    """One way."""

    @property
    def name(self) -> str:
        """It in words."""

    def apply(self, response: bytes) -> bytes:
        """The spoiled response, data and status word. A response that it cannot spoil is returned as it is."""


@dataclass(frozen=True)
class Status:
    """Nothing but this status word."""

    word: int

    @property
    def name(self) -> str:
        """Such as ``status 6985``."""
        return f"status {self.word:04X}"

    def apply(self, response: bytes) -> bytes:
        """See `Spoiling.apply`."""
        return self.word.to_bytes(_STATUS, "big")


@dataclass(frozen=True)
class Without:
    """A data object is missing."""

    tag: int

    @property
    def name(self) -> str:
        """Such as ``no 57``."""
        return f"no {self.tag:X}"

    def apply(self, response: bytes) -> bytes:
        """See `Spoiling.apply`."""
        return _edited(response, self.tag, lambda _: [])


@dataclass(frozen=True)
class Twice:
    """A data object is there two times."""

    tag: int

    @property
    def name(self) -> str:
        """Such as ``57 twice``."""
        return f"{self.tag:X} twice"

    def apply(self, response: bytes) -> bytes:
        """See `Spoiling.apply`."""
        return _edited(response, self.tag, lambda found: [found, found])


@dataclass(frozen=True)
class Instead:
    """A data object has another value."""

    tag: int
    value: bytes

    @property
    def name(self) -> str:
        """Such as ``other 94``."""
        return f"other {self.tag:X}"

    def apply(self, response: bytes) -> bytes:
        """See `Spoiling.apply`."""
        return _edited(response, self.tag, lambda found: [tlv.Tlv(found.tag, self.value)])


@dataclass(frozen=True)
class Flipped:
    """One bit in the middle of a data object is turned: a signature that is none any more."""

    tag: int

    @property
    def name(self) -> str:
        """Such as ``corrupt 9F4B``."""
        return f"corrupt {self.tag:X}"

    def apply(self, response: bytes) -> bytes:
        """See `Spoiling.apply`."""
        return _edited(response, self.tag, lambda found: [tlv.Tlv(found.tag, _flip(found.value))])


@dataclass(frozen=True)
class CutShort:
    """The last bytes of the data are missing, so that a length points behind its end."""

    missing: int = 3

    @property
    def name(self) -> str:
        """Such as ``3 bytes missing``."""
        return f"{self.missing} bytes missing"

    def apply(self, response: bytes) -> bytes:
        """See `Spoiling.apply`."""
        data, status = response[:-_STATUS], response[-_STATUS:]
        return data[: max(0, len(data) - self.missing)] + status


@dataclass(frozen=True)
class Scrambled:
    """The first length field says something that no TLV can."""

    @property
    def name(self) -> str:
        """It in words."""
        return "malformed TLV"

    def apply(self, response: bytes) -> bytes:
        """See `Spoiling.apply`."""
        return response[:1] + b"\x8f" + response[2:] if len(response) > _STATUS + 1 else response


def _flip(value: bytes) -> bytes:
    spoiled = bytearray(value)
    if spoiled:
        spoiled[len(spoiled) // 2] ^= 0x01
    return bytes(spoiled)


def _edited(response: bytes, tag: int, edit: _Edit) -> bytes:
    """The response with every object of this tag edited, however deep, and the lengths around it made to fit."""
    data, status = response[:-_STATUS], response[-_STATUS:]
    try:
        return _rewrite(data, tag, edit) + status
    except WireError:
        return response


def _rewrite(data: bytes, tag: int, edit: _Edit) -> bytes:
    written: list[tlv.Tlv] = []
    for each in tlv.parse(data):
        if each.tag == tag:
            written += edit(each)
        elif each.constructed:
            written.append(tlv.Tlv(each.tag, _rewrite(each.value, tag, edit)))
        else:
            written.append(each)
    return tlv.encode_all(written)
