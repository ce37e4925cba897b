"""The cellular signal fades: the attenuator walks the terminal out of coverage, and back."""

from __future__ import annotations

import pytest

from rig.bench import Bench
from rig.units import Decibel
from rig.verdict import Verdict

pytestmark = [
    pytest.mark.needs("card", "attenuation", "readable signal"),
    pytest.mark.parametrize("bearer", ["cellular"], indirect=True),
]


@pytest.mark.requires(Verdict.COMPLETED)
def test_weak_signal(bench: Bench, bearer: str) -> None:
    """At the edge of the cell the sale is slow, and completes."""
    before = bench.signal()
    bench.attenuate("lte-main", Decibel(38))
    after = bench.wait_for_signal(lambda signal: signal.rsrp is not None and signal.rsrp <= -105)
    assert before.rsrp is not None
    assert after.rsrp is not None
    assert abs((before.rsrp - after.rsrp) - 38) <= 3
    sale = bench.sale(6_01, "visa-credit")
    assert sale.approved


@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_walk_to_loss_of_service_and_back(bench: Bench, bearer: str) -> None:
    """Step by step out of coverage, a sale there, and back: the first sale fails safely, the second completes."""
    for loss in (10, 20, 30, 40, 50, 60):
        bench.attenuate("lte-main", Decibel(loss))
    bench.wait_for_signal(lambda signal: not signal.registered)
    lost = bench.sale(6_02, "visa-credit")
    assert not lost.approved
    for loss in (50, 40, 30, 20, 10, 0):
        bench.attenuate("lte-main", Decibel(loss))
    bench.wait_for_signal(lambda signal: signal.registered)
    found = bench.sale(6_03, "visa-credit")
    assert found.approved
