"""Card data leaves a process masked or not at all.

A primary account number (PAN) is recognised by its form (13 to 19 digits, Luhn) and the bench's test ranges, in
ASCII and in packed BCD at either nibble. It is replaced length-preserving, so that lengths in a capture stay true:
the first six and the last four digits stay (PCI DSS 3.4.1), everything behind a track 2 separator goes.
For comparing cards in a history there is a token: an HMAC of the PAN under the bench's own key.
"""

from __future__ import annotations

import hmac
import json
import os
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rig.errors import CallerMistake

_KEEP_FIRST, _KEEP_LAST = 6, 4
_SHORTEST, _LONGEST = 13, 19
_KEPT_TOKENS = 1000
_LONG_NUMBER = re.compile(r"[0-9]{13}")
"""Without one there is no card number in a text."""


@dataclass(frozen=True)
class TestRange:
    """A range of test PANs: everything that begins with ``prefix`` and has one of ``lengths`` digits."""

    __test__ = False  # not a test class, whatever pytest thinks of its name

    prefix: str
    lengths: tuple[int, ...] = (13, 14, 15, 16, 17, 18, 19)

    def holds(self, pan: str) -> bool:
        """Whether the PAN lies in this range."""
        return len(pan) in self.lengths and pan.startswith(self.prefix)


def luhn_valid(digits: str) -> bool:
    """Whether the last digit is the right check digit (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


class Redactor:
    """Finds and masks PANs and track 2 data.

    Args:
        key: the bench's token key; 32 bytes.
        ranges: the PANs that this bench may meet at all.
    """

    def __init__(self, key: bytes, ranges: Iterable[TestRange]) -> None:
        self._key = key
        self.ranges = tuple(ranges)
        self._tokens: dict[str, str] = {}
        self._allowed: dict[str, bool] = {}
        heads = "|".join(re.escape(prefix) for prefix in sorted({r.prefix for r in self.ranges}, reverse=True))
        # A lookahead, so that every digit may begin a candidate: a PAN may stand behind other digits.
        self._known = re.compile(f"(?=((?:{heads})[0-9]{{1,18}}))" if heads else r"(?!)")
        self._lone = re.compile(r"(?<![0-9A-Za-z.])([0-9]{13,19})((?:[Dd=][0-9]*[Ff]?)?)(?![0-9A-Za-z.])")

    @classmethod
    def load(cls, path: Path) -> Redactor:
        """Read what :meth:`save` wrote.

        Raises:
            CallerMistake: the file is missing or is no redaction file.
        """
        try:
            raw = json.loads(path.read_text())
            ranges = [TestRange(r["prefix"], tuple(r["lengths"])) for r in raw["ranges"]]
            return cls(bytes.fromhex(raw["key"]), ranges)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CallerMistake(
                str(path), f"no redaction key: {error}", "the bench writes it when it starts"
            ) from error

    def save(self, path: Path) -> None:
        """Write key and ranges for the other processes of the bench, readable by their owner alone."""
        ranges = [{"prefix": r.prefix, "lengths": list(r.lengths)} for r in self.ranges]
        fresh = path.with_name(path.name + ".new")
        fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(fd, "w") as file:
            json.dump({"key": self._key.hex(), "ranges": ranges}, file)
        fresh.replace(path)

    @classmethod
    def with_new_key(cls, ranges: Iterable[TestRange]) -> Redactor:
        """A redactor under a key that nobody had before."""
        return cls(secrets.token_bytes(32), ranges)

    def with_ranges(self, ranges: Iterable[TestRange]) -> Redactor:
        """The same key, so the same tokens, for other ranges."""
        return Redactor(self._key, ranges)

    def allows(self, pan: str) -> bool:
        """Whether this PAN may be used on this bench: digits, Luhn-valid, and inside a test range."""
        known = self._allowed.get(pan)
        if known is None:
            if len(self._allowed) >= _KEPT_TOKENS:
                self._allowed.clear()
            known = pan.isascii() and pan.isdigit() and any(r.holds(pan) for r in self.ranges) and luhn_valid(pan)
            self._allowed[pan] = known
        return known

    def token(self, pan: str) -> str:
        """The same short name for the same PAN, on this bench alone."""
        known = self._tokens.get(pan)
        if known is None:
            if len(self._tokens) >= _KEPT_TOKENS:
                self._tokens.clear()
            known = self._tokens[pan] = hmac.digest(self._key, pan.encode(), "sha256").hex()[:16]
        return known

    def digest(self, data: bytes) -> str:
        """A keyed digest by which contents compare, on this bench alone; nothing can be guessed from it."""
        return hmac.digest(self._key, data, "sha256").hex()[:32]

    def mask(self, pan: str) -> str:
        """First six and last four digits, the rest as ``*``; of what is too short for a PAN, nothing."""
        if len(pan) < _SHORTEST:
            return "*" * len(pan)
        return pan[:_KEEP_FIRST] + "*" * (len(pan) - _KEEP_FIRST - _KEEP_LAST) + pan[-_KEEP_LAST:]

    def text(self, text: str) -> str:
        """Mask every PAN in a text, and the track 2 data behind it, keeping the length.

        A number that stands alone and is Luhn-valid is masked whatever its range: a foreign card is nobody's
        business. Text that is hexadecimal is searched as packed digits are, at both nibble offsets, by the same rule.
        """
        if len(text) < _SHORTEST or not _LONG_NUMBER.search(text):
            return text
        masked = self._mask_digits(text, filler="*")
        return self._lone.sub(self._mask_lone, masked)

    def data(self, data: bytes) -> bytes:
        """Mask PANs in bytes, in ASCII and in packed BCD, keeping the length."""
        ascii_masked = self._mask_digits(data.decode("latin-1"), filler="*").encode("latin-1")
        return bytes.fromhex(self._mask_digits(ascii_masked.hex().upper(), filler="E"))

    def _mask_lone(self, match: re.Match[str]) -> str:
        pan, behind = match.groups()
        if not luhn_valid(pan):
            return match[0]
        return self.mask(pan) + behind[:1] + "*" * len(behind[1:])

    def _mask_digits(self, text: str, filler: str) -> str:
        chars: list[str] | None = None
        # Candidates may overlap: digits before a PAN can make one by chance, and must not hide the true one.
        for match in self._known.finditer(text):
            pan = self._pan_at_start(match[1])
            if pan is None:
                continue
            chars = list(text) if chars is None else chars
            begin, end = match.start(), match.start() + len(pan)
            for place in range(begin + _KEEP_FIRST, end - _KEEP_LAST):
                chars[place] = filler
            for place in _behind_separator(text, end):
                chars[place] = filler
        return text if chars is None else "".join(chars)

    def _pan_at_start(self, digits: str) -> str | None:
        for length in range(min(_LONGEST, len(digits)), _SHORTEST - 1, -1):
            if self.allows(digits[:length]):
                return digits[:length]
        return None


def _behind_separator(text: str, end: int) -> range:
    """The places of the digits behind a PAN that ends at ``end`` and a track 2 separator (``D``, ``d`` or ``=``)."""
    if end >= len(text) or text[end] not in "Dd=":
        return range(0)
    place = end + 1
    while place < len(text) and text[place] in "0123456789":
        place += 1
    return range(end + 1, place)
