"""What a reversal needs of the card rests encrypted: the PAN and track 2 are nowhere on the disk in the clear.

AES-256-GCM under a key that the terminal makes at its first boot; the trace number is authenticated with it, so a
sealed card cannot be moved to another transaction.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

_NONCE_BYTES = 12


class Vault:
    """Seals and opens the secret data elements of one transaction."""

    def __init__(self, folder: Path) -> None:
        self._key = _load_or_make(folder / "card.key")

    def seal(self, trace: int, elements: Mapping[int, str]) -> str:
        """Encrypt data elements (number → text); the result is text for the journal."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # 20 ms that booting need not wait for

        nonce = secrets.token_bytes(_NONCE_BYTES)
        clear = json.dumps({str(number): value for number, value in elements.items()}).encode()
        return base64.b64encode(nonce + AESGCM(self._key).encrypt(nonce, clear, _bound_to(trace))).decode()

    def open(self, trace: int, sealed: str) -> dict[int, str]:
        """Decrypt what :meth:`seal` made for this trace number."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        data = base64.b64decode(sealed)
        clear = AESGCM(self._key).decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], _bound_to(trace))
        return {int(number): value for number, value in json.loads(clear).items()}


def _bound_to(trace: int) -> bytes:
    return f"trace {trace:06d}".encode()


def _load_or_make(path: Path) -> bytes:
    """The key, made once; it appears on the disk whole or not at all."""
    if path.exists():
        return path.read_bytes()
    key = secrets.token_bytes(32)
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    return key
