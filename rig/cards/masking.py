"""The card's number in an answer that a fault has spoiled.

What masks every event knows a card number by its check digit and its whole length (`rig.history.Redactor`). A number
that a fault cut short, or of which it turned a bit, passes there; but the presenter knows whose it is.
"""

from __future__ import annotations

from rig.cards.profile import CardProfile

_KEEP_FIRST, _KEEP_LAST = 6, 4
_LIKE = 8  # digits from the first on that are no chance any more
_TURNED = 2  # digits that may be others in a number that is still the card's
_FILLER = "E"


def without_number(response: bytes, card: CardProfile) -> bytes:
    """The answer with the middle digits of what is left of the card's number, and what track 2 has behind it, as E.

    Packed digits at either nibble; the length stays.
    """
    digits, pan = response.hex().upper(), card.pan
    masked = list(digits)
    for at in range(len(digits) - _LIKE + 1):
        here = digits[at : at + len(pan)]
        if here[0] != pan[0] and here[1] != pan[1]:
            continue
        run = _run(here, pan)
        if len(here) == len(pan) and sum(a != b for a, b in zip(here, pan, strict=True)) <= _TURNED:
            hidden = [*range(at + _KEEP_FIRST, at + len(pan) - _KEEP_LAST), *_behind(digits, at + len(pan))]
        elif run >= _LIKE:
            hidden = list(range(at + _KEEP_FIRST, at + run))
        else:
            continue
        for place in hidden:
            masked[place] = _FILLER
    return bytes.fromhex("".join(masked))


def _run(here: str, pan: str) -> int:
    """How many digits are the number's, from the first on."""
    return next((place for place, digit in enumerate(here) if digit != pan[place]), len(here))


def _behind(digits: str, end: int) -> range:
    """The places of the digits behind a track 2 separator at `end`, if there is one."""
    if digits[end : end + 1] != "D":
        return range(0)
    last = next((at for at in range(end + 1, len(digits)) if not digits[at].isdigit()), len(digits))
    return range(end + 1, last)
