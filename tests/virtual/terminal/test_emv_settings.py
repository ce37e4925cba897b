"""The terminal's EMV settings: what may be left out, what is wrong, and the facts that they make."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rig.errors import CallerMistake
from rig.virtual.terminal.emv.facts import ActionCodes, Limits
from rig.virtual.terminal.emv.setup import EmvSettings, read_emv
from rig.virtual.terminal.section import Section
from tests.virtual.terminal.emv_cards import Issuer, Notes

KEY = "0123456789ABCDEFFEDCBA9876543210"


def read(**config: Any) -> EmvSettings:
    return read_emv(Section(config))


def test_everything_may_be_left_out() -> None:
    assert read() == EmvSettings()
    facts = read().facts(Notes())
    assert set(facts) == {"visa", "mastercard", "unionpay"}
    assert all(each.limits == Limits(1_000_000, 5_000, 0) and each.authorities == () for each in facts.values())


def test_a_scheme_may_have_limits_of_its_own() -> None:
    settings = read(contactless_cvm_limit=2_500, kernels={"visa": {"contactless_floor_limit": 1_000}})
    assert settings.contactless["visa"] == Limits(1_000_000, 2_500, 1_000)
    assert settings.contactless["mastercard"] == Limits(1_000_000, 2_500, 0)


def test_the_facts_say_what_the_settings_say() -> None:
    settings = read(country="0756", offline_capable=False, action_codes={"online": "0000000000"}, pin_key=KEY)
    facts = settings.facts(Notes())["visa"]
    assert (facts.country, facts.terminal_type, facts.offline_capable) == ("0756", "21", False)
    assert facts.action_codes == ActionCodes(online="0000000000")
    assert facts.pin_pad.key == bytes.fromhex(KEY)
    assert "1234" not in repr(settings)
    assert KEY.lower() not in repr(settings).lower()


def test_authorities_are_those_of_the_moment(issuer: Issuer, tmp_path: Path) -> None:
    notes, file = Notes(), tmp_path / "card-authorities.json"
    settings = read(card_authorities=str(file))
    assert settings.facts(notes)["visa"].authorities == ()
    file.write_bytes((issuer.state / "card-authorities.json").read_bytes())
    assert settings.facts(notes)["visa"].authorities == issuer.authorities
    assert notes == []
    file.write_text("{}")
    assert settings.facts(notes)["visa"].authorities == ()
    assert len(notes.of("terminal_authorities_damaged")) == 1


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        ({"country": "276"}, "country: is '276'"),
        ({"contactless_limit": -1}, "contactless_limit: is -1"),
        ({"contactless_limit": True}, "contactless_limit: is True"),
        ({"kernels": {"visa": {"contactless_floor_limit": "1"}}}, "kernels.visa.contactless_floor_limit"),
        ({"kernels": []}, "kernels.: is not an object"),
        ({"offline_capable": "yes"}, "offline_capable"),
        ({"action_codes": {"denial": "00"}}, "action_codes.denial"),
        ({"card_answer_s": 0}, "card_answer_s"),
        ({"card_tries": 1.5}, "card_tries"),
        ({"cardholder_pin": "12345678901234"}, "cardholder_pin: is no PIN"),
        ({"pin_key": "0123"}, "pin_key: is no such number of bytes"),
        ({"pin_key": "x" * 32}, "pin_key: is no such number of bytes"),
    ],
)
def test_a_wrong_setting_is_named(config: dict[str, Any], complaint: str) -> None:
    with pytest.raises(CallerMistake) as caught:
        read(**config)
    assert complaint in str(caught.value)
