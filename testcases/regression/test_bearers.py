"""The network of the terminal is slow, lossy, cut, late, or gone. One bearer at a time, the others switched off."""

from __future__ import annotations

import pytest

from rig.bench import Bench
from rig.faults import Moment, cut, host_late, host_silent
from rig.verdict import Verdict

each_bearer = pytest.mark.parametrize("bearer", ["wifi", "cellular"], indirect=True)

pytestmark = pytest.mark.needs("card")


@each_bearer
@pytest.mark.requires(Verdict.COMPLETED)
def test_slow(bench: Bench, bearer: str) -> None:
    """A slow network delays a sale and does not break it."""
    bench.impair(bearer, "slow")
    sale = bench.sale(8_00, "visa-credit")
    assert sale.approved


@each_bearer
@pytest.mark.requires(Verdict.COMPLETED)
def test_lossy(bench: Bench, bearer: str) -> None:
    """Lost packets are sent again; the sale completes."""
    bench.impair(bearer, "lossy")
    sale = bench.sale(8_50, "visa-credit")
    assert sale.approved


@pytest.mark.needs("card: moments")
@each_bearer
@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_cut_before_the_request(bench: Bench, bearer: str) -> None:
    """The network is cut while the card computes: no request reaches the host, nothing is charged."""
    sale = bench.sale(9_01, "visa-credit", cut(bearer).at(Moment.BEFORE_REQUEST))
    assert not sale.approved


@each_bearer
@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_cut_while_the_answer_is_held(bench: Bench, bearer: str) -> None:
    """The host has booked the sale, and its answer never arrives: the terminal reverses."""
    sale = bench.sale(9_02, "visa-credit", cut(bearer).at(Moment.REQUEST_RECEIVED))
    assert not sale.approved


@each_bearer
@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_answer_late(bench: Bench, bearer: str) -> None:
    """The answer comes after the terminal gave up: it is discarded, and the reversal stands."""
    sale = bench.sale(9_03, "visa-credit", host_late(bench.response_timeout_s + 0.5))
    assert not sale.approved


@each_bearer
@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_host_silent(bench: Bench, bearer: str) -> None:
    """The host books the sale and says nothing: exactly one reversal."""
    sale = bench.sale(9_04, "visa-credit", host_silent())
    assert not sale.approved


@each_bearer
@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_reversal_comes_before_the_next_sale(bench: Bench, bearer: str) -> None:
    """After an unanswered sale, the next sale goes through, and the reversal went first."""
    first = bench.sale(9_05, "visa-credit", host_silent())
    second = bench.sale(9_06, "visa-credit")
    assert not first.approved
    assert second.approved
