"""Card files: the shipped ones load, and a wrong one names file and field without its PAN."""

import re
from pathlib import Path

import pytest
import yaml

from rig.cards.application import Application
from rig.cards.emv.directory import select_ppse
from rig.cards.profile import Behaviour, CardProfile, load_card, load_cards
from rig.errors import CallerMistake
from rig.history import Redactor, TestRange
from rig.history.redaction import luhn_valid

SHIPPED = Path(__file__).parents[2] / "fixtures/cards"


@pytest.fixture
def fields() -> dict[str, object]:
    values = yaml.safe_load((SHIPPED / "visa-credit.yaml").read_text())
    assert isinstance(values, dict)
    return values


def test_the_shipped_cards_are_of_every_kind() -> None:
    cards = load_cards(SHIPPED)
    assert len(cards) >= 20
    assert all(path.read_text().startswith("# ") for path in SHIPPED.glob("*.yaml"))
    assert {card.scheme for card in cards.values()} == {"visa", "mastercard", "unionpay"}
    assert {card.kind for card in cards.values()} == {"credit", "debit", "prepaid"}
    assert {13, 16, 19} <= {len(card.pan) for card in cards.values()}
    assert all(luhn_valid(card.pan) for card in cards.values())
    assert len({card.pan for card in cards.values()}) == len(cards)
    decisions = {(card.behaviour.decision, card.behaviour.second, card.behaviour.signature) for card in cards.values()}
    assert len(decisions) >= 6
    authentications = {each.authentication for card in cards.values() for each in card.applications}
    assert authentications == {"none", "sda", "dda", "cda", "fdda"}


def test_a_bank_is_known_by_the_first_eight_digits() -> None:
    banks: dict[str, set[str]] = {}
    for card in load_cards(SHIPPED).values():
        banks.setdefault(card.pan[:8], set()).add(card.bank)
    assert all(len(named) == 1 for named in banks.values())


def test_a_token_tells_whose_account_pays() -> None:
    cards = load_cards(SHIPPED)
    tokens = [card for card in cards.values() if card.funding]
    assert len(tokens) >= 2
    for token in tokens:
        assert token.device == "phone"
        assert cards[token.funding or ""].account == token.account


def test_a_card_is_found_by_name_and_by_path() -> None:
    by_name = load_card("unionpay-debit", SHIPPED)
    assert by_name == load_card(SHIPPED / "unionpay-debit.yaml")
    assert by_name.kind == "debit"


def test_the_pan_is_not_in_the_repr(fields: dict[str, object]) -> None:
    card = CardProfile.model_validate(fields)
    assert card.pan not in repr(card)


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("expiry", "3113", "field expiry"),
        ("pan", "47617390010100x0", "field pan"),
        ("service_code", "20", "field service_code"),
        ("cardholder", "N\u00c4ME", "field cardholder"),
        ("interfaces", [], "field interfaces"),
        ("interfaces", ["radio"], "field interfaces.0"),
        ("applications", [], "field applications"),
        ("applications", [{"scheme": "visa", "aid": f"A0000000031010{n:02}"} for n in range(6)], "at most 5 items"),
        ("effective", "3201", "tag 5F25 (effective) is after tag 5F24"),
        ("kind", "debit", "account: a credit card has a limit"),
        ("account", {"limit": 5, "balance": 5}, "field account"),
        ("account", {"limit": -5}, "field account.limit"),
        ("account", {"limit": 5, "currency": "XXX"}, "field account"),
        ("behaviour", {"decision": "explode"}, "field behaviour.decision"),
        ("behaviour", {"frame_size_integer": 13}, "field behaviour.frame_size_integer"),
        ("colour", "blue", "field colour"),
        ("applications", [{"scheme": "visa", "cvm": ["device"]}], "tag 8E: only a phone"),
        ("applications", [{"scheme": "visa"}, {"scheme": "visa"}], "tag 4F: two applications"),
    ],
)
def test_a_wrong_field_is_named_with_its_file(
    tmp_path: Path, fields: dict[str, object], field: str, value: object, named: str
) -> None:
    pan = str(fields["pan"])
    path = tmp_path / "broken.yaml"
    path.write_text(yaml.safe_dump(fields | {field: value}))
    with pytest.raises(CallerMistake) as caught:
        load_card("broken", tmp_path)
    assert str(path) in str(caught.value)
    assert named in str(caught.value)
    assert pan not in str(caught.value)
    assert "47617390010100x0" not in str(caught.value)


