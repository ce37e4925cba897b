"""Keys in parts: components that several people hold, each with its check value, come together by XOR."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Literal

from cryptography.hazmat.primitives import cmac
from cryptography.hazmat.primitives.ciphers.algorithms import AES

from rig.wire.errors import WireError
from rig.wire.keys import des

Kind = Literal["tdes", "aes"]
"""What a key is for: its check value is made accordingly."""


def check_value(key: bytes, kind: Kind = "tdes") -> bytes:
    """Three bytes by which a key is known: zeros encrypted (ANSI X9.24-1), for AES the CMAC of zeros (X9.24-1:2017).

    Raises WireError for a key of another length.
    """
    if kind == "tdes":
        return des.check_value(key)
    if len(key) not in (16, 24, 32):
        raise WireError(f"an AES key of {len(key)} bytes, expecting 16, 24 or 32")
    code = cmac.CMAC(AES(key))
    code.update(bytes(16))
    return code.finalize()[:3]


def combine(parts: Sequence[tuple[bytes, bytes]], expected: bytes, kind: Kind = "tdes") -> bytes:
    """A key out of components, each with its check value, and the check value of the whole.

    Raises:
        WireError: there are fewer than two, they differ in length, or a check value is wrong: it is named.
    """
    if len(parts) < 2:
        raise WireError("a key comes from two components or more")
    length = len(parts[0][0])
    for number, (part, value) in enumerate(parts, 1):
        if len(part) != length:
            raise WireError(f"component {number} has {len(part)} bytes, and the first {length}")
        if check_value(part, kind) != value:
            raise WireError(f"the check value of component {number} is wrong: was it typed right?")
    key = functools.reduce(
        lambda one, other: bytes(a ^ b for a, b in zip(one, other, strict=True)), (p for p, _ in parts)
    )
    if check_value(key, kind) != expected:
        raise WireError("the check value of the key is wrong: a component of another key?")
    return key
