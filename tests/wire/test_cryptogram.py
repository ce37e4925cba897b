"""The cryptogram against the public vector of pyemv, and against itself with one value changed."""

from dataclasses import fields, replace

import pytest

from rig.wire.cryptogram import TAGS, CryptogramData, application_cryptogram
from rig.wire.errors import WireError

PAN = "1234567890123456"  # no test PAN: the vector's own
H = bytes.fromhex
VECTOR = CryptogramData(
    tag_9f02=H("000000009999"), tag_9f03=H("000000000000"), tag_9f1a=H("0840"), tag_95=H("8000048000"),
    tag_5f2a=H("0840"), tag_9a=H("991231"), tag_9c=H("01"), tag_9f37=H("52BF4585"), tag_82=H("1800"),
    tag_9f36=H("0FFF"), tag_9f10=H("06011203A0B800"),
)  # fmt: skip


def test_the_public_vector_of_cryptogram_version_18() -> None:
    assert application_cryptogram("unionpay", b"\xaa" * 16, PAN, "00", VECTOR) == H("769577B5ABE9FE62")


def test_version_10_is_the_mac_over_the_ten_values_and_the_card_results_under_the_card_key() -> None:
    from pyemv import kd, mac

    covered = b"".join(getattr(VECTOR, f"tag_{tag:x}") for tag in TAGS[:-1]) + H("03A0B800")
    card_key = kd.derive_icc_mk_a(b"\xaa" * 16, PAN, "00")
    by_hand = mac.mac_iso9797_3(card_key[:8], card_key[8:], covered, padding=1, length=8)
    assert application_cryptogram("visa", b"\xaa" * 16, PAN, "00", VECTOR) == by_hand


@pytest.mark.parametrize("name", [field.name for field in fields(CryptogramData)])
def test_the_issuer_notices_when_any_covered_value_changed(name: str) -> None:
    good = application_cryptogram("visa", b"\xaa" * 16, PAN, "00", VECTOR)
    value: bytes = getattr(VECTOR, name)
    changed = replace(VECTOR, **{name: value[:-1] + bytes([value[-1] ^ 1])})
    assert application_cryptogram("visa", b"\xaa" * 16, PAN, "00", changed) != good


def test_the_values_come_out_of_de55_and_a_missing_one_is_named() -> None:
    tags = {tag: getattr(VECTOR, f"tag_{tag:x}") for tag in TAGS}
    assert CryptogramData.from_tags(tags | {0x9F26: b"else"}) == VECTOR
    del tags[0x9F37]
    with pytest.raises(WireError, match="9F37"):
        CryptogramData.from_tags(tags)


def test_a_value_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(WireError, match="9F36 has 1 bytes"):
        replace(VECTOR, tag_9f36=b"\1")
