"""A visa-like and a UnionPay-like test card, and a bureau that may issue them."""

from pathlib import Path

import pytest

from rig.cards.bureau import CardBureau
from rig.cards.profile import CardProfile, load_card
from rig.history import Redactor, TestRange

CARDS = Path(__file__).parents[2] / "fixtures/cards"


@pytest.fixture
def visa() -> CardProfile:
    return load_card("visa-credit", CARDS)


@pytest.fixture
def unionpay() -> CardProfile:
    return load_card("unionpay-debit", CARDS)


@pytest.fixture
def redactor() -> Redactor:
    return Redactor.with_new_key([TestRange("476173"), TestRange("621234")])


@pytest.fixture
def bureau(tmp_path: Path, redactor: Redactor) -> CardBureau:
    return CardBureau(tmp_path / "state", redactor)
