"""Card numbers in the ledger: encrypted under the bench's own key (AES-256-GCM, NIST SP 800-38D).

The key is made at first use in the state directory and kept; without it the ledger's numbers are noise.
"""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from rig.errors import CallerMistake

_KEY_BYTES, _NONCE_BYTES, _KEPT = 32, 12, 1000


class PanVault:
    """Seals and opens card numbers; ``key`` is 32 bytes."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)
        self._sealed: dict[str, bytes] = {}

    @classmethod
    def of_bench(cls, state: Path) -> PanVault:
        """Under the key of a state directory, made now if there was none.

        Raises:
            CallerMistake: the key's file holds something else.
        """
        path = state / "pan.key"
        try:
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            key = path.read_bytes()
        else:
            key = os.urandom(_KEY_BYTES)
            with os.fdopen(fd, "wb") as file:
                file.write(key)
                file.flush()
                os.fsync(file.fileno())
        if len(key) != _KEY_BYTES:
            raise CallerMistake(
                str(path), f"not a key of {_KEY_BYTES} bytes", "restore it, or remove it with the ledger"
            )
        return cls(key)

    def seal(self, pan: str) -> bytes:
        """A card number as the ledger keeps it, under a nonce of its own."""
        sealed = self._sealed.get(pan)
        if sealed is None:
            if len(self._sealed) >= _KEPT:
                self._sealed.clear()
            nonce = os.urandom(_NONCE_BYTES)
            sealed = self._sealed[pan] = nonce + self._cipher.encrypt(nonce, pan.encode(), None)
        return sealed

    def open(self, sealed: bytes) -> str:
        """The card number. Raises CallerMistake where it was sealed under another key."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None).decode()
        except (InvalidTag, ValueError):
            raise CallerMistake("pan.key", "not the key of this ledger's card numbers", "restore the old one") from None
