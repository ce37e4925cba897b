from __future__ import annotations

import math
from itertools import groupby
from statistics import fmean, median, pstdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.bearers.impairment import CLEAN, CUT, Distribution, Impairment, Overhead
from rig.bearers.loss import GilbertElliott
from rig.bearers.relay.model import Copy, DirectionModel
from tests.bearers.test_impairment import WHOLE_IMPAIRMENTS

MS = 1_000_000
SEEDS = st.integers(0, 2**32)
ARRIVALS = st.lists(
    st.tuples(st.integers(0, 50 * MS), st.integers(60, 1514), st.none() | WHOLE_IMPAIRMENTS), max_size=40
)
Arrivals = list[tuple[int, int, Impairment | None]]


def play(seed: int, arrivals: Arrivals) -> list[tuple[int, tuple[Copy, ...]]]:
    """(time of arrival, what is sent of it); what is sent waits for ever."""
    model, now, fates = DirectionModel(seed), 0, []
    for wait, size, change in arrivals:
        now += wait
        if change is not None:
            model.set(change)
        fates.append((now, model.admit(now, size)))
    return fates


def fates(impairment: Impairment, count: int, seed: int = 1, apart: int = 1, size: int = 100) -> list[tuple[Copy, ...]]:
    """What becomes of packets that come so far apart, each having left when the next comes."""
    model = DirectionModel(seed)
    model.set(impairment)
    came = []
    for number in range(1, count + 1):
        came.append(model.admit(number * apart, size))
        for _ in came[-1]:
            model.depart(delivered=True)
    assert model.passed == sum(map(len, came))
    return came


def delays_ms(impairment: Impairment, count: int) -> list[float]:
    far = 60_000 * MS
    came = fates(impairment, count, apart=far)
    return [(copies[0].departure - number * far) / MS for number, copies in enumerate(came, 1)]


def is_within_chance(hits: int, count: int, share: float) -> bool:
    """Six deviations: once in 500 million."""
    return abs(hits - count * share) < 6 * math.sqrt(count * share * (1 - share)) + 1


@given(SEEDS, ARRIVALS)
def test_none_leaves_before_it_came_and_none_overtakes_unasked(seed: int, arrivals: Arrivals) -> None:
    last = 0
    for now, copies in play(seed, arrivals):
        for copy in copies:
            assert copy.departure >= now
            if copy.overtakes:
                assert copy.departure == now
            else:
                assert copy.departure >= last
                last = copy.departure


@given(SEEDS, ARRIVALS)
def test_the_same_dice_give_the_same_fate(seed: int, arrivals: Arrivals) -> None:
    assert play(seed, arrivals) == play(seed, arrivals)


@pytest.mark.parametrize("distribution", Distribution)
@pytest.mark.parametrize("rate_kbit", [None, 2000])
def test_jitter_keeps_the_order_whatever_its_shape(distribution: Distribution, rate_kbit: float | None) -> None:
    waiting: list[tuple[int, int]] = []
    left: list[int] = []
    model = DirectionModel(3)
    model.set(Impairment(50, 50, distribution=distribution, rate_kbit=rate_kbit))
    for number in range(4000):
        now = number * MS // 2
        while waiting and waiting[0][0] <= now:
            left.append(waiting.pop(0)[1])
            model.depart(delivered=True)
        (copy,) = model.admit(now, 100)
        waiting.append((copy.departure, number))
    assert [number for _, number in sorted(waiting)] == [number for _, number in waiting]
    assert left == list(range(len(left)))
    assert len(left) > 3000


@pytest.mark.parametrize(
    ("distribution", "deviation"),
    [
        (Distribution.UNIFORM, 20 / 3**0.5),
        (Distribution.NORMAL, 20),
        (Distribution.PARETO, 20),
        (Distribution.PARETO_NORMAL, 20),
    ],
)
def test_the_delay_varies_as_its_shape_says(distribution: Distribution, deviation: float) -> None:
    delays = delays_ms(Impairment(100, 20, distribution=distribution), 20_000)
    assert fmean(delays) == pytest.approx(100, abs=0.7)
    assert pstdev(delays) == pytest.approx(deviation, rel=0.04)
    late = distribution in (Distribution.PARETO, Distribution.PARETO_NORMAL)
    assert median(delays) == pytest.approx(94 if late else 100, abs=1.5)
    reach = 20 if distribution is Distribution.UNIFORM else 80
    assert max(abs(delay - 100) for delay in delays) <= reach
    assert max(delays) > 100 + reach * (0.99 if distribution is not Distribution.NORMAL else 0.7)


def test_a_tail_below_no_delay_is_no_delay() -> None:
    delays = delays_ms(Impairment(10, 10, distribution=Distribution.NORMAL), 2000)
    assert min(delays) == 0
    assert is_within_chance(delays.count(0), 2000, 0.1587)


@given(SEEDS, st.integers(1, 99))
def test_loss_stays_within_the_bounds_of_chance(seed: int, percent: int) -> None:
    came = fates(Impairment(loss_percent=percent), 1000, seed)
    assert is_within_chance(came.count(()), 1000, percent / 100)


@pytest.mark.parametrize(
    "model",
    [GilbertElliott(5, 30), GilbertElliott(1, 10), GilbertElliott(0.5, 50, 100, 0), GilbertElliott(20, 80)],
    ids=str,
)
def test_bursts_are_as_long_and_as_frequent_as_in_theory(model: GilbertElliott) -> None:
    came = fates(Impairment(burst_loss=model), 100_000, seed=11)
    bursts = [len(list(group)) for lost, group in groupby(came, lambda copies: not copies) if lost]
    assert fmean(bursts) == pytest.approx(model.mean_bad_packets, rel=0.08)
    assert sum(bursts) / 1000 == pytest.approx(model.mean_loss_percent, rel=0.1)


