"""Every kind of card, as it should end: approved online or offline, declined by the host, or not accepted."""

from __future__ import annotations

import pytest

from rig.bench import Bench
from rig.cards.profile import Interface
from rig.verdict import Verdict

pytestmark = pytest.mark.parametrize("bearer", ["wifi"], indirect=True)

APPROVED = [
    "visa-debit", "visa-prepaid", "mastercard-credit", "mastercard-debit", "mastercard-prepaid", "unionpay-credit",
    "unionpay-quasi-credit", "wallet-visa", "wallet-mastercard", "no-cvm-list", "several-applications",
]  # fmt: skip
NOT_ACCEPTED = ["unusable", "unsupported-aid", "declines-by-itself"]


@pytest.mark.needs("card")
@pytest.mark.requires(Verdict.COMPLETED)
@pytest.mark.parametrize("card", APPROVED)
def test_approved_by_its_tap(bench: Bench, bearer: str, card: str) -> None:
    """A card of this kind is tapped and approved."""
    sale = bench.sale(3_10, card, interface=Interface.CONTACTLESS)
    assert sale.approved


@pytest.mark.needs("card")
@pytest.mark.requires(Verdict.FAILED_SAFELY)
@pytest.mark.parametrize("card", NOT_ACCEPTED)
def test_not_accepted(bench: Bench, bearer: str, card: str) -> None:
    """A card of this kind is not accepted, and the host never hears of it."""
    sale = bench.sale(3_11, card, interface=Interface.CONTACTLESS)
    assert not sale.approved


@pytest.mark.needs("card")
@pytest.mark.requires(Verdict.COMPLETED, Verdict.FAILED_SAFELY)
@pytest.mark.parametrize("card", ["expired", "not-yet-effective"])
def test_out_of_its_time(bench: Bench, bearer: str, card: str) -> None:
    """A card before or after its time is declined, by the terminal or by its issuer."""
    sale = bench.sale(3_12, card, interface=Interface.CONTACTLESS)
    assert not sale.approved


@pytest.mark.needs("contact card")
@pytest.mark.requires(Verdict.COMPLETED)
@pytest.mark.parametrize("card", ["visa-credit", "mastercard-credit", "unionpay-credit", "contact-dda", "contact-sda"])
def test_approved_in_the_slot(bench: Bench, bearer: str, card: str) -> None:
    """A card of this kind is inserted and approved, with its second cryptogram."""
    sale = bench.sale(3_13, card, interface=Interface.CONTACT)
    assert sale.approved


@pytest.mark.needs("striped card")
@pytest.mark.requires(Verdict.COMPLETED)
def test_approved_by_its_stripe(bench: Bench, bearer: str) -> None:
    """A card without a chip is swiped and approved."""
    sale = bench.sale(3_14, "stripe-only")
    assert sale.approved


@pytest.mark.needs("striped card")
@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_a_chip_card_is_not_swiped(bench: Bench, bearer: str) -> None:
    """A chip card whose chip was not tried is not taken by its stripe."""
    sale = bench.sale(3_15, "visa-credit", interface=Interface.STRIPE)
    assert not sale.approved
