"""The keys that terminals share with this host: ``terminal-keys.json`` in the bench's state directory, 0600.

::

    {"52000001": {"master": "32 hex digits", "mac": "…", "pin": "…", "bdk": "…", "scheme": "tdes"}}

``master`` is the terminal's master key, under which a sign-on gives it new session keys; ``mac`` and ``pin`` are the
session keys of now; ``bdk`` is the base derivation key of its DUKPT, ``scheme`` says whether that is triple DES or AES.
What has no key is not judged: the history says so, by name.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

from rig.errors import CallerMistake
from rig.wire.keys import des
from rig.wire.keys.mac import MacAlgorithm, key_lengths
from rig.wire.keys.session import SessionKeys

FILE = "terminal-keys.json"
_PIN_KEY_BYTES = _MASTER_BYTES = 16

_LONGEST_DES = 24
LENGTHS = {"master": (16, 24), "mac": (8, 16, 24, 32), "pin": (16, 24), "bdk": (16, 24, 32)}
"""How many bytes each key may have; a base derivation key for triple DES has 16."""

Scheme = Literal["tdes", "aes"]


@dataclass(frozen=True)
class TerminalKeys:
    """One terminal's keys; None where there is none."""

    master: bytes | None = field(default=None, repr=False)
    mac: bytes | None = field(default=None, repr=False)
    pin: bytes | None = field(default=None, repr=False)
    bdk: bytes | None = field(default=None, repr=False)
    scheme: Scheme = "tdes"

    def to_json(self) -> dict[str, str]:
        """As the file has it."""
        keys = {name: key.hex().upper() for name in KEY_NAMES if (key := getattr(self, name)) is not None}
        return keys | ({"scheme": self.scheme} if self.bdk is not None else {})

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> TerminalKeys:
        """The reverse. Raises ValueError, TypeError or AttributeError for what is none."""
        scheme = told.get("scheme", "tdes")
        if scheme not in get_args(Scheme) or set(told) - {*KEY_NAMES, "scheme"}:
            raise ValueError("an unknown key or scheme")
        return cls(**{name: bytes.fromhex(told[name]) for name in KEY_NAMES if name in told}, scheme=scheme)


def kind_of(name: str, keys: TerminalKeys) -> Literal["tdes", "aes"]:
    """How the check value of a key is made: as its scheme has it, and for what is too long for triple DES as AES."""
    key: bytes = getattr(keys, name)
    return keys.scheme if name == "bdk" else "aes" if len(key) > _LONGEST_DES else "tdes"


KEY_NAMES = tuple(each.name for each in fields(TerminalKeys) if each.name != "scheme")
NO_KEYS = TerminalKeys()


class TerminalKeyStore:
    """Reads the file when a key is wanted and again when it changed: the bench may write it after the host started."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: tuple[int, dict[str, TerminalKeys]] = (-1, {})

    def of(self, tid: str) -> TerminalKeys:
        """The keys of a terminal. Raises CallerMistake where the file is no key file."""
        return self.all().get(tid, NO_KEYS)

    def all(self) -> dict[str, TerminalKeys]:
        """The keys of every terminal. Raises CallerMistake where the file is no key file."""
        try:
            changed = self._path.stat().st_mtime_ns
        except FileNotFoundError:
            return {}
        if changed != self._read[0]:
            self._read = (changed, _load(self._path))
        return self._read[1]

    def put(self, tid: str, keys: TerminalKeys) -> None:
        """Keep a terminal's keys in place of those that it had, on the disk before this returns."""
        self.update(tid, lambda old: keys)

    def update(self, tid: str, change: Callable[[TerminalKeys], TerminalKeys]) -> TerminalKeys:
        """Change a terminal's keys, whoever else changes some now: the host and a person at the command line may.

        They are on the disk before this returns; returns them.
        """
        with self._path.with_name(self._path.name + ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._read = (-1, {})
            keys = change(self.of(tid))
            text = {each: its.to_json() for each, its in (self.all() | {tid: keys}).items()}
            fresh = self._path.with_name(self._path.name + ".new")
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                json.dump(text, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)
            self._read = (-1, {})
        return keys

    def master(self, tid: str) -> bytes:
        """A terminal's master key, made now if it had none."""
        drawn = des.with_odd_parity(secrets.token_bytes(_MASTER_BYTES))
        master = self.update(tid, lambda keys: replace(keys, master=keys.master or drawn)).master
        return master or drawn

    def new_session(self, tid: str, algorithm: MacAlgorithm | None) -> bytes | None:
        """Draw session keys for a terminal, keep them, and return them as a sign-on's answer carries them.

        None where the terminal has no master key: it keeps what it has.
        """
        master = self.of(tid).master
        return self.change(tid, algorithm).wrap(master) if master is not None else None

    def change(self, tid: str, algorithm: MacAlgorithm | None) -> SessionKeys:
        """Draw session keys and keep them. Told to nobody, they change underneath the terminal."""
        length = key_lengths(algorithm)[-1] if algorithm else 8
        drawn = [des.with_odd_parity(secrets.token_bytes(each)) for each in (_PIN_KEY_BYTES, min(length, 16))]
        session = SessionKeys(*drawn)
        self.update(tid, lambda keys: replace(keys, mac=session.mac, pin=session.pin))
        return session


def _load(path: Path) -> dict[str, TerminalKeys]:
    try:
        return {tid: TerminalKeys.from_json(its) for tid, its in json.loads(path.read_text()).items()}
    except (ValueError, TypeError, AttributeError):
        raise CallerMistake(str(path), "not a file of terminal keys", "compare with docs/keys.md") from None
