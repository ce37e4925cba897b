"""Offline data authentication: how a terminal knows a card without asking its issuer. Pure functions.

A chain of RSA signatures: a scheme's certification authority signs the issuer's public key (90), the issuer signs the
card's public key (9F46) or the card's static data (93), the card's key signs what changes with each transaction
(9F4B). Source: EMV Book 2 chapters 5 and 6 and annex A2.1; EMV Contactless Book C-3 annex C for fDDA.

The terminal's way::

    authority = find_authority(authorities, aid, tags[0x8F][0], today)
    issuer = recover_issuer(authority, tags, pan, today)
    check_static(issuer, tags[0x93], static_data)                          # SDA, or
    card = recover_card(issuer, tags, static_data, pan, today)
    check_dynamic(card, tags[0x9F4B], ddol_data)                           # DDA, or
    check_fast(card, tags[0x9F4B], tags)                                   # fDDA, or
    check_combined(card, tags[0x9F4B], tags[0x9F37], tags[0x9F27], data)   # CDA, data from transaction_data(…)

`tags` maps tags to values as `rig.wire.tlv.as_mapping` gives them. `static_data` is what 10.3 of Book 3 puts together:
the records that the AFL flags, then the values that 9F4A names. Whatever does not fit raises AuthenticationFailed.
"""

from __future__ import annotations

from rig.wire.oda.authorities import AuthorityKey, find_authority, parse_authorities
from rig.wire.oda.certificates import card_certificate, issuer_certificate, recover_card, recover_issuer
from rig.wire.oda.keys import AuthenticationFailed, PublicKey, recoverable
from rig.wire.oda.signatures import (
    Combined,
    check_combined,
    check_dynamic,
    check_fast,
    check_static,
    combined_message,
    dynamic_message,
    fast_data,
    fast_message,
    static_message,
    transaction_data,
)

__all__ = [
    "AuthenticationFailed",
    "AuthorityKey",
    "Combined",
    "PublicKey",
    "card_certificate",
    "check_combined",
    "check_dynamic",
    "check_fast",
    "check_static",
    "combined_message",
    "dynamic_message",
    "fast_data",
    "fast_message",
    "find_authority",
    "issuer_certificate",
    "parse_authorities",
    "recover_card",
    "recover_issuer",
    "recoverable",
    "static_message",
    "transaction_data",
]
