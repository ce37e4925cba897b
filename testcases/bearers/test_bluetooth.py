"""A Bluetooth base, or a telephone, as the terminal's only way: out of range, forgotten, without power or uplink."""

from __future__ import annotations

import pytest

from rig.bench import Bench
from rig.faults import Moment, fail
from rig.units import Decibel
from rig.verdict import Verdict

BASE = "bluetooth"
CARD = "visa-credit"

pytestmark = [
    pytest.mark.needs("card", f"base on {BASE}"),
    pytest.mark.parametrize("bearer", [BASE], indirect=True),
]


@pytest.mark.needs("attenuation")
@pytest.mark.requires(Verdict.COMPLETED)
def test_far_from_the_base(bench: Bench, bearer: str) -> None:
    """Near the end of its range the sale is slow, and completes."""
    path = bench.file.bearers[bearer].path
    assert path is not None
    bench.attenuate(path, Decibel(35))
    assert bench.sale(33_00, CARD).approved


@pytest.mark.requires(Verdict.FAILED_SAFELY)
@pytest.mark.parametrize("failure", ["out-of-range", "pairing-lost", "base-off"])
@pytest.mark.parametrize("moment", [Moment.BETWEEN_SALES, Moment.REQUEST_RECEIVED])
def test_lost_and_found(bench: Bench, bearer: str, failure: str, moment: Moment) -> None:
    """Carried away, forgotten, or the base's plug was pulled: nothing is charged, and back again it sells."""
    lost = bench.sale(33_01, CARD, fail(bearer, failure).at(moment))
    bench.bring_back(bearer)
    found = bench.sale(33_02, CARD)
    assert (lost.approved, found.approved) == (False, True)


@pytest.mark.needs("network failures")
@pytest.mark.requires(Verdict.FAILED_SAFELY)
@pytest.mark.parametrize("answer", ["unreachable", "silent"])
def test_uplink_down(bench: Bench, bearer: str, answer: str) -> None:
    """The telephone has lost its own network while Bluetooth stays: nothing is charged; then it is back."""
    lost = bench.sale(33_03, CARD, fail(bearer, "uplink-down", answer=answer).at(Moment.BETWEEN_SALES))
    bench.bring_back(bearer)
    found = bench.sale(33_04, CARD)
    assert (lost.approved, found.approved) == (False, True)


@pytest.mark.needs("network failures")
@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_uplink_lost_while_the_answer_is_held(bench: Bench, bearer: str) -> None:
    """The telephone loses its network while the host has the request: the terminal reverses."""
    assert not bench.sale(33_05, CARD, fail(bearer, "uplink-down").at(Moment.REQUEST_RECEIVED)).approved
