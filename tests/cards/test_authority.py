"""The bench's card authorities: what a card shows is believed, unless it shall not be, and keys last."""

from __future__ import annotations

import datetime
import json
import multiprocessing
import stat
from pathlib import Path
from typing import Any

import pytest

from rig.cards.emv.authority import FILE, CardAuthority, Credentials, authorities, published
from rig.cards.emv.private_keys import FOLDER
from rig.cards.profile import CardProfile
from rig.errors import CallerMistake
from rig.wire.oda import (
    AuthenticationFailed,
    PublicKey,
    check_combined,
    check_dynamic,
    check_fast,
    check_static,
    find_authority,
    recover_card,
    recover_issuer,
)
from tests.pans import make_pan

TODAY = datetime.date(2026, 11, 22)
STATIC = b"what the records say"
FAST = {0x9F37: b"1234", 0x9F02: bytes(6), 0x5F2A: b"\x09\x78", 0x9F36: b"\x00\x07", 0x9F69: b"\x01cardCT"}


@pytest.fixture(scope="session")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("authority")
    CardAuthority(folder).publish()
    return folder


def a_card(scheme: str, authentication: str, signature: str = "sound", **changes: Any) -> CardProfile:
    return CardProfile.model_validate({
        "name": f"{scheme}-card", "kind": "credit", "pan": make_pan(), "expiry": "3112", "bank": "north-bank",
        "account": {"limit": 5000}, "applications": [{"scheme": scheme, "authentication": authentication}],
        "behaviour": {"signature": signature}, **changes,
    })  # fmt: skip


def shown_by(state: Path, card: CardProfile, static_data: bytes = STATIC) -> Credentials:
    return CardAuthority(state).credentials(card, card.applications[0], static_data)


def issuer_of(state: Path, card: CardProfile, shown: Credentials) -> PublicKey:
    aid = bytes.fromhex(card.applications[0].aid)
    authority = find_authority(authorities(state), aid, shown.tags[0x8F][0], TODAY)
    return recover_issuer(authority, shown.tags, card.pan, TODAY)


def key_of(state: Path, card: CardProfile, shown: Credentials) -> PublicKey:
    return recover_card(issuer_of(state, card, shown), shown.tags, STATIC, card.pan, TODAY)


@pytest.mark.parametrize("scheme", ["visa", "mastercard", "unionpay"])
def test_static_data_authentication(state: Path, scheme: str) -> None:
    card = a_card(scheme, "sda")
    shown = shown_by(state, card)
    assert sorted(shown.tags) == [0x8F, 0x90, 0x92, 0x93, 0x9F32]
    check_static(issuer_of(state, card, shown), shown.tags[0x93], STATIC)
    with pytest.raises(CallerMistake, match="no key of its own"):
        shown.sign_dynamic(b"1234")


@pytest.mark.parametrize(("scheme", "method"), [("visa", "fdda"), ("mastercard", "cda"), ("unionpay", "dda")])
@pytest.mark.parametrize("length", [13, 16, 19])
def test_dynamic_data_authentication(state: Path, scheme: str, method: str, length: int) -> None:
    card = a_card(scheme, method, pan=make_pan(length=length))
    shown = shown_by(state, card)
    assert sorted(shown.tags) == [0x8F, 0x90, 0x92, 0x9F32, 0x9F46, 0x9F47, 0x9F48]
    assert all(len(value) <= 240 for value in shown.tags.values())  # each fits a record with its tag
    key = key_of(state, card, shown)
    assert check_dynamic(key, shown.sign_dynamic(b"1234", b"\x01\x02"), b"1234") == b"\x01\x02"
    assert len(check_dynamic(key, shown.sign_dynamic(b"1234"), b"1234")) == 8
    assert check_fast(key, shown.sign_fast(FAST), FAST) == b"\x00\x07"
    signed = shown.sign_combined(b"1234", b"\x80", b"CRYPTGRM", b"data")
    assert check_combined(key, signed, b"1234", b"\x80", b"data").cryptogram == b"CRYPTGRM"


def test_a_card_without_authentication_costs_no_key(tmp_path: Path) -> None:
    assert shown_by(tmp_path, a_card("visa", "none")).tags == {}
    assert list(tmp_path.iterdir()) == []


def test_a_corrupt_static_signature(state: Path) -> None:
    card = a_card("visa", "sda", "corrupt")
    shown = shown_by(state, card)
    with pytest.raises(AuthenticationFailed, match="93"):
        check_static(issuer_of(state, card, shown), shown.tags[0x93], STATIC)


def test_corrupt_dynamic_signatures_under_good_certificates(state: Path) -> None:
    card = a_card("mastercard", "cda", "corrupt")
    shown = shown_by(state, card)
    key = key_of(state, card, shown)
    with pytest.raises(AuthenticationFailed, match="9F4B"):
        check_dynamic(key, shown.sign_dynamic(b"1234"), b"1234")
    with pytest.raises(AuthenticationFailed, match="9F4B"):
        check_fast(key, shown.sign_fast(FAST), FAST)
    with pytest.raises(AuthenticationFailed, match="9F4B"):
        check_combined(key, shown.sign_combined(b"1234", b"\x80", bytes(8), b""), b"1234", b"\x80", b"")


