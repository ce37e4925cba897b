"""The card leaves the field before or after it has computed its cryptogram."""

from __future__ import annotations

import pytest

from rig.bench import Bench
from rig.faults import Moment, pull_card
from rig.verdict import Verdict

pytestmark = [pytest.mark.needs("card: moments"), pytest.mark.parametrize("bearer", ["wifi"], indirect=True)]


@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_pulled_when_selected(bench: Bench, bearer: str) -> None:
    """The card is gone right after its application was selected: nothing is charged."""
    sale = bench.sale(2_01, "visa-credit", pull_card().at(Moment.CARD_SELECTED))
    assert not sale.approved


@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_pulled_before_the_cryptogram(bench: Bench, bearer: str) -> None:
    """The card is gone before its cryptogram has left it: no approval without complete data."""
    sale = bench.sale(2_02, "visa-credit", pull_card().at(Moment.BEFORE_REQUEST))
    assert not sale.approved


@pytest.mark.requires(Verdict.COMPLETED)
def test_pulled_after_the_cryptogram(bench: Bench, bearer: str) -> None:
    """The card has given its cryptogram and leaves: that is how a tap ends, and the sale completes."""
    sale = bench.sale(2_03, "visa-credit", pull_card().at(Moment.CARD_ANSWERED))
    assert sale.approved
