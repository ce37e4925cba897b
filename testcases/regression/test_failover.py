"""Wi-Fi and a SIM card in one terminal: what happens when one of them goes away."""

from __future__ import annotations

import pytest

from rig.bench import Bench
from rig.faults import Moment, cut, switch_off
from rig.verdict import Verdict

pytestmark = pytest.mark.needs("card", "wifi", "cellular")


@pytest.mark.requires(Verdict.COMPLETED)
def test_wifi_gone_before_the_sale(bench: Bench) -> None:
    """The access point is off: the terminal uses the SIM card."""
    sale = bench.sale(4_01, "visa-credit", switch_off("wifi").at(Moment.BETWEEN_SALES))
    assert sale.approved


@pytest.mark.needs("card: moments")
@pytest.mark.requires(Verdict.COMPLETED)
def test_wifi_silent_before_the_request(bench: Bench) -> None:
    """Wi-Fi goes silent before the request: the terminal tries it, gives up, and completes over the SIM card."""
    sale = bench.sale(4_02, "visa-credit", cut("wifi").at(Moment.BEFORE_REQUEST))
    assert sale.approved


@pytest.mark.requires(Verdict.FAILED_SAFELY)
def test_wifi_lost_while_the_answer_is_held(bench: Bench) -> None:
    """Wi-Fi vanishes after the request has left: never the same sale again over the SIM card, but a reversal."""
    sale = bench.sale(4_03, "visa-credit", switch_off("wifi").at(Moment.REQUEST_RECEIVED))
    assert not sale.approved
