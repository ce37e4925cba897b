"""The network fails with the very packet of the request, for hosts that cannot hold an answer. One bearer at a time."""

from __future__ import annotations

import pytest

from rig.bench import Bench
from rig.faults import cut_on_wire, lose_request_on_wire, reset_on_wire
from rig.verdict import Verdict

pytestmark = [
    pytest.mark.needs("card", "exact moments on the wire"),
    pytest.mark.parametrize("bearer", ["wifi", "cellular"], indirect=True),
]


@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_cut_between_request_and_answer(bench: Bench, bearer: str) -> None:
    """The host has the request, and from that packet on nothing comes back: the terminal reverses, once."""
    sale = bench.sale(18_01, "visa-credit", cut_on_wire(bearer))
    assert not sale.approved


@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_request_lost_on_the_wire(bench: Bench, bearer: str) -> None:
    """The request never reaches the host; the terminal cannot know, and reverses all the same."""
    sale = bench.sale(18_02, "visa-credit", lose_request_on_wire(bearer))
    assert not sale.approved


@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_reset_in_place_of_the_answer(bench: Bench, bearer: str) -> None:
    """The host has booked the sale, and the terminal's connection is reset before the answer: the terminal reverses."""
    sale = bench.sale(18_03, "visa-credit", reset_on_wire(bearer))
    assert not sale.approved


@pytest.mark.requires(Verdict.COMPLETED, Verdict.FAILED_SAFELY)
def test_cut_that_heals_by_itself(bench: Bench, bearer: str) -> None:
    """The wire is whole again before the terminal gives up: the answer, sent again, still comes."""
    bench.sale(18_04, "visa-credit", cut_on_wire(bearer, heals_after_s=0.3))
