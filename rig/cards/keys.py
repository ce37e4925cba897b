"""The issuers' master keys: made at first use, kept in the bench's state directory, never committed.

`issuer-keys.json` (0600) is the contract with the acquirer, which reads the same file::

    {"north-bank": {"mk_ac": "32 upper-case hex digits"}, "east-bank": {...}}

``mk_ac`` is the 16-byte double-length DES key of `rig.wire.cryptogram`, from which each card's own key is derived.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from pathlib import Path

from pyemv.tools import adjust_key_parity

from rig.cards.files import read_json, write_json
from rig.errors import CallerMistake

FILE = "issuer-keys.json"


class IssuerKeys:
    """The master keys by bank."""

    def __init__(self, keys: dict[str, bytes]) -> None:
        self._keys = keys

    @classmethod
    def load_or_create(cls, state: Path, banks: Iterable[str]) -> IssuerKeys:
        """The keys in the state directory; a bank that has none yet gets one, and the others keep theirs.

        Raises:
            CallerMistake: the file is there and is no key file; it is left as it is.
        """
        path = state / FILE
        try:
            stored = read_json(path, {})
            keys = {bank: bytes.fromhex(entry["mk_ac"]) for bank, entry in stored.items()}
            if any(len(key) != 16 for key in keys.values()):
                raise ValueError("a key is not 16 bytes long")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise CallerMistake(
                str(path), f"this is no issuer key file: {error}", "move it away; new keys are made at the next start"
            ) from error
        missing = sorted(set(banks) - keys.keys())
        if missing:
            keys |= {bank: adjust_key_parity(secrets.token_bytes(16)) for bank in missing}
            write_json(path, {bank: {"mk_ac": key.hex().upper()} for bank, key in sorted(keys.items())})
        return cls(keys)

    def master_key(self, bank: str) -> bytes:
        """The bank's key. Raises CallerMistake for a bank that has none."""
        try:
            return self._keys[bank]
        except KeyError:
            raise CallerMistake(bank, "this bank has no issuer key", "name it in load_or_create") from None
