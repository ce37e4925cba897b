"""DUKPT with triple DES (ANSI X9.24-1:2009): a key for each transaction out of the key serial number (KSN).

A KSN has ten bytes: who the key is of, and a counter of 21 bits. The host derives from its base derivation key (BDK),
the terminal from the initial key that was injected; both come to the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from rig.wire.errors import WireError
from rig.wire.keys import des

KSN_BYTES = 10
_COUNTER = (1 << 21) - 1
_MOST_ONES = 10
"""Counters with more bits set are left out (X9.24-1, A.3)."""

_HALF = bytes.fromhex("C0C0C0C000000000")
_VARIANTS = {
    "pin": "00000000000000FF", "mac_request": "000000000000FF00", "mac_response": "00000000FF000000",
    "data": "0000000000FF0000",
}  # fmt: skip


@dataclass(frozen=True)
class SessionKeys:
    """The keys of one transaction: PIN, MAC of request and of answer, data of the request."""

    pin: bytes = field(repr=False)
    mac_request: bytes = field(repr=False)
    mac_response: bytes = field(repr=False)
    data: bytes = field(repr=False)


def initial_key(bdk: bytes, ksn: bytes) -> bytes:
    """The key that is injected into a terminal, 16 bytes. Raises WireError for a BDK or KSN of another length."""
    _check(bdk, ksn)
    serial = _without_counter(ksn)[:8]
    return des.encrypt(bdk, serial) + des.encrypt(_xor(bdk, _HALF * 2), serial)


def session_keys(bdk: bytes, ksn: bytes) -> SessionKeys:
    """The keys of the transaction with this KSN, from the BDK. Raises WireError."""
    return session_keys_of_terminal(initial_key(bdk, ksn), ksn)


def session_keys_of_terminal(initial: bytes, ksn: bytes) -> SessionKeys:
    """The same, from the initial key. Raises WireError."""
    _check(initial, ksn)
    count, register, key = counter(ksn), int.from_bytes(_without_counter(ksn)[2:], "big"), initial
    for bit in (1 << place for place in range(20, -1, -1)):
        if count & bit:
            register |= bit
            key = _not_reversible(key, register.to_bytes(8, "big"))
    variants = {name: _xor(key, bytes.fromhex(mask) * 2) for name, mask in _VARIANTS.items()}
    variants["data"] = des.encrypt(variants["data"], variants["data"])
    return SessionKeys(**variants)


def counter(ksn: bytes) -> int:
    """The transaction counter of a KSN."""
    return int.from_bytes(ksn, "big") & _COUNTER


def next_ksn(ksn: bytes) -> bytes:
    """The KSN of the next transaction. Raises WireError where the key is used up."""
    count = counter(ksn) + 1
    while count.bit_count() > _MOST_ONES:
        count += count & -count
    if count > _COUNTER:
        raise WireError("the DUKPT key is used up: inject a new one")
    return (int.from_bytes(_without_counter(ksn), "big") | count).to_bytes(KSN_BYTES, "big")


def _not_reversible(key: bytes, register: bytes) -> bytes:
    right = _one_way(key, register)
    return _one_way(_xor(key, _HALF * 2), register) + right


def _one_way(key: bytes, register: bytes) -> bytes:
    left, right = key[:8], key[8:]
    return _xor(des.encrypt(left, _xor(register, right)), right)


def _without_counter(ksn: bytes) -> bytes:
    return (int.from_bytes(ksn, "big") & ~_COUNTER).to_bytes(KSN_BYTES, "big")


def _check(key: bytes, ksn: bytes) -> None:
    if len(key) != 16:
        raise WireError(f"a DUKPT key of {len(key)} bytes, expecting 16")
    if len(ksn) != KSN_BYTES:
        raise WireError(f"a KSN of {len(ksn)} bytes, expecting {KSN_BYTES}")


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
