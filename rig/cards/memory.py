"""What a chip remembers from one transaction to the next beside its counter: what is blocked, and what it spent."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from rig.cards.files import read_json, write_json
from rig.errors import CallerMistake

PIN = "1234"
"""The offline PIN of every test card."""
PIN_TRIES = 3


@dataclass(frozen=True)
class Remembered:
    """The content.

    Attributes:
        card_blocked: the issuer blocked the whole card.
        blocked: AIDs of blocked applications, upper-case hex.
        pin_tries: how many wrong PINs are left (9F17).
        last_online: the counter of the last transaction that the issuer took part in (9F13).
        spent: what went offline since the issuer was last met, minor units by AID.
        stored: what the issuer put there, hex by tag in hex.
    """

    card_blocked: bool = False
    blocked: tuple[str, ...] = ()
    pin_tries: int = PIN_TRIES
    last_online: int = 0
    spent: dict[str, int] = field(default_factory=dict)
    stored: dict[str, str] = field(default_factory=dict)


class CardMemory:
    """One card's memory in a small file of its own. One process at a time uses it: the one that holds the bench."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def now(self) -> Remembered:
        """What the card remembers. Raises CallerMistake for a bad file."""
        try:
            return _checked(read_json(self._path, {}))
        except (ValueError, TypeError, AttributeError):
            raise CallerMistake(
                str(self._path), "this is no memory of a card", "delete it: the card is then as new"
            ) from None

    def change(self, **fields: Any) -> None:
        """Replace fields of `Remembered`, on the disk before anybody sees it."""
        changed = replace(self.now, **fields)
        if changed != self.now:
            write_json(self._path, asdict(changed))

    def forget(self) -> None:
        """The card is as new: nothing blocked, nothing spent. Its counter goes on."""
        self._path.unlink(missing_ok=True)


def _checked(raw: dict[str, Any]) -> Remembered:
    read = Remembered(**{**raw, "blocked": tuple(raw.get("blocked", ()))})
    sound = (
        isinstance(read.card_blocked, bool)
        and all(isinstance(aid, str) for aid in read.blocked)
        and isinstance(read.pin_tries, int)
        and 0 <= read.pin_tries <= PIN_TRIES
        and isinstance(read.last_online, int)
        and 0 <= read.last_online <= 0xFFFF
        and all(isinstance(amount, int) and amount >= 0 for amount in read.spent.values())
        and all(isinstance(bytes.fromhex(value), bytes) and int(tag, 16) for tag, value in read.stored.items())
    )
    if not sound:
        raise ValueError("a field has a value that it cannot have")
    return read
