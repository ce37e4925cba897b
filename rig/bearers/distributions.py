"""How a delay varies, as tables that netem and the user-space link both draw from.

A table holds 4,096 values of equal chance in units of 8,192 to the jitter: a packet is delayed by
``delay + jitter × value / 8192`` (``tabledist`` in ``net/sched/sch_netem.c``). They are made here from the inverse
distribution functions, with a mean of zero and a deviation of one jitter, so that the delay asked for is the mean
delay and the jitter its standard deviation. The values are 16 bits wide: a tail ends at four jitters, and the rest is
scaled for the deviation to be one nevertheless.

- normal: the inverse of the Gaussian.
- pareto: of shape 3, as ``tc-netem(8)`` has it; begins 0.8 jitters before the mean and ends late.
- paretonormal: a quarter of the first and three quarters of the second, quantile by quantile.
- uniform: evenly from minus to plus one jitter. The kernel needs no table for that, but keeps the one that it was
  given before: there is no message that takes a table away. So netem is always sent one, this one included, while the
  user-space link draws without a table. The two differ by less than 0.05 % of the jitter.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from functools import cache
from statistics import NormalDist, fmean, pstdev

from rig.bearers.impairment import Distribution

SCALE = 8192
"""A value of so much is one jitter (``NETEM_DIST_SCALE``)."""

ENTRIES = 4096
"""So many values has a table; the kernel takes up to 16,384."""

_WIDEST = 32_767
_PARETO_SHAPE = 3
_PARETO_MEAN = _PARETO_SHAPE / (_PARETO_SHAPE - 1)
_PARETO_DEVIATION = math.sqrt(_PARETO_SHAPE / (_PARETO_SHAPE - 2)) / (_PARETO_SHAPE - 1)
_ROUNDS = 200


@cache
def table(distribution: Distribution) -> tuple[int, ...] | None:
    """The values of a distribution, rising; ``None`` for the uniform one, which needs no table to draw from."""
    if distribution is Distribution.UNIFORM:
        return None
    quantile = _QUANTILES[distribution]
    return _normalised([quantile((number + 0.5) / ENTRIES) for number in range(ENTRIES)])


@cache
def packed(distribution: Distribution) -> bytes:
    """The table as the kernel takes it (``TCA_NETEM_DELAY_DIST``): 16-bit values in the machine's byte order."""
    values = table(distribution) or _uniform()
    return struct.pack(f"={len(values)}h", *values)


def _uniform() -> tuple[int, ...]:
    """Evenly from one end to the other, both included: its reach is the jitter, not its deviation."""
    return tuple(round(SCALE * (2 * number / (ENTRIES - 1) - 1)) for number in range(ENTRIES))


def _pareto(share: float) -> float:
    return float((1 - share) ** (-1 / _PARETO_SHAPE))


def _pareto_normal(share: float) -> float:
    return 0.25 * NormalDist().inv_cdf(share) + 0.75 * (_pareto(share) - _PARETO_MEAN) / _PARETO_DEVIATION


_QUANTILES: dict[Distribution, Callable[[float], float]] = {
    Distribution.NORMAL: NormalDist().inv_cdf,
    Distribution.PARETO: _pareto,
    Distribution.PARETO_NORMAL: _pareto_normal,
}


def _normalised(values: Sequence[float]) -> tuple[int, ...]:
    """Shift and scale until the mean is zero and the deviation one, the ends being clipped."""
    for _ in range(_ROUNDS):
        mean, deviation = fmean(values), pstdev(values)
        if abs(mean) < 1e-9 and abs(deviation - 1) < 1e-9:
            break
        values = [min(max((each - mean) / deviation, -_WIDEST / SCALE), _WIDEST / SCALE) for each in values]
    return tuple(round(each * SCALE) for each in values)
