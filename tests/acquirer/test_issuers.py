"""Card profiles, issuer keys, routing: what is read from files, and what is said when they are wrong."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import yaml

from rig.acquirer.keys import BankKeys, IssuerKeys
from rig.acquirer.network import CardNetwork
from rig.acquirer.profiles import CardProfile, load_profiles
from rig.errors import CallerMistake
from tests.acquirer.till import card_number

NORTH, EAST = card_number("47617390", 16), card_number("62123400", 19)


def _profile(**changes: object) -> dict[str, object]:
    fields: dict[str, object] = {
        "name": "one",
        "applications": [{"scheme": "visa"}],
        "pan": NORTH,
        "psn": "01",
        "expiry": "3112",
    }
    return fields | {"bank": "north", "kind": "credit", "account": {"limit": 100}} | changes


def test_profiles_are_read_and_what_is_the_cards_own_is_left_to_it(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(
        yaml.safe_dump(_profile(cardholder="TEST/RIG", behaviour={"decision": "decline"}))
    )
    (card,) = load_profiles(tmp_path)
    assert (card.bank, card.funds) == ("north", 100)
    assert NORTH not in repr(card)


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"kind": "debit"}, "needs a balance"),
        ({"account": {"limit": -1}}, "account.limit"),
        ({"account": {"limit": 1, "currency": "XXX"}}, "currency"),
        ({"account": {"limit": 1, "decline": "no"}}, "account.decline"),
        ({"pan": NORTH + "x"}, "pan"),
        ({"expiry": "3113"}, "expiry"),
        ({"applications": [{"scheme": "diners"}]}, "scheme"),
        ({"applications": []}, "applications"),
    ],
)
def test_a_wrong_profile_names_file_and_field_and_no_card_number(
    tmp_path: Path, changes: dict[str, object], where: str
) -> None:
    (tmp_path / "broken.yaml").write_text(yaml.safe_dump(_profile(**changes)))
    with pytest.raises(CallerMistake, match=where) as caught:
        load_profiles(tmp_path)
    assert "broken.yaml" in str(caught.value)
    assert NORTH not in str(caught.value)


def test_a_profile_that_is_no_yaml(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("pan: [")
    with pytest.raises(CallerMistake, match="cannot be read as YAML"):
        load_profiles(tmp_path)


def test_a_card_is_routed_by_its_bin_to_the_bank_that_issued_it(tmp_path: Path) -> None:
    cards = [
        CardProfile.model_validate(_profile()),
        CardProfile.model_validate(_profile(name="two", pan=EAST, bank="east")),
    ]
    network = CardNetwork(cards, IssuerKeys(tmp_path / "none.json"))
    assert [route.issuer.bank if (route := network.route(pan)) else None for pan in (NORTH, EAST, "1" * 16)] == [
        "north",
        "east",
        None,
    ]
    with pytest.raises(CallerMistake, match="belongs to north already"):
        CardNetwork([cards[0], cards[0].model_copy(update={"bank": "west"})], IssuerKeys(tmp_path / "none.json"))


def test_issuer_keys_are_read_again_when_they_changed(tmp_path: Path) -> None:
    path = tmp_path / "issuer-keys.json"
    keys = IssuerKeys(path)
    assert keys.of("north") is None
    path.write_text(json.dumps({"north": {"mk_ac": "11" * 16}}))
    assert keys.of("north") == BankKeys(b"\x11" * 16)
    assert keys.of("east") is None
    for wrong in ("[]", "{", '{"north": {"mk_ac": "xy"}}', '{"north": {"mk_ac": "11"}}'):
        path.write_text(wrong)
        os.utime(path, ns=(path.stat().st_mtime_ns, path.stat().st_mtime_ns + 1_000_000_000))
        with pytest.raises(CallerMistake, match="remove it"):
            keys.of("north")
