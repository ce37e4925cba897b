"""The cable as the terminal's only way: unplugged, without the power that its adapter lives on, loose."""

from __future__ import annotations

import pytest

from rig.bench import Bench
from rig.faults import Moment, fail
from rig.verdict import Verdict

CABLE = "ethernet"
CARD = "visa-credit"
SAFE = (Verdict.COMPLETED, Verdict.FAILED_SAFELY)

pytestmark = [
    pytest.mark.needs("card", f"switch port on {CABLE}"),
    pytest.mark.parametrize("bearer", [CABLE], indirect=True),
]


@pytest.mark.requires(Verdict.FAILED_SAFELY)
@pytest.mark.parametrize("failure", ["port-down", "poe-off"])
def test_no_link(bench: Bench, bearer: str, failure: str) -> None:
    """Unplugged, or its adapter is without power: nothing is sent; plugged in again, the next sale completes."""
    lost = bench.sale(32_00, CARD, fail(bearer, failure).at(Moment.BETWEEN_SALES))
    bench.bring_back(bearer)
    found = bench.sale(32_01, CARD)
    assert (lost.approved, found.approved) == (False, True)


@pytest.mark.requires(Verdict.FAILED_SAFELY)
@pytest.mark.parametrize("failure", ["port-down", "poe-off"])
def test_unplugged_while_the_answer_is_held(bench: Bench, bearer: str, failure: str) -> None:
    """The host has booked the sale when the link goes: reversed before the next sale."""
    lost = bench.sale(32_02, CARD, fail(bearer, failure).at(Moment.REQUEST_RECEIVED))
    bench.bring_back(bearer)
    found = bench.sale(32_03, CARD)
    assert (lost.approved, found.approved) == (False, True)


@pytest.mark.requires(*SAFE)
def test_loose_plug(bench: Bench, bearer: str) -> None:
    """The link comes and goes: each sale completes or fails safely, and at rest again the next one completes."""
    bench.fail(bearer, "cable-flap")
    for number in range(3):
        bench.sale(32_10 + number, CARD)
    bench.bring_back(bearer)
    assert bench.sale(32_19, CARD).approved
