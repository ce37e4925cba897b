"""RSA keys of the bench's synthetic card authorities, issuers and cards: made at first use, kept, never committed.

One file a key in ``card-keys`` of the state directory (0700, files 0600), named after its owner::

    {"modulus": "B0…", "exponent": "03", "primes": ["E1…", "C9…"]}
"""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

from rig.cards.files import read_json, write_json
from rig.errors import CallerMistake
from rig.wire.errors import WireError
from rig.wire.oda import PublicKey, recoverable

FOLDER = "card-keys"


@dataclass(frozen=True)
class PrivateKey:
    """An RSA key that signs as EMV does (Book 2 annex A2.1). Its secret part stays out of `repr`."""

    public: PublicKey
    primes: tuple[int, int] = field(repr=False)

    @classmethod
    def generate(cls, bits: int, exponent: int) -> PrivateKey:
        """A new key with a modulus of `bits`, at least 1024."""
        numbers = rsa.generate_private_key(public_exponent=exponent, key_size=bits).private_numbers()
        return cls(PublicKey(numbers.public_numbers.n, numbers.public_numbers.e), (numbers.p, numbers.q))

    def sign(self, message: bytes) -> bytes:
        """The signature, as long as the modulus, out of which the first part of the message can be recovered.

        Raises WireError for a message too short to fill it.
        """
        number = int.from_bytes(recoverable(message, self.public.length), "big")
        p, q = self.primes
        at_p = pow(number, pow(self.public.exponent, -1, p - 1), p)
        at_q = pow(number, pow(self.public.exponent, -1, q - 1), q)
        signature = at_q + q * ((at_p - at_q) * pow(q, -1, p) % p)  # the Chinese remainder theorem
        return signature.to_bytes(self.public.length, "big")


class KeyStore:
    """The keys of one state directory by name, for any number of processes."""

    def __init__(self, state: Path) -> None:
        self.folder = state / FOLDER
        self._known: dict[str, PrivateKey] = {}

    def key(self, name: str, bits: int, exponent: int) -> PrivateKey:
        """The key with this name, made now if there is none.

        Raises:
            CallerMistake: its file is there and is no key; it is left as it is.
        """
        if name not in self._known:
            self._known[name] = self._load(name) or self._make(name, bits, exponent)
        return self._known[name]

    def _load(self, name: str) -> PrivateKey | None:
        path = self.folder / f"{name}.json"
        try:
            return _parse(read_json(path, None)) if path.exists() else None
        except (ValueError, KeyError, TypeError) as error:
            raise CallerMistake(
                str(path), f"this is no card key: {error}", "move it away; a new key is made at the next use"
            ) from error

    def _make(self, name: str, bits: int, exponent: int) -> PrivateKey:
        with locked(self.folder):
            if kept := self._load(name):  # another process was first
                return kept
            made = PrivateKey.generate(bits, exponent)
            write_json(
                self.folder / f"{name}.json",
                {
                    "modulus": made.public.modulus_bytes.hex().upper(),
                    "exponent": made.public.exponent_bytes.hex().upper(),
                    "primes": [f"{prime:X}" for prime in made.primes],
                },
            )
            return made


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One process at a time writes; the folder is its owner's alone."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _parse(stored: Any) -> PrivateKey:
    """The key of a file, tried once. Raises ValueError, KeyError or TypeError when it is none."""
    primes = stored["primes"]
    if not isinstance(primes, list):
        raise TypeError("primes is no list")
    p, q = (int(str(prime), 16) for prime in primes)
    public = PublicKey.from_bytes(bytes.fromhex(str(stored["modulus"])), bytes.fromhex(str(stored["exponent"])))
    if p * q != public.modulus:
        raise WireError("its primes do not make its modulus")
    key = PrivateKey(public, (p, q))
    public.open(key.sign(bytes(public.length)), "a signature for trial")
    return key
