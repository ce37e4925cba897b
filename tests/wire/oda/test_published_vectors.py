"""Certificates and signatures that others made: the schemes' published test cards.

Source of the bytes: the test vectors of the open EMV library openemv/emv-utils (tests/emv_rsa_test.c,
tests/emv_rsa_cda_test.c), which are those of the schemes' public test cards; test authority keys 94 of Visa and F1 of
Mastercard as the schemes give them to everybody, with their check sums.
"""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest

from rig.wire.oda import (
    AuthenticationFailed,
    PublicKey,
    check_combined,
    check_dynamic,
    find_authority,
    parse_authorities,
    recover_card,
    recover_issuer,
)
from rig.wire.oda.keys import split_hash
from tests.pans import make_pan

DATA: dict[str, Any] = json.loads((Path(__file__).parent / "published_vectors.json").read_text())
TODAY = datetime.date(2022, 6, 1)  # their certificates are of that time
PANS = {"visa": make_pan("476173", serial=900101011), "mastercard": make_pan("541333", serial=8902001)}


def tags(card: str) -> dict[int, bytes]:
    return {int(tag, 16): bytes.fromhex(value) for tag, value in DATA[card]["tags"].items()}


def issuer_key(card: str) -> PublicKey:
    authority = find_authority(
        parse_authorities(json.dumps(DATA)), bytes.fromhex(DATA[card]["aid"]), tags(card)[0x8F][0], TODAY
    )
    return recover_issuer(authority, tags(card), PANS[card], TODAY)


@pytest.mark.parametrize("card", ["visa", "mastercard"])
def test_the_issuers_key_is_the_published_one(card: str) -> None:
    assert issuer_key(card).modulus_bytes.hex().upper() == DATA[card]["issuer_modulus"]


def test_a_published_card_certificate_opens_as_it_was_made() -> None:
    """Its records are not published, so its hash stays open; everything before it is theirs."""
    part, digest = split_hash(issuer_key("visa").open(tags("visa")[0x9F46], "it"))
    assert part[:20].hex() == "04" + PANS["visa"] + "ffff" + "1222" + "000001" + "0101" + "b001"
    assert (part[20:] + tags("visa")[0x9F48]).hex().upper() == DATA["visa"]["card_modulus"]
    assert digest.hex().upper() == DATA["visa"]["card_hash"]
    with pytest.raises(AuthenticationFailed, match="other data"):
        recover_card(issuer_key("visa"), tags("visa"), b"other records", PANS["visa"], TODAY)


def test_published_static_data_opens_as_it_was_made() -> None:
    part, digest = split_hash(issuer_key("visa").open(tags("visa")[0x93], "it"))
    assert part[:4].hex() == "0301dac0"
    assert set(part[4:]) == {0xBB}
    assert digest.hex().upper() == DATA["visa"]["static_hash"]


def test_a_published_dynamic_signature_is_good() -> None:
    card = PublicKey.from_bytes(bytes.fromhex(DATA["mastercard"]["card_modulus"]), b"\x03")
    signature, challenge = tags("mastercard")[0x9F4B], tags("mastercard")[0x9F37]
    assert check_dynamic(card, signature, challenge).hex().upper() == DATA["mastercard"]["dynamic_number"]
    with pytest.raises(AuthenticationFailed, match="data hash"):  # everything but its commands, which are not published
        check_combined(card, signature, challenge, b"\x00", b"")
    with pytest.raises(AuthenticationFailed, match="not made with its key"):
        check_dynamic(card, signature[:-1] + b"\x47", challenge)
