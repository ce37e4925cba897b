"""TLS fronts: how the host shows itself. One is sound; the others must not be believed by any terminal.

Each says in one line what is wrong with it. :mod:`rig.acquirer.fronts.certified` makes those that a library can be,
:mod:`rig.acquirer.fronts.handwritten` those that none will be any more, :mod:`rig.acquirer.fronts.meeting` meets a
client with one and says what came of it.
"""

from __future__ import annotations

FRONTS: dict[str, str] = {
    "good": "the bench's own authority, TLS 1.2 or newer",
    "mutual": "the same, and the terminal must show a certificate of the bench's authority",
    "self-signed": "a certificate that it signed itself",
    "unknown-authority": "a certificate of an authority that nobody told the terminal of",
    "expired": "a certificate of the bench's authority that ended a month ago",
    "not-yet-valid": "a certificate of the bench's authority that begins in a month",
    "wrong-name": "a certificate of the bench's authority for another host",
    "no-ca": "a certificate signed by another host's, which is no authority",
    "weak-key": "a certificate of the bench's authority over an RSA key of 1024 bits",
    "weak-signature": "a certificate of the bench's authority, signed over SHA-1",
    "tls10": "TLS 1.0 and nothing newer",
    "tls11": "TLS 1.1 and nothing newer",
    "null": "chooses a suite without encryption",
    "rc4": "chooses RC4",
    "3des": "chooses triple DES",
    "anonymous": "chooses a suite without a certificate",
    "downgrade": "speaks TLS 1.2 and admits to knowing 1.3, as after an attack on the way",
    "reset": "resets the connection in the middle of its first message",
}
"""Name → what it is."""

SOUND = ("good", "mutual")
"""The fronts behind which requests are served."""

BY_HAND = ("rc4", "3des", "downgrade", "reset")
"""The fronts that no TLS library can be."""

HOSTILE = tuple(name for name in FRONTS if name not in SOUND)
