"""Certificates of the issuer's and the card's public keys: made by the bench's cards, opened by a terminal.

Source: EMV Book 2, 5.3 with tables 5 and 6 (issuer), 6.4 with tables 13 and 14 (card); annex B for the dates.
"""

from __future__ import annotations

import calendar
import datetime
from collections.abc import Mapping
from dataclasses import dataclass

from rig.wire.oda.keys import OVERHEAD, AuthenticationFailed, PublicKey, check_hash, split_hash

_SHA1_RSA = b"\x01\x01"  # hash algorithm indicator, public key algorithm indicator


@dataclass(frozen=True)
class _Kind:
    """One kind of certificate: its format byte, how many digits name its owner, and the tags it lies in."""

    name: str
    format: int
    digits: int
    certificate: int
    remainder: int
    exponent: int

    @property
    def head(self) -> int:
        """Bytes before the key: format, owner, expiry 2, serial number 3, algorithms 2, key lengths 2."""
        return 1 + self.digits // 2 + 9


_ISSUER = _Kind("the issuer's certificate (90)", 0x02, 8, 0x90, 0x92, 0x9F32)
_CARD = _Kind("the card's certificate (9F46)", 0x04, 20, 0x9F46, 0x9F48, 0x9F47)


def issuer_certificate(
    key: PublicKey, prefix: str, expiry: str, serial: bytes, signer_length: int
) -> tuple[bytes, bytes]:
    """The message of an issuer's certificate for `rig.wire.oda.recoverable`, and the remainder for tag 92.

    Args:
        key: the issuer's public key.
        prefix: the first three to eight digits of its card numbers.
        expiry: MMYY, the last month in which it holds.
        serial: three bytes.
        signer_length: bytes of the authority's modulus.
    """
    return _certify(_ISSUER, key, prefix, expiry, serial, signer_length, b"")


def card_certificate(
    key: PublicKey, pan: str, expiry: str, serial: bytes, static_data: bytes, signer_length: int
) -> tuple[bytes, bytes]:
    """The message of a card's certificate, which covers its `static_data` too, and the remainder for tag 9F48.

    Args are those of `issuer_certificate`, with the whole card number, and the issuer as the signer.
    """
    return _certify(_CARD, key, pan, expiry, serial, signer_length, static_data)


def recover_issuer(authority: PublicKey, tags: Mapping[int, bytes], pan: str, today: datetime.date) -> PublicKey:
    """The issuer's public key out of tags 90, 92 (where there is a remainder) and 9F32.

    Args:
        authority: the key that `find_authority` found.
        tags: the card's data objects.
        pan: the card number, digits.
        today: the day of the transaction.

    Raises:
        AuthenticationFailed: a tag is missing, the authority did not sign this, it is expired, or it is for other
            card numbers.
    """
    key, prefix = _recover(_ISSUER, authority, tags, b"", today)
    if len(prefix) < 3 or not pan.startswith(prefix):
        raise AuthenticationFailed(f"{_ISSUER.name} is for other card numbers")
    return key


def recover_card(
    issuer: PublicKey, tags: Mapping[int, bytes], static_data: bytes, pan: str, today: datetime.date
) -> PublicKey:
    """The card's public key out of tags 9F46, 9F48 (where there is a remainder) and 9F47.

    Raises:
        AuthenticationFailed: a tag is missing, the issuer did not sign this, or not over this static data, it is
            expired, or it is another card's.
    """
    key, number = _recover(_CARD, issuer, tags, static_data, today)
    if number != pan:
        raise AuthenticationFailed(f"{_CARD.name} is another card's")
    return key


def _certify(
    kind: _Kind, key: PublicKey, owner: str, expiry: str, serial: bytes, signer_length: int, static_data: bytes
) -> tuple[bytes, bytes]:
    exponent = key.exponent_bytes
    head = bytes([kind.format]) + bytes.fromhex(owner.ljust(kind.digits, "F") + expiry) + serial + _SHA1_RSA
    head += bytes([key.length, len(exponent)])
    room = signer_length - OVERHEAD - kind.head
    modulus = key.modulus_bytes
    remainder = modulus[room:]
    return head + modulus[:room].ljust(room, b"\xbb") + remainder + exponent + static_data, remainder


def _recover(
    kind: _Kind, signer: PublicKey, tags: Mapping[int, bytes], static_data: bytes, today: datetime.date
) -> tuple[PublicKey, str]:
    """The key in a certificate and the digits of its owner."""
    for tag in (kind.certificate, kind.exponent):
        if tag not in tags:
            raise AuthenticationFailed(f"tag {tag:X} is missing")
    part, digest = split_hash(signer.open(tags[kind.certificate], kind.name))
    head, body = part[: kind.head], part[kind.head :]
    if len(head) < kind.head or head[0] != kind.format:
        raise AuthenticationFailed(f"{kind.name} has another format")
    remainder, exponent = tags.get(kind.remainder, b""), tags[kind.exponent]
    check_hash(part + remainder + exponent + static_data, digest, kind.name)
    if head[-4:-2] != _SHA1_RSA:
        raise AuthenticationFailed(f"{kind.name} uses an unknown algorithm")
    _check_date(head[-9:-7], today, kind.name)
    length, room = head[-2], len(body)
    if len(remainder) != max(0, length - room):
        raise AuthenticationFailed(f"tag {kind.remainder:X} has {len(remainder)} bytes, the key lacks {length - room}")
    key = PublicKey.from_bytes((body + remainder)[:length], exponent)
    return key, head[1 : 1 + kind.digits // 2].hex().upper().rstrip("F")


def _check_date(month_year: bytes, today: datetime.date, what: str) -> None:
    """MMYY in BCD; it holds to the end of that month. Years 50 to 99 are of the last century (Book 4, 6.7.3)."""
    digits = month_year.hex()
    if not digits.isdecimal() or not 1 <= int(digits[:2]) <= 12:
        raise AuthenticationFailed(f"{what} has no date of expiry")
    month, year = int(digits[:2]), int(digits[2:])
    year += 1900 if year >= 50 else 2000
    if today > datetime.date(year, month, calendar.monthrange(year, month)[1]):
        raise AuthenticationFailed(f"{what} is expired")
