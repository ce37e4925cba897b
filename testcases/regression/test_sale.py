"""The everyday: sales, a decline, a void, the end of the day."""

from __future__ import annotations

import pytest

from rig.bench import Bench
from rig.verdict import Verdict

pytestmark = pytest.mark.needs("card")


@pytest.mark.parametrize("bearer", ["wifi", "cellular"], indirect=True)
@pytest.mark.requires(Verdict.COMPLETED)
def test_approve(bench: Bench, bearer: str) -> None:
    """A credit card is approved."""
    sale = bench.sale(12_34, "visa-credit")
    assert sale.approved


@pytest.mark.parametrize("bearer", ["wifi", "cellular"], indirect=True)
@pytest.mark.requires(Verdict.COMPLETED)
def test_approve_debit_of_another_bank(bench: Bench, bearer: str) -> None:
    """A debit card of another bank is routed over the card network and approved."""
    sale = bench.sale(5_00, "unionpay-debit")
    assert sale.approved


@pytest.mark.parametrize("bearer", ["wifi"], indirect=True)
@pytest.mark.requires(Verdict.COMPLETED)
def test_amount_is_what_the_host_books(bench: Bench, bearer: str) -> None:
    """An amount whose digits are control characters on a serial line (10 hex) is booked as it is."""
    sale = bench.sale(10_10_10, "visa-credit")
    assert sale.approved
    assert sale.amount == 10_10_10


@pytest.mark.parametrize("bearer", ["wifi"], indirect=True)
@pytest.mark.requires(Verdict.COMPLETED)
def test_decline(bench: Bench, bearer: str) -> None:
    """The issuer declines: the terminal shows it, and nothing is charged or reversed."""
    sale = bench.sale(20_00, "visa-declined")
    assert not sale.approved


@pytest.mark.parametrize("bearer", ["wifi"], indirect=True)
@pytest.mark.requires(Verdict.COMPLETED)
def test_void(bench: Bench, bearer: str) -> None:
    """A sale and its void net to zero."""
    sale = bench.sale(7_77, "visa-credit")
    void = bench.void(sale)
    assert void.approved


@pytest.mark.parametrize("bearer", ["wifi", "cellular"], indirect=True)
@pytest.mark.requires(Verdict.COMPLETED)
def test_end_of_day(bench: Bench, bearer: str) -> None:
    """After a sale, the end of day: terminal and host agree on the totals."""
    sale = bench.sale(3_21, "visa-credit")
    assert sale.approved
    end = bench.end_of_day()
    assert end.approved
