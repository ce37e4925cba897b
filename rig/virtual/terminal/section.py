"""One object of the terminal's JSON file: its values checked one by one, each complaint with its place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from rig.errors import CallerMistake

Setting = TypeVar("Setting")


class Section:
    """One object of the JSON file, which knows its place for the error messages."""

    def __init__(self, raw: object, place: str = "") -> None:
        if not isinstance(raw, Mapping):
            raise CallerMistake(f"terminal setting {place or 'file'}", "is not an object", "write {…}")
        self._raw: Mapping[str, Any] = raw
        self._place = place

    def get(self, key: str, kind: type[Setting], default: Setting | None = None) -> Setting:
        """A value of this type; without a default it must be there."""
        value = self._raw.get(key, default)
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if value is None or not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            found = "is missing" if value is None else f"is {value!r}"
            raise CallerMistake(f"terminal setting {self._place}{key}", found, f"it is a {kind.__name__}")
        return value

    def seconds(self, key: str, default: float | None = None) -> float:
        """A time above zero."""
        value = self.get(key, float, default)
        if value <= 0:
            raise CallerMistake(f"terminal setting {self._place}{key}", f"is {value}", "a time is above zero")
        return value

    def digits(self, key: str, length: int) -> str:
        """A number written with exactly so many digits."""
        value = self.get(key, str)
        if len(value) != length or not (value.isascii() and value.isdigit()):
            raise CallerMistake(f"terminal setting {self._place}{key}", f"is {value!r}", f"it has {length} digits")
        return value

    def amount(self, key: str, default: int) -> int:
        """A whole number that is not below zero."""
        value = self.get(key, int, default)
        if value < 0:
            raise CallerMistake(f"terminal setting {self._place}{key}", f"is {value}", "it is not below zero")
        return value

    def hexadecimal(self, key: str, lengths: tuple[int, ...], default: str) -> str:
        """So many bytes in hex digits. The value is in no message: it may be a key."""
        value = self._raw.get(key, default)
        try:
            fits = len(bytes.fromhex(value)) in lengths
        except (ValueError, TypeError):
            fits = False
        if not fits:
            cure = f"it has {' or '.join(str(2 * length) for length in lengths)} hex digits"
            raise CallerMistake(f"terminal setting {self._place}{key}", "is no such number of bytes", cure)
        return str(value)

    def section(self, key: str) -> Section:
        """An object inside this one."""
        return Section(self._raw.get(key), f"{self._place}{key}.")

    def has(self, key: str) -> bool:
        """Whether the key is there at all."""
        return key in self._raw
