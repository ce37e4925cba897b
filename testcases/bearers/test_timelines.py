"""Sales while the network of a bearer changes under them, as it does where people carry terminals about.

These take up to a minute each and are not part of the regression: ``rig run --suite testcases/bearers``.
"""

from __future__ import annotations

import pytest

from rig.bench import Bench
from rig.faults import Moment, play
from rig.verdict import Verdict

pytestmark = pytest.mark.needs("card", "impairable link")

PAUSE_S = 1.0
SAFE = (Verdict.COMPLETED, Verdict.FAILED_SAFELY)


def sell_while(bench: Bench, bearer: str, timeline: str) -> list[bool]:
    """A sale at once and another a moment after each, as long as a timeline plays; whether each was approved."""
    playing = bench.play(bearer, timeline)
    approved = [bench.sale(6_00, "visa-credit").approved]
    while playing.wait(PAUSE_S) is None:
        approved.append(bench.sale(6_00 + len(approved), "visa-credit").approved)
    return approved


@pytest.mark.needs("wifi", "cellular")
@pytest.mark.requires(*SAFE)
def test_walk_away(bench: Bench) -> None:
    """Carried away from the access point: sales go over Wi-Fi, then over the SIM card, and the last one completes."""
    approved = sell_while(bench, "wifi", "walk-away")
    assert approved[0]
    assert bench.sale(7_99, "visa-credit").approved


@pytest.mark.needs("cellular")
@pytest.mark.parametrize("bearer", ["cellular"], indirect=True)
@pytest.mark.requires(*SAFE)
def test_elevator(bench: Bench, bearer: str) -> None:
    """No network while the doors are shut: nothing is charged then, and sales complete above."""
    approved = sell_while(bench, bearer, "elevator")
    assert approved[0]
    assert bench.sale(7_98, "visa-credit").approved


@pytest.mark.needs("cellular")
@pytest.mark.parametrize("bearer", ["cellular"], indirect=True)
@pytest.mark.requires(*SAFE)
def test_tunnel(bench: Bench, bearer: str) -> None:
    """Through a tunnel: nothing is charged without an answer, and sales complete on the other side."""
    approved = sell_while(bench, bearer, "tunnel")
    assert approved[0]
    assert bench.sale(7_97, "visa-credit").approved


@pytest.mark.needs("cellular")
@pytest.mark.parametrize("bearer", ["cellular"], indirect=True)
@pytest.mark.requires(*SAFE)
def test_handover(bench: Bench, bearer: str) -> None:
    """From cell to cell: a handover costs a sale time, a failed one perhaps the sale, never money."""
    approved = sell_while(bench, bearer, "handover")
    assert approved[0]
    assert bench.sale(7_96, "visa-credit").approved


@pytest.mark.needs("cellular")
@pytest.mark.parametrize("bearer", ["cellular"], indirect=True)
@pytest.mark.requires(*SAFE)
def test_parking_garage(bench: Bench, bearer: str) -> None:
    """Two levels below the street nothing is charged; sales complete on the way down and above."""
    approved = sell_while(bench, bearer, "parking-garage")
    assert approved[0]
    assert bench.sale(7_92, "visa-credit").approved


@pytest.mark.needs("cellular")
@pytest.mark.parametrize("bearer", ["cellular"], indirect=True)
@pytest.mark.requires(*SAFE)
def test_cell_congestion(bench: Bench, bearer: str) -> None:
    """The signal is good and the cell full: sales are slow, and at the worst one may fail, safely."""
    approved = sell_while(bench, bearer, "cell-congestion")
    assert approved[0]
    assert bench.sale(7_91, "visa-credit").approved


@pytest.mark.needs("cellular", "attenuation", "readable signal")
@pytest.mark.parametrize("bearer", ["cellular"], indirect=True)
@pytest.mark.parametrize("fade", ["fade-elevator", "fade-tunnel", "fade-parking-garage", "fade-walk-away"])
@pytest.mark.requires(*SAFE)
def test_fade(bench: Bench, bearer: str, fade: str) -> None:
    """The attenuator takes the signal away and gives it back; what the network makes of it is its own doing."""
    approved = sell_while(bench, bearer, fade)
    assert approved[0]
    bench.wait_for_signal(lambda signal: signal.registered, bearer)
    assert bench.sale(7_90, "visa-credit").approved


@pytest.mark.needs("wifi", "cellular")
@pytest.mark.requires(*SAFE)
def test_handover_with_wifi_at_hand(bench: Bench) -> None:
    """Wi-Fi behaves as a train's does, from cell to cell, and the SIM card stands by."""
    approved = sell_while(bench, "wifi", "handover")
    assert approved[0]
    assert bench.sale(7_95, "visa-credit").approved


@pytest.mark.parametrize("bearer", ["wifi"], indirect=True)
@pytest.mark.requires(*SAFE)
def test_evening_congestion(bench: Bench, bearer: str) -> None:
    """A crowded access line delays sales; at its worst one may fail, safely."""
    assert any(sell_while(bench, bearer, "evening-congestion"))


@pytest.mark.parametrize("bearer", ["wifi"], indirect=True)
@pytest.mark.requires(*SAFE)
def test_microwave_oven(bench: Bench, bearer: str) -> None:
    """Sales beside an oven that radiates half of the time; it goes on until the case ends."""
    bench.play(bearer, "microwave-oven")
    sales = [bench.sale(8_00 + number, "visa-credit") for number in range(6)]
    assert any(sale.approved for sale in sales)


@pytest.mark.parametrize("bearer", ["wifi"], indirect=True)
@pytest.mark.requires(*SAFE)
def test_minute(bench: Bench, bearer: str) -> None:
    """Round trips rise and fall for a minute while sales complete; the report shows what was reached of it."""
    assert all(sell_while(bench, bearer, "minute"))


@pytest.mark.parametrize("bearer", ["wifi", "cellular"], indirect=True)
@pytest.mark.requires(*SAFE)
def test_shadow_begins_while_the_answer_is_held(bench: Bench, bearer: str) -> None:
    """A second without radio begins while the host holds its answer: approved late, or reversed; then all is well."""
    bench.sale(7_94, "visa-credit", play(bearer, "shadow").at(Moment.REQUEST_RECEIVED))
    bench.wait_for_timeline(bearer)
    assert bench.sale(7_93, "visa-credit").approved
