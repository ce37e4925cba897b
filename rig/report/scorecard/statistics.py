"""Intervals that do not pretend: what so few sales can show, and what they cannot.

A share has Wilson's interval (E. B. Wilson, 1927), a median the interval between two order statistics, which holds for
any distribution, a mean Student's. All at 95 %. Two figures differ where their intervals do not meet, else they do not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

_Z = 1.959963984540054
_CONFIDENCE = 0.95
_T = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
    2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip
"""Student's two-sided 95 % quantile for 1, 2, … 30 degrees of freedom; the last one serves all above, to be safe."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and its 95 % interval; ends that so few values cannot tell are None, and then it differs from nothing.

    Attributes:
        value: the estimate.
        low: the lower end.
        high: the upper end.
    """

    value: float
    low: float | None
    high: float | None

    def below(self, other: Interval) -> bool:
        """Whether all of it lies below all of the other: a difference that was measured."""
        return self.high is not None and other.low is not None and self.high < other.low


def wilson(successes: int, trials: int) -> Interval | None:
    """The share of successes; None where nothing was tried."""
    if not trials:
        return None
    share, square = successes / trials, _Z * _Z
    middle = (share + square / (2 * trials)) / (1 + square / trials)
    half = _Z / (1 + square / trials) * math.sqrt(share * (1 - share) / trials + square / (4 * trials * trials))
    low = 0.0 if successes == 0 else max(0.0, middle - half)
    high = 1.0 if successes == trials else min(1.0, middle + half)
    return Interval(share, low, high)


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least ``percent`` of the values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(1, math.ceil(percent / 100 * len(ordered))) - 1]


def median(values: Sequence[float]) -> Interval | None:
    """The nearest-rank median between the two order statistics that hold the true one in at least 95 % of samples.

    Fewer than six values tell no such interval.
    """
    if not values:
        return None
    ordered, count = sorted(values), len(values)
    outside, rank = 0.0, 0  # the chance that the median lies below the rank-th value
    while True:
        outside += math.comb(count, rank) / 2**count
        if 2 * outside > 1 - _CONFIDENCE:
            break
        rank += 1
    ends = (ordered[rank - 1], ordered[count - rank]) if rank else (None, None)
    return Interval(percentile(values, 50), *ends)


def mean(values: Sequence[float]) -> Interval | None:
    """The mean of sizes or durations, by Student's quantile; one value tells no interval, and none ends below 0."""
    if not values:
        return None
    count = len(values)
    average = math.fsum(values) / count
    if count == 1:
        return Interval(average, None, None)
    deviation = math.sqrt(math.fsum((each - average) ** 2 for each in values) / (count - 1))
    half = _T[min(count - 1, len(_T)) - 1] * deviation / math.sqrt(count)
    return Interval(average, max(0.0, average - half), average + half)
