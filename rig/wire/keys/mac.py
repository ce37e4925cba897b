"""Message authentication codes of POS dialects: eight bytes under a shared key.

``x9.9``: ANSI X9.9, DES in CBC mode (ISO/IEC 9797-1 algorithm 1). ``x9.19``: ANSI X9.19, the retail MAC (algorithm 3).
``unionpay-ecb``: the blocks XORed into one, that in hexadecimal, its first eight digits encrypted, XORed with the last
eight, encrypted, in hexadecimal; the first eight digits of that (Q/CUP 009.1). ``aes-cmac``: NIST SP 800-38B, the
first eight bytes. Data are filled with zeros to whole blocks, but for CMAC.
"""

from __future__ import annotations

import hmac
from typing import Literal, get_args

from cryptography.hazmat.primitives import cmac
from cryptography.hazmat.primitives.ciphers.algorithms import AES

from rig.wire.errors import WireError
from rig.wire.keys import des

MacAlgorithm = Literal["x9.9", "x9.19", "unionpay-ecb", "aes-cmac"]
MAC_ALGORITHMS: tuple[MacAlgorithm, ...] = get_args(MacAlgorithm)
LENGTH = 8

_KEY_LENGTHS: dict[MacAlgorithm, tuple[int, ...]] = {
    "x9.9": (8,), "x9.19": (16,), "unionpay-ecb": (8, 16), "aes-cmac": (16, 24, 32),
}  # fmt: skip


def key_lengths(algorithm: MacAlgorithm) -> tuple[int, ...]:
    """How many bytes a key of this algorithm may have, the usual number last."""
    return _KEY_LENGTHS[algorithm]


def mac(algorithm: MacAlgorithm, key: bytes, data: bytes) -> bytes:
    """The code over data, eight bytes. Raises WireError where the key's length is not the algorithm's."""
    if len(key) not in _KEY_LENGTHS[algorithm]:
        wanted = " or ".join(str(length) for length in _KEY_LENGTHS[algorithm])
        raise WireError(f"a MAC key of {len(key)} bytes: {algorithm} wants {wanted}")
    if algorithm == "aes-cmac":
        code = cmac.CMAC(AES(key))
        code.update(data)
        return code.finalize()[:LENGTH]
    padded = data + bytes(-len(data) % des.BLOCK)
    if algorithm == "unionpay-ecb":
        return _unionpay(key, padded)
    last = des.encrypt_cbc(key[:8], padded or bytes(des.BLOCK))[-des.BLOCK :]
    return last if algorithm == "x9.9" else des.encrypt(key[:8], des.decrypt(key[8:], last))


def verify(algorithm: MacAlgorithm, key: bytes, data: bytes, code: bytes) -> bool:
    """Whether a code is the one over data; compared in constant time. Raises WireError as :func:`mac` does."""
    return hmac.compare_digest(mac(algorithm, key, data), code)


def _unionpay(key: bytes, padded: bytes) -> bytes:
    block = 0
    for begin in range(0, len(padded), des.BLOCK):
        block ^= int.from_bytes(padded[begin : begin + des.BLOCK], "big")
    digits = f"{block:016X}".encode()
    first = des.encrypt(key, digits[:8])
    second = des.encrypt(key, bytes(a ^ b for a, b in zip(first, digits[8:], strict=True)))
    return second.hex().upper()[:8].encode()