@pytest.mark.parametrize("method", ["sda", "dda"])
def test_a_foreign_authority_is_not_the_published_one(state: Path, method: str) -> None:
    card = a_card("unionpay", method, "foreign-authority")
    shown = shown_by(state, card)
    assert shown.tags[0x8F] == shown_by(state, a_card("unionpay", method)).tags[0x8F]
    with pytest.raises(AuthenticationFailed, match=r"90.*not made with its key"):
        issuer_of(state, card, shown)


def test_an_expired_card_has_good_certificates(state: Path) -> None:
    card = a_card("visa", "dda", expiry="2506", effective="2001")
    key_of(state, card, shown_by(state, card))


def test_certificates_cover_the_records(state: Path) -> None:
    card = a_card("visa", "dda")
    shown = shown_by(state, card, b"other records")
    with pytest.raises(AuthenticationFailed, match=r"9F46.*other data"):
        key_of(state, card, shown)


def test_keys_last(state: Path) -> None:
    card = a_card("visa", "fdda")
    assert shown_by(state, card).tags == shown_by(state, card).tags
    before = (state / FILE).read_text()
    CardAuthority(state).publish()
    assert (state / FILE).read_text() == before
    assert stat.S_IMODE((state / FOLDER).stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (state / FOLDER).glob("*.json")} == {0o600}


def test_banks_have_their_own_keys_and_share_an_authority(state: Path) -> None:
    north, east = (shown_by(state, a_card("visa", "sda", bank=bank)) for bank in ("north-bank", "east-bank"))
    assert north.tags[0x90] != east.tags[0x90]
    for bank, shown in (("north-bank", north), ("east-bank", east)):
        issuer_of(state, a_card("visa", "sda", bank=bank), shown)


def test_published_keys_are_plain_data(state: Path) -> None:
    entries = published(state)
    assert [entry["scheme"] for entry in entries] == ["visa", "mastercard", "unionpay"]
    assert [entry["rid"] for entry in entries] == ["A000000003", "A000000004", "A000000333"]
    assert json.loads((state / FILE).read_text()) == {"authorities": entries}
    assert not any("prime" in key for entry in entries for key in entry)


def test_a_new_bench_publishes_when_it_is_asked(tmp_path: Path) -> None:
    assert len(published(tmp_path)) == 3


def test_two_processes_at_once_make_one_set_of_keys(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    with context.Pool(2) as pool:
        results = pool.map(_publish, [str(tmp_path)] * 4, chunksize=1)
    assert len(set(results)) == 1
    assert sorted(path.name for path in (tmp_path / FOLDER).iterdir()) == [
        "authority-mastercard.json", "authority-unionpay.json", "authority-visa.json", "lock",
    ]  # fmt: skip


@pytest.mark.parametrize("damage", ["{", "[]", '{"modulus": "00", "exponent": "03", "primes": ["1", "2"]}', "null"])
def test_a_damaged_key_is_named_and_kept(state: Path, tmp_path: Path, damage: str) -> None:
    (tmp_path / FOLDER).mkdir()
    path = tmp_path / FOLDER / "authority-visa.json"
    path.write_text(damage)
    with pytest.raises(CallerMistake, match=r"authority-visa\.json.*no card key") as failure:
        CardAuthority(tmp_path).publish()
    assert "move it away" in failure.value.cure
    assert path.read_text() == damage


@pytest.mark.parametrize("alone", [True, False])
def test_a_key_whose_parts_do_not_belong_together_is_none(state: Path, tmp_path: Path, alone: bool) -> None:
    stored = json.loads((state / FOLDER / "authority-visa.json").read_text())
    (tmp_path / FOLDER).mkdir()
    stored["primes"] = ["1", stored["modulus"]] if alone else [f"{int(stored['primes'][0], 16) + 2:X}", "3"]
    (tmp_path / FOLDER / "authority-visa.json").write_text(json.dumps(stored))
    with pytest.raises(CallerMistake, match="no card key"):
        CardAuthority(tmp_path).publish()


def test_a_damaged_list_of_authorities_is_named(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text('{"authorities": [{}]}')
    with pytest.raises(CallerMistake, match=FILE):
        authorities(tmp_path)


def test_no_secret_and_no_number_in_what_is_printed(state: Path) -> None:
    card = a_card("visa", "dda")
    shown = shown_by(state, card)
    assert shown.key is not None
    assert card.pan not in repr(shown)
    assert str(shown.key.primes[0]) not in repr(shown) + repr(shown.key)


def _publish(state: str) -> str:
    return CardAuthority(Path(state)).publish().read_text()