def test_bad_and_good_times_may_lose_but_a_part() -> None:
    model = GilbertElliott(10, 20, 60, 2)
    came = fates(Impairment(burst_loss=model), 100_000, seed=5)
    assert came.count(()) / 1000 == pytest.approx(model.mean_loss_percent, rel=0.05)


def test_every_change_begins_good_again() -> None:
    trap = Impairment(burst_loss=GilbertElliott(100, 0.001))
    model = DirectionModel(1)
    for _ in range(3):
        model.set(trap)
        assert [len(model.admit(0, 100)) for _ in range(4)] == [1, 0, 0, 0]


@pytest.mark.parametrize("share", [0.02, 0.5])
def test_a_share_comes_twice_one_behind_the_other(share: float) -> None:
    came = fates(Impairment(20, 10, duplicate_percent=share * 100), 10_000, seed=2)
    twice = [copies for copies in came if len(copies) == 2]
    assert is_within_chance(len(twice), 10_000, share)
    assert len(twice) + sum(len(copies) == 1 for copies in came) == 10_000
    assert all(first.departure <= second.departure for first, second in twice)


def test_of_what_is_doubled_and_lost_one_is_left() -> None:
    came = fates(Impairment(loss_percent=100, duplicate_percent=100), 100)
    assert [len(copies) for copies in came] == [1] * 100
    half = fates(Impairment(loss_percent=50, duplicate_percent=100), 10_000)
    assert () not in half
    assert is_within_chance(sum(len(copies) == 2 for copies in half), 10_000, 0.25)


def test_a_share_overtakes_and_the_line_does_not_wait_for_it() -> None:
    came = fates(Impairment(80, reorder_percent=25, rate_kbit=1000), 10_000, seed=4)
    swift = [copies[0] for copies in came if copies[0].overtakes]
    assert is_within_chance(len(swift), 10_000, 0.25)
    model = DirectionModel(1)
    model.set(Impairment(80, reorder_percent=100, rate_kbit=1))
    assert {model.admit(7, 1500)[0].departure for _ in range(5)} == {7}


def test_a_share_is_damaged_in_any_bit() -> None:
    came = fates(Impairment(corrupt_percent=30), 10_000, seed=6, size=60)
    bits = [copies[0].turned_bit for copies in came if copies[0].turned_bit is not None]
    assert is_within_chance(len(bits), 10_000, 0.3)
    assert set(bits) == set(range(480))


@given(st.floats(1, 10_000), st.lists(st.integers(60, 1514), min_size=1, max_size=100))
def test_a_burst_takes_as_long_as_its_bits_at_the_rate(rate: float, sizes: list[int]) -> None:
    model = DirectionModel(1)
    model.set(Impairment(rate_kbit=rate))
    departures = [copy.departure for size in sizes for copy in model.admit(0, size)]
    assert abs(departures[-1] - sum(sizes) * 8 * MS / rate) <= len(sizes)


def test_a_packet_fills_whole_cells() -> None:
    model = DirectionModel(1)
    model.set(Impairment(rate_kbit=424, overhead=Overhead(packet_bytes=10, cell_bytes=48, cell_overhead_bytes=5)))
    # 424 kbit/s is a cell of 53 bytes a millisecond.
    assert [model.admit(0, size)[0].departure // MS for size in (38, 39, 86, 87)] == [1, 3, 5, 8]


def test_what_is_faster_again_does_not_overtake_what_was_slow() -> None:
    model = DirectionModel(1)
    model.set(Impairment(delay_ms=500))
    model.admit(0, 100)
    model.set(Impairment(delay_ms=20, rate_kbit=800))
    assert model.admit(MS, 100)[0].departure == 501 * MS
    model.depart(delivered=True)
    model.depart(delivered=True)
    assert model.admit(2 * MS, 100)[0].departure == 23 * MS  # nothing waits: the line is free


def test_a_seed_gives_the_same_fate_again_and_another_another() -> None:
    def faces(seed: int | None) -> list[int]:
        model.set(Impairment(loss_percent=50, seed=seed))
        return [len(model.admit(0, 100)) for _ in range(64)]

    model = DirectionModel(1)
    assert faces(2**64 - 1) == faces(2**64 - 1) != faces(7)
    assert faces(None) != faces(None)


def test_a_cut_lets_nothing_in_and_empties_what_waits() -> None:
    model = DirectionModel(1)
    model.set(Impairment(delay_ms=100))
    for now in range(5):
        model.admit(now, 100)
    model.set(CUT)
    assert model.admit(5, 100) == ()
    assert model.empty() == 5
    assert (model.waiting, model.dropped) == (0, 6)


def test_after_a_cut_nothing_waits_for_what_was_lost() -> None:
    model = DirectionModel(1)
    model.set(Impairment(delay_ms=1000, rate_kbit=1))
    model.admit(0, 1500)
    model.set(CUT)
    model.empty()
    model.set(CLEAN)
    assert model.admit(10, 1500) == (Copy(10),)


def test_a_full_queue_drops_and_counts() -> None:
    model = DirectionModel(1)
    model.set(Impairment(rate_kbit=0.1, duplicate_percent=100))
    limit = model.impairment.queue_limit
    assert limit == 1000
    came = [model.admit(0, 60) for _ in range(limit // 2 + 10)]
    assert came.count(()) == 10
    assert (model.waiting, model.dropped) == (limit, 20)
