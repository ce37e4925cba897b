from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from rig.bearers.impairment import CLEAN, CUT, Impairment
from rig.bearers.relay_model import DirectionModel
from tests.bearers.test_impairment import IMPAIRMENTS

MS = 1_000_000
ARRIVALS = st.lists(st.tuples(st.integers(0, 50 * MS), st.integers(60, 1514), st.none() | IMPAIRMENTS), max_size=60)


@given(seed=st.integers(0, 2**32), arrivals=ARRIVALS)
def test_no_packet_overtakes_and_none_leaves_before_it_came(
    seed: int, arrivals: list[tuple[int, int, Impairment | None]]
) -> None:
    model, now, last = DirectionModel(seed), 0, 0
    for wait, size, change in arrivals:
        now += wait
        if change is not None:
            model.set(change)
        departure = model.admit(now, size)
        if departure is not None:
            assert departure >= max(now, last)
            last = departure


@given(seed=st.integers(0, 2**32), arrivals=ARRIVALS)
def test_the_same_dice_give_the_same_fate(seed: int, arrivals: list[tuple[int, int, Impairment | None]]) -> None:
    def play() -> list[int | None]:
        model, now, fates = DirectionModel(seed), 0, []
        for wait, size, change in arrivals:
            now += wait
            if change is not None:
                model.set(change)
            fates.append(model.admit(now, size))
        return fates

    assert play() == play()


@given(seed=st.integers(0, 2**32), percent=st.integers(1, 99))
def test_loss_stays_within_the_bounds_of_chance(seed: int, percent: int) -> None:
    model, count, share = DirectionModel(seed), 2000, percent / 100
    model.set(Impairment(loss_percent=percent))
    for now in range(count):
        if model.admit(now, 100) is not None:
            model.depart(delivered=True)
    sigma = math.sqrt(count * share * (1 - share))
    assert abs(model.dropped - count * share) < 6 * sigma
    assert model.passed + model.dropped == count


@given(rate=st.floats(1, 10_000), sizes=st.lists(st.integers(60, 1514), min_size=1, max_size=100))
def test_a_burst_takes_as_long_as_its_bits_at_the_rate(rate: float, sizes: list[int]) -> None:
    model = DirectionModel(1)
    model.set(Impairment(rate_kbit=rate))
    departures = [model.admit(0, size) for size in sizes]
    assert departures[-1] is not None
    assert abs(departures[-1] - sum(sizes) * 8 * MS / rate) <= len(sizes)


def test_delay_and_jitter_stay_within_their_bounds() -> None:
    model = DirectionModel(7)
    model.set(Impairment(delay_ms=50, jitter_ms=20))
    times = [now * 100 * MS for now in range(1, 2000)]  # far apart: none waits for the one before
    delays = [(model.admit(now, 100) or 0) - now for now in times]
    assert 30 * MS <= min(delays) < 31 * MS
    assert 69 * MS < max(delays) <= 70 * MS


def test_a_cut_lets_nothing_in_and_empties_what_waits() -> None:
    model = DirectionModel(1)
    model.set(Impairment(delay_ms=100))
    for now in range(5):
        model.admit(now, 100)
    model.set(CUT)
    assert model.admit(5, 100) is None
    assert model.empty() == 5
    assert (model.waiting, model.dropped) == (0, 6)


def test_after_a_cut_nothing_waits_for_what_was_lost() -> None:
    model = DirectionModel(1)
    model.set(Impairment(delay_ms=1000, rate_kbit=1))
    model.admit(0, 1500)
    model.set(CUT)
    model.empty()
    model.set(CLEAN)
    assert model.admit(10, 1500) == 10


def test_a_full_queue_drops_and_counts() -> None:
    model = DirectionModel(1)
    model.set(Impairment(rate_kbit=0.1))
    fates = [model.admit(0, 60) for _ in range(CLEAN.queue_limit + 10)]
    assert fates.count(None) == 10
    assert model.dropped == 10
