"""The line between cash register and terminal is cut, and comes back. It has a link of its own, apart from bearers."""

from __future__ import annotations

import pytest

from rig.bench import Bench
from rig.faults import Moment, cut_ecr
from rig.verdict import Verdict

pytestmark = [
    pytest.mark.needs("card", "cash-register link"),
    pytest.mark.parametrize("bearer", ["wifi"], indirect=True),
]


@pytest.mark.requires(Verdict.COMPLETED)
def test_cut_for_a_moment(bench: Bench, bearer: str) -> None:
    """The cable is out for half a second while the host thinks: one charge, and the cash register learns of it."""
    sale = bench.sale(13_01, "visa-credit", cut_ecr(back_after_s=0.5).at(Moment.REQUEST_RECEIVED))
    assert sale.approved


@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_cut_until_the_terminal_gives_up(bench: Bench, bearer: str) -> None:
    """The result is never acknowledged: the terminal must reverse by itself, and the query afterwards agrees."""
    sale = bench.sale(13_02, "visa-credit", cut_ecr().at(Moment.REQUEST_RECEIVED))
    assert not sale.approved
