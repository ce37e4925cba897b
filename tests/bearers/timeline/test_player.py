"""The player: absolute times, lag that never adds up, steps passed over, stops, links that go away."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from rig.bearers.impairment import CLEAN, Impairment
from rig.bearers.link import Backend, Counters, ReadBack
from rig.bearers.timeline import Player, Step, Timeline
from rig.bearers.timeline.player import PLAYED, STOPPED, TROUBLE
from rig.clock import percentile
from rig.errors import DeviceClamped, DeviceGone

Ways = tuple[Impairment, Impairment]


class FakeLink:
    """A link in memory, which can be slow or break."""

    name = "wifi"
    backend: Backend = "user-space link"

    def __init__(self, slow: dict[int, float] | None = None, breaks_at: int | None = None) -> None:
        self.slow = slow or {}
        self.breaks_at = breaks_at
        self.now: Ways = (CLEAN, CLEAN)
        self.steps: list[Ways] = []
        self.put_at: list[int] = []

    def prepare(self, steps: Sequence[Ways]) -> FakeLink:
        self.steps = list(steps)
        return self

    def put(self, number: int) -> None:
        if number == self.breaks_at:
            raise DeviceGone("link wifi", "no such interface")
        time.sleep(self.slow.get(number, 0))
        self.now = self.steps[number]
        self.put_at.append(number)

    def apply(self, up: Impairment, down: Impairment) -> ReadBack:
        raise NotImplementedError

    def read(self) -> ReadBack:
        return ReadBack(*self.now, carrier=True)

    def clear(self) -> None:
        raise NotImplementedError

    def counters(self) -> Counters:
        raise NotImplementedError

    def carrier(self, up: bool) -> bool:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError


class Journal(list[tuple[str, dict[str, Any]]]):
    def __call__(self, kind: str, data: Mapping[str, Any]) -> None:
        self.append((kind, dict(data)))

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [data for each, data in self if each == kind]


def timeline(count: int = 10, every_ms: float = 50, loop: bool = False) -> Timeline:
    steps = [Step(n * every_ms, Impairment(delay_ms=n + 1), CLEAN, note=f"n{n}") for n in range(count)]
    return Timeline("t", "T", "S", tuple(steps), count * every_ms, loop)


def test_every_step_at_its_absolute_time() -> None:
    link, journal = FakeLink(), Journal()
    player = Player(link, timeline(), journal)
    player.start()
    replay = player.wait(5)
    assert replay is not None
    assert (replay.why, replay.applied, replay.superseded) == (PLAYED, 10, 0)
    (begin,), steps, (end,) = (journal.of(f"timeline_{kind}") for kind in ("begin", "step", "end"))
    assert [step["intended_t"] - begin["start_t"] for step in steps] == [n * 50_000_000 for n in range(10)]
    assert all(step["applied_t"] >= step["intended_t"] for step in steps)
    assert steps[3]["up"]["delay_ms"] == 4
    assert steps[3]["note"] == "n3"
    assert replay.lag_us(50) < 20_000
    assert end["read_back"]["up"]["delay_ms"] == 10
    assert end["lag_p50_us"] == pytest.approx(replay.lag_us(50), abs=0.1)


def test_a_late_step_is_applied_at_once_and_superseded_ones_are_passed_over() -> None:
    link, journal = FakeLink(slow={2: 0.18}), Journal()
    player = Player(link, timeline(), journal)
    player.start()
    replay = player.wait(5)
    assert replay is not None
    steps = journal.of("timeline_step")
    passed = [step["number"] for step in steps if step["applied_t"] is None]
    assert replay.superseded == len(passed) >= 1
    assert link.put_at == [step["number"] for step in steps if step["applied_t"] is not None]
    late = next(step for step in steps if step["number"] == passed[-1] + 1)
    assert late["lag_us"] < 50_000 + 20_000
    assert steps[-1]["lag_us"] < 20_000, "lateness adds up"
    assert all(step["lag_us"] is None for step in steps if step["applied_t"] is None)


def test_the_last_step_is_put_in_force_however_late() -> None:
    link, journal = FakeLink(slow={1: 0.4}), Journal()
    player = Player(link, timeline(4), journal)
    player.start()
    replay = player.wait(5)
    assert link.put_at == [0, 1, 3]
    assert replay is not None
    assert replay.superseded == 1


def test_a_loop_goes_on_until_it_is_stopped_and_stops_at_once() -> None:
    link, journal = FakeLink(), Journal()
    player = Player(link, timeline(3, loop=True), journal)
    player.start()
    assert player.wait(0.4) is None
    began = time.monotonic()
    replay = player.stop()
    assert time.monotonic() - began < 0.2
    assert replay.why == STOPPED
    assert replay.applied > 3
    assert journal.of("timeline_step")[-1]["pass"] >= 1
    assert not player.playing
    assert player.stop() is player.wait(0)


def test_a_stop_long_before_the_next_step() -> None:
    link, journal = FakeLink(), Journal()
    player = Player(link, timeline(2, every_ms=30_000), journal)
    player.start()
    began = time.monotonic()
    player.stop()
    assert time.monotonic() - began < 0.5
    assert link.put_at == [0]
    assert journal.of("timeline_end")[0]["why"] == STOPPED


def test_a_link_gone_in_the_middle_ends_it_as_the_benchs_trouble() -> None:
    link, journal = FakeLink(breaks_at=2), Journal()
    player = Player(link, timeline(), journal)
    player.start()
    replay = player.wait(5)
    assert replay is not None
    assert (replay.why, replay.applied) == (TROUBLE, 2)
    assert isinstance(replay.trouble, DeviceGone)
    assert journal.of("bench_fault") == [{"device": "link wifi", "what": "no such interface", "cure": ""}]
    assert journal.of("timeline_end")[0]["read_back"] is None


def test_a_link_gone_at_the_first_step_is_raised() -> None:
    journal = Journal()
    with pytest.raises(DeviceGone):
        Player(FakeLink(breaks_at=0), timeline(), journal).start()
    assert not journal.of("bench_fault")


def test_what_does_not_read_back_is_the_benchs_trouble() -> None:
    class Forgetful(FakeLink):
        def read(self) -> ReadBack:
            return replace(super().read(), up=CLEAN)

    journal = Journal()
    player = Player(Forgetful(), timeline(2), journal)
    player.start()
    replay = player.wait(5)
    assert replay is not None
    assert isinstance(replay.trouble, DeviceClamped)


def test_the_rf_path_follows() -> None:
    asked: list[float] = []
    steps = tuple(Step(n * 50, CLEAN, CLEAN, attenuation_db=10.0 * n) for n in range(3))
    player = Player(FakeLink(), Timeline("t", "T", "S", steps, 150), Journal(), asked.append)
    player.start()
    player.wait(5)
    assert asked == [0, 10, 20]


def test_percentiles_are_nearest_rank() -> None:
    assert percentile([3.0, 1.0, 2.0], 50) == 2
    assert percentile(range(1, 101), 99) == 99
    assert percentile([], 99) == 0


def test_a_history_that_cannot_be_written_keeps_nobody_waiting() -> None:
    def observe(kind: str, _data: Mapping[str, Any]) -> None:
        if kind == "timeline_end":
            raise OSError("no space left on device")

    player = Player(FakeLink(), Timeline("t", "t", "s", (Step(0, CLEAN, CLEAN),), 60), observe)
    threading.excepthook, kept = (lambda _: None), threading.excepthook
    try:
        player.start()
        assert player.wait(5) is not None
    finally:
        threading.excepthook = kept
