"""The terminal loses its power in the middle of a sale. After the reboot, the money must be right."""

from __future__ import annotations

import pytest

from rig.bench import Bench
from rig.faults import Moment, cut_power
from rig.verdict import Verdict

pytestmark = [pytest.mark.needs("card", "power control"), pytest.mark.parametrize("bearer", ["wifi"], indirect=True)]


@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_while_the_answer_is_held(bench: Bench, bearer: str) -> None:
    """The request has left, the answer has not come: the reversal is found after the reboot."""
    sale = bench.sale(1_01, "visa-credit", cut_power().at(Moment.REQUEST_RECEIVED))
    assert not sale.approved


@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_before_the_cash_register_knows(bench: Bench, bearer: str) -> None:
    """The terminal knows the approval, the cash register has not acknowledged it: reversed after the reboot."""
    sale = bench.sale(1_02, "visa-credit", cut_power().at(Moment.STATUS_INFORMATION))
    assert not sale.approved


@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_while_printing(bench: Bench, bearer: str) -> None:
    """The receipt is half printed: the sale was never complete, and is reversed after the reboot."""
    sale = bench.sale(1_03, "visa-credit", cut_power().at(Moment.PRINT_LINE))
    assert not sale.approved


@pytest.mark.requires(Verdict.COMPLETED)
def test_between_sales(bench: Bench, bearer: str) -> None:
    """A power cut between two sales costs nothing: both complete."""
    first = bench.sale(1_04, "visa-credit")
    bench.power_cycle()
    second = bench.sale(1_05, "visa-credit")
    assert first.approved
    assert second.approved