@pytest.mark.parametrize(
    ("application", "named"),
    [
        ({"scheme": "discover"}, "applications.0.scheme"),
        ({"aid": "A000"}, "applications.0.aid"),
        ({"aid": "A0000000041010"}, "tag 4F: this AID is one of mastercard"),
        ({"kernel": 0}, "applications.0.kernel"),
        ({"label": "A LABEL OF SEVENTEEN"}, "applications.0.label"),
        ({"priority": 16}, "applications.0.priority"),
        ({"cryptogram": "mastercard-17"}, "tag 9F10: mastercard-17 is no cryptogram version of visa"),
        ({"scheme": "mastercard", "authentication": "fdda"}, "tag 82: fdda is no authentication of a mastercard"),
        ({"cvm": ["signature", "signature"]}, "tag 8E: a method"),
        ({"usage_control": "FF"}, "applications.0.usage_control"),
        ({"action_codes": {"online": "00"}}, "applications.0.action_codes.online"),
        ({"offline_limit": -1}, "applications.0.offline_limit"),
        ({"tags": {"9F26": "00"}}, "tag 9F26 contradicts"),
        ({"tags": {"5A": "00"}}, "tag 5A contradicts"),
        ({"tags": {"BF0C": "00"}}, "tag BF0C contradicts"),
        ({"tags": {"9F": "00"}}, "tag 9F is no BER-TLV tag"),
        ({"tags": {"xyz": "00"}}, "tag xyz is no BER-TLV tag"),
        ({"tags": {"5F50": "0"}}, "applications.0.tags.5F50"),
        ({"tags": {"5F50": "00" * 250}}, "tag 5F50 does not fit a record"),
    ],
)
def test_a_wrong_application_names_its_field_or_tag(
    tmp_path: Path, fields: dict[str, object], application: dict[str, object], named: str
) -> None:
    (tmp_path / "broken.yaml").write_text(yaml.safe_dump(fields | {"applications": [{"scheme": "visa"} | application]}))
    with pytest.raises(CallerMistake) as caught:
        load_card("broken", tmp_path)
    assert named in str(caught.value)


def test_a_number_outside_the_test_ranges_is_refused_when_it_is_loaded(tmp_path: Path) -> None:
    allows = Redactor.with_new_key([TestRange("621234")]).allows
    assert load_card("unionpay-debit", SHIPPED, allows).name == "unionpay-debit"
    with pytest.raises(
        CallerMistake, match=r"visa-credit.yaml: field pan: this is no test PAN of this bench"
    ) as caught:
        load_card("visa-credit", SHIPPED, allows)
    assert load_card("visa-credit", SHIPPED).pan not in str(caught.value)
    with pytest.raises(CallerMistake, match="no test PAN"):
        load_cards(SHIPPED, allows)


def test_an_application_is_its_schemes_usual_one() -> None:
    usual = {scheme: Application.model_validate({"scheme": scheme}) for scheme in ("visa", "mastercard", "unionpay")}
    assert [(each.aid, each.kernel, each.cryptogram) for each in usual.values()] == [
        ("A0000000031010", 3, "visa-10"),
        ("A0000000041010", 2, "mastercard-17"),
        ("A000000333010101", 7, "unionpay-01"),
    ]


def test_the_best_application_names_the_scheme() -> None:
    assert load_card("several-applications", SHIPPED).scheme == "visa"


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


def test_the_document_tells_every_field_and_every_card() -> None:
    text = (SHIPPED.parents[1] / "docs/cards.md").read_text()
    told = set(re.findall(r"^\| `([a-z0-9_-]+)` \|", text, re.MULTILINE))
    for part in (CardProfile, Application, Behaviour):
        assert part.model_fields.keys() <= told
    assert {path.stem for path in SHIPPED.glob("*.yaml")} <= told


def test_the_longest_list_of_applications_fits_one_answer(fields: dict[str, object]) -> None:
    names = [{"scheme": "visa", "aid": f"A00000000310{n:020}", "label": "SIXTEEN LETTERS "} for n in range(5)]
    card = CardProfile.model_validate(fields | {"applications": names})
    assert len(select_ppse(card.applications)) == 251
