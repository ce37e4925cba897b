from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.bearers.impairment import CLEAN, CUT, Distribution, Impairment, Overhead
from rig.bearers.link import ReadBack
from rig.bearers.loss import GilbertElliott
from rig.errors import CallerMistake, DeviceClamped

SIMPLE_IMPAIRMENTS = st.builds(
    lambda delay, share, loss, rate, cut: Impairment(delay, min(delay * share, 2_147), loss, rate, cut),
    st.floats(0, 60_000),
    st.floats(0, 1),
    st.floats(0, 100),
    st.none() | st.floats(0.1, 1_000_000),
    st.booleans(),
)

IMPAIRMENTS = SIMPLE_IMPAIRMENTS
"""Delay, even jitter, plain loss, rate and cut."""


@st.composite
def _whole(draw: st.DrawFn) -> Impairment:
    simple, percent = draw(SIMPLE_IMPAIRMENTS), st.floats(0, 100)
    bursts = draw(st.none() | st.builds(GilbertElliott, percent, st.floats(0.001, 100), percent, percent))
    cells = st.integers(1, 1500)
    overheads = st.builds(Overhead, st.integers(-14, 1500)) | st.builds(Overhead, st.integers(-14, 99), cells, cells)
    return replace(
        simple,
        distribution=draw(st.sampled_from(Distribution)),
        burst_loss=bursts,
        loss_percent=0.0 if bursts else simple.loss_percent,
        duplicate_percent=draw(percent),
        corrupt_percent=draw(percent),
        reorder_percent=draw(percent) if simple.delay_ms else 0.0,
        overhead=draw(overheads) if simple.rate_kbit is not None else Overhead(),
        seed=draw(st.none() | st.integers(0, 2**64 - 1)),
    )


WHOLE_IMPAIRMENTS = _whole()
"""Everything that an impairment may be."""


@given(WHOLE_IMPAIRMENTS)
def test_there_and_back(impairment: Impairment) -> None:
    assert Impairment.from_dict(json.loads(json.dumps(impairment.to_dict()))) == impairment


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"delay_ms": -1}, "delay_ms: -1 is outside 0 to 60000"),
        ({"delay_ms": math.nan}, "delay_ms: nan is not a number"),
        ({"delay_ms": 10**400}, "delay_ms: 10+ is not a number"),
        ({"delay_ms": True}, "delay_ms: True is not a number"),
        ({"delay_ms": "20"}, "delay_ms: '20' is not a number"),
        ({"delay_ms": 10, "jitter_ms": 11}, "jitter_ms: 11 is outside 0 to 10 .jitter is at most the delay"),
        ({"loss_percent": 100.1}, "loss_percent: 100.1 is outside"),
        ({"rate_kbit": 0}, "rate_kbit: 0 is outside .*leave it out for unlimited"),
        ({"cut": 1}, "cut: 1 is neither true nor false"),
        ({"los": 3}, "unknown los"),
        ({"delay_ms": math.inf}, "delay_ms: inf is not a number"),
        ({"delay_ms": 9_000, "jitter_ms": 2_148}, "jitter_ms: 2148 is outside 0 to 2147"),
        ({"jitter_ms": 1}, "jitter_ms: 1 is outside 0 to 0"),
        ({"distribution": "gauss"}, "there is no 'gauss'.*use uniform, normal, pareto, paretonormal"),
        ({"distribution": ["normal"]}, "there is no"),
        ({"duplicate_percent": -0.1}, "duplicate_percent: -0.1 is outside"),
        ({"corrupt_percent": math.nan}, "corrupt_percent: nan is not a number"),
        ({"reorder_percent": 101, "delay_ms": 5}, "reorder_percent: 101 is outside"),
        ({"reorder_percent": 5}, "reorder_percent: nothing waits that could be overtaken"),
        ({"loss_percent": 1, "burst_loss": {"to_bad_percent": 1, "to_good_percent": 9}}, "which of the two is meant"),
        ({"burst_loss": 5}, "burst_loss: 5 is no mapping"),
        ({"burst_loss": {"to_bad_percent": 5}}, "burst_loss: lacks to_good_percent"),
        ({"burst_loss": {"to_bad_percent": 5, "to_good_percent": 0}}, "to_good_percent: 0 is outside"),
        ({"burst_loss": {"to_bad_percent": math.nan, "to_good_percent": 5}}, "to_bad_percent: nan is not a number"),
        ({"burst_loss": {"p": 5, "r": 30}}, "burst_loss: unknown p, r"),
        ({"overhead": {"packet_bytes": 4}}, "overhead: costs nothing on a link without a rate"),
        ({"overhead": {"packet_bytes": -15}, "rate_kbit": 64}, "overhead.packet_bytes: -15 is outside -14 to 1500"),
        ({"overhead": {"packet_bytes": 1.5}, "rate_kbit": 64}, "overhead.packet_bytes: 1.5 is not a whole number"),
        ({"overhead": {"cell_overhead_bytes": 5}, "rate_kbit": 64}, "there are no cells"),
        ({"overhead": None, "rate_kbit": 64}, "overhead: None is no mapping"),
        ({"seed": -1}, "seed: -1 is outside"),
        ({"seed": 2**64}, "seed: 18446744073709551616 is outside"),
        ({"seed": 1.0}, "seed: 1.0 is not a whole number"),
        ({"seed": True}, "seed: True is not a whole number"),
        ({"correlation": 25}, "correlation: netem's correlation does not do what it says.*use burst_loss"),
        ({"loss_correlation": 25}, "loss_correlation: netem's correlation"),
        ({"delay_correlation_percent": 25}, "delay_correlation_percent: netem's correlation"),
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
        (Impairment(80, 20, distribution=Distribution.PARETO), "80 ± 20 ms pareto"),
        (Impairment(burst_loss=GilbertElliott(5, 30)), "14.3 % loss in bursts of 3.33"),
        (
            Impairment(9, duplicate_percent=1, corrupt_percent=2, reorder_percent=3),
            "9 ms, 1 % duplicated, 2 % corrupted, 3 % reordered",
        ),
    ],
)
def test_what_people_read(impairment: Impairment, text: str) -> None:
    assert str(impairment) == text


