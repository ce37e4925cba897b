"""What chance allows, against other ways to know it."""

from __future__ import annotations

import math
import random
from statistics import NormalDist, fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.chance import binomial_interval, burst_loss_interval, bursts, inversions, quantile
from lab.spread import SHARES, expected_quantiles
from rig.bearers.impairment import Distribution, Impairment
from rig.bearers.loss import GilbertElliott


def tail(trials: int, chance: float, most: int) -> float:
    """P(X <= most), from whole numbers."""
    return math.fsum(math.comb(trials, k) * chance**k * (1 - chance) ** (trials - k) for k in range(most + 1))


@given(st.integers(1, 60), st.floats(0.01, 0.99), st.sampled_from([0.9, 0.99, 0.9999]))
def test_the_interval_is_the_narrowest_that_is_believed(trials: int, chance: float, confidence: float) -> None:
    least, most = binomial_interval(trials, chance, confidence)
    rest, dust = (1 - confidence) / 2, 1e-12
    assert tail(trials, chance, least - 1) <= rest + dust
    assert tail(trials, chance, least) > rest - dust
    assert 1 - tail(trials, chance, most) <= rest + dust
    assert 1 - tail(trials, chance, most - 1) > rest - dust


@pytest.mark.parametrize("chance", [0.01, 0.1, 0.3])
def test_many_trials_are_near_the_normal_approximation(chance: float) -> None:
    least, most = binomial_interval(10_000, chance)
    reach = NormalDist().inv_cdf(0.99995) * math.sqrt(10_000 * chance * (1 - chance))
    assert (most - least) / 2 == pytest.approx(reach, rel=0.02)
    assert least < 10_000 * chance < most


def test_what_is_certain_leaves_no_room() -> None:
    assert binomial_interval(100, 0) == (0, 0)
    assert binomial_interval(100, 1) == (100, 100)


def chain(model: GilbertElliott, packets: int, dice: random.Random) -> list[bool]:
    """The fates of packets: true is lost."""
    bad, lost = False, []
    for _ in range(packets):
        lost.append(dice.random() * 100 < (model.loss_in_bad_percent if bad else model.loss_in_good_percent))
        bad = dice.random() * 100 >= model.to_good_percent if bad else dice.random() * 100 < model.to_bad_percent
    return lost


@pytest.mark.parametrize("model", [GilbertElliott(5, 30), GilbertElliott(2, 10, 60, 3)], ids=str)
def test_a_chain_of_two_states_varies_as_much_as_the_interval_says(model: GilbertElliott) -> None:
    dice = random.Random(3)
    shares = [fmean(chain(model, 10_000, dice)) for _ in range(60)]
    least, most = burst_loss_interval(model, 10_000)
    assert all(least <= share <= most for share in shares)
    narrow_least, narrow_most = burst_loss_interval(model, 10_000, 0.5)
    assert 15 <= sum(narrow_least <= share <= narrow_most for share in shares) <= 45


def test_a_chain_without_memory_is_binomial() -> None:
    least, most = burst_loss_interval(GilbertElliott(10, 90), 10_000)
    exact = binomial_interval(10_000, 0.1)
    assert (least * 10_000, most * 10_000) == pytest.approx(exact, abs=3)


@given(st.lists(st.booleans(), max_size=50))
def test_bursts_are_the_runs_of_what_did_not_come(lost: list[bool]) -> None:
    arrived = [number for number, is_lost in enumerate(lost) if not is_lost]
    word = "".join("x" if is_lost else " " for is_lost in lost)
    assert bursts([*arrived, *reversed(arrived)], len(lost)) == [len(run) for run in word.split()]


@given(st.permutations(range(8)))
def test_late_packets_are_those_behind_a_later_one(order: list[int]) -> None:
    assert inversions(order) == sum(any(before > number for before in order[:n]) for n, number in enumerate(order))


def test_a_packet_that_comes_twice_in_a_row_is_not_late() -> None:
    assert inversions([0, 1, 1, 2]) == 0


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30), st.floats(0, 1))
def test_a_quantile_lies_among_the_values(values: list[float], share: float) -> None:
    assert min(values) <= quantile(values, share) <= max(values)


def test_quantiles() -> None:
    assert [quantile(range(101), share) for share in (0, 0.01, 0.5, 0.99, 1)] == [0, 1, 50, 99, 100]
    assert math.isnan(quantile([], 0.5))


def test_slow_packets_do_not_wait_for_each_other_and_spread_as_drawn() -> None:
    expected = expected_quantiles(Impairment(delay_ms=50, jitter_ms=20), 1000, per_second=1)
    assert [each.middle for each in expected] == pytest.approx([30 + 40 * share for share in SHARES], abs=0.3)


def test_fast_packets_wait_for_those_before() -> None:
    slow, fast = (expected_quantiles(Impairment(delay_ms=50, jitter_ms=20), 1000, pace)[2].middle for pace in (1, 500))
    assert fast > slow + 5


def test_a_normal_delay_is_believed_and_a_uniform_one_in_its_place_is_not() -> None:
    normal = Impairment(delay_ms=50, jitter_ms=8, distribution=Distribution.NORMAL)
    expected = expected_quantiles(normal, 2000, per_second=10)
    dice = random.Random(5)
    right = [dice.gauss(50, 8) for _ in range(2000)]
    wrong = [dice.uniform(42, 58) for _ in range(2000)]
    assert all(each.allows(quantile(right, each.share), 0.5) for each in expected)
    assert not all(each.allows(quantile(wrong, each.share), 0.5) for each in expected)
