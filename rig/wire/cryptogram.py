"""The application cryptogram (ARQC, tag 9F26) of a test card, computed by the card and checked by the issuer.

Two schemes, both over `pyemv`:

``visa``
    Cryptogram version 10 (public: EMV Book 2 A1.4 and 8.1, pyemv ``VisaCVN10``). The card key is derived by option
    A, there is no session key, and the MAC covers ten terminal and card values and the four bytes of card
    verification results. Real contactless Visa cards use version 17 too, which covers fewer values; we do not.
``unionpay``
    Card key by option A or, for a PAN of more than 16 digits, B; EMV common session key; MAC over the ten values
    and the whole of 9F10 (public: EMV Book 2 A1.3 and A1.4, pyemv ``VisaCVN18``). That a UnionPay-like card does
    it in exactly this way is **our synthetic choice**: UnionPay's own issuer specification is not public. The bench
    plays card and issuer, so the terminal, which only carries the bytes, meets nothing different.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Literal

from cryptography.utils import CryptographyDeprecationWarning
from pyemv import cvn

from rig.wire.errors import WireError

Scheme = Literal["visa", "mastercard", "unionpay"]
CryptogramVersion = Literal[
    "visa-10",
    "visa-17",
    "visa-18",
    "visa-22",
    "mastercard-16",
    "mastercard-17",
    "mastercard-20",
    "mastercard-21",
    "unionpay-01",
]
"""How a card computes its cryptogram: whose rules, and the version number that 9F10 names."""

# Triple DES is what the cards of the world still use; that it is old is known.
warnings.filterwarnings("ignore", category=CryptographyDeprecationWarning, module=r"pyemv\.")

_UNUSED_KEY = bytes(16)  # pyemv derives secure messaging keys along; test cards take no issuer scripts


@dataclass(frozen=True)
class CryptogramData:
    """What the cryptogram covers, raw tag values; the issuer finds the same in DE55.

    Lengths in bytes: amounts 6, countries, currency, AIP and ATC 2, TVR 5, date 3, type 1, number 4, 9F10 7 to 32.
    """

    tag_9f02: bytes
    tag_9f03: bytes
    tag_9f1a: bytes
    tag_95: bytes
    tag_5f2a: bytes
    tag_9a: bytes
    tag_9c: bytes
    tag_9f37: bytes
    tag_82: bytes
    tag_9f36: bytes
    tag_9f10: bytes

    def __post_init__(self) -> None:
        for tag, length in _LENGTHS.items():
            value: bytes = getattr(self, f"tag_{tag:x}")
            if len(value) != length:
                raise WireError(f"tag {tag:X} has {len(value)} bytes, the cryptogram needs {length}")
        if not 7 <= len(self.tag_9f10) <= 32:
            raise WireError(f"tag 9F10 has {len(self.tag_9f10)} bytes, 7 to 32 are allowed")

    @classmethod
    def from_tags(cls, values: Mapping[int, bytes]) -> CryptogramData:
        """Take the eleven values out of decoded TLV data. Raises WireError naming each that is missing."""
        missing = [f"{tag:X}" for tag in TAGS if tag not in values]
        if missing:
            raise WireError(f"the cryptogram needs {', '.join(missing)}")
        return cls(**{f"tag_{tag:x}": values[tag] for tag in TAGS})


_LENGTHS = {
    0x9F02: 6, 0x9F03: 6, 0x9F1A: 2, 0x95: 5, 0x5F2A: 2, 0x9A: 3, 0x9C: 1, 0x9F37: 4, 0x82: 2, 0x9F36: 2,
}  # fmt: skip
TAGS = tuple(int(field.name.removeprefix("tag_"), 16) for field in fields(CryptogramData))
"""The tags of CryptogramData, in the order in which the MAC covers them."""


def application_cryptogram(scheme: Scheme, issuer_master_key: bytes, pan: str, psn: str, data: CryptogramData) -> bytes:
    """The eight bytes of 9F26 for one transaction.

    Args:
        scheme: whose rules, see the module's text.
        issuer_master_key: the issuer's 16-byte master key for application cryptograms.
        pan: the card number, digits.
        psn: the PAN sequence number (5F34), two digits.
        data: what the cryptogram covers.
    """
    keys = {"iss_mk_ac": issuer_master_key, "iss_mk_smi": _UNUSED_KEY, "iss_mk_smc": _UNUSED_KEY}
    values = {field.name: getattr(data, field.name) for field in fields(data)}
    if scheme == "visa":
        values["cvr"] = values.pop("tag_9f10")[3:7]  # 9F10: length, key index, version, then the results
        return cvn.VisaCVN10(**keys, pan=pan, psn=psn).generate_ac(**values)
    return cvn.VisaCVN18(**keys, pan=pan, psn=psn).generate_ac(**values)
