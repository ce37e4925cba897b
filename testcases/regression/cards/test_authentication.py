"""Offline data authentication: a card that cannot prove itself never gets an approval without its issuer."""

from __future__ import annotations

import pytest

from rig.bench import Bench
from rig.cards.profile import Interface
from rig.faults import corrupt_signature
from rig.verdict import Verdict

pytestmark = [pytest.mark.needs("card: responses"), pytest.mark.parametrize("bearer", ["wifi"], indirect=True)]


@pytest.mark.requires(Verdict.COMPLETED)
@pytest.mark.parametrize("card", ["broken-signature", "foreign-authority"])
def test_unproven_goes_online(bench: Bench, bearer: str, card: str) -> None:
    """The signature does not verify: the host is told (TVR), and it decides."""
    sale = bench.sale(4_10, card, interface=Interface.CONTACTLESS)
    assert sale.approved


@pytest.mark.needs("contact card")
@pytest.mark.requires(Verdict.COMPLETED)
@pytest.mark.parametrize("card", ["broken-signature", "foreign-authority"])
def test_unproven_in_the_slot_goes_online(bench: Bench, bearer: str, card: str) -> None:
    """The same in the slot."""
    sale = bench.sale(4_11, card, interface=Interface.CONTACT)
    assert sale.approved


@pytest.mark.requires(Verdict.FAILED_SAFELY, Verdict.COMPLETED)
def test_corrupted_on_the_way(bench: Bench, bearer: str) -> None:
    """One bit of the combined signature is wrong: never an approval without the host."""
    bench.sale(4_12, "mastercard-credit", corrupt_signature("GENERATE AC"))
