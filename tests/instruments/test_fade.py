"""Fades: their shape, by properties; and their play, by us and by the box, on a box in memory."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.errors import BenchTrouble, CallerMistake, DeviceGone, DeviceNonsense
from rig.instruments.attenuator import PlaysRamps, Ramp
from rig.instruments.fade import BOX, PLAYED, RIG, STOPPED, TROUBLE, FadePlayer
from rig.instruments.fade_shape import Fade, Point
from rig.units import Decibel

STEP = Decibel(0.25)


class Box:
    """Two channels in memory, each value with the time-ordered history of what was set."""

    channels, maximum, step, identity = 2, Decibel(95), STEP, "box in memory"

    def __init__(self) -> None:
        self.levels: dict[int, Decibel] = {1: Decibel(0), 2: Decibel(0)}
        self.sets: list[tuple[int, float]] = []
        self.trouble_at: int | None = None
        self.on_set: Callable[[], object] = lambda: None

    def set(self, channel: int, attenuation: Decibel) -> Decibel:
        if self.trouble_at is not None and len(self.sets) >= self.trouble_at:
            raise DeviceGone("box", "it is gone", "plug it in")
        self.sets.append((channel, float(attenuation)))
        self.levels[channel] = attenuation
        self.on_set()
        return attenuation

    def get(self, channel: int) -> Decibel:
        return self.levels[channel]

    def close(self) -> None: ...


class PlayingBox(Box):
    """Plays whatever is a ramp; it is at its end when :attr:`over` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.ramps: list[Ramp] = []
        self.over = threading.Event()
        self.stopped: list[int] = []
        self.ends_at: Decibel | None = None

    def takes(self, ramp: Ramp) -> bool:
        return True

    def fade(self, channel: int, ramp: Ramp) -> None:
        self.ramps.append(ramp)
        self.levels[channel] = ramp.stop if self.ends_at is None else self.ends_at

    def fading(self, channel: int) -> bool:
        return not self.over.is_set() and channel not in self.stopped

    def stop_fade(self, channel: int) -> None:
        self.stopped.append(channel)


@st.composite
def fades(draw: st.DrawFn) -> Fade:
    gaps = draw(st.lists(st.floats(1, 10_000), min_size=1, max_size=6))
    levels = draw(st.lists(st.floats(0, 95), min_size=len(gaps) + 1, max_size=len(gaps) + 1))
    return Fade.of(zip(itertools.accumulate(gaps, initial=0.0), levels, strict=True))


@given(fades(), st.sampled_from([20.0, 50.0, 333.0]))
def test_levels_are_of_the_boxs_grid_and_no_oftener_than_asked(fade: Fade, every_ms: float) -> None:
    levels = fade.levels(STEP, every_ms)
    assert levels[0].at_ms == 0
    assert all(abs(point.db / STEP - round(point.db / STEP)) < 1e-6 for point in levels)
    assert all(abs(point.db - fade.at(point.at_ms)) <= STEP / 2 + 1e-6 for point in levels)
    assert all(after.db != before.db for before, after in itertools.pairwise(levels))
    last = fade.duration_ms
    assert all(b.at_ms - a.at_ms >= every_ms - 1e-6 or b.at_ms == last for a, b in itertools.pairwise(levels))
    assert abs(levels[-1].db - fade.points[-1].db) <= STEP / 2 + 1e-6


@given(fades(), st.floats(-1000, 100_000))
def test_between_two_points_a_fade_stays_between_their_levels(fade: Fade, at_ms: float) -> None:
    levels = [point.db for point in fade.points]
    assert min(levels) - 1e-9 <= fade.at(at_ms) <= max(levels) + 1e-9


@given(fades())
def test_a_ramp_ends_where_the_fade_does_and_lasts_as_long(fade: Fade) -> None:
    ramp = fade.ramp(STEP, 20, lambda _ramp: True)
    if ramp is None:
        return
    assert len(fade.points) == 2
    assert abs(ramp.start - fade.points[0].db) <= STEP / 2 + 1e-6
    assert abs(ramp.stop - fade.points[1].db) <= STEP / 2 + 1e-6
    assert ramp.duration_ms == pytest.approx(fade.duration_ms)


