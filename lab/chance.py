"""What chance allows: intervals that a right figure leaves once in ten thousand runs, quantiles, bursts. No I/O."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import NormalDist

from rig.bearers.loss import GilbertElliott

CONFIDENCE = 0.9999


def binomial_interval(trials: int, chance: float, confidence: float = CONFIDENCE) -> tuple[int, int]:
    """The fewest and the most successes that are still believed, exactly (no normal approximation).

    Args:
        trials: how many.
        chance: of a success, 0 to 1.
        confidence: at most half of the rest lies below the first, and half of it above the second.
    """
    if chance in (0, 1):
        return round(trials * chance), round(trials * chance)
    tail = (1 - confidence) / 2
    return _bound(trials, chance, tail), trials - _bound(trials, 1 - chance, tail)


def _bound(trials: int, chance: float, tail: float) -> int:
    """The least count whose lower tail, itself included, is more likely than ``tail``."""
    below, hit, miss = 0.0, math.log(chance), math.log1p(-chance)
    for count in range(trials + 1):
        ways = math.lgamma(trials + 1) - math.lgamma(count + 1) - math.lgamma(trials - count + 1)
        below += math.exp(ways + count * hit + (trials - count) * miss)
        if below > tail:
            return count
    return trials


def burst_loss_interval(model: GilbertElliott, packets: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The least and the greatest share of lost packets, 0 to 1, that is still believed of a chain of two states.

    The fates of neighbours hang together, which makes the share vary more than a binomial one: the variance is that
    of the central limit theorem for Markov chains. For 10,000 packets and more.
    """
    to_bad, to_good = model.to_bad_percent / 100, model.to_good_percent / 100
    in_bad, in_good = model.loss_in_bad_percent / 100, model.loss_in_good_percent / 100
    mean = model.mean_loss_percent / 100
    bad, memory = to_bad / (to_bad + to_good), 1 - to_bad - to_good
    variance = mean * (1 - mean) + 2 * bad * (1 - bad) * (in_bad - in_good) ** 2 * memory / (1 - memory)
    reach = NormalDist().inv_cdf((1 + confidence) / 2) * math.sqrt(variance / packets)
    return max(mean - reach, 0), min(mean + reach, 1)


def bursts(arrived: Iterable[int], sent: int) -> list[int]:
    """The lengths of the runs of lost packets.

    Args:
        arrived: numbers of the packets that came, in any order, duplicates or not.
        sent: how many were sent, numbered from 0.
    """
    present = [-1, *sorted(set(arrived)), sent]
    return [after - before - 1 for before, after in pairwise(present) if after - before > 1]


def inversions(arrived: Sequence[int]) -> int:
    """How many packets came after one that was sent later."""
    latest, late = -1, 0
    for number in arrived:
        if number < latest:
            late += 1
        latest = max(latest, number)
    return late


def quantile(values: Iterable[float], share: float) -> float:
    """The value below which a share (0 to 1) of the values lies, between neighbours by proportion."""
    ordered = sorted(values)
    if not ordered:
        return math.nan
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
