"""DES and triple DES on whole blocks, by the length of the key: 8, 16 or 24 bytes (NIST SP 800-67, ISO/IEC 18033-3)."""

from __future__ import annotations

from collections.abc import Callable

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from rig.wire.errors import WireError

BLOCK = 8


def _algorithm(key: bytes) -> TripleDES:
    if len(key) not in (8, 16, 24):
        raise WireError(f"a key of {len(key)} bytes: DES wants 8, triple DES 16 or 24")
    return TripleDES((key * 3)[:24])  # a key of 16 is K1 K2 K1


def encrypt(key: bytes, data: bytes) -> bytes:
    """Each block for itself (ECB). Raises WireError for a key or data of another length."""
    return _whole(Cipher(_algorithm(key), modes.ECB()).encryptor().update, data)


def decrypt(key: bytes, data: bytes) -> bytes:
    """Each block for itself (ECB). Raises WireError for a key or data of another length."""
    return _whole(Cipher(_algorithm(key), modes.ECB()).decryptor().update, data)


def encrypt_cbc(key: bytes, data: bytes, before: bytes = bytes(BLOCK)) -> bytes:
    """Block after block (CBC), behind a first block ``before``. Raises WireError."""
    return _whole(Cipher(_algorithm(key), modes.CBC(before)).encryptor().update, data)


def decrypt_cbc(key: bytes, data: bytes, before: bytes = bytes(BLOCK)) -> bytes:
    """The inverse of :func:`encrypt_cbc`. Raises WireError."""
    return _whole(Cipher(_algorithm(key), modes.CBC(before)).decryptor().update, data)


def check_value(key: bytes) -> bytes:
    """The first three bytes of eight zeros encrypted (ANSI X9.24-1, key check value). Raises WireError."""
    return encrypt(key, bytes(BLOCK))[:3]


def with_odd_parity(key: bytes) -> bytes:
    """The key with the last bit of each byte set so that its bits are odd in number."""
    return bytes(each if each.bit_count() % 2 else each ^ 1 for each in key)


def _whole(update: Callable[[bytes], bytes], data: bytes) -> bytes:
    if len(data) % BLOCK:
        raise WireError(f"{len(data)} bytes are no whole blocks of {BLOCK}")
    return update(data)
