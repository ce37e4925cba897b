"""The host shows itself by a TLS front. To one that no terminal may believe not one application byte is given (M16);
behind the sound ones sales complete, whether the terminal resumes its session or not.
"""

from __future__ import annotations

import pytest

from rig.acquirer.fronts import HOSTILE
from rig.bench import Bench
from rig.faults import Moment, host_front
from rig.verdict import Verdict

CARD = "visa-credit"

pytestmark = [pytest.mark.needs("card"), pytest.mark.parametrize("bearer", ["wifi"], indirect=True)]


@pytest.mark.requires(Verdict.FAILED_SAFELY)
@pytest.mark.parametrize("front", HOSTILE)
def test_hostile(bench: Bench, bearer: str, front: str) -> None:
    """The front must not be believed: the sale fails, and the front is given nothing."""
    sale = bench.sale(17_01, CARD, host_front(front).at(Moment.BETWEEN_SALES))
    seen = bench.acquirer.state().front["seen"]
    assert not sale.approved
    assert seen["front"] == front
    assert seen["went_on"] == 0, "the terminal went on with a handshake that it must break off"


@pytest.mark.requires(Verdict.COMPLETED)
def test_good(bench: Bench, bearer: str) -> None:
    """The true host, two times: the second time the terminal may resume its session."""
    assert bench.sale(17_05, CARD).approved
    assert bench.sale(17_06, CARD).approved


@pytest.mark.requires(Verdict.COMPLETED)
def test_mutual(bench: Bench, bearer: str) -> None:
    """The host asks for the terminal's certificate, and gets it; the second time a session may stand in for it."""
    assert bench.sale(17_02, CARD, host_front("mutual").at(Moment.BETWEEN_SALES)).approved
    assert bench.sale(17_07, CARD).approved


@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_back_to_the_good_one(bench: Bench, bearer: str) -> None:
    """After a hostile front the true host is believed again."""
    refused = bench.sale(17_03, CARD, host_front("self-signed").at(Moment.BETWEEN_SALES))
    bench.acquirer.front("good")
    assert not refused.approved
    assert bench.sale(17_04, CARD).approved
