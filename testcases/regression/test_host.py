"""The host is down, and comes back."""

from __future__ import annotations

import pytest

from rig.bench import Bench
from rig.faults import Moment, host_down
from rig.verdict import Verdict

pytestmark = [pytest.mark.needs("card"), pytest.mark.parametrize("bearer", ["wifi", "cellular"], indirect=True)]


@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_down_and_back(bench: Bench, bearer: str) -> None:
    """The host refuses connections: the sale fails at once. When it is back, the next one completes."""
    refused = bench.sale(11_01, "visa-credit", host_down().at(Moment.BETWEEN_SALES))
    bench.host_up()
    approved = bench.sale(11_02, "visa-credit")
    assert not refused.approved
    assert approved.approved
