"""A timeline on a real link of the relay, with probes beside it: what was meant, and what packets met."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from rig.bearers.impairment import CLEAN, CUT, Impairment
from rig.bearers.netspace import in_namespace
from rig.bearers.probe import Prober
from rig.bearers.probe_ways import Answer
from rig.bearers.timeline import Step, Timeline
from rig.bearers.timeline.play import Play, _seen_by_probes
from rig.bearers.userspace import UserSpaceLink
from tests.bearers.conftest import SEGMENTS, RelayBench, relay_bench, root

__all__ = ["relay_bench", "root"]

WIFI = SEGMENTS[0].terminal_address.split("/")[0]


class Journal(list[tuple[str, dict[str, Any]]]):
    def __call__(self, kind: str, data: Mapping[str, Any]) -> None:
        self.append((kind, dict(data)))

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [data for each, data in self if each == kind]


def steps(*delays: float | None, every_ms: float = 400) -> Timeline:
    """A round trip a step; None is a cut."""
    ways = [CUT if delay is None else Impairment(delay_ms=delay / 2) for delay in delays]
    return Timeline(
        "t", "T", "S", tuple(Step(n * every_ms, way, way) for n, way in enumerate(ways)), len(ways) * every_ms
    )


@pytest.fixture
def link(relay_bench: RelayBench) -> Iterator[UserSpaceLink]:
    made = relay_bench.link("wifi")
    made.clear()
    yield made
    made.clear()


def prober(bench: RelayBench) -> Prober:
    return in_namespace(bench.namespace, lambda: Prober(WIFI, "wifi"))


def test_what_packets_met_is_what_was_meant(relay_bench: RelayBench, link: UserSpaceLink) -> None:
    journal = Journal()
    play = Play(link, steps(20, 120, 60), journal, prober(relay_bench))
    play.start()
    replay = play.wait(10)
    assert replay is not None
    assert replay.trouble is None
    assert replay.applied == 3
    begin, *_ = journal.of("timeline_begin")
    assert begin["baseline_rtt_ms"] is not None
    applied = [step["applied_t"] for step in journal.of("timeline_step")]
    for begin_t, end_t, meant in zip(applied, [*applied[1:], applied[-1] + 400_000_000], (20, 120, 60), strict=True):
        met = [
            each["rtt_ms"]
            for each in journal.of("probe")
            if begin_t <= each["sent_t"] and each["sent_t"] + 1e6 * (each["rtt_ms"] or 0) < end_t and each["rtt_ms"]
        ]
        assert met, "no probe fell wholly into the step"
        assert meant <= statistics.median(met) < meant + 20
    (stimulus,) = journal.of("stimulus")
    assert stimulus["shown"] is True
    assert stimulus["by"] == "probes beside it"
    assert journal.of("timeline_end")[0]["read_back"]["up"]["delay_ms"] == 30


def test_a_cut_is_seen_by_what_is_not_answered(relay_bench: RelayBench, link: UserSpaceLink) -> None:
    journal = Journal()
    play = Play(link, steps(2, None, 2, every_ms=1100), journal, prober(relay_bench))
    play.start()
    play.wait(10)
    (stimulus,) = journal.of("stimulus")
    assert stimulus["shown"] is True
    assert stimulus["evidence"]["probes_lost_in_cuts"] >= 1
    assert any(each["rtt_ms"] is None for each in journal.of("probe"))


def test_without_a_probe_the_packets_of_the_link_tell(link: UserSpaceLink) -> None:
    journal = Journal()
    play = Play(link, steps(20, 40, every_ms=50), journal)
    play.start()
    play.wait(5)
    (stimulus,) = journal.of("stimulus")
    assert (stimulus["shown"], stimulus["by"]) == (False, "nothing")
    assert journal.of("timeline_begin")[0]["baseline_rtt_ms"] is None


def test_probes_that_come_too_early_disprove_it(
    relay_bench: RelayBench, link: UserSpaceLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A link that only remembers: packets pass it, and none is late."""
    prepare = link.prepare
    monkeypatch.setattr(link, "prepare", lambda asked: prepare([(CLEAN, CLEAN) for _ in asked]))
    journal = Journal()
    play = Play(link, steps(200, 300, 0), journal, prober(relay_bench))
    play.start()
    play.wait(10)
    (stimulus,) = journal.of("stimulus")
    assert (stimulus["shown"], stimulus["by"]) == (False, "early probes")


@pytest.mark.parametrize(("baseline_ms", "late"), [(None, 0), (2.0, 1), (60.0, 0)])
def test_late_is_only_who_would_have_been_earlier(baseline_ms: float | None, late: int) -> None:
    stream = SimpleNamespace(answers=[Answer(sent_t=5, rtt_ms=60)], unanswered=[])
    applied = [(0, steps(50).steps[0])]
    assert _seen_by_probes(stream, applied, baseline_ms)["late_probes"] == late  # type: ignore[arg-type]


def test_stopped_at_once_and_what_is_in_force_stays(relay_bench: RelayBench, link: UserSpaceLink) -> None:
    journal = Journal()
    play = Play(link, steps(20, 120, 60, every_ms=20_000), journal, prober(relay_bench))
    play.start()
    assert play.playing
    replay = play.stop()
    assert replay.applied == 1
    assert link.read().up.delay_ms == 10
    count = len(journal.of("probe"))
    assert len(journal.of("probe")) == count
