"""The banks' master keys, as the bench keeps them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from rig.errors import CallerMistake


@dataclass(frozen=True)
class BankKeys:
    """One bank's 16-byte master keys: for cryptograms, and for the MACs of its scripts (None in an old file)."""

    mk_ac: bytes = field(repr=False)
    mk_smi: bytes | None = field(default=None, repr=False)


class IssuerKeys:
    """``issuer-keys.json``: ``{"bank": {"mk_ac": "32 hex digits", "mk_smi": "…", …}}``.

    The file is read when a key is wanted and again when it changed: the bench may make keys after the host started.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: tuple[int, dict[str, BankKeys]] = (0, {})

    def of(self, bank: str) -> BankKeys | None:
        """The keys of a bank; None where there are none. Raises CallerMistake where the file is no key file."""
        try:
            changed = self._path.stat().st_mtime_ns
        except FileNotFoundError:
            return None
        if changed != self._read[0]:
            self._read = (changed, _read_keys(self._path))
        return self._read[1].get(bank)


def _read_keys(path: Path) -> dict[str, BankKeys]:
    try:
        stored = json.loads(path.read_text())
        raw = {
            (bank, kind): bytes.fromhex(entry[kind])
            for bank, entry in stored.items()
            for kind in ("mk_ac", "mk_smi")
            if kind == "mk_ac" or kind in entry
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        raise CallerMistake(str(path), "not a file of issuer keys", "remove it; the bench makes new keys") from None
    wrong = [f"{kind} of {bank}" for (bank, kind), key in raw.items() if len(key) != 16]
    if wrong:
        raise CallerMistake(str(path), f"{wrong[0]} is not 16 bytes", "remove it; the bench makes new keys")
    return {bank: BankKeys(raw[bank, "mk_ac"], raw.get((bank, "mk_smi"))) for bank in stored}
