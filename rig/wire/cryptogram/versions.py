"""The cryptogram versions: which rules each of them follows, and how it is known from the data that a card gives."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Literal, get_args

from cryptography.utils import CryptographyDeprecationWarning
from pyemv import cvn

from rig.wire.cryptogram.covered import TAGS
from rig.wire.errors import WireError

# Triple DES is what the cards of the world still use; that it is old is known.
warnings.filterwarnings("ignore", category=CryptographyDeprecationWarning, module=r"pyemv\.")

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
"""How a card computes its cryptogram: whose rules, and the version number that 9F10 names. Visa writes its numbers 10
to 18 decimal (0A, 11, 12 in the byte) and 22 as it stands in the byte; Mastercard writes all of them decimal."""

Engine = (
    cvn.VisaCVN10
    | cvn.VisaCVN18
    | cvn.VisaCVN22
    | cvn.MasterCardCVN16
    | cvn.MasterCardCVN17
    | cvn.MasterCardCVN20
    | cvn.MasterCardCVN21
)
Layout = Literal["visa", "visa-2", "mastercard", "unionpay"]
"""How 9F10 is laid out, see :mod:`rig.wire.cryptogram.application_data`."""

_RIDS: dict[str, Scheme] = {"A000000003": "visa", "A000000004": "mastercard", "A000000333": "unionpay"}
_FEW = (0x9F02, 0x9F37, 0x9F36, 0x9F10)
_UNUSED_KEY = bytes(16)


@dataclass(frozen=True)
class Rules:
    """One version.

    Attributes:
        number: its byte in 9F10.
        layout: of 9F10.
        engine: the class of pyemv that computes it.
        covers: the tags that must be known, in the order of the MAC.
    """

    number: int
    layout: Layout
    engine: type[Engine]
    covers: tuple[int, ...] = TAGS


RULES: dict[CryptogramVersion, Rules] = {
    "visa-10": Rules(0x0A, "visa", cvn.VisaCVN10),
    "visa-17": Rules(0x11, "visa", cvn.VisaCVN10, _FEW),  # keys and answer as in version 10, fewer values
    "visa-18": Rules(0x12, "visa", cvn.VisaCVN18),
    "visa-22": Rules(0x22, "visa-2", cvn.VisaCVN22),
    "mastercard-16": Rules(0x10, "mastercard", cvn.MasterCardCVN16),
    "mastercard-17": Rules(0x11, "mastercard", cvn.MasterCardCVN17),
    "mastercard-20": Rules(0x14, "mastercard", cvn.MasterCardCVN20),
    "mastercard-21": Rules(0x15, "mastercard", cvn.MasterCardCVN21),
    "unionpay-01": Rules(0x01, "unionpay", cvn.VisaCVN18),
}


def covered_tags(version: CryptogramVersion) -> tuple[int, ...]:
    """The tags that the cryptogram of this version covers, in the order of the MAC; 9F10 stands for its part."""
    return RULES[version].covers


def engine(
    version: CryptogramVersion, pan: str, psn: str, *, mk_ac: bytes = _UNUSED_KEY, mk_smi: bytes = _UNUSED_KEY
) -> Engine:
    """pyemv's calculator of this version for one card, with the master keys that the caller needs it for."""
    made: Engine = RULES[version].engine(iss_mk_ac=mk_ac, iss_mk_smi=mk_smi, iss_mk_smc=_UNUSED_KEY, pan=pan, psn=psn)
    return made


def scheme_of(aid: bytes) -> Scheme:
    """Whose application an AID names, by its registered provider (RID). Raises WireError for another's."""
    try:
        return _RIDS[aid[:5].hex().upper()]
    except KeyError:
        raise WireError(f"no scheme of this bench has the RID {aid[:5].hex().upper() or 'of an empty AID'}") from None


def version_of(scheme: Scheme, tag_9f10: bytes) -> CryptogramVersion:
    """The version that a card's 9F10 names. Raises WireError for one that is unknown."""
    # What is known by its first byte goes first: its key index may be the number of another version.
    for version in sorted(get_args(CryptogramVersion), key=lambda each: RULES[each].layout != "visa-2"):
        rules = RULES[version]
        at = 1 if rules.layout in ("mastercard", "visa-2") else 2
        length = {"visa-2": 0x1F}.get(rules.layout)
        named = version.startswith(scheme) and tag_9f10[at : at + 1] == bytes([rules.number])
        if named and (length is None or tag_9f10[0] == length):
            found: CryptogramVersion = version
            return found
    raise WireError(f"tag 9F10 names no cryptogram version of {scheme} that is known here")
