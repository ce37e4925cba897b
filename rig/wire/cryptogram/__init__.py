"""The application cryptogram (tag 9F26) of a test card and all that belongs to it, for the card and for its issuer.

``pyemv`` computes every version that it knows (public: EMV Book 2 8.1 and annexes A1.3 and A1.4, the classes' texts).
Two are not in it:

``visa-17``
    Visa's contactless version (VCPS): card key by option A, no session key, the MAC of version 10 over 9F02, 9F37,
    9F36 and byte 5 of 9F10 alone. Its issuer answers as in version 10.
``unionpay-01``
    Card key by option A or, for a PAN of more than 16 digits, B; EMV common session key; MAC over the ten values and
    the whole of 9F10, as pyemv's ``VisaCVN18``. That a UnionPay-like card does it in exactly this way is **our
    synthetic choice**: UnionPay's own issuer specification is not public. The bench plays card and issuer, so the
    terminal, which only carries the bytes, meets nothing different.

Modules: `covered` (what is signed), `versions` (whose rules), `application_data` (tag 9F10), `authentication` (the
issuer's answer, tag 91), `script` (the issuer's commands, templates 71 and 72).
"""

from __future__ import annotations

from pyemv import ac, cvn

from rig.wire.cryptogram.application_data import Decision, IssuerData, issuer_data, read_issuer_data
from rig.wire.cryptogram.authentication import check_issuer_authentication, issuer_authentication_data
from rig.wire.cryptogram.covered import TAGS, CryptogramData
from rig.wire.cryptogram.script import check_script, script_command, script_template
from rig.wire.cryptogram.versions import (
    CryptogramVersion,
    Scheme,
    covered_tags,
    engine,
    scheme_of,
    version_of,
)

__all__ = [
    "TAGS",
    "CryptogramData",
    "CryptogramVersion",
    "Decision",
    "IssuerData",
    "Scheme",
    "application_cryptogram",
    "check_issuer_authentication",
    "check_script",
    "covered_tags",
    "issuer_authentication_data",
    "issuer_data",
    "read_issuer_data",
    "scheme_of",
    "script_command",
    "script_template",
    "version_of",
]


def application_cryptogram(
    version: CryptogramVersion, issuer_master_key: bytes, pan: str, psn: str, data: CryptogramData
) -> bytes:
    """The eight bytes of 9F26 for one transaction: ARQC, TC and AAC alike.

    Args:
        version: whose rules.
        issuer_master_key: the issuer's 16-byte master key for application cryptograms.
        pan: the card number, digits.
        psn: the PAN sequence number (5F34), two digits.
        data: what the cryptogram covers.

    Raises:
        WireError: 9F10 is none of this version.
    """
    issuer = read_issuer_data(version, data.tag_9f10)
    card = engine(version, pan, psn, mk_ac=issuer_master_key)
    if version == "visa-17":
        covered = data.tag_9f02 + data.tag_9f37 + data.tag_9f36 + data.tag_9f10[4:5]
        return ac.generate_ac(card.icc_mk_ac, covered, ac.PaddingType.VISA, 8)
    values = {f"tag_{tag:x}": getattr(data, f"tag_{tag:x}") for tag in TAGS[:-1]}
    if isinstance(card, cvn.VisaCVN18 | cvn.VisaCVN22):
        return card.generate_ac(**values, tag_9f10=data.tag_9f10)
    if isinstance(card, cvn.MasterCardCVN17 | cvn.MasterCardCVN21):
        return card.generate_ac(**values, cvr=issuer.results, counters=issuer.counters)
    return card.generate_ac(**values, cvr=issuer.results)
