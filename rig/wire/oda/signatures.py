"""Signatures over a card's data: static (SDA), dynamic (DDA), fast (fDDA) and with the cryptogram (CDA).

Each has a function that builds the message which a card's or issuer's key signs, for `rig.wire.oda.recoverable`, and
one that checks the signature. Source: EMV Book 2, 5.4 with tables 3 and 7, 6.5 with tables 15 and 17, 6.6 with tables
18, 19 and 22; EMV Contactless Book C-3 annex C (fDDA). Public readers of fDDA know format 05 alone, and public
measurements tell of Visa cards that sign version 01 in format 95: a card here does either, a terminal takes either.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from rig.wire import tlv
from rig.wire.errors import WireError
from rig.wire.oda.keys import HASH, OVERHEAD, AuthenticationFailed, PublicKey, check_hash, split_hash

_SHA1 = 0x01
_STATIC, _DYNAMIC, _FAST = 0x03, 0x05, 0x95  # signed data formats
_STATIC_NAME = "the signed static data (93)"
_DYNAMIC_NAME = "the signed dynamic data (9F4B)"
_AFTER_NUMBER = 1 + 8 + HASH  # of CDA: 9F27, 9F26, transaction data hash code


@dataclass(frozen=True)
class Combined:
    """What a card signed together with its cryptogram: 9F4C (2 to 8 bytes), 9F27 (1 byte) and 9F26 (8 bytes)."""

    number: bytes
    information: bytes
    cryptogram: bytes


def static_message(code: bytes, static_data: bytes, length: int) -> bytes:
    """The message of tag 93 for an issuer's key of `length` bytes; `code` is the data authentication code, 9F45."""
    head = bytes([_STATIC, _SHA1]) + code
    return head.ljust(length - OVERHEAD, b"\xbb") + static_data


def dynamic_message(number: bytes, ddol_data: bytes, length: int) -> bytes:
    """The message of tag 9F4B of DDA for a card's key of `length` bytes.

    Args:
        number: the ICC dynamic number, 9F4C, 2 to 8 bytes.
        ddol_data: the values that the terminal sent for the DDOL.
        length: bytes of the card's modulus.
    """
    return _dynamic(_DYNAMIC, _with_length(number), ddol_data, length)


def fast_message(tags: Mapping[int, bytes], length: int, signed_format: int = _DYNAMIC) -> bytes:
    """The message of tag 9F4B of fDDA for a card's key of `length` bytes; its dynamic number is the ATC, 9F36.

    `signed_format` is 05, or 95 as some cards have it. Raises AuthenticationFailed naming the tag that is missing.
    """
    covered = fast_data(tags)
    if 0x9F36 not in tags:
        raise AuthenticationFailed("tag 9F36 is missing")
    return _dynamic(signed_format, _with_length(tags[0x9F36]), covered, length)


def combined_message(combined: Combined, data: bytes, unpredictable_number: bytes, length: int) -> bytes:
    """The message of CDA: `data` is what `transaction_data` gives, `unpredictable_number` is 9F37."""
    dynamic = _with_length(combined.number) + combined.information + combined.cryptogram + _sha1(data)
    return _dynamic(_DYNAMIC, dynamic, unpredictable_number, length)


def fast_data(tags: Mapping[int, bytes]) -> bytes:
    """What fDDA covers: of version 01, named by the first byte of 9F69, 9F37 ‖ 9F02 ‖ 5F2A ‖ 9F69; of version 00,
    whose cards have no 9F69, 9F37 alone.

    Raises AuthenticationFailed for another version, or naming the tag that is missing.
    """
    version = tags.get(0x9F69, b"\x00")[:1]
    covered = {b"\x00": (0x9F37,), b"\x01": (0x9F37, 0x9F02, 0x5F2A, 0x9F69)}.get(version)
    if covered is None:
        raise AuthenticationFailed(f"fDDA version {version.hex() or 'none'} is unknown")
    for tag in covered:
        if tag not in tags:
            raise AuthenticationFailed(f"tag {tag:X} is missing")
    return b"".join(tags[tag] for tag in covered)


def transaction_data(*lists: bytes, response: bytes) -> bytes:
    """What the transaction data hash code of CDA covers (Book 2, 6.6.1 step 2).

    Args:
        lists: the values sent for the PDOL, the CDOL1 and, with the second GENERATE AC, the CDOL2.
        response: the value of template 77, as it came; 9F4B in it is left out.

    Raises AuthenticationFailed when the response is no list of data objects.
    """
    kept, at = bytearray(b"".join(lists)), 0
    for each in _objects(response):
        while response[at] == 0:
            at += 1
        start = at
        at += len(tlv.encode_tag(each.tag))
        at += 1 + (response[at] & 0x7F if response[at] & 0x80 else 0) + len(each.value)
        if each.tag != 0x9F4B:
            kept += response[start:at]
    return bytes(kept)


