"""What an issuer does for a card, with keys of any length: the other side of the functions under test."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Mapping
from dataclasses import dataclass

from rig.cards.emv.private_keys import PrivateKey
from rig.wire.oda import card_certificate, issuer_certificate, static_message

TODAY = datetime.date(2026, 11, 22)
EXPIRY = "1226"  # a month after TODAY's
STATIC = bytes(range(90))


@dataclass(frozen=True)
class Keys:
    """An authority and three lengths of key that it or they may sign."""

    authority: PrivateKey
    issuer: PrivateKey
    small: PrivateKey
    other: PrivateKey

    @classmethod
    def generate(cls) -> Keys:
        """The authority has 1408 bits, the issuer 1280, the small key 1024; the other is the authority's rival."""
        return cls(*(PrivateKey.generate(*each) for each in ((1408, 3), (1280, 65537), (1024, 3), (1408, 3))))


@functools.cache
def issuer_tags(authority: PrivateKey, issuer: PrivateKey, pan: str, expiry: str = EXPIRY) -> Mapping[int, bytes]:
    """8F, 90, 92 (where there is one) and 9F32."""
    message, rest = issuer_certificate(issuer.public, pan[:6], expiry, b"\x00\x00\x07", authority.public.length)
    return {
        0x8F: b"\xbe",
        0x90: authority.sign(message),
        0x9F32: issuer.public.exponent_bytes,
        **({0x92: rest} if rest else {}),
    }


@functools.cache
def card_tags(
    issuer: PrivateKey, card: PrivateKey, pan: str, static_data: bytes = STATIC, expiry: str = EXPIRY
) -> Mapping[int, bytes]:
    """9F46, 9F47 and 9F48 (where there is one)."""
    message, rest = card_certificate(card.public, pan, expiry, b"\x00\x00\x08", static_data, issuer.public.length)
    return {
        0x9F46: issuer.sign(message),
        0x9F47: card.public.exponent_bytes,
        **({0x9F48: rest} if rest else {}),
    }


@functools.cache
def static_signature(issuer: PrivateKey, static_data: bytes = STATIC) -> bytes:
    """93."""
    return issuer.sign(static_message(b"\xda\xc0", static_data, issuer.public.length))


def flipped(data: bytes, bit: int) -> bytes:
    """The same bytes with one bit another."""
    changed = bytearray(data)
    changed[bit // 8 % len(data)] ^= 1 << (bit % 8)
    return bytes(changed)
