"""A private line or private APN as the terminal's only way: no names, often no TLS, and an APN that must be right."""

from __future__ import annotations

import pytest

from rig.bench import Bench
from rig.faults import Moment, fail
from rig.verdict import Verdict

LINE = "private"
CARD = "visa-credit"

pytestmark = [
    pytest.mark.needs("card", LINE),
    pytest.mark.parametrize("bearer", [LINE], indirect=True),
]

signal = pytest.mark.needs(f"readable signal on {LINE}")


@pytest.mark.requires(Verdict.COMPLETED)
def test_without_names(bench: Bench, bearer: str) -> None:
    """Nobody serves names there: the terminal knows its host by address, and sells."""
    assert bearer not in bench.file.services
    assert bench.sale(34_00, CARD).approved


@signal
@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_wrong_apn(bench: Bench, bearer: str) -> None:
    """Signal and service, and no data: nothing is sent; with the right name the next sale completes."""
    lost = bench.sale(34_01, CARD, fail(bearer, "wrong-apn").at(Moment.BETWEEN_SALES))
    bench.bring_back(bearer)
    found = bench.sale(34_02, CARD)
    assert (lost.approved, found.approved) == (False, True)


@signal
@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_apn_changed_while_the_answer_is_held(bench: Bench, bearer: str) -> None:
    """The operator takes the name away while the host has the request: reversed when there is data again."""
    lost = bench.sale(34_03, CARD, fail(bearer, "wrong-apn").at(Moment.REQUEST_RECEIVED))
    bench.bring_back(bearer)
    found = bench.sale(34_04, CARD)
    assert (lost.approved, found.approved) == (False, True)


@pytest.mark.needs("network failures")
@pytest.mark.requires(Verdict.FAILED_SAFELY)
@pytest.mark.parametrize("answer", ["unreachable", "silent"])
def test_line_to_the_host_down(bench: Bench, bearer: str, answer: str) -> None:
    """The line between operator and host is down: nothing is charged."""
    assert not bench.sale(34_05, CARD, fail(bearer, "uplink-down", answer=answer).at(Moment.BETWEEN_SALES)).approved
