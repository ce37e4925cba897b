"""The picture of a timeline that was played: what it reads out of a history, and that it is sound and small SVG."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from typing import Any

import pytest

from rig.bearers.impairment import CUT, Impairment
from rig.bearers.loss import GilbertElliott
from rig.history import Event
from rig.report.played import LARGEST, Played, played_html, played_svg, read_played
from rig.report.played.svg import caption
from rig.report.timeline import timeline_svg

START = 1_000_000_000


def event(kind: str, at_s: float, **data: Any) -> Event:
    return Event("boot", START + round(at_s * 1e9), "rig", 1, 1, kind, {"link": "wifi", **data})


def step(at_s: float, way: Impairment, applied: bool = True, **data: Any) -> Event:
    t = START + round(at_s * 1e9)
    ways: Mapping[str, Any] = {"up": way.to_dict(), "down": way.to_dict()}
    return event("timeline_step", at_s, number=0, intended_t=t, applied_t=t if applied else None, **ways, **data)


def probe(at_s: float, rtt_ms: float | None) -> Event:
    return event("probe", at_s, sent_t=START + round(at_s * 1e9), rtt_ms=rtt_ms)


def history(title: str = "up and down", **begin: Any) -> list[Event]:
    burst = GilbertElliott(10, 40)
    return [
        event(
            "timeline_begin", -0.005, timeline="t", title=title, backend="netem", start_t=START, duration_ms=4000,
            baseline_rtt_ms=1.0, **begin,
        ),
        step(0, Impairment(delay_ms=10), note="here & <now>", rssi_dbm=-60),
        probe(0.2, 22.0),
        probe(0.5, 900.0),
        step(1, Impairment(delay_ms=50, jitter_ms=20, burst_loss=burst), rssi_dbm=-80),
        probe(1.5, 104.0),
        step(2, CUT, note="gone", rssi_dbm=-95),
        probe(2.5, None),
        step(3, Impairment(delay_ms=10), applied=False, rssi_dbm=-60),
        event(
            "timeline_end", 4, timeline="t", why="stopped", applied=3, superseded=1, lag_p50_us=90.0, lag_p99_us=1500.0,
        ),
    ]  # fmt: skip


def only(events: list[Event]) -> Played:
    (played,) = read_played(events)
    return played


def test_what_was_meant_and_met_is_read() -> None:
    played = only(history())
    assert [(each.begin_s, each.end_s, each.rtt_ms) for each in played.stretches] == [
        (0, 1, 20), (1, 2, 100), (2, 3, None), (3, 4, 20),
    ]  # fmt: skip
    assert played.stretches[1].loss_percent == pytest.approx(100 * (1 - 0.8**2))
    assert played.stretches[3].passed_over
    assert played.errors_ms() == [1.0, 3.0]  # the third came back in another step
    assert played.unanswered == [2.5]


def test_the_caption_says_what_came_of_it() -> None:
    assert caption(only(history())) == (
        "3 steps in force, lag p50 0.09 ms, p99 1.50 ms · 1 passed over · stopped · "
        "3 probes, in the median +2.0 ms from what was meant · 1 unanswered"
    )
    assert caption(only(history()[:-1])).startswith("broken off")


def test_the_picture_is_sound_and_says_it_in_words_too() -> None:
    played = only(history(title="odd\x00 & <title>"))
    svg = played_svg(played)
    root = ET.fromstring(svg)
    assert root.find("{http://www.w3.org/2000/svg}title") is not None
    said = "".join(root.itertext())
    assert "here & <now>" in said
    assert "cut" in said
    assert "−95 dBm" in said
    assert 'alt="Timeline t on wifi: 3 steps' in played_html(played, svg)


def test_a_long_timeline_stays_small() -> None:
    events = history()[:1]
    for number in range(6000):
        events += [step(number / 20, Impairment(delay_ms=number % 100)), probe(number / 20 + 0.01, float(number % 200))]
    assert len(played_svg(only(events)).encode()) <= LARGEST


def test_no_probe_and_no_step() -> None:
    assert read_played(history()[:1]) == []
    ET.fromstring(played_svg(only(history()[:2])))


def test_the_case_shows_when_it_played() -> None:
    assert "wifi: timeline t" in timeline_svg(history(), title="case")
