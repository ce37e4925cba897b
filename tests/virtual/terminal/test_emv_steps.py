"""The steps of EMV Book 3 that every interface shares: verification, restrictions, risk, action analysis, methods."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from rig.virtual.terminal.emv import apdu
from rig.virtual.terminal.emv.actions import Cryptogram, decide, kind_of, without_host
from rig.virtual.terminal.emv.card import Cvm, Purchase
from rig.virtual.terminal.emv.cvm import Verified, methods_for, pin_block, verify
from rig.virtual.terminal.emv.facts import ActionCodes, Facts, Limits, PinPad
from rig.virtual.terminal.emv.objects import Malformed
from rig.virtual.terminal.emv.oda import Method, load_authorities, method_of
from rig.virtual.terminal.emv.risk import floor_limit, restrictions, velocity
from rig.virtual.terminal.emv.tvr import Tvr
from rig.wire.errors import WireError
from tests.virtual.terminal.emv_cards import WHEN, purchase

FACTS = Facts()
EVERYTHING = frozenset({Cvm.NONE, Cvm.SIGNATURE, Cvm.ONLINE_PIN, Cvm.OFFLINE_PIN})
AMOUNTS = "000003E8000007D0"  # X 10.00, Y 20.00
H = bytes.fromhex


def verified(listed: str, amount: int = 1_000, methods: frozenset[Cvm] = EVERYTHING, cashback: int = 0) -> Verified:
    objects = {0x82: b"\x10\x00", 0x8E: H(listed), 0x9F42: b"\x09\x78"}
    return verify(objects, Purchase(amount, "978", WHEN, cashback), methods)


@pytest.mark.parametrize(
    ("rules", "cvm", "results", "tvr"),
    [
        ("1F00", Cvm.NONE, "1F0002", 0),
        ("1E00", Cvm.SIGNATURE, "1E0000", 0),
        ("0203", Cvm.ONLINE_PIN, "020300", Tvr.ONLINE_PIN_ENTERED),
        ("0100", Cvm.OFFLINE_PIN, "010002", 0),
        ("0300", Cvm.SIGNATURE, "030000", 0),
        ("3F001F00", Cvm.NONE, "3F0001", Tvr.UNRECOGNISED_CVM | Tvr.CARDHOLDER_NOT_VERIFIED),
        ("60001E00", Cvm.SIGNATURE, "1E0000", Tvr.UNRECOGNISED_CVM),
        ("4000", Cvm.NONE, "400001", Tvr.CARDHOLDER_NOT_VERIFIED),
        ("00001F00", Cvm.NONE, "000001", Tvr.CARDHOLDER_NOT_VERIFIED),
        ("1E011E041E7F", Cvm.NONE, "3F0001", Tvr.CARDHOLDER_NOT_VERIFIED),
        ("1E051F02", Cvm.NONE, "1F0202", 0),
        ("1E061F07", Cvm.NONE, "3F0001", Tvr.CARDHOLDER_NOT_VERIFIED),
        ("1E08", Cvm.SIGNATURE, "1E0800", 0),
        ("1E091F00", Cvm.NONE, "1F0002", 0),
    ],
)
def test_a_list_is_gone_through(rules: str, cvm: Cvm, results: str, tvr: int) -> None:
    assert verified(AMOUNTS + rules) == Verified(cvm, H(results), Tvr(tvr))


def test_conditions_of_amounts_are_in_the_cards_currency() -> None:
    assert verified(AMOUNTS + "1E071F00", 1_001).cvm is Cvm.SIGNATURE
    foreign = {0x82: b"\x10\x00", 0x8E: H(AMOUNTS + "1E071F00"), 0x9F42: b"\x08\x40"}
    assert verify(foreign, purchase(1_001), EVERYTHING).cvm is Cvm.NONE


def test_cashback_has_its_conditions() -> None:
    assert verified(AMOUNTS + "1E051F02", cashback=500).cvm is Cvm.SIGNATURE


@pytest.mark.parametrize(
    ("rules", "tvr"),
    [
        ("0200", Tvr.PIN_PAD_MISSING | Tvr.CARDHOLDER_NOT_VERIFIED),
        ("0203", Tvr.CARDHOLDER_NOT_VERIFIED),
        ("42001F00", Tvr.PIN_PAD_MISSING),
        ("1E001F00", Tvr.CARDHOLDER_NOT_VERIFIED),
    ],
)
def test_what_the_terminal_cannot_do(rules: str, tvr: Tvr) -> None:
    assert verified(AMOUNTS + rules, methods=frozenset({Cvm.NONE})).tvr == tvr


def test_a_failed_verification_goes_on_only_where_the_rule_says() -> None:
    objects = {0x82: b"\x10\x00", 0x8E: H(AMOUNTS + "41001E00")}
    assert verify(objects, purchase(), EVERYTHING, lambda cvm: cvm is Cvm.SIGNATURE).cvm is Cvm.SIGNATURE
    objects[0x8E] = H(AMOUNTS + "01001E00")
    failed = verify(objects, purchase(), EVERYTHING, lambda cvm: cvm is Cvm.SIGNATURE)
    assert failed == Verified(Cvm.NONE, H("010001"), Tvr.CARDHOLDER_NOT_VERIFIED)


def test_without_a_list_nothing_is_verified() -> None:
    assert verify({0x82: bytes(2)}, purchase(), EVERYTHING) == Verified(Cvm.NONE, H("3F0000"))
    assert verify({0x82: b"\x10\x00"}, purchase(), EVERYTHING).tvr is Tvr.DATA_MISSING
    assert verified(AMOUNTS) == Verified(Cvm.NONE, H("3F0000"))
    for broken in ("00", AMOUNTS + "1F"):
        with pytest.raises(Malformed):
            verified(broken)


def test_the_amount_says_what_a_contactless_terminal_verifies() -> None:
    assert methods_for(purchase(4_999), FACTS) == {Cvm.NONE}
    assert methods_for(purchase(5_000), FACTS) == {Cvm.ONLINE_PIN, Cvm.SIGNATURE}


def test_a_pin_block_of_format_0() -> None:
    key = H("0123456789ABCDEFFEDCBA9876543210")
    block = pin_block(replace(FACTS, pin_pad=PinPad("1234", key)), "43219876543210987")
    assert block is not None
    opened = Cipher(TripleDES(key), modes.ECB()).decryptor().update(block)
    assert opened == H("0412AC89ABCDEF67")
    assert pin_block(FACTS, "43219876543210987") is None


@pytest.mark.parametrize(
    ("objects", "found"),
    [
        ({}, 0),
        ({0x5F24: "260302"}, 0),
        ({0x5F24: "260301"}, Tvr.EXPIRED),
        ({0x5F24: "991231"}, Tvr.EXPIRED),
        ({0x5F25: "260302"}, 0),
        ({0x5F25: "260303"}, Tvr.NOT_YET_EFFECTIVE),
        ({0x9F08: "0001"}, Tvr.VERSIONS_DIFFER),
        ({0x9F08: "0002", 0x9F07: "FF00", 0x5F28: "0276"}, 0),
        ({0x9F07: "0000"}, Tvr.SERVICE_NOT_ALLOWED),
        ({0x9F07: "FE00"}, Tvr.SERVICE_NOT_ALLOWED),
        ({0x9F07: "2100", 0x5F28: "0276"}, 0),
        ({0x9F07: "2100", 0x5F28: "0840"}, Tvr.SERVICE_NOT_ALLOWED),
        ({0x9F07: "0500", 0x5F28: "0840"}, 0),
        ({0x9F07: "0100"}, 0),
    ],
)
def test_restrictions(objects: dict[int, str], found: int) -> None:
    card = {tag: H(value) for tag, value in objects.items()}
    assert restrictions(card, {0x9F09: H("0002")}, purchase(), FACTS) == Tvr(found)


def test_cashback_is_a_use_of_its_own() -> None:
    card = {0x9F07: H("FF80"), 0x5F28: H("0276")}
    cash = Purchase(1_000, "978", WHEN, cashback=500)
    assert restrictions(card, {}, cash, FACTS) == Tvr(0)
    assert restrictions(card | {0x5F28: H("0840")}, {}, cash, FACTS) == Tvr.SERVICE_NOT_ALLOWED


@pytest.mark.parametrize("date", ["261301", "260230", "26030A", "2603"])
def test_a_date_that_is_none(date: str) -> None:
    with pytest.raises(Malformed):
        restrictions({0x5F24: H(date)}, {}, purchase(), FACTS)


def test_the_floor_limit() -> None:
    at = replace(FACTS, limits=Limits(floor=1_000))
    assert floor_limit(purchase(1_000), at) == Tvr(0)
    assert floor_limit(purchase(1_001), at) == Tvr.FLOOR_LIMIT_EXCEEDED


@pytest.mark.parametrize(
    ("counter", "last", "found"),
    [
        (5, 3, 0),
        (6, 3, Tvr.LOWER_OFFLINE_LIMIT_EXCEEDED),
        (8, 3, Tvr.LOWER_OFFLINE_LIMIT_EXCEEDED | Tvr.UPPER_OFFLINE_LIMIT_EXCEEDED),
        (1, 0, Tvr.NEW_CARD),
        (None, 3, Tvr.LOWER_OFFLINE_LIMIT_EXCEEDED | Tvr.UPPER_OFFLINE_LIMIT_EXCEEDED),
        (3, 3, Tvr.LOWER_OFFLINE_LIMIT_EXCEEDED | Tvr.UPPER_OFFLINE_LIMIT_EXCEEDED),
    ],
)
def test_velocity(counter: int | None, last: int, found: int) -> None:
    assert velocity({0x9F14: b"\x02", 0x9F23: b"\x04"}, counter, last) == Tvr(found)
    assert velocity({0x9F14: b"\x02"}, counter, last) == Tvr(0)


def test_action_codes_of_card_and_terminal_count_both() -> None:
    nothing = ActionCodes("0000000000", "0000000000", "0000000000")
    facts = replace(FACTS, action_codes=nothing)
    card = {0x9F0D: H("0040000000"), 0x9F0E: H("0010000000"), 0x9F0F: H("0000008000")}
    assert decide(card, Tvr(0), facts) is Cryptogram.TC
    assert decide(card, Tvr.SERVICE_NOT_ALLOWED, facts) is Cryptogram.AAC
    assert decide(card, Tvr.FLOOR_LIMIT_EXCEEDED, facts) is Cryptogram.ARQC
    assert decide(card, Tvr.EXPIRED, facts) is Cryptogram.TC
    assert decide(card, Tvr.EXPIRED, FACTS) is Cryptogram.ARQC
    assert decide(card, Tvr(0), replace(facts, offline_capable=False)) is Cryptogram.ARQC
    assert without_host(card, Tvr.EXPIRED, facts) is Cryptogram.AAC
    assert without_host(card, Tvr(0), facts) is Cryptogram.TC
    assert decide({}, Tvr.EXPIRED, facts) is Cryptogram.ARQC  # no issuer action codes: ask about everything
    assert without_host({}, Tvr.EXPIRED, facts) is Cryptogram.AAC


def test_what_a_terminal_cannot_approve_by_itself_it_declines_without_the_host() -> None:
    for wrong in (Tvr.ODA_NOT_PERFORMED, Tvr.CDA_FAILED, Tvr.DDA_FAILED, Tvr.SDA_FAILED, Tvr.FLOOR_LIMIT_EXCEEDED):
        assert decide({0x9F0F: bytes(5)}, wrong, FACTS) is Cryptogram.ARQC
        assert without_host({0x9F0D: bytes(5)}, wrong, FACTS) is Cryptogram.AAC


@pytest.mark.parametrize(
    ("information", "kind"),
    [("00", Cryptogram.AAC), ("48", Cryptogram.TC), ("80", Cryptogram.ARQC), ("C0", None), ("", None)],
)
def test_cryptogram_information(information: str, kind: Cryptogram | None) -> None:
    assert kind_of(H(information)) is kind


@pytest.mark.parametrize(
    ("profile", "method"),
    [("0000", None), ("4000", Method.SDA), ("6000", Method.DDA), ("6100", Method.CDA), ("0100", Method.CDA)],
)
def test_the_best_method_in_common(profile: str, method: Method | None) -> None:
    assert method_of(H(profile), FACTS) is method


def test_methods_that_a_kernel_or_a_terminal_does_not_know() -> None:
    assert method_of(H("6000"), FACTS, (Method.CDA, Method.SDA)) is Method.SDA
    assert method_of(H("6100"), replace(FACTS, capabilities="E06880")) is Method.SDA


def test_authorities_may_be_absent_but_not_damaged(tmp_path: Path) -> None:
    assert load_authorities(None) == load_authorities(tmp_path / "none.json") == ()
    (tmp_path / "damaged.json").write_text("{")
    with pytest.raises(WireError):
        load_authorities(tmp_path / "damaged.json")
    with pytest.raises(WireError):
        load_authorities(tmp_path)


def test_records_in_order_and_which_are_signed() -> None:
    found = apdu.records(H("08010200 10020301"))
    assert [(r.sfi, r.number, r.authenticated) for r in found] == [
        (1, 1, False), (1, 2, False), (2, 2, True), (2, 3, False),
    ]  # fmt: skip
    with pytest.raises(Malformed):
        apdu.records(b"")