@pytest.mark.parametrize(
    ("points", "says"),
    [
        ([(0, 1)], "at least two"),
        ([(5, 1), (6, 1)], "first point is at 0"),
        ([(0, 1), (0, 2)], "times rise"),
        ([(0, 1), (9, -2)], "0 dB or more"),
        ([(0, 1), (9, float("nan"))], "0 dB or more"),
    ],
)
def test_what_is_no_fade_is_refused(points: list[tuple[float, float]], says: str) -> None:
    with pytest.raises(CallerMistake, match=says):
        Fade.of(points)


@pytest.fixture
def told() -> list[tuple[str, dict[str, Any]]]:
    return []


def play(box: Box, told: list[Any], *points: tuple[float, float], channels: tuple[int, ...] = (1,)) -> FadePlayer:
    return FadePlayer(
        box, channels, Fade.of(points), name="attenuator rf", observe=lambda kind, data: told.append((kind, dict(data)))
    )


def test_by_us_every_level_is_set_in_order_on_all_antennas(told: list[Any]) -> None:
    box = Box()
    player = play(box, told, (0, 0), (100, 2), (200, 1), channels=(1, 2))
    player.start()
    faded = player.wait(5)
    assert faded is not None
    assert (faded.why, faded.by, faded.trouble) == (PLAYED, RIG, None)
    first = [db for channel, db in box.sets if channel == 1]
    assert first == [db for channel, db in box.sets if channel == 2]
    assert (first[0], first[-1]) == (0, 1)
    assert len(faded.applied) + faded.skipped == len(Fade.of([(0, 0), (100, 2), (200, 1)]).levels(STEP, 20))
    assert all(each.lag_us >= 0 for each in faded.applied)
    assert [kind for kind, _ in told] == ["fade_begin", "fade_end"]
    assert told[1][1]["read_back"] == 1


def test_a_stop_leaves_what_is_in_force(told: list[Any]) -> None:
    box = Box()
    moved = threading.Event()
    box.on_set = lambda: moved.set() if len(box.sets) > 2 else None
    player = play(box, told, (0, 0), (60_000, 90))
    player.start()
    assert moved.wait(5)
    assert player.stop().why == STOPPED
    assert player.stop().why == STOPPED
    assert not player.playing
    assert box.levels[1] == box.sets[-1][1]


def test_a_box_that_goes_is_the_benchs_fault(told: list[Any]) -> None:
    box = Box()
    box.trouble_at = 3
    player = play(box, told, (0, 0), (2_000, 20))
    player.start()
    faded = player.wait(5)
    assert faded is not None
    assert (faded.why, str(faded.trouble)) == (TROUBLE, "box: it is gone (plug it in)")
    assert [kind for kind, _ in told] == ["fade_begin", "bench_fault", "fade_end"]
    box.trouble_at = 0
    with pytest.raises(DeviceGone):
        play(box, told, (0, 0), (100, 2)).start()


def test_a_box_that_can_plays_by_itself(told: list[Any]) -> None:
    box = PlayingBox()
    assert isinstance(box, PlaysRamps)
    player = play(box, told, (0, 0), (100, 1), channels=(1, 2))
    player.start()
    box.over.set()
    faded = player.wait(5)
    assert faded is not None
    assert faded.by == BOX
    assert box.ramps == [Ramp(Decibel(0), Decibel(1), STEP, 25)] * 2
    assert box.sets == []


def test_a_box_that_ends_elsewhere_lies(told: list[Any]) -> None:
    box = PlayingBox()
    box.ends_at = Decibel(0.5)
    box.over.set()
    player = play(box, told, (0, 0), (100, 1))
    player.start()
    faded = player.wait(5)
    assert faded is not None
    assert isinstance(faded.trouble, DeviceNonsense)


def test_a_box_is_stopped_where_it_stands(told: list[Any]) -> None:
    box = PlayingBox()
    player = play(box, told, (0, 0), (60_000, 60))
    player.start()
    assert player.stop().why == STOPPED
    assert box.stopped == [1]


def test_what_a_box_cannot_do_is_refused_before_anything_moves(told: list[Any]) -> None:
    box = Box()
    with pytest.raises(CallerMistake, match="no channel 3"):
        play(box, told, (0, 0), (100, 1), channels=(3,))
    with pytest.raises((CallerMistake, BenchTrouble)):
        play(box, told, (0, 0), (100, 96))
    with pytest.raises(CallerMistake, match="at most 50"):
        FadePlayer(box, [1], Fade((Point(0, Decibel(0)), Point(9, Decibel(1)))), name="rf", updates_per_s=51)
    assert box.sets == []
