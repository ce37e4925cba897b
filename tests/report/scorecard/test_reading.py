"""From a run's folder to the files beside its report."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from rig.report.manifest import write_manifest
from rig.report.scorecard import Traffic, scorecard_of, write_scorecard
from tests.report.scorecard.made import ACK, TARIFFS, Story, Talk


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run with one case."""
    story = Story("wifi")
    with story.on("wifi", "ideal") as case:
        story.sells(case, "wifi", 6)
    return story.write(tmp_path / "run")


def test_the_page_and_the_figures_lie_in_the_runs_folder(run: Path) -> None:
    card = scorecard_of(run, TARIFFS, Traffic())
    assert write_scorecard(card, run) == run / "scorecard.html"
    written = json.loads((run / "scorecard.json").read_text())
    assert written["format"] == 1
    assert written["run"] == "run"
    assert written["bearers"][0]["stability"][0]["share"]["value"] == 1.0
    assert all(set(each) >= {"en", "zh", "better", "worse"} for each in written["conclusion"])
    assert {path.name for path in run.iterdir()} == {"journals", "wire.pcapng", "scorecard.html", "scorecard.json"}


def test_a_report_that_is_rendered_afterwards_holds_the_page(run: Path) -> None:
    """Allure 3 reads ``*-globals.json``: attachments of the whole run."""
    (run / "allure-results").mkdir()
    page = write_scorecard(scorecard_of(run, TARIFFS, Traffic()), run)
    (attachment,) = json.loads((run / "allure-results/scorecard-globals.json").read_text())["attachments"]
    assert attachment["type"] == "text/html"
    assert (run / "allure-results" / attachment["source"]).read_bytes() == page.read_bytes()


def test_a_run_that_was_sealed_is_sealed_again(run: Path) -> None:
    write_manifest(run)
    page = write_scorecard(scorecard_of(run, TARIFFS, Traffic()), run)
    sealed = json.loads((run / "manifest.json").read_text())["files"]
    assert sealed["scorecard.html"] == hashlib.sha256(page.read_bytes()).hexdigest()


def test_the_haste_of_the_radio_model_is_told(tmp_path: Path) -> None:
    story = Story("lte")
    story.note("started", haste=10)
    with story.on("lte", "ideal") as case:
        story.sells(case, "lte", 1)
    card = story.card(tmp_path / "run")
    assert card.haste == 10
    assert any("10 times quicker" in each.en and "快 10 倍" in each.zh for each in card.conclusion)


def test_without_a_capture_sizes_are_not_known_and_it_says_so(run: Path) -> None:
    (run / "wire.pcapng").unlink()
    card = scorecard_of(run, TARIFFS, Traffic())
    assert card.bearers[0].cost.volumes == ()
    assert not card.bearers[0].security.captured
    assert any("there is no capture" in each.en for each in card.conclusion)


def test_packets_that_the_kernel_joined_are_told(tmp_path: Path) -> None:
    story = Story("wifi")
    with story.on("wifi", "ideal") as case:
        Talk(story, "wifi").sends(True, ACK, bytes(4000))
        story.sells(case, "wifi", 1)
    assert story.card(tmp_path / "run").doubts == (
        "1 packets are larger than 1500 bytes: the kernel joined them, headers are missing",
    )


def test_a_torn_capture_and_unknown_fields_end_nothing(run: Path) -> None:
    (run / "wire.pcapng").write_bytes((run / "wire.pcapng").read_bytes() + b"\x06\0\0\0\xff")
    journal = next((run / "journals").glob("rig-*"))
    journal.write_text(journal.read_text().replace('"condition":"ideal"', '"condition":7', 1))
    assert scorecard_of(run, TARIFFS, Traffic()).bearers == ()
