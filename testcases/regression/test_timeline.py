"""A bearer whose network changes while a sale is under way. Longer timelines are in ``testcases/bearers``."""

from __future__ import annotations

import pytest

from rig.bench import Bench
from rig.faults import Moment, play
from rig.verdict import Verdict

pytestmark = pytest.mark.needs("card", "impairable link")


@pytest.mark.needs("card: moments")
@pytest.mark.parametrize("bearer", ["wifi"], indirect=True)
@pytest.mark.requires(Verdict.COMPLETED, Verdict.FAILED_SAFELY)
def test_radio_shadow(bench: Bench, bearer: str) -> None:
    """A second without radio around a request: approved late or reversed, and the next sale completes."""
    bench.sale(7_01, "visa-credit", play(bearer, "shadow").at(Moment.BEFORE_REQUEST))
    bench.wait_for_timeline(bearer)
    assert bench.sale(7_02, "visa-credit").approved
