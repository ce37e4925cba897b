"""DUKPT with AES (ANSI X9.24-3:2017): a key for each transaction and use out of the key serial number (KSN).

A KSN has twelve bytes: eight of the initial key's id, and a counter of four. Base and initial keys are AES-128, 192 or
256; the keys derived here are of the same kind.
"""

from __future__ import annotations

from enum import IntEnum

from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES

from rig.wire.errors import WireError
from rig.wire.keys.dukpt import SessionKeys

KSN_BYTES = 12
_ID_BYTES, _BLOCK = 8, 16
_MOST_ONES = 16
_ALGORITHMS = {16: 2, 24: 3, 32: 4}
"""Key length in bytes → algorithm indicator (X9.24-3, table 2)."""


class Use(IntEnum):
    """Key usage indicators (X9.24-3, table 1)."""

    PIN = 0x1000
    MAC_REQUEST = 0x2000
    MAC_RESPONSE = 0x2001
    DATA_REQUEST = 0x3000
    DATA_RESPONSE = 0x3001
    DERIVATION = 0x8000
    INITIAL = 0x8001


def initial_key(bdk: bytes, ksn: bytes) -> bytes:
    """The key that is injected into a terminal, as long as the BDK. Raises WireError for other lengths."""
    _check(bdk, ksn)
    return _derive(bdk, Use.INITIAL, ksn[:_ID_BYTES])


def session_keys(bdk: bytes, ksn: bytes) -> SessionKeys:
    """The keys of the transaction with this KSN, from the BDK. Raises WireError."""
    return session_keys_of_terminal(initial_key(bdk, ksn), ksn)


def session_keys_of_terminal(initial: bytes, ksn: bytes) -> SessionKeys:
    """The same, from the initial key. Raises WireError."""
    key = derivation_key(initial, ksn)
    told = ksn[_ID_BYTES - 4 :]
    uses = (Use.PIN, Use.MAC_REQUEST, Use.MAC_RESPONSE, Use.DATA_REQUEST)
    return SessionKeys(*(_derive(key, use, told) for use in uses))


def derivation_key(initial: bytes, ksn: bytes) -> bytes:
    """The key that those of one transaction are derived from. Raises WireError."""
    _check(initial, ksn)
    key, reached, count = initial, 0, counter(ksn)
    for bit in (1 << place for place in range(31, -1, -1)):
        if count & bit:
            reached |= bit
            key = _derive(key, Use.DERIVATION, ksn[_ID_BYTES - 4 : _ID_BYTES] + reached.to_bytes(4, "big"))
    return key


def counter(ksn: bytes) -> int:
    """The transaction counter of a KSN."""
    return int.from_bytes(ksn[_ID_BYTES:], "big")


def next_ksn(ksn: bytes) -> bytes:
    """The KSN of the next transaction. Raises WireError where the key is used up."""
    count = counter(ksn) + 1
    while count.bit_count() > _MOST_ONES:
        count += count & -count
    if count >= 1 << 32:
        raise WireError("the DUKPT key is used up: inject a new one")
    return ksn[:_ID_BYTES] + count.to_bytes(4, "big")


def _derive(key: bytes, use: Use, told: bytes) -> bytes:
    """A key as long as ``key`` for a use, out of eight bytes of id or of id and counter."""
    length = len(key)
    encrypt = Cipher(AES(key), modes.ECB()).encryptor().update
    derived = b""
    for block in range(1, -(-length // _BLOCK) + 1):
        head = bytes([1, block]) + use.to_bytes(2, "big") + _ALGORITHMS[length].to_bytes(2, "big")
        derived += encrypt(head + (length * 8).to_bytes(2, "big") + told)
    return derived[:length]


def _check(key: bytes, ksn: bytes) -> None:
    if len(key) not in _ALGORITHMS:
        raise WireError(f"an AES key of {len(key)} bytes, expecting 16, 24 or 32")
    if len(ksn) != KSN_BYTES:
        raise WireError(f"a KSN of {len(ksn)} bytes, expecting {KSN_BYTES}")