def test_the_queue_is_deep_enough_for_what_is_in_flight() -> None:
    assert CLEAN.queue_limit == 1000
    assert Impairment(delay_ms=500).queue_limit >= 5_000 * 0.5 + 1000
    assert Impairment(delay_ms=500, rate_kbit=64).queue_limit < 1100
    assert Impairment(delay_ms=500, duplicate_percent=100).queue_limit == 2 * 50_000 + 1000
    tailed = Impairment(delay_ms=500, jitter_ms=100, distribution=Distribution.PARETO)
    assert tailed.queue_limit == 100 * 900 + 1000


@pytest.mark.parametrize(
    ("overhead", "frame_bytes", "wire_bytes"),
    [
        (Overhead(), 1514, 1514),
        (Overhead(packet_bytes=-14), 60, 46),
        (Overhead(packet_bytes=24), 60, 84),
        (Overhead(cell_bytes=48, cell_overhead_bytes=5), 48, 53),
        (Overhead(cell_bytes=48, cell_overhead_bytes=5), 49, 106),
        # A full packet over PPPoE, LLC and AAL5 with its trailer of 8: 1,500 + 6 + 2 + 14 + 10 + 8 = 1,540, 33 cells.
        (Overhead(packet_bytes=26, cell_bytes=48, cell_overhead_bytes=5), 1514, 33 * 53),
        (Overhead(packet_bytes=-14, cell_bytes=48), 14, 0),
    ],
)
def test_what_a_frame_takes_up_on_the_wire(overhead: Overhead, frame_bytes: int, wire_bytes: int) -> None:
    assert overhead.wire_bytes(frame_bytes) == wire_bytes


@pytest.mark.parametrize(
    ("asked", "got"),
    [
        (Impairment(delay_ms=20), Impairment(delay_ms=20.1)),
        (Impairment(loss_percent=3), CLEAN),
        (Impairment(rate_kbit=64), CLEAN),
        (CLEAN, Impairment(rate_kbit=64)),
        (CUT, Impairment(loss_percent=100)),
        (CLEAN, CUT),
        (Impairment(9, 3, distribution=Distribution.NORMAL), Impairment(9, 3)),
        (Impairment(burst_loss=GilbertElliott(5, 30)), CLEAN),
        (Impairment(burst_loss=GilbertElliott(5, 30)), Impairment(burst_loss=GilbertElliott(5, 31))),
        (Impairment(duplicate_percent=1), CLEAN),
        (CLEAN, Impairment(corrupt_percent=1)),
        (Impairment(9, reorder_percent=1), Impairment(9)),
        (Impairment(rate_kbit=64, overhead=Overhead(4)), Impairment(rate_kbit=64)),
        (Impairment(9, 3, seed=5), Impairment(9, 3, seed=6)),
    ],
)
def test_what_reads_back_otherwise_is_clamped(asked: Impairment, got: Impairment) -> None:
    with pytest.raises(DeviceClamped, match="link wifi: up was asked for"):
        ReadBack(got, CLEAN, True).require("wifi", asked, CLEAN)


def test_what_a_backend_rounds_is_no_difference() -> None:
    asked = Impairment(delay_ms=20, jitter_ms=3, loss_percent=3, rate_kbit=9.6)
    got = Impairment(delay_ms=20.0004, jitter_ms=3, loss_percent=3.000_001, rate_kbit=9.608)
    ReadBack(got, CUT, True).require("wifi", asked, Impairment(delay_ms=5, cut=True))
