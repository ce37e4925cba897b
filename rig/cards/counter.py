"""The application transaction counter (ATC, 9F36) of a card: only ever up, across runs and crashes."""

from __future__ import annotations

from pathlib import Path

from rig.cards.files import read_json, write_json
from rig.errors import CallerMistake

LAST = 0xFFFF


class CounterExhausted(Exception):
    """The card has counted to FFFF: a real one is dead then, and so is ours."""


class TransactionCounter:
    """One card's counter in a small file of its own. One process at a time uses it: the one that holds the bench."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def value(self) -> int:
        """The number of the last transaction; 0 for a card that has done none. Raises CallerMistake for a bad file."""
        try:
            value = read_json(self._path, 0)
        except ValueError:
            value = None
        if not isinstance(value, int) or not 0 <= value <= LAST:
            raise CallerMistake(str(self._path), "this is no transaction counter", "delete it: the card starts at 1")
        return value

    def next(self) -> int:
        """Count one up and keep it on the disk before anybody sees it. Raises CounterExhausted at the end."""
        value = self.value + 1
        if value > LAST:
            raise CounterExhausted
        write_json(self._path, value)
        return value
