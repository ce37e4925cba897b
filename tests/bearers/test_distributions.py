from __future__ import annotations

import itertools
import struct
from statistics import NormalDist, fmean, pstdev

import pytest

from rig.bearers.distributions import ENTRIES, SCALE, packed, table
from rig.bearers.impairment import Distribution

SHAPED = [Distribution.NORMAL, Distribution.PARETO, Distribution.PARETO_NORMAL]


def quantile(distribution: Distribution, share: float) -> float:
    """In jitters."""
    values = table(distribution)
    assert values is not None
    return values[int(share * ENTRIES)] / SCALE


@pytest.mark.parametrize("distribution", SHAPED)
def test_the_mean_is_the_delay_and_the_deviation_is_the_jitter(distribution: Distribution) -> None:
    values = table(distribution)
    assert values is not None
    assert len(values) == ENTRIES
    assert fmean(values) == pytest.approx(0, abs=0.5)
    assert pstdev(values) == pytest.approx(SCALE, rel=0.0005)
    assert list(values) == sorted(values)
    assert max(map(abs, values)) <= 32_767


def test_the_shapes() -> None:
    for share in (0.01, 0.1, 0.5, 0.9, 0.99):
        assert quantile(Distribution.NORMAL, share) == pytest.approx(NormalDist().inv_cdf(share), abs=0.02)
    # Pareto of shape 3 has its begin at 1, its median at 1.26 and its mean at 1.5.
    begin, middle = quantile(Distribution.PARETO, 0), quantile(Distribution.PARETO, 0.5)
    assert middle / begin == pytest.approx((1.5 - 2 ** (1 / 3)) / 0.5, abs=0.1)
    assert -0.9 < begin < -0.5
    assert quantile(Distribution.PARETO, 0.99) > 3 > 2.5 > quantile(Distribution.NORMAL, 0.99)
    assert begin > quantile(Distribution.PARETO_NORMAL, 0) > quantile(Distribution.NORMAL, 0)


@pytest.mark.parametrize("distribution", SHAPED)
def test_the_kernel_is_given_the_same_table(distribution: Distribution) -> None:
    assert struct.unpack(f"={ENTRIES}h", packed(distribution)) == table(distribution)


def test_a_kernel_that_keeps_its_table_is_given_an_even_one_that_reaches_just_the_jitter() -> None:
    assert table(Distribution.UNIFORM) is None
    values = struct.unpack(f"={ENTRIES}h", packed(Distribution.UNIFORM))
    assert (values[0], values[-1]) == (-SCALE, SCALE)
    assert fmean(values) == 0
    assert pstdev(values) == pytest.approx(SCALE / 3**0.5, rel=0.001)
    assert {later - earlier for earlier, later in itertools.pairwise(values)} <= {4, 5}
    # What sch_netem.c makes of it: never beyond the jitter, not even by rounding.
    for jitter_ns in (1, 8191, 8192, 20_000_000, 2_147_000_000):
        assert max(tabledist(jitter_ns, value) for value in values) == jitter_ns
        assert min(tabledist(jitter_ns, value) for value in values) == -jitter_ns


def tabledist(sigma: int, value: int) -> int:
    """The kernel's arithmetic: C divides towards zero."""
    part = (sigma % SCALE) * value
    part += SCALE // 2 if part >= 0 else -SCALE // 2
    return int(part / SCALE) + (sigma // SCALE) * value
