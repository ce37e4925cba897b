"""The issuer's answer to a cryptogram: issuer authentication data, tag 91 (EMV Book 2 8.2).

Method 1 (8.2.1), Visa 10 and 17 and Mastercard: 8 bytes of ARPC and the authorisation response code, which is DE39 in
two ASCII characters. Method 2 (8.2.2), Visa 18 and 22 and our UnionPay: 4 bytes of ARPC and the card status update,
whose bit "issuer approves online transaction" (Book 3 annex C10, byte 2 bit 8) is all that we set.
"""

from __future__ import annotations

import hmac

from pyemv import cvn

from rig.wire.cryptogram.covered import CryptogramData
from rig.wire.cryptogram.versions import CryptogramVersion, engine
from rig.wire.errors import WireError

_APPROVES, _REFUSES = bytes.fromhex("00800000"), bytes(4)
_APPROVED, _REFUSED = "00", "05"
_SHORT_ARPC = 4


def issuer_authentication_data(
    version: CryptogramVersion, master_key: bytes, pan: str, psn: str, data: CryptogramData, arqc: bytes, rc: str
) -> bytes:
    """The value of tag 91: 8 bytes by method 2, 10 by method 1.

    Args:
        version: whose rules.
        master_key: the issuer's 16-byte master key for application cryptograms.
        pan: the card number, digits.
        psn: the PAN sequence number, two digits.
        data: what the request's cryptogram covered; the counter 9F36 makes the session key.
        arqc: that cryptogram, 9F26.
        rc: the response code, two characters of DE39.

    Raises:
        WireError: the cryptogram is not 8 bytes, or the code not two characters.
    """
    if len(arqc) != 8:
        raise WireError(f"tag 9F26 has {len(arqc)} bytes, 8 are needed")
    if len(rc) != 2 or not rc.isascii():
        raise WireError("a response code is two characters")
    card = engine(version, pan, psn, mk_ac=master_key)
    if isinstance(card, cvn.VisaCVN18 | cvn.VisaCVN22):
        status = _APPROVES if rc == _APPROVED else _REFUSES
        return card.generate_arpc(arqc, data.tag_9f36, status) + status
    code = rc.encode("ascii")
    if isinstance(card, cvn.MasterCardCVN20 | cvn.MasterCardCVN21):
        return card.generate_arpc(arqc, data.tag_9f36, code) + code
    return card.generate_arpc(arqc, code) + code


def check_issuer_authentication(
    version: CryptogramVersion, master_key: bytes, pan: str, psn: str, data: CryptogramData, arqc: bytes, tag_91: bytes
) -> str | None:
    """What the issuer decided, as the card finds it in tag 91: the response code, or None where it is not the issuer's.

    By method 2 the code itself is not told: then it is 00 where the issuer approves, and 05 where it does not.
    """
    card = engine(version, pan, psn, mk_ac=master_key)
    if isinstance(card, cvn.VisaCVN18 | cvn.VisaCVN22):
        rc = _APPROVED if tag_91[_SHORT_ARPC:] == _APPROVES else _REFUSED
    else:
        rc = tag_91[8:].decode("ascii", "replace")
    try:
        expected = issuer_authentication_data(version, master_key, pan, psn, data, arqc, rc)
    except WireError:
        return None
    return rc if hmac.compare_digest(expected, tag_91) else None
