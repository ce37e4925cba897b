"""What was done to a bearer under a condition stands beside its figures: one name is not one stimulus."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rig.report.scorecard import Scorecard
from rig.report.scorecard.html import page
from tests.report.scorecard.made import Story

LOSSY: dict[str, Any] = {"delay_ms": 10, "jitter_ms": 8, "loss_percent": 2}
FULL: dict[str, Any] = {"delay_ms": 250, "rate_kbit": 1000, "burst_loss": {"to_bad_percent": 0.2}}
LEVEL: dict[str, Any] = {"technology": "LTE", "level": -112, "registered": True}


def stimulus(card: Scorecard, bearer: str, condition: str) -> tuple[tuple[str, str], ...]:
    """Of one bearer under one condition."""
    found = next(each for each in card.bearers if each.name == bearer).under(condition)
    assert found is not None
    return found.stimulus


def weak() -> Story:
    """A weak signal is a lossy link for the one and a level for the other."""
    story = Story("wifi", "lte")
    for bearer in story.bearers:
        with story.on(bearer, "ideal") as case:
            story.sells(case, bearer, 6, 0.3)
    with story.on("wifi", "weak signal") as case:
        story.note("impairment", link="lte", up=FULL, down=FULL, carrier=True)  # the other one is kept off
        story.note("impairment", link="wifi", up=LOSSY, down=LOSSY, carrier=True)
        story.sells(case, "wifi", 6, 0.3)
        story.note("impairment", link="wifi", up={}, down={}, carrier=True)
    with story.on("lte", "weak signal") as case:
        story.note("attenuation", path="lte-main", asked=43, read_back=43)
        story.note("signal_set", from_db=0, to_db=43, before={}, after=LEVEL)
        story.sells(case, "lte", 6, 1.2)
    return story


def test_it_is_what_was_in_force_at_the_first_sale(tmp_path: Path) -> None:
    card = weak().card(tmp_path / "run")
    assert stimulus(card, "wifi", "ideal") == (("nothing", "无"),)
    assert stimulus(card, "wifi", "weak signal") == (
        ("↑ 10 ms ± 8 ms, 2 % loss ↓ 10 ms ± 8 ms, 2 % loss", "↑ 10 ms ± 8 ms、2 % 丢包 ↓ 10 ms ± 8 ms、2 % 丢包"),
    )
    assert stimulus(card, "lte", "weak signal") == (("RSRP −112 dBm (+43 dB)",) * 2,)
    html = page(card)
    assert html.count("RSRP −112 dBm (+43 dB)") == 1, "not twice where both languages say the same"
    assert "2 % 丢包" in html
    assert '"stimulus"' in card.to_json()


def test_rates_bursts_cuts_and_named_failures_are_told(tmp_path: Path) -> None:
    story = Story("wifi", "dialup")
    with story.on("wifi", "busy network") as case:
        story.note("impairment", link="wifi", up=FULL, down={"cut": True}, carrier=True)
        story.fails(case)
    with story.on("dialup", "busy network") as case:
        failure: dict[str, Any] = {"bearer": "dialup", "options": {"rate": 1200}}
        story.note("network_failure", **failure, failure="line-noise", active=True)
        story.note("network_failure", **failure, failure="line-noise", active=False)
        story.note("network_failure", **failure, failure="slow-line", active=True)
        story.fails(case)
    with story.on("wifi", "outage") as case:
        story.note("impairment", link="wifi", up={"cut": True}, down={"cut": True}, carrier=True)
        story.fails(case)
    card = story.card(tmp_path / "run")
    assert stimulus(card, "wifi", "busy network")[0][0] == "↑ 250 ms, 1000 kbit/s, loss in bursts ↓ cut"
    assert stimulus(card, "dialup", "busy network") == (("slow-line (rate 1200)", "线路低速 (rate 1200)"),)
    assert stimulus(card, "wifi", "outage") == (), "its sales are meant to fail"


def test_a_preference_that_rests_on_unlike_stimuli_alone_says_so(tmp_path: Path) -> None:
    card = weak().card(tmp_path / "run")
    said = next(each for each in card.conclusion if each.about == "recommendation")
    assert said.better == ("wifi",)
    assert "faster, though only under “weak signal”, where not the same was done to them" in said.en
    assert "但仅在弱信号下，而各承载在其中所受的激励并不相同" in said.zh
    limits = [each for each in card.conclusion if each.about == "limits"]
    assert any("not one stimulus for all: “weak signal”." in each.en for each in limits)
    assert any("弱信号是各类承载各自的典型条件" in each.zh for each in limits)


def test_a_preference_under_one_stimulus_is_told_without_a_proviso(tmp_path: Path) -> None:
    story = Story("wifi", "lte")
    for bearer, seconds in (("wifi", 0.3), ("lte", 1.2)):
        with story.on(bearer, "busy network") as case:
            story.note("impairment", link=bearer, up=FULL, down=FULL, carrier=True)
            story.sells(case, bearer, 6, seconds)
    card = story.card(tmp_path / "run")
    said = next(each for each in card.conclusion if each.about == "recommendation")
    assert said.better == ("wifi",)
    assert "though only" not in said.en
    assert not any("not one stimulus" in each.en for each in card.conclusion)
