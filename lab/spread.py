"""What quantiles a delay that varies must have, order being kept: by playing the model many times. No I/O."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from lab.chance import quantile
from rig.bearers.distributions import SCALE, table
from rig.bearers.impairment import Impairment

SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)
PLAYED = 100
REACH = 5.0
"""So many standard deviations of what was played are allowed: one in two million falls outside."""


@dataclass(frozen=True, slots=True)
class Expected:
    """Where a quantile of a measured stream may lie, in milliseconds; ``slack`` is the link's own inaccuracy."""

    share: float
    middle: float
    reach: float

    def allows(self, measured: float, slack: float) -> bool:
        """Whether a measured quantile is believed."""
        return abs(measured - self.middle) <= self.reach + slack


def expected_quantiles(asked: Impairment, packets: int, per_second: float, seed: int = 1) -> list[Expected]:
    """The quantiles of one-way times of a stream whose packets wait for those before them."""
    dice = random.Random(seed)
    draw = _drawer(asked, dice)
    played = [_play(draw, packets, 1000 / per_second) for _ in range(PLAYED)]
    expected = []
    for share in SHARES:
        values = [quantile(run, share) for run in played]
        expected.append(Expected(share, fmean(values), REACH * stdev(values)))
    return expected


def _play(draw: Callable[[], float], packets: int, gap_ms: float) -> Sequence[float]:
    """One stream: a packet leaves no earlier than the one before, which was sent ``gap_ms`` before it."""
    delay, delays = 0.0, []
    for _ in range(packets):
        delay = max(draw(), delay - gap_ms)
        delays.append(delay)
    return delays


def _drawer(asked: Impairment, dice: random.Random) -> Callable[[], float]:
    middle, jitter = asked.delay_ms, asked.jitter_ms
    values = table(asked.distribution)
    if values is None:
        return lambda: dice.uniform(middle - jitter, middle + jitter)
    return lambda: max(0.0, middle + jitter * values[dice.randrange(len(values))] / SCALE)
