"""Static, dynamic, fast and combined signatures: round trips, and every corruption noticed."""

from __future__ import annotations

import contextlib
import functools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.wire import tlv
from rig.wire.errors import WireError
from rig.wire.oda import (
    AuthenticationFailed,
    Combined,
    check_combined,
    check_dynamic,
    check_fast,
    check_static,
    combined_message,
    dynamic_message,
    fast_data,
    fast_message,
    transaction_data,
)
from tests.wire.oda.issuing import STATIC, Keys, flipped, static_signature

NUMBER, UNPREDICTABLE = bytes(range(8)), b"\x11\x22\x33\x44"
FAST = {
    0x9F37: UNPREDICTABLE, 0x9F02: bytes.fromhex("000000001299"), 0x5F2A: b"\x09\x78", 0x9F36: b"\x00\x2a",
    0x9F69: bytes.fromhex("01AABBCCDD0000"),
}  # fmt: skip
RESPONSE = tlv.encode(0x9F27, b"\x40") + tlv.encode(0x9F36, b"\x00\x2a") + tlv.encode(0x9F10, bytes(18))
COMBINED = Combined(NUMBER, b"\x40", b"CRYPTGRM")


@functools.cache
def dynamic(keys: Keys, data: bytes = UNPREDICTABLE, number: bytes = NUMBER) -> bytes:
    return keys.small.sign(dynamic_message(number, data, keys.small.public.length))


def fast(keys: Keys, tags: dict[int, bytes], signed_format: int = 0x05) -> bytes:
    return keys.small.sign(fast_message(tags, keys.small.public.length, signed_format))


@functools.cache
def combined(keys: Keys, data: bytes, about: Combined = COMBINED) -> bytes:
    return keys.small.sign(combined_message(about, data, UNPREDICTABLE, keys.small.public.length))


def test_static_data_is_what_its_issuer_signed(keys: Keys) -> None:
    assert check_static(keys.issuer.public, static_signature(keys.issuer), STATIC) == b"\xda\xc0"
    with pytest.raises(AuthenticationFailed, match="bytes, its key"):
        check_static(keys.authority.public, static_signature(keys.issuer), STATIC)
    with pytest.raises(AuthenticationFailed, match="format"):
        check_static(keys.small.public, dynamic(keys), STATIC)


@given(bit=st.integers(0, 160 * 8 - 1))
def test_a_corrupt_static_signature_is_noticed(keys: Keys, bit: int) -> None:
    with pytest.raises(AuthenticationFailed):
        check_static(keys.issuer.public, flipped(static_signature(keys.issuer), bit), STATIC)


@given(bit=st.integers(0, len(STATIC) * 8 - 1))
def test_corrupt_static_data_is_noticed(keys: Keys, bit: int) -> None:
    with pytest.raises(AuthenticationFailed, match="other data"):
        check_static(keys.issuer.public, static_signature(keys.issuer), flipped(STATIC, bit))


@pytest.mark.parametrize("length", [2, 8])
def test_a_dynamic_signature_holds_the_cards_number(keys: Keys, length: int) -> None:
    number = NUMBER[:length]
    assert check_dynamic(keys.small.public, dynamic(keys, number=number), UNPREDICTABLE) == number


def test_a_dynamic_signature_is_about_one_challenge(keys: Keys) -> None:
    with pytest.raises(AuthenticationFailed, match="other data"):
        check_dynamic(keys.small.public, dynamic(keys), b"\x11\x22\x33\x45")
    with pytest.raises(AuthenticationFailed, match="format"):
        check_dynamic(keys.issuer.public, static_signature(keys.issuer), UNPREDICTABLE)


@given(bit=st.integers(0, 128 * 8 - 1))
def test_a_corrupt_dynamic_signature_is_noticed(keys: Keys, bit: int) -> None:
    with pytest.raises(AuthenticationFailed):
        check_dynamic(keys.small.public, flipped(dynamic(keys), bit), UNPREDICTABLE)


@pytest.mark.parametrize("number", [b"", b"\x01", bytes(9)])
def test_a_dynamic_number_has_two_to_eight_bytes(keys: Keys, number: bytes) -> None:
    with pytest.raises(AuthenticationFailed, match="no dynamic number"):
        check_dynamic(keys.small.public, dynamic(keys, number=number), UNPREDICTABLE)


def test_fast_signatures_of_both_versions(keys: Keys) -> None:
    old = {tag: value for tag, value in FAST.items() if tag != 0x9F69}
    assert fast_data(FAST).hex().upper() == "112233440000000012990978" + "01AABBCCDD0000"
    assert fast_data(old) == UNPREDICTABLE
    for tags, signed_format in ((FAST, 0x95), (FAST, 0x05), (old, 0x05)):
        signature = fast(keys, tags, signed_format)
        assert keys.small.public.open(signature, "it")[:5] == bytes([signed_format, 0x01, 0x03, 0x02, 0x00])
        assert check_fast(keys.small.public, signature, tags) == FAST[0x9F36]


def test_a_fast_signature_of_its_own_format_is_none_of_dda(keys: Keys) -> None:
    with pytest.raises(AuthenticationFailed, match="format"):
        check_dynamic(keys.small.public, fast(keys, FAST, 0x95), fast_data(FAST))


