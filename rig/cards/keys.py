"""The issuers' master keys: made at first use, kept in the bench's state directory, never committed.

`issuer-keys.json` (0600) is the contract with the acquirer, which reads the same file::

    {"north-bank": {"mk_ac": "32 upper-case hex digits", "mk_smi": "…", "mk_smc": "…"}, "east-bank": {...}}

Each is a 16-byte double-length DES key, from which each card's own key is derived (EMV Book 2 A1.4): ``mk_ac`` for
application cryptograms, ``mk_smi`` for the integrity and ``mk_smc`` for the confidentiality of issuer scripts.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from pyemv.tools import adjust_key_parity

from rig.cards.files import read_json, write_json
from rig.errors import CallerMistake

FILE = "issuer-keys.json"


@dataclass(frozen=True)
class MasterKeys:
    """One bank's master keys, 16 bytes each."""

    mk_ac: bytes = field(repr=False)
    mk_smi: bytes = field(repr=False)
    mk_smc: bytes = field(repr=False)


KINDS = tuple(each.name for each in fields(MasterKeys))


class IssuerKeys:
    """The master keys by bank."""

    def __init__(self, keys: dict[str, MasterKeys]) -> None:
        self._keys = keys

    @classmethod
    def load_or_create(cls, state: Path, banks: Iterable[str]) -> IssuerKeys:
        """The keys in the state directory; a bank gets those that it has not yet, and keeps the others.

        Raises:
            CallerMistake: the file is there and is no key file; it is left as it is.
        """
        path = state / FILE
        try:
            stored = {bank: _read(entry) for bank, entry in read_json(path, {}).items()}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise CallerMistake(
                str(path), f"this is no issuer key file: {error}", "move it away; new keys are made at the next start"
            ) from error
        wanted = {bank: stored.get(bank, {}) for bank in {*stored, *banks}}
        keys = {bank: MasterKeys(**{kind: has.get(kind) or _new() for kind in KINDS}) for bank, has in wanted.items()}
        told = {bank: {kind: key.hex().upper() for kind, key in asdict(its).items()} for bank, its in keys.items()}
        if any(len(has) < len(KINDS) for has in wanted.values()):
            write_json(path, dict(sorted(told.items())))
        return cls(keys)

    def of(self, bank: str) -> MasterKeys:
        """The bank's keys. Raises CallerMistake for a bank that has none."""
        try:
            return self._keys[bank]
        except KeyError:
            raise CallerMistake(bank, "this bank has no issuer key", "name it in load_or_create") from None

    def master_key(self, bank: str) -> bytes:
        """The bank's key for application cryptograms. Raises CallerMistake for a bank that has none."""
        return self.of(bank).mk_ac


def _read(entry: dict[str, Any]) -> dict[str, bytes]:
    """The keys of one bank. A file of an older rig has ``mk_ac`` alone."""
    keys = {kind: bytes.fromhex(entry[kind]) for kind in KINDS if kind == "mk_ac" or kind in entry}
    if any(len(key) != 16 for key in keys.values()):
        raise ValueError("a key is not 16 bytes long")
    return keys


def _new() -> bytes:
    return adjust_key_parity(secrets.token_bytes(16))
