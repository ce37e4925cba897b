"""The access point itself misbehaves: it vanishes, sends the terminal away, changes its channel or its key."""

from __future__ import annotations

import pytest

from rig.bench import Bench
from rig.faults import Moment, change_channel, deauthenticate, roam, wifi_vanish, wrong_key
from rig.verdict import Verdict

pytestmark = [
    pytest.mark.needs("card", "access point on wifi"),
    pytest.mark.parametrize("bearer", ["wifi"], indirect=True),
]
roaming = pytest.mark.needs("roaming on wifi")


@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_vanishes_while_the_answer_is_held(bench: Bench, bearer: str) -> None:
    """Its plug is pulled after the request has left: no answer can come, the terminal reverses when it is back."""
    sale = bench.sale(21_01, "visa-credit", wifi_vanish(bearer).at(Moment.REQUEST_RECEIVED))
    assert not sale.approved


@pytest.mark.needs("card: moments")
@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_vanishes_before_the_request(bench: Bench, bearer: str) -> None:
    """It is gone before anything has left: nothing is charged."""
    sale = bench.sale(21_02, "visa-credit", wifi_vanish(bearer).at(Moment.BEFORE_REQUEST))
    assert not sale.approved


@pytest.mark.requires(Verdict.COMPLETED, Verdict.FAILED_SAFELY)
def test_deauthenticated_while_the_answer_is_held(bench: Bench, bearer: str) -> None:
    """The terminal is sent away and may come back at once: in time for the answer, or with a reversal."""
    bench.sale(21_03, "visa-credit", deauthenticate(bearer, reason=5).at(Moment.REQUEST_RECEIVED))


@pytest.mark.requires(Verdict.COMPLETED)
def test_changes_its_channel(bench: Bench, bearer: str) -> None:
    """Another channel is announced, as radar makes one necessary: the terminal follows, and a sale completes."""
    sale = bench.sale(21_04, "visa-credit", change_channel(bearer, 6).at(Moment.BETWEEN_SALES))
    assert sale.approved


@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_its_key_was_changed(bench: Bench, bearer: str) -> None:
    """Somebody has set another passphrase: the terminal is refused, and the sale fails before anything is charged."""
    sale = bench.sale(21_05, "visa-credit", wrong_key(bearer).at(Moment.BETWEEN_SALES))
    assert not sale.approved


@roaming
@pytest.mark.requires(Verdict.COMPLETED)
def test_asked_to_roam_between_sales(bench: Bench, bearer: str) -> None:
    """The network asks the terminal to go to its other cell: it goes, keeps its address, and a sale completes."""
    sale = bench.sale(21_06, "visa-credit", roam(bearer).at(Moment.BETWEEN_SALES))
    assert sale.approved


@roaming
@pytest.mark.requires(Verdict.COMPLETED, Verdict.FAILED_SAFELY)
def test_made_to_roam_while_the_answer_is_held(bench: Bench, bearer: str) -> None:
    """Its cell refuses it in the middle of a sale: it is on the other one in time for the answer, or it reverses."""
    bench.sale(21_07, "visa-credit", roam(bearer, hard=True).at(Moment.REQUEST_RECEIVED))