@pytest.mark.parametrize("tag", [0x9F37, 0x9F02, 0x5F2A, 0x9F69, 0x9F36])
def test_a_fast_signature_is_about_one_transaction(keys: Keys, tag: int) -> None:
    other = FAST | {tag: FAST[tag][:-1] + b"\xff"}
    with pytest.raises(AuthenticationFailed, match=r"other data|another transaction"):
        check_fast(keys.small.public, fast(keys, FAST), other)


@pytest.mark.parametrize("tag", [0x9F37, 0x9F02, 0x5F2A, 0x9F36])
def test_a_card_signs_no_transaction_with_a_gap(keys: Keys, tag: int) -> None:
    with pytest.raises(AuthenticationFailed, match=f"tag {tag:X} is missing"):
        fast_message({other: value for other, value in FAST.items() if other != tag}, keys.small.public.length)


@pytest.mark.parametrize("related", [b"", b"\x02\xaa"])
def test_an_unknown_version_of_fast_signatures_fails(related: bytes) -> None:
    with pytest.raises(AuthenticationFailed, match="unknown"):
        fast_data(FAST | {0x9F69: related})


def test_a_combined_signature_holds_the_cryptogram(keys: Keys) -> None:
    data = transaction_data(b"PDOL", b"CDOL1", b"CDOL2", response=RESPONSE)
    assert data == b"PDOLCDOL1CDOL2" + RESPONSE
    assert check_combined(keys.small.public, combined(keys, data), UNPREDICTABLE, b"\x40", data) == COMBINED


def test_a_combined_signature_leaves_itself_out(keys: Keys) -> None:
    data = transaction_data(b"CDOL1", response=RESPONSE)
    signature = combined(keys, data)
    first, rest = RESPONSE[:4], RESPONSE[4:]
    for complete in (RESPONSE + tlv.encode(0x9F4B, signature), first + tlv.encode(0x9F4B, signature) + rest):
        assert transaction_data(b"CDOL1", response=complete) == data
    odd = bytes.fromhex("9F278101409F360200010000")  # a length in two bytes where one would do, and padding
    assert transaction_data(response=odd).hex().upper() == "9F278101409F36020001"


@given(response=st.binary(max_size=60))
def test_what_a_card_answers_is_hashed_or_refused(response: bytes) -> None:
    try:
        data = transaction_data(b"CDOL1", response=response)
    except AuthenticationFailed:
        return
    assert data.startswith(b"CDOL1")
    assert [each for each in tlv.parse(response) if each.tag != 0x9F4B] == tlv.parse(data[5:])


def test_what_a_combined_signature_is_about_cannot_change(keys: Keys) -> None:
    data = transaction_data(b"CDOL1", response=RESPONSE)
    signature, key = combined(keys, data), keys.small.public
    with pytest.raises(AuthenticationFailed, match="other data"):
        check_combined(key, signature, b"\x11\x22\x33\x45", b"\x40", data)
    with pytest.raises(AuthenticationFailed, match="another 9F27"):
        check_combined(key, signature, UNPREDICTABLE, b"\x80", data)
    with pytest.raises(AuthenticationFailed, match="data hash"):
        check_combined(key, signature, UNPREDICTABLE, b"\x40", data + b"\0")
    with pytest.raises(AuthenticationFailed, match="no cryptogram"):
        check_combined(key, dynamic(keys), UNPREDICTABLE, b"\x40", data)


@given(bit=st.integers(0, 128 * 8 - 1))
def test_a_corrupt_combined_signature_is_noticed(keys: Keys, bit: int) -> None:
    with pytest.raises(AuthenticationFailed):
        check_combined(keys.small.public, flipped(combined(keys, b""), bit), UNPREDICTABLE, b"\x40", b"")


@settings(max_examples=40)  # each is signed anew
@given(part=st.binary(min_size=106, max_size=106), data=st.binary(max_size=20))
def test_a_signed_message_of_arbitrary_bytes_raises_nothing_else(keys: Keys, part: bytes, data: bytes) -> None:
    key = keys.small.public
    for head in (b"", b"\x05\x01", b"\x05\x01\x26"):
        signature = keys.small.sign((head + part)[:106] + data)
        with pytest.raises(AuthenticationFailed):
            check_combined(key, signature, data, b"\x40", b"")
        with contextlib.suppress(AuthenticationFailed):  # rarely there is a dynamic number
            check_fast(key, signature, {0x9F37: data, 0x9F36: b""})
        with contextlib.suppress(AuthenticationFailed):
            check_static(key, signature, data)


@given(signature=st.binary(max_size=140), data=st.binary(max_size=20))
def test_arbitrary_bytes_are_no_signature(keys: Keys, signature: bytes, data: bytes) -> None:
    for tried in (signature, signature.ljust(128, b"\0")[:128]):
        with pytest.raises(AuthenticationFailed):
            check_dynamic(keys.small.public, tried, data)
        with pytest.raises(AuthenticationFailed):
            check_static(keys.small.public, tried, data)


def test_a_message_must_fill_its_key(keys: Keys) -> None:
    with pytest.raises(WireError, match="does not fill"):
        keys.small.sign(bytes(105))
