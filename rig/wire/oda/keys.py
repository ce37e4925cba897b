"""RSA public keys of EMV, and its signature scheme with message recovery (EMV Book 2 annex A2.1 and B2.1).

A message is signed as ``6A ‖ its first N − 22 bytes ‖ SHA-1 over the whole of it ‖ BC``, N being the bytes of the
modulus; what did not fit travels beside the signature.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from rig.wire.errors import WireError

HASH = 20
"""Bytes of SHA-1, the only hash algorithm (indicator 01, Book 2 B3.1)."""
OVERHEAD = HASH + 2
"""Bytes of a signature that carry no message: header, hash and trailer."""
MAX_MODULUS = 248
"""Bytes of the longest modulus, 1984 bits (Book 2 D1)."""
EXPONENTS = (3, 65537)
"""The public exponents that are allowed (Book 2 B2.1)."""
_HEADER, _TRAILER = b"\x6a", b"\xbc"


class AuthenticationFailed(WireError):
    """Offline data authentication did not succeed; the message says which step, never the card's number."""


@dataclass(frozen=True)
class PublicKey:
    """An RSA public key.

    Raises AuthenticationFailed where EMV allows no such key: an exponent that is neither 3 nor 65537, or a modulus
    that is even or longer than 248 bytes.
    """

    modulus: int
    exponent: int

    def __post_init__(self) -> None:
        if self.exponent not in EXPONENTS:
            raise AuthenticationFailed("the exponent of a public key is neither 3 nor 65537")
        if not OVERHEAD < self.length <= MAX_MODULUS or self.modulus % 2 == 0:
            raise AuthenticationFailed(f"{self.length} bytes of modulus are no RSA key of EMV")

    @classmethod
    def from_bytes(cls, modulus: bytes, exponent: bytes) -> PublicKey:
        """A key out of its big-endian bytes. Raises AuthenticationFailed when it is none."""
        if len(exponent) > len(EXPONENTS) + 1:
            raise AuthenticationFailed("the exponent of a public key is neither 3 nor 65537")
        key = cls(int.from_bytes(modulus, "big"), int.from_bytes(exponent, "big"))
        if key.length != len(modulus):
            raise AuthenticationFailed("a modulus begins with a zero byte")
        return key

    @property
    def length(self) -> int:
        """How many bytes the modulus has; a signature has as many."""
        return (self.modulus.bit_length() + 7) // 8

    @property
    def modulus_bytes(self) -> bytes:
        """The modulus, big-endian."""
        return self.modulus.to_bytes(self.length, "big")

    @property
    def exponent_bytes(self) -> bytes:
        """The exponent in as few bytes as it needs: one for 3, three for 65537."""
        return self.exponent.to_bytes((self.exponent.bit_length() + 7) // 8, "big")

    def open(self, signature: bytes, what: str) -> bytes:
        """The N − 2 bytes between header and trailer of a signature, its hash at their end not yet checked.

        Raises AuthenticationFailed naming `what` when it has another length than the key, or header or trailer are
        wrong: it was signed by another key, or not at all.
        """
        if len(signature) != self.length:
            raise AuthenticationFailed(f"{what} has {len(signature)} bytes, its key {self.length}")
        number = int.from_bytes(signature, "big")
        if number >= self.modulus:
            raise AuthenticationFailed(f"{what} is not made with its key")
        plain = pow(number, self.exponent, self.modulus).to_bytes(self.length, "big")
        if plain[:1] != _HEADER or plain[-1:] != _TRAILER:
            raise AuthenticationFailed(f"{what} is not made with its key")
        return plain[1:-1]


def split_hash(opened: bytes) -> tuple[bytes, bytes]:
    """The recovered part of the message, and the hash that follows it."""
    return opened[:-HASH], opened[-HASH:]


def check_hash(message: bytes, expected: bytes, what: str) -> None:
    """Raises AuthenticationFailed naming `what` unless SHA-1 over the whole message is `expected`."""
    if hashlib.sha1(message, usedforsecurity=False).digest() != expected:
        raise AuthenticationFailed(f"{what} is about other data: its hash differs")


def recoverable(message: bytes, length: int) -> bytes:
    """What a private key of `length` bytes is applied to, to sign `message`: header, first part, hash, trailer.

    Raises WireError for a message too short to fill it: the caller pads, each format in its own way.
    """
    part = message[: length - OVERHEAD]
    if len(part) != length - OVERHEAD:
        raise WireError(f"a message of {len(message)} bytes does not fill a key of {length}")
    return _HEADER + part + hashlib.sha1(message, usedforsecurity=False).digest() + _TRAILER
