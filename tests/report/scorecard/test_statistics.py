"""Intervals: known values, and what must hold of any."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.report.scorecard.statistics import Interval, mean, median, percentile, wilson

COUNTS = st.integers(1, 400).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials)))
VALUES = st.lists(st.floats(0, 1e6, allow_nan=False), min_size=1, max_size=60)


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (20, 20, 0.8389, 1.0),
        (6, 6, 0.6097, 1.0),
        (0, 10, 0.0, 0.2775),
        (81, 263, 0.2553, 0.3662),
        (1, 2, 0.0945, 0.9055),
    ],
)
def test_wilson_as_published(successes: int, trials: int, low: float, high: float) -> None:
    """81 of 263 is the example of R. G. Newcombe, Statistics in Medicine 17 (1998)."""
    found = wilson(successes, trials)
    assert found is not None
    assert found.low == pytest.approx(low, abs=5e-5)
    assert found.high == pytest.approx(high, abs=5e-5)


@given(COUNTS)
def test_a_share_lies_inside_its_interval(counts: tuple[int, int]) -> None:
    found = wilson(*counts)
    assert found is not None
    assert found.low is not None
    assert found.high is not None
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.low < found.high, "so few trials never show a share exactly"


@given(COUNTS)
def test_successes_and_failures_mirror_each_other(counts: tuple[int, int]) -> None:
    successes, trials = counts
    one, other = wilson(successes, trials), wilson(trials - successes, trials)
    assert one is not None
    assert other is not None
    assert one.low == pytest.approx(1 - (other.high or 0), abs=1e-12)


@given(COUNTS)
def test_more_trials_with_the_same_share_tell_more(counts: tuple[int, int]) -> None:
    few, many = wilson(*counts), wilson(10 * counts[0], 10 * counts[1])
    assert few is not None
    assert many is not None
    assert (many.high or 0) - (many.low or 0) < (few.high or 0) - (few.low or 0)


def test_nothing_tried_tells_nothing() -> None:
    assert wilson(0, 0) is None
    assert median([]) is None
    assert mean([]) is None


@given(VALUES, st.sampled_from([50, 95, 99, 100]))
def test_a_percentile_is_one_of_the_values_and_enough_do_not_exceed_it(values: list[float], percent: int) -> None:
    found = percentile(values, percent)
    assert found in values
    assert sum(value <= found for value in values) >= math.ceil(percent / 100 * len(values))
    assert sum(value < found for value in values) < percent / 100 * len(values)


@given(VALUES)
def test_a_median_lies_between_its_ends_and_few_values_have_none(values: list[float]) -> None:
    found = median(values)
    assert found is not None
    assert (found.low is None) == (len(values) < 6)
    if found.low is not None and found.high is not None:
        assert found.low <= found.value <= found.high


@pytest.mark.parametrize(("count", "rank"), [(6, 1), (8, 1), (9, 2), (20, 6), (50, 18)])
def test_the_ranks_of_a_median_are_those_of_the_tables(count: int, rank: int) -> None:
    """W. J. Conover, Practical Nonparametric Statistics, 3rd edition: the sign test's table."""
    found = median([float(each) for each in range(1, count + 1)])
    assert found is not None
    assert (found.low, found.high) == (rank, count + 1 - rank)


def test_a_mean_has_students_interval() -> None:
    found = mean([10.0, 12.0, 14.0])
    assert found is not None
    assert found.value == 12.0
    assert found.low == pytest.approx(7.032, abs=1e-3)
    assert found.high == pytest.approx(16.968, abs=1e-3)
    assert mean([10.0]) == Interval(10.0, None, None)


@given(VALUES)
def test_a_mean_of_sizes_never_ends_below_nothing(values: list[float]) -> None:
    found = mean(values)
    assert found is not None
    assert found.low is None or found.low >= 0


def test_only_intervals_that_do_not_meet_differ() -> None:
    assert Interval(1, 0, 2).below(Interval(4, 3, 5))
    assert not Interval(1, 0, 3).below(Interval(4, 3, 5))
    assert not Interval(1, None, None).below(Interval(4, 3, 5)), "what is not known differs from nothing"
