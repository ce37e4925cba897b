"""What a reading says of itself."""

from __future__ import annotations

import pytest

from rig.errors import BenchTrouble
from rig.instruments.signal import Signal, cure_of, wait_for_signal
from rig.units import Dbm, Decibel

LTE = Signal("LTE", Dbm(-80), registered=True, quality=Decibel(-9.5), cell="1", channel=1300, sim="ready")
GSM = Signal("GSM", Dbm(-80), registered=True, cell="1")


def test_a_level_is_an_rsrp_on_lte_alone() -> None:
    assert (LTE.rsrp, LTE.rsrq) == (Dbm(-80), Decibel(-9.5))
    assert (GSM.rsrp, GSM.rsrq) == (None, None)
    assert LTE.as_dict()["rsrp"] == LTE.as_dict()["level"] == -80
    assert GSM.as_dict()["rsrp"] is None


def test_readings_of_one_place_are_comparable() -> None:
    assert LTE.same_place_as(Signal("LTE", Dbm(-100), cell="1", channel=1300))
    for other in (GSM, Signal("LTE", cell="2", channel=1300), Signal("LTE", cell="1", channel=100)):
        assert not LTE.same_place_as(other)


@pytest.mark.parametrize(
    ("signal", "says", "cure"),
    [
        (LTE, "LTE, -80 dBm, registered, cell 1, channel 1300", "the antenna path"),
        (Signal(sim="missing"), "no technology, no level, no service, SIM: missing", "put it in"),
        (Signal("GSM", Dbm(-70), sim="SIM PIN"), "GSM, -70 dBm, no service, SIM: SIM PIN", "the SIM says SIM PIN"),
    ],
)
def test_a_reading_is_told(signal: Signal, says: str, cure: str) -> None:
    assert str(signal) == says
    assert cure in cure_of(signal)


def test_waiting_pauses_no_longer_than_is_left() -> None:
    pauses: list[float] = []
    with pytest.raises(
        BenchTrouble, match=r"ear: the signal did not become what was awaited in 0\.01 s: no technology"
    ):
        wait_for_signal("ear", Signal, pauses.append, lambda _: False, 0.01, 5)
    assert pauses
    assert max(pauses) <= 0.01
