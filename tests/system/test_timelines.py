"""Runs in which a timeline plays: what the history tells of it, and that it dies with the test process."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from tests.system.rigs import Rig, kill
from tests.system.test_endings import assert_every_device_saw_the_restore, events_of, wait_until_clean

CASE = "radio_shadow"


def test_a_case_tells_what_was_meant_and_what_was_reached(tmp_path: Path) -> None:
    rig = Rig.make(tmp_path)
    code, summary = rig.run(CASE)
    assert code == 0, summary
    history = rig.history()
    begin, end = history.of("timeline_begin")[0].data, history.of("timeline_end")[0].data
    assert begin["timeline"] == "shadow"
    assert begin["baseline_rtt_ms"] is not None
    steps = [event.data for event in history.of("timeline_step")]
    assert [step["number"] for step in steps if step["applied_t"]][:2] == [0, 1]
    assert end["read_back"]["up"] == [step for step in steps if step["applied_t"]][-1]["up"]
    assert any(event.data["rtt_ms"] for event in history.of("probe"))
    assert all(event.data["shown"] for event in history.of("stimulus"))
    assert history.of("fault_proof")[0].data["proven"]
    results = (rig.newest_run() or tmp_path) / "allure-results"
    assert any("timeline of wifi" in path.read_text() for path in results.glob("*-result.json"))


@pytest.mark.parametrize("seed", range(2))
def test_killed_while_a_timeline_plays(tmp_path: Path, seed: int) -> None:
    rig = Rig.make(tmp_path)
    run = rig.start(CASE, command="pytest")
    rig.wait_for("timeline_step")
    time.sleep(random.Random(seed).uniform(0, 0.3))
    kill(run.pid)
    killed = time.monotonic()
    run.wait()
    wait_until_clean(rig, killed)
    assert not rig.history().of("timeline_end"), "it ended before it was killed"
    assert_every_device_saw_the_restore(rig, "guard")
    last = [
        event.data for event in events_of(rig, "link") if event.kind == "link_set" and event.data["link"] == "wifi"
    ][-1]
    assert not last["up"]["cut"]
    assert last["up"]["delay_ms"] == last["down"]["delay_ms"] == 0
