"""Certificates of issuers and cards: what is put in comes out, and nothing that was touched is believed."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.cards.emv.private_keys import PrivateKey
from rig.wire.oda import AuthenticationFailed, PublicKey, recover_card, recover_issuer, recoverable
from tests.pans import PREFIX, make_pan
from tests.wire.oda.issuing import EXPIRY, STATIC, TODAY, Keys, card_tags, flipped, issuer_tags


@pytest.mark.parametrize("length", [13, 16, 19])
def test_a_chain_of_certificates_gives_the_cards_key(keys: Keys, length: int) -> None:
    pan = make_pan(length=length)
    tags = {**issuer_tags(keys.authority, keys.issuer, pan), **card_tags(keys.issuer, keys.small, pan)}
    assert (len(tags[0x90]), len(tags[0x92]), len(tags[0x9F46]), len(tags[0x9F48])) == (176, 20, 160, 10)
    issuer = recover_issuer(keys.authority.public, tags, pan, TODAY)
    assert issuer == keys.issuer.public
    assert recover_card(issuer, tags, STATIC, pan, TODAY) == keys.small.public


def test_a_key_that_fits_its_certificate_leaves_no_remainder(keys: Keys) -> None:
    pan = make_pan()
    tags = issuer_tags(keys.authority, keys.small, pan)  # 128 bytes, and 140 are free
    assert 0x92 not in tags
    assert recover_issuer(keys.authority.public, tags, pan, TODAY) == keys.small.public
    assert recover_issuer(keys.authority.public, {**tags, 0x92: b""}, pan, TODAY) == keys.small.public
    tags = card_tags(keys.authority, keys.small, pan)
    assert 0x9F48 not in tags
    assert recover_card(keys.authority.public, tags, STATIC, pan, TODAY) == keys.small.public


def test_an_issuers_certificate_has_the_bytes_of_table_6(keys: Keys) -> None:
    pan = make_pan()
    tags = issuer_tags(keys.authority, keys.issuer, pan)
    key = keys.authority.public
    plain = pow(int.from_bytes(tags[0x90], "big"), key.exponent, key.modulus).to_bytes(key.length, "big")
    assert plain[:15].hex() == "6a02" + PREFIX + "ff" + EXPIRY + "000007" + "0101" + "a003"
    assert plain[-1:].hex() == "bc"
    assert plain[15:155] + tags[0x92] == keys.issuer.public.modulus_bytes


def test_a_card_certificate_has_the_bytes_of_table_14(keys: Keys) -> None:
    pan = make_pan(length=19)
    tags = card_tags(keys.issuer, keys.small, pan)
    key = keys.issuer.public
    plain = pow(int.from_bytes(tags[0x9F46], "big"), key.exponent, key.modulus).to_bytes(key.length, "big")
    assert plain[:21].hex() == "6a04" + pan + "f" + EXPIRY + "000008" + "0101" + "8001"
    assert plain[21:139] + tags[0x9F48] == keys.small.public.modulus_bytes


@given(tag=st.sampled_from([0x90, 0x92, 0x9F32]), bit=st.integers(0, 176 * 8 - 1))
def test_no_bit_of_an_issuers_certificate_can_be_another(keys: Keys, tag: int, bit: int) -> None:
    pan = make_pan()
    tags = issuer_tags(keys.authority, keys.issuer, pan)
    with pytest.raises(AuthenticationFailed):
        recover_issuer(keys.authority.public, {**tags, tag: flipped(tags[tag], bit)}, pan, TODAY)


@given(tag=st.sampled_from([0x9F46, 0x9F47, 0x9F48]), bit=st.integers(0, 160 * 8 - 1))
def test_no_bit_of_a_cards_certificate_can_be_another(keys: Keys, tag: int, bit: int) -> None:
    pan = make_pan()
    tags = card_tags(keys.issuer, keys.small, pan)
    with pytest.raises(AuthenticationFailed):
        recover_card(keys.issuer.public, {**tags, tag: flipped(tags[tag], bit)}, STATIC, pan, TODAY)


@given(bit=st.integers(0, len(STATIC) * 8 - 1))
def test_a_cards_certificate_covers_its_static_data(keys: Keys, bit: int) -> None:
    tags = card_tags(keys.issuer, keys.small, make_pan())
    with pytest.raises(AuthenticationFailed, match="other data"):
        recover_card(keys.issuer.public, tags, flipped(STATIC, bit), make_pan(), TODAY)


def test_a_certificate_holds_to_the_end_of_its_month(keys: Keys) -> None:
    pan, last = make_pan(), datetime.date(2026, 12, 31)
    tags = {**issuer_tags(keys.authority, keys.issuer, pan), **card_tags(keys.issuer, keys.small, pan)}
    issuer = recover_issuer(keys.authority.public, tags, pan, last)
    recover_card(issuer, tags, STATIC, pan, last)
    late = last + datetime.timedelta(days=1)
    with pytest.raises(AuthenticationFailed, match=r"90.*expired"):
        recover_issuer(keys.authority.public, tags, pan, late)
    with pytest.raises(AuthenticationFailed, match=r"9F46.*expired"):
        recover_card(issuer, tags, STATIC, pan, late)


@pytest.mark.parametrize("expiry", ["1299", "0050"])
def test_a_date_of_the_last_century_or_none_at_all_is_over(keys: Keys, expiry: str) -> None:
    tags = issuer_tags(keys.authority, keys.issuer, make_pan(), expiry)
    with pytest.raises(AuthenticationFailed, match="expir"):
        recover_issuer(keys.authority.public, tags, make_pan(), TODAY)


def test_a_certificate_counts_for_its_own_numbers_alone(keys: Keys) -> None:
    pan, neighbour, stranger = make_pan(), make_pan(serial=2), make_pan("541333")
    tags = {**issuer_tags(keys.authority, keys.issuer, pan), **card_tags(keys.issuer, keys.small, pan)}
    issuer = recover_issuer(keys.authority.public, tags, neighbour, TODAY)  # the same bank
    with pytest.raises(AuthenticationFailed, match="other card numbers"):
        recover_issuer(keys.authority.public, tags, stranger, TODAY)
    with pytest.raises(AuthenticationFailed, match="another card's") as failure:
        recover_card(issuer, tags, STATIC, neighbour, TODAY)
    assert pan not in str(failure.value)


def test_another_authority_did_not_sign_this(keys: Keys) -> None:
    tags = issuer_tags(keys.other, keys.issuer, make_pan())
    with pytest.raises(AuthenticationFailed, match="not made with its key"):
        recover_issuer(keys.authority.public, tags, make_pan(), TODAY)
    with pytest.raises(AuthenticationFailed, match="176 bytes, its key 128"):
        recover_issuer(keys.small.public, tags, make_pan(), TODAY)


@pytest.mark.parametrize("tag", [0x90, 0x9F32, 0x92])
def test_what_is_missing_is_named(keys: Keys, tag: int) -> None:
    tags = dict(issuer_tags(keys.authority, keys.issuer, make_pan()))
    del tags[tag]
    with pytest.raises(AuthenticationFailed, match=f"{tag:X} is missing|other data"):
        recover_issuer(keys.authority.public, tags, make_pan(), TODAY)


@pytest.mark.parametrize(
    ("at", "byte", "why"),
    [
        (0, 0x04, "format"),
        (10, 0x02, "algorithm"),
        (11, 0x02, "algorithm"),
        (12, 0x01, "remainder|lacks|bytes"),
        (12, 0xFF, "92 has 20 bytes"),
    ],
)
def test_a_certificate_that_the_authority_signed_by_mistake(keys: Keys, at: int, byte: int, why: str) -> None:
    tags = dict(issuer_tags(keys.authority, keys.issuer, make_pan()))
    public = keys.authority.public
    part = bytearray(public.open(tags[0x90], "it")[:-20])
    part[at] = byte
    tags[0x90] = _signed(keys.authority, bytes(part), tags[0x92] + tags[0x9F32])
    with pytest.raises(AuthenticationFailed, match=why):
        recover_issuer(public, tags, make_pan(), TODAY)


@given(
    data=st.binary(max_size=200), remainder=st.binary(max_size=40), exponent=st.binary(max_size=4),
    static=st.binary(max_size=40),
)  # fmt: skip
def test_arbitrary_bytes_fail_and_nothing_else(
    keys: Keys, data: bytes, remainder: bytes, exponent: bytes, static: bytes
) -> None:
    pan = make_pan()
    for certificate in (data, data.ljust(176, b"\0")[:176], _signed(keys.authority, data.ljust(154, b"\0")[:154], b"")):
        tags = {0x90: certificate, 0x92: remainder, 0x9F32: exponent}
        tags |= {0x9F46: certificate, 0x9F48: remainder, 0x9F47: exponent}
        with pytest.raises(AuthenticationFailed):
            recover_issuer(keys.authority.public, tags, pan, TODAY)
        with pytest.raises(AuthenticationFailed):
            recover_card(keys.authority.public, tags, static, pan, TODAY)


@settings(max_examples=40)  # each is signed anew
@given(head=st.binary(min_size=13, max_size=13), exponent=st.sampled_from([b"\x03", b"\x01\x00\x01", b"\x11", b""]))
def test_a_signed_head_of_arbitrary_bytes_fails_and_nothing_else(keys: Keys, head: bytes, exponent: bytes) -> None:
    part = (b"\x02" + head).ljust(154, b"\xbb")
    tags = {0x90: _signed(keys.authority, part, exponent), 0x9F32: exponent}
    with pytest.raises(AuthenticationFailed):
        recover_issuer(keys.authority.public, tags, make_pan(), TODAY)


@pytest.mark.parametrize(
    ("modulus", "exponent"),
    [(b"\x80" + b"\x01" * 127, b"\x05"), (b"\x80" * 128, b"\x03"), (b"\x81" * 249, b"\x03"), (b"\x81" * 22, b"\x03"),
     (b"\x00" + b"\x81" * 127, b"\x03"), (b"\x81" * 128, b"\x00" * 9), (b"", b"")],
)  # fmt: skip
def test_what_is_no_key_of_emv(modulus: bytes, exponent: bytes) -> None:
    with pytest.raises(AuthenticationFailed):
        PublicKey.from_bytes(modulus, exponent)


def _signed(key: PrivateKey, part: bytes, rest: bytes) -> bytes:
    """Signed without asking what."""
    assert len(recoverable(part + rest, key.public.length)) == key.public.length
    return key.sign(part + rest)
