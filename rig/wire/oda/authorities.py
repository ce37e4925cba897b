"""The public keys of the certification authorities that a terminal knows (EMV Book 2, 5.2 and 11.2).

As a file, ``card-authorities.json`` of a bench, hexadecimal in upper case, the expiry as YYMMDD::

    {"authorities": [{"scheme": "visa", "rid": "A000000003", "index": "BE", "modulus": "B0…", "exponent": "03",
                      "expiry": "491231", "hash_algorithm": "01", "checksum": "5C…"}]}

``checksum`` is SHA-1 over RID ‖ index ‖ modulus ‖ exponent (Book 2 table 30).
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rig.wire.errors import WireError
from rig.wire.oda.keys import AuthenticationFailed, PublicKey

RID_LENGTH = 5


@dataclass(frozen=True)
class AuthorityKey:
    """One key of one scheme: `rid` is five bytes, `index` 0 to 255, `expiry` the last day on which it counts."""

    scheme: str
    rid: bytes
    index: int
    key: PublicKey
    expiry: datetime.date

    @property
    def checksum(self) -> bytes:
        """SHA-1 over RID, index, modulus and exponent: 20 bytes."""
        covered = self.rid + bytes([self.index]) + self.key.modulus_bytes + self.key.exponent_bytes
        return hashlib.sha1(covered, usedforsecurity=False).digest()

    def as_json(self) -> dict[str, str]:
        """The entry of ``card-authorities.json``."""
        return {
            "scheme": self.scheme,
            "rid": self.rid.hex().upper(),
            "index": f"{self.index:02X}",
            "modulus": self.key.modulus_bytes.hex().upper(),
            "exponent": self.key.exponent_bytes.hex().upper(),
            "expiry": self.expiry.strftime("%y%m%d"),
            "hash_algorithm": "01",
            "checksum": self.checksum.hex().upper(),
        }


def parse_authorities(text: str) -> tuple[AuthorityKey, ...]:
    """The keys in the text of a ``card-authorities.json``.

    Raises:
        WireError: this is no such text, or a check sum is wrong.
    """
    try:
        return tuple(_parse(entry) for entry in json.loads(text)["authorities"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise WireError(f"this is no list of card authorities: {error}") from error


def find_authority(authorities: Iterable[AuthorityKey], aid: bytes, index: int, today: datetime.date) -> PublicKey:
    """The key with this index of the scheme that the AID belongs to.

    Raises:
        AuthenticationFailed: there is none, or it is expired.
    """
    for each in authorities:
        if each.rid == aid[:RID_LENGTH] and each.index == index:
            if today > each.expiry:
                raise AuthenticationFailed(f"authority key {index:02X} of {each.scheme} is expired")
            return each.key
    raise AuthenticationFailed(f"there is no authority key {index:02X} of {aid[:RID_LENGTH].hex().upper()}")


def _parse(entry: dict[str, Any]) -> AuthorityKey:
    rid, index = bytes.fromhex(entry["rid"]), bytes.fromhex(entry["index"])
    if len(rid) != RID_LENGTH or len(index) != 1:
        raise WireError("an RID has five bytes, an index one")
    key = PublicKey.from_bytes(bytes.fromhex(entry["modulus"]), bytes.fromhex(entry["exponent"]))
    expiry = datetime.datetime.strptime(entry["expiry"], "%y%m%d").date()
    found = AuthorityKey(str(entry["scheme"]), rid, index[0], key, expiry)
    if found.checksum != bytes.fromhex(entry["checksum"]):
        raise WireError(f"the check sum of key {entry['index']} of {entry['rid']} is wrong")
    return found
