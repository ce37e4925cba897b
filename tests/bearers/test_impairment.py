from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.bearers.impairment import CLEAN, CUT, Impairment
from rig.bearers.link import ReadBack
from rig.errors import CallerMistake, DeviceClamped

IMPAIRMENTS = st.builds(
    lambda delay, share, loss, rate, cut: Impairment(delay, delay * share, loss, rate, cut),
    st.floats(0, 60_000),
    st.floats(0, 1),
    st.floats(0, 100),
    st.none() | st.floats(0.1, 1_000_000),
    st.booleans(),
)


@given(IMPAIRMENTS)
def test_there_and_back(impairment: Impairment) -> None:
    assert Impairment.from_dict(impairment.to_dict()) == impairment


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"delay_ms": -1}, "delay_ms: -1 is outside 0 to 60000"),
        ({"delay_ms": math.nan}, "delay_ms: nan is not a number"),
        ({"delay_ms": True}, "delay_ms: True is not a number"),
        ({"delay_ms": "20"}, "delay_ms: '20' is not a number"),
        ({"delay_ms": 10, "jitter_ms": 11}, "jitter_ms: 11 is outside 0 to 10 .jitter is at most the delay"),
        ({"loss_percent": 100.1}, "loss_percent: 100.1 is outside"),
        ({"rate_kbit": 0}, "rate_kbit: 0 is outside .*leave it out for unlimited"),
        ({"cut": 1}, "cut: 1 is neither true nor false"),
        ({"los": 3}, "unknown los"),
    ],
)
def test_a_wrong_value_is_the_callers_mistake(fields: dict[str, object], complaint: str) -> None:
    with pytest.raises(CallerMistake, match=complaint):
        Impairment.from_dict(fields)


@pytest.mark.parametrize(
    ("impairment", "text"),
    [
        (CLEAN, "clean"),
        (CUT, "cut"),
        (Impairment(80, 20, 1.5, 9.6), "80 ± 20 ms, 1.5 % loss, 9.6 kbit/s"),
        (Impairment(loss_percent=100), "100 % loss"),
    ],
)
def test_what_people_read(impairment: Impairment, text: str) -> None:
    assert str(impairment) == text


def test_the_queue_is_deep_enough_for_what_is_in_flight() -> None:
    assert CLEAN.queue_limit == 1000
    assert Impairment(delay_ms=500).queue_limit >= 5_000 * 0.5 + 1000
    assert Impairment(delay_ms=500, rate_kbit=64).queue_limit < 1100


@pytest.mark.parametrize(
    ("asked", "got"),
    [
        (Impairment(delay_ms=20), Impairment(delay_ms=20.1)),
        (Impairment(loss_percent=3), CLEAN),
        (Impairment(rate_kbit=64), CLEAN),
        (CLEAN, Impairment(rate_kbit=64)),
        (CUT, Impairment(loss_percent=100)),
        (CLEAN, CUT),
    ],
)
def test_what_reads_back_otherwise_is_clamped(asked: Impairment, got: Impairment) -> None:
    with pytest.raises(DeviceClamped, match="link wifi: up was asked for"):
        ReadBack(got, CLEAN, True).require("wifi", asked, CLEAN)


def test_what_a_backend_rounds_is_no_difference() -> None:
    asked = Impairment(delay_ms=20, jitter_ms=3, loss_percent=3, rate_kbit=9.6)
    got = Impairment(delay_ms=20.0004, jitter_ms=3, loss_percent=3.000_001, rate_kbit=9.608)
    ReadBack(got, CUT, True).require("wifi", asked, Impairment(delay_ms=5, cut=True))