def check_static(issuer: PublicKey, signature: bytes, static_data: bytes) -> bytes:
    """Check tag 93 (SDA); the answer is the data authentication code, 9F45, two bytes.

    Raises AuthenticationFailed when the issuer did not sign this data.
    """
    part, digest = split_hash(issuer.open(signature, _STATIC_NAME))
    if len(part) < 4 or part[0] != _STATIC or part[1] != _SHA1:
        raise AuthenticationFailed(f"{_STATIC_NAME} has another format")
    check_hash(part + static_data, digest, _STATIC_NAME)
    return part[2:4]


def check_dynamic(card: PublicKey, signature: bytes, ddol_data: bytes) -> bytes:
    """Check tag 9F4B of INTERNAL AUTHENTICATE (DDA); the answer is the ICC dynamic number, 9F4C, 2 to 8 bytes.

    Raises AuthenticationFailed when the card's key did not sign this.
    """
    number, _ = _open_dynamic(card, signature, ddol_data)
    return number


def check_fast(card: PublicKey, signature: bytes, tags: Mapping[int, bytes]) -> bytes:
    """Check tag 9F4B of a contactless Visa card (fDDA); the answer is the ICC dynamic number.

    Args:
        card: the card's key.
        signature: the value of 9F4B.
        tags: the card's and the terminal's data objects, see `fast_data`. Where 9F36 is among them, a dynamic
            number of two bytes, which is the ATC, must be the same.

    Raises:
        AuthenticationFailed: the card's key did not sign this transaction.
    """
    number, _ = _open_dynamic(card, signature, fast_data(tags), (_DYNAMIC, _FAST))
    if len(number) == 2 and tags.get(0x9F36, number) != number:
        raise AuthenticationFailed(f"{_DYNAMIC_NAME} is of another transaction: its counter differs from 9F36")
    return number


def check_combined(
    card: PublicKey, signature: bytes, unpredictable_number: bytes, information: bytes, data: bytes
) -> Combined:
    """Check tag 9F4B of GENERATE AC (CDA); the answer holds the cryptogram, which counts instead of any in clear.

    Args:
        card: the card's key.
        signature: the value of 9F4B.
        unpredictable_number: 9F37 as the card got it.
        information: 9F27 of the response.
        data: what `transaction_data` gives.

    Raises:
        AuthenticationFailed: the card's key did not sign this transaction.
    """
    number, rest = _open_dynamic(card, signature, unpredictable_number)
    if len(rest) < _AFTER_NUMBER:
        raise AuthenticationFailed(f"{_DYNAMIC_NAME} holds no cryptogram")
    combined = Combined(number, rest[:1], rest[1:9])
    if combined.information != information:
        raise AuthenticationFailed(f"{_DYNAMIC_NAME} holds another 9F27 than the response")
    if rest[9:_AFTER_NUMBER] != _sha1(data):
        raise AuthenticationFailed(f"{_DYNAMIC_NAME} is about another transaction: its data hash differs")
    return combined


def _dynamic(signed_format: int, dynamic_data: bytes, terminal_data: bytes, length: int) -> bytes:
    head = bytes([signed_format, _SHA1, len(dynamic_data)]) + dynamic_data
    return head.ljust(length - OVERHEAD, b"\xbb") + terminal_data


def _with_length(value: bytes) -> bytes:
    return bytes([len(value)]) + value


def _open_dynamic(
    card: PublicKey, signature: bytes, terminal_data: bytes, formats: tuple[int, ...] = (_DYNAMIC,)
) -> tuple[bytes, bytes]:
    """The ICC dynamic number, and what follows it in the dynamic data."""
    part, digest = split_hash(card.open(signature, _DYNAMIC_NAME))
    if len(part) < 4 or part[0] not in formats or part[1] != _SHA1:
        raise AuthenticationFailed(f"{_DYNAMIC_NAME} has another format")
    check_hash(part + terminal_data, digest, _DYNAMIC_NAME)
    data = part[3 : 3 + part[2]]
    length = data[0] if data else 0
    if len(data) != part[2] or not 2 <= length <= min(8, len(data) - 1):
        raise AuthenticationFailed(f"{_DYNAMIC_NAME} holds no dynamic number")
    return data[1 : 1 + length], data[1 + length :]


def _objects(response: bytes) -> list[tlv.Tlv]:
    try:
        return tlv.parse(response)
    except WireError as error:
        raise AuthenticationFailed(f"the response is no list of data objects: {error}") from error


def _sha1(data: bytes) -> bytes:
    return hashlib.sha1(data, usedforsecurity=False).digest()
