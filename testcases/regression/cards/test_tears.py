"""The card leaves at every point of a tap: no approval without complete data, and one more try where it comes back."""

from __future__ import annotations

import pytest

from rig.bench import Bench
from rig.cards.faults import Place
from rig.faults import tear_card
from rig.verdict import Verdict

pytestmark = [pytest.mark.needs("card: tear"), pytest.mark.parametrize("bearer", ["wifi"], indirect=True)]

BEFORE_THE_CRYPTOGRAM = [
    ("visa-credit", "SELECT PPSE", 1, "before"),
    ("visa-credit", "SELECT PPSE", 1, "after"),
    ("visa-credit", "SELECT AID", 1, "before"),
    ("visa-credit", "SELECT AID", 1, "after"),
    ("visa-credit", "GPO", 1, "before"),
    ("mastercard-credit", "GPO", 1, "after"),
    ("mastercard-credit", "READ RECORD", 1, "before"),
    ("mastercard-credit", "READ RECORD", 2, "after"),
    ("mastercard-credit", "GENERATE AC", 1, "before"),
]


@pytest.mark.requires(Verdict.FAILED_SAFELY)
@pytest.mark.parametrize(("card", "command", "number", "place"), BEFORE_THE_CRYPTOGRAM)
def test_torn(bench: Bench, bearer: str, card: str, command: str, number: int, place: Place) -> None:
    """The card is gone before its data is complete: nothing is charged."""
    sale = bench.sale(2_10, card, tear_card(command, place, number=number))
    assert not sale.approved


@pytest.mark.needs("card: protocol-faults")
@pytest.mark.requires(Verdict.FAILED_SAFELY)
@pytest.mark.parametrize(("card", "command"), [("visa-credit", "GPO"), ("mastercard-credit", "GENERATE AC")])
def test_torn_inside_the_answer(bench: Bench, bearer: str, card: str, command: str) -> None:
    """Half of the cryptogram's answer has come when the card is gone: nothing is charged."""
    sale = bench.sale(2_11, card, tear_card(command, "inside"))
    assert not sale.approved


@pytest.mark.requires(Verdict.COMPLETED)
@pytest.mark.parametrize(("card", "command"), [("visa-credit", "GPO"), ("mastercard-credit", "GENERATE AC")])
def test_gone_after_the_cryptogram(bench: Bench, bearer: str, card: str, command: str) -> None:
    """The card has given everything and leaves: that is how a tap ends, and the sale completes."""
    sale = bench.sale(2_12, card, tear_card(command, "after"))
    assert sale.approved


@pytest.mark.requires(Verdict.COMPLETED)
@pytest.mark.parametrize("command", ["SELECT AID", "GPO"])
def test_presented_once_more(bench: Bench, bearer: str, command: str) -> None:
    """The terminal asks for the card again, it comes back, and one sale is booked."""
    sale = bench.sale(2_13, "visa-credit", tear_card(command, comes_back=True))
    assert sale.approved


@pytest.mark.needs("card: protocol-faults")
@pytest.mark.requires(Verdict.COMPLETED)
def test_cryptogram_lost_and_presented_once_more(bench: Bench, bearer: str) -> None:
    """The first cryptogram is lost on its way, the second is used: the card counted two, the host books one."""
    sale = bench.sale(2_14, "visa-credit", tear_card("GPO", "inside", comes_back=True))
    assert sale.approved
