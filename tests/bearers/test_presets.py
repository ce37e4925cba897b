from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from rig.bearers.impairment import CLEAN, CUT, Impairment
from rig.bearers.presets import load_preset, preset_names
from rig.bearers.relay.model import DirectionModel
from rig.errors import CallerMistake

ROUND_TRIPS_MS = {
    "clean": (0, 0),
    "private-line": (10, 15),
    "wifi-home": (3, 10),
    "nr": (15, 30),
    "lossy": (15, 30),
    "adsl": (30, 50),
    "lte-good": (45, 60),
    "wifi-cafe": (40, 60),
    "umts": (55, 70),
    "lte-edge": (80, 150),
    "wifi-hotel": (80, 200),
    "slow": (150, 300),
    "congested": (150, 300),
    "edge": (200, 400),
    "lte-congested": (400, 700),
    "satellite": (558, 650),
    "gprs": (500, 1000),
}
"""What an empty packet takes there and back in the mean, but for the line's rate."""


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_of_the_project_can_be_read_and_says_where_it_is_from(name: str) -> None:
    preset = load_preset(name)
    assert preset.title
    assert len(preset.source) > 20


def test_the_technologies_that_terminals_meet_are_there() -> None:
    assert set(preset_names()) == {*ROUND_TRIPS_MS, "deaf"}


@pytest.mark.parametrize("name", ROUND_TRIPS_MS)
def test_the_figures_of_a_preset_are_sane(name: str) -> None:
    preset = load_preset(name)
    low, high = ROUND_TRIPS_MS[name]
    assert low <= preset.up.delay_ms + preset.down.delay_ms <= high
    for way in (preset.up, preset.down):
        assert mean_loss_percent(way) <= 5
        assert way.corrupt_percent == way.duplicate_percent == way.reorder_percent == 0
        assert seconds_of_a_sale(way) < 10
    if preset.up.rate_kbit is not None:
        assert preset.down.rate_kbit is not None
        assert preset.up.rate_kbit <= preset.down.rate_kbit


def test_each_generation_is_quicker_than_the_one_before() -> None:
    generations = [load_preset(name) for name in ("gprs", "edge", "umts", "lte-good", "nr")]
    for slow, quick in pairwise(generations):
        for before, after in ((slow.up, quick.up), (slow.down, quick.down)):
            assert (before.rate_kbit or 0) < (after.rate_kbit or 0)
            assert before.delay_ms > after.delay_ms


def test_a_crowded_wi_fi_is_as_late_as_was_measured() -> None:
    """More than half of the packets over 20 ms there and back, a tenth over 100 ms."""
    up, down = (delays_ms(way, 5000) for way in (load_preset("wifi-cafe").up, load_preset("wifi-cafe").down))
    round_trips = [there + back for there, back in zip(up, down, strict=False)]
    assert sum(each > 20 for each in round_trips) > len(round_trips) / 2
    assert sum(each > 100 for each in round_trips) == pytest.approx(len(round_trips) / 10, rel=0.25)


def test_adsl_fills_atm_cells() -> None:
    adsl = load_preset("adsl").up.overhead
    assert [adsl.wire_bytes(size) for size in (64, 1514)] == [2 * 53, 33 * 53]


def mean_loss_percent(way: Impairment) -> float:
    return way.burst_loss.mean_loss_percent if way.burst_loss is not None else way.loss_percent


def seconds_of_a_sale(way: Impairment) -> float:
    """3,000 bytes, more than a TLS handshake and a request, and four times the delay."""
    line = 3000 * 8 / 1000 / way.rate_kbit if way.rate_kbit else 0
    return line + 4 * way.delay_ms / 1000


def delays_ms(way: Impairment, count: int) -> list[float]:
    model, minute = DirectionModel(1), 60 * 10**9
    model.set(way)
    came = []
    for number in range(1, count + 1):
        for copy in model.admit(number * minute, 100):
            came.append((copy.departure - number * minute) / 1e6)
            model.depart(delivered=True)
    return came


def test_what_a_preset_holds() -> None:
    assert (load_preset("clean").up, load_preset("clean").down) == (CLEAN, CLEAN)
    assert (load_preset("deaf").up, load_preset("deaf").down) == (CLEAN, CUT)
    assert load_preset("slow").up == Impairment(delay_ms=80, jitter_ms=20, rate_kbit=40)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("title: x\nsource: y\nup: {delay: 3}\ndown: {}\n", r"odd\.yaml, up\.impairment: unknown delay"),
        ("title: x\nsource: y\nup: {}\ndown: {loss_percent: 200}\n", r"odd\.yaml, down\.loss_percent: 200 is outside"),
        ("title: x\nsource: y\nup: 3\ndown: {}\n", r"odd\.yaml, up: is no mapping"),
        ("title: x\n", "has title"),
        ("- 1\n", "no mapping"),
        ("a: [", "cannot be read"),
        ("title: 2026-99-99\n", "cannot be read"),
    ],
)
def test_a_wrong_file_names_the_field(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "odd.yaml").write_text(text)
    with pytest.raises(CallerMistake, match=complaint):
        load_preset("odd", tmp_path)


def test_an_unknown_name_says_which_there_are() -> None:
    with pytest.raises(CallerMistake, match=r"no 'slowly'.*there are .*slow"):
        load_preset("slowly")
