"""Card files: the shipped ones load, and a wrong one names file and field without its PAN."""

from pathlib import Path

import pytest
import yaml

from rig.cards.profile import CardProfile, load_card, load_cards
from rig.errors import CallerMistake
from rig.history.redaction import luhn_valid

SHIPPED = Path(__file__).parents[2] / "fixtures/cards"


@pytest.fixture
def fields() -> dict[str, object]:
    values = yaml.safe_load((SHIPPED / "visa-credit.yaml").read_text())
    assert isinstance(values, dict)
    return values


def test_the_shipped_cards_are_of_two_schemes_and_two_banks() -> None:
    cards = load_cards(SHIPPED)
    assert {"visa-credit", "visa-declined", "unionpay-debit"} <= cards.keys()
    assert {card.scheme for card in cards.values()} == {"visa", "unionpay"}
    assert len({card.bank for card in cards.values()}) >= 2
    assert all(luhn_valid(card.pan) for card in cards.values())
    assert len({card.pan for card in cards.values()}) == len(cards)


def test_a_card_is_found_by_name_and_by_path() -> None:
    by_name = load_card("unionpay-debit", SHIPPED)
    assert by_name == load_card(SHIPPED / "unionpay-debit.yaml")
    assert by_name.kind == "debit"


def test_the_pan_is_not_in_the_repr(fields: dict[str, object]) -> None:
    card = CardProfile.model_validate(fields)
    assert card.pan not in repr(card)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("scheme", "mastercard"),
        ("aid", "A000"),
        ("expiry", "3113"),
        ("pan", "47617390010100x0"),
        ("kernel", 0),
        ("account", {"limit": 5, "balance": 5}),
        ("account", {"limit": -5}),
        ("account", {"limit": 5, "currency": "XXX"}),
        ("behaviour", {"decision": "explode"}),
        ("colour", "blue"),
    ],
)
def test_a_wrong_field_is_named_with_its_file(
    tmp_path: Path, fields: dict[str, object], field: str, value: object
) -> None:
    path = tmp_path / "broken.yaml"
    pan = str(fields["pan"])
    path.write_text(yaml.safe_dump(fields | {field: value}))
    with pytest.raises(CallerMistake) as caught:
        load_card("broken", tmp_path)
    assert str(path) in str(caught.value)
    assert f"field {field}" in str(caught.value)
    assert pan not in str(caught.value)
    assert "47617390010100x0" not in str(caught.value)


def test_an_unknown_card_says_which_are_known(tmp_path: Path) -> None:
    with pytest.raises(CallerMistake, match=r"known here: .*visa-credit"):
        load_card("visa-platinum", SHIPPED)
    with pytest.raises(CallerMistake, match="known here: none"):
        load_card("any", tmp_path)


def test_broken_yaml_names_the_line(tmp_path: Path) -> None:
    (tmp_path / "torn.yaml").write_text("name: torn\npan: [1\n")
    with pytest.raises(CallerMistake, match=r"torn.yaml.*line \d"):
        load_card("torn", tmp_path)


def test_two_cards_of_one_name_are_refused(tmp_path: Path, fields: dict[str, object]) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(fields))
    with pytest.raises(CallerMistake, match="two cards visa-credit"):
        load_cards(tmp_path)
