"""Whatever the bearer: the same faults at the same moments, and the same verdicts, as on Wi-Fi."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rig.bench import Bench
from rig.faults import (
    Fault,
    Moment,
    cut,
    cut_on_wire,
    fail,
    host_late,
    host_silent,
    lose_request_on_wire,
    reset_on_wire,
    switch_off,
)
from rig.verdict import Verdict

CARD = "visa-credit"
BEARERS = ["ethernet", "bluetooth", "private"]

pytestmark = [
    pytest.mark.needs("card"),
    pytest.mark.parametrize(
        "bearer", [pytest.param(name, marks=pytest.mark.needs(name)) for name in BEARERS], indirect=True
    ),
]

network_failures = pytest.mark.needs("network failures")


@pytest.mark.requires(Verdict.COMPLETED)
@pytest.mark.parametrize("profile", ["slow", "lossy"])
def test_degraded(bench: Bench, bearer: str, profile: str) -> None:
    """A slow or lossy way delays a sale and does not break it."""
    bench.impair(bearer, profile)
    assert bench.sale(31_00, CARD).approved


@pytest.mark.needs("card: moments")
@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_cut_before_the_request(bench: Bench, bearer: str) -> None:
    """The way is cut while the card computes: no request reaches the host, nothing is charged."""
    assert not bench.sale(31_01, CARD, cut(bearer).at(Moment.BEFORE_REQUEST)).approved


@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_cut_while_the_answer_is_held(bench: Bench, bearer: str) -> None:
    """The host has booked the sale, and its answer never arrives: reversed before the next sale, which completes."""
    lost = bench.sale(31_02, CARD, cut(bearer).at(Moment.REQUEST_RECEIVED))
    bench.bring_back(bearer)
    found = bench.sale(31_03, CARD)
    assert (lost.approved, found.approved) == (False, True)


@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_answer_late(bench: Bench, bearer: str) -> None:
    """The answer comes after the terminal gave up: it is discarded, and the reversal stands."""
    assert not bench.sale(31_04, CARD, host_late(bench.response_timeout_s + 0.5)).approved


@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_host_silent(bench: Bench, bearer: str) -> None:
    """The host books the sale and says nothing: exactly one reversal."""
    assert not bench.sale(31_05, CARD, host_silent()).approved


@pytest.mark.requires(Verdict.FAILED_SAFELY)
@pytest.mark.parametrize("moment", [Moment.BETWEEN_SALES, Moment.REQUEST_RECEIVED])
def test_switched_off(bench: Bench, bearer: str, moment: Moment) -> None:
    """The bearer goes, as bearers of its kind do, and comes back: the next sale completes."""
    lost = bench.sale(31_06, CARD, switch_off(bearer).at(moment))
    bench.bring_back(bearer)
    found = bench.sale(31_07, CARD)
    assert (lost.approved, found.approved) == (False, True)


@network_failures
@pytest.mark.requires(Verdict.FAILED_SAFELY)
@pytest.mark.parametrize("failure", ["silent-drop", "rst", "icmp-reject"])
def test_path_fails(bench: Bench, bearer: str, failure: str) -> None:
    """The host cannot be reached, at once or in silence: nothing is charged."""
    assert not bench.sale(31_08, CARD, fail(bearer, failure).at(Moment.BETWEEN_SALES)).approved


@pytest.mark.needs("exact moments on the wire")
@pytest.mark.requires(Verdict.FAILED_SAFELY)
@pytest.mark.parametrize("fault", [cut_on_wire, lose_request_on_wire, reset_on_wire])
def test_at_the_very_packet(bench: Bench, bearer: str, fault: Callable[[str], Fault]) -> None:
    """Cut or reset behind the packet of the request, or that packet lost: the terminal reverses, once."""
    assert not bench.sale(31_09, CARD, fault(bearer)).approved
