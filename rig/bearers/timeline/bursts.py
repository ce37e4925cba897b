"""From packets seen lost to a model of loss: how much, and how many in a row.

The chain of Gilbert (1960) with all lost while bad and none while good has two parameters, and two sample moments fix
them: the share lost L and the mean burst B give r = 1/B and p = L·r/(1−L).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from rig.bearers.loss import GilbertElliott
from rig.bearers.ranges import require_range


def bursts_of(mean_loss_percent: float, mean_burst: float) -> GilbertElliott:
    """The chain that loses this share, in bursts of this mean length.

    Args:
        mean_loss_percent: above 0, below 100.
        mean_burst: packets, at least 1.

    Raises:
        CallerMistake: a value outside its range.
    """
    require_range("mean_loss_percent", mean_loss_percent, 0, 99.9, "all lost is a cut")
    require_range("mean_burst", mean_burst, 1, 100_000, "a burst has a packet at least")
    to_good = 100 / mean_burst
    to_bad = mean_loss_percent * to_good / (100 - mean_loss_percent)
    return GilbertElliott(round(min(to_bad, 100.0), 6), round(max(to_good, 0.001), 6))


def fit_bursts(lost: Iterable[bool]) -> GilbertElliott | None:
    """The chain that fits packets in their order, lost or not; None where none was lost, or all were."""
    runs = [(is_lost, sum(1 for _ in run)) for is_lost, run in itertools.groupby(lost)]
    bad = [length for is_lost, length in runs if is_lost]
    good = sum(length for is_lost, length in runs if not is_lost)
    if not bad or not good:
        return None
    return bursts_of(100 * sum(bad) / (sum(bad) + good), sum(bad) / len(bad))
