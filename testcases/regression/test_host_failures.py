"""The host fails in every way that hosts do: wrong answers, broken ones, none, late ones; and each ends safely."""

from __future__ import annotations

import pytest

from rig.bench import Bench
from rig.faults import (
    Fault,
    Moment,
    host_approves_and_falls,
    host_changes_keys,
    host_closes,
    host_declines,
    host_disagrees,
    host_hangs,
    host_late,
    host_loses_request,
    host_malformed,
    host_other_answer,
    host_resets,
    host_restarts,
    host_silent,
    host_trickles,
    host_truncated,
    host_twice,
    host_wrong_code,
    issuer_out,
)
from rig.verdict import Verdict

CARD = "visa-credit"

pytestmark = [pytest.mark.needs("card"), pytest.mark.parametrize("bearer", ["wifi"], indirect=True)]

codes = pytest.mark.needs("message codes")

UNANSWERED = {
    "silent": host_silent(),
    "another's answer": host_other_answer(),
    "malformed": host_malformed(),
    "truncated in the length": host_truncated(1),
    "truncated in the message": host_truncated(40),
    "closed before the answer": host_closes("before"),
    "closed in the answer": host_closes("in", after_bytes=40),
    "reset before the answer": host_resets("before"),
    "reset in the answer": host_resets("in", after_bytes=40),
    "booked and fallen over": host_approves_and_falls(),
    "request lost": host_loses_request(),
    "request lost and closed": host_closes("before", booked=False),
    "request lost and reset": host_resets("before", booked=False),
}


@pytest.mark.requires(Verdict.FAILED_SAFELY)
@pytest.mark.parametrize("failure", UNANSWERED)
def test_no_answer_to_believe(bench: Bench, bearer: str, failure: str) -> None:
    """No whole, right answer comes: the terminal reverses, whether the host has booked or not."""
    assert not bench.sale(16_01, CARD, UNANSWERED[failure]).approved


@pytest.mark.requires(Verdict.FAILED_SAFELY)
@pytest.mark.parametrize("failure", ["late", "trickled"])
def test_too_slow(bench: Bench, bearer: str, failure: str) -> None:
    """The answer is whole only after the terminal's response timer has run out."""
    limit_s = bench.response_timeout_s
    slow = {"late": host_late(1.5 * limit_s), "trickled": host_trickles(limit_s / 20)}
    assert not bench.sale(16_02, CARD, slow[failure]).approved


WHOLE = {
    "twice": host_twice(),
    "trickled fast": host_trickles(0.001),
    "closed after the answer": host_closes("after"),
    "reset after the answer": host_resets("after"),
}


@pytest.mark.requires(Verdict.COMPLETED)
@pytest.mark.parametrize("failure", WHOLE)
def test_the_answer_is_whole(bench: Bench, bearer: str, failure: str) -> None:
    """Something is odd, and yet the whole answer came: the sale completes, once."""
    assert bench.sale(16_03, CARD, WHOLE[failure]).approved


@pytest.mark.requires(Verdict.COMPLETED)
@pytest.mark.parametrize(
    "fault",
    [host_declines("91"), host_declines("96"), host_declines("05", after_s=0.5)],
    ids=["issuer out", "system error", "decline after a wait"],
)
def test_declined(bench: Bench, bearer: str, fault: Fault) -> None:
    """The host says no, under maintenance or after a wait: nothing is charged, nothing reversed."""
    assert not bench.sale(16_04, CARD, fault).approved


@pytest.mark.requires(Verdict.COMPLETED)
def test_issuer_out(bench: Bench, bearer: str) -> None:
    """The card's bank cannot be reached: above the floor of who stands in, the host says 91."""
    assert not bench.sale(16_05, CARD, issuer_out("north-bank").at(Moment.BETWEEN_SALES)).approved


@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_hangs(bench: Bench, bearer: str) -> None:
    """Connections are taken, and nothing is ever said on them."""
    assert not bench.sale(16_06, CARD, host_hangs().at(Moment.BETWEEN_SALES)).approved


@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_restarts(bench: Bench, bearer: str) -> None:
    """The host goes down with the request booked, and comes back: the reversal finds it."""
    assert not bench.sale(16_07, CARD, host_restarts(0.3).at(Moment.REQUEST_RECEIVED)).approved


@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_unequal_totals(bench: Bench, bearer: str) -> None:
    """The host's totals are others: the end of day is not shown as agreed, and the batch stays open."""
    assert bench.sale(16_08, CARD).approved
    assert not bench.end_of_day(host_disagrees()).approved
    assert bench.end_of_day().approved


@codes
@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_wrong_code(bench: Bench, bearer: str) -> None:
    """The answer's message authentication code is wrong: it is no answer."""
    assert not bench.sale(16_09, CARD, host_wrong_code()).approved


@codes
@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_keys_changed_underneath(bench: Bench, bearer: str) -> None:
    """The host has other session keys: it refuses the request, and the next sale signs on anew and completes."""
    assert bench.sale(16_10, CARD).approved
    change = host_changes_keys(bench.file.terminal.terminal_id)
    assert not bench.sale(16_11, CARD, change.at(Moment.BETWEEN_SALES)).approved
    assert bench.sale(16_12, CARD).approved
