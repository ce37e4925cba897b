"""The radio model without a process: levels, service, technologies, cells, load. Time is an argument."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.errors import CallerMistake
from rig.virtual.radio_model.radio import Radio
from rig.virtual.radio_model.settings import RadioSettings
from rig.virtual.radio_model.shape import CUT, Direction, Shape, congested
from rig.virtual.radio_model.technology import GSM, LTE, TECHNOLOGIES, UTRAN, Technology

QUIET = RadioSettings(noise_db=0)
ALL = replace(QUIET, technologies=("LTE", "UTRAN", "GSM"))
TWO_CELLS = replace(QUIET, neighbour_dbm=-70)
DB = st.floats(0, 95)
NAMES = st.sampled_from(sorted(TECHNOLOGIES))


def settle(radio: Radio, now: float) -> float:
    """Let everything that is due happen; returns the time after it."""
    for _ in range(10):
        if radio.due is None:
            return now
        now = max(now, radio.due)
        radio.tick(now)
    raise AssertionError(f"it never settles: {radio.serving}, due {radio.due}")


def attached(db: float = 0, settings: RadioSettings = QUIET) -> Radio:
    radio = Radio(settings)
    for cell in range(len(settings.references())):
        radio.attenuate(0, now=0, cell=cell)
    assert settle(radio, 0) < 1
    assert radio.registered
    radio.attenuate(db, now=1)
    return radio


def served(radio: Radio) -> str | None:
    return radio.serving.technology.name if radio.serving else None


def worse_or_equal(better: Shape, worse: Shape) -> None:
    for one, other in ((better.up, worse.up), (better.down, worse.down)):
        assert one.rate_kbit >= other.rate_kbit
        assert one.delay_ms <= other.delay_ms
        assert one.jitter_ms <= other.jitter_ms
        assert one.loss_percent <= other.loss_percent


# One cell, one technology.


def test_before_the_attenuation_is_known_there_is_nothing() -> None:
    radio = Radio(QUIET)
    assert (radio.level_dbm, radio.registered, radio.due, radio.shape) == (None, False, None, LTE.table[-1])


def test_service_is_found_and_lost_after_its_times() -> None:
    radio = Radio(QUIET)
    radio.attenuate(0, now=10)
    assert radio.due == pytest.approx(10.3)
    assert not radio.tick(10.29)
    assert radio.tick(10.31)
    assert radio.registered
    radio.attenuate(50.25, now=11)
    assert radio.due == pytest.approx(11.12)
    assert radio.tick(11.2)
    assert not radio.registered


@pytest.mark.parametrize("technology", [LTE, UTRAN, GSM], ids=lambda each: each.name)
def test_without_haste_the_times_are_those_of_the_technology(technology: Technology) -> None:
    radio = attached(settings=replace(QUIET, technologies=(technology.name,), haste=100))
    radio.settings = replace(radio.settings, haste=1)
    radio.attenuate(95, now=2)
    assert radio.due == pytest.approx(2 + technology.detach_ms / 1000)
    now = settle(radio, 2)
    radio.attenuate(0, now)
    assert radio.due == pytest.approx(now + technology.reattach_ms / 1000)


def test_times_of_one_s_own_are_not_hasted() -> None:
    radio = Radio(replace(QUIET, reattach_ms=700, detach_ms=0))
    radio.attenuate(0, now=0)
    assert radio.due == pytest.approx(0.7)
    now = settle(radio, 0)
    radio.attenuate(95, now)
    assert radio.due == now


def test_a_short_fade_costs_nothing_and_a_longer_one_is_not_prolonged() -> None:
    radio = attached()
    radio.attenuate(60, now=2)
    radio.attenuate(70, now=2.1)
    assert radio.due == pytest.approx(2.12)
    radio.attenuate(0, now=2.11)
    assert radio.due is None
    assert not radio.tick(3)


def test_finding_service_needs_more_than_keeping_it() -> None:
    assert attached(50).due is None  # −120 dBm keeps
    radio = attached(51)
    assert radio.tick(2)
    radio.attenuate(48, now=3)
    assert radio.due is None  # −118 dBm does not find
    radio.attenuate(47, now=3)
    assert radio.due is not None  # −117 dBm does


@given(NAMES, st.lists(DB, min_size=1))
def test_between_the_two_thresholds_the_service_stays_what_it_was(name: str, fades: list[float]) -> None:
    radio = attached(settings=replace(QUIET, technologies=(name,)))
    now, before = 1.0, True
    camp = TECHNOLOGIES[name].camp_dbm
    for db in fades:
        radio.attenuate(db, now)
        now = settle(radio, now)
        level = radio.level_dbm
        assert level is not None
        assert radio.registered is (level >= camp if before else level >= camp + 3)
        before = radio.registered


@given(NAMES, DB, DB)
def test_more_attenuation_never_makes_a_better_link(name: str, one: float, other: float) -> None:
    settings = replace(QUIET, technologies=(name,))
    near, far = (attached(db, settings) for db in sorted((one, other)))
    worse_or_equal(near.shape, far.shape)
    assert near.sinr_db >= far.sinr_db


@pytest.mark.parametrize("technology", [LTE, UTRAN, GSM], ids=lambda each: each.name)
def test_the_tables_fall_and_reach_to_where_service_ends(technology: Technology) -> None:
    for better, worse in zip(technology.table, technology.table[1:], strict=False):
        assert better.sinr_db > worse.sinr_db
        worse_or_equal(better, worse)
    assert technology.table[-1].sinr_db <= technology.camp_dbm - technology.floor_dbm < technology.table[-3].sinr_db


def test_the_same_seed_reads_the_same_noise() -> None:
    one, other = Radio(RadioSettings(seed=7)), Radio(RadioSettings(seed=7))
    one.attenuate(10, 0)
    other.attenuate(10, 0)
    readings = [one.reading_dbm() for _ in range(5)]
    assert readings == [other.reading_dbm() for _ in range(5)]
    assert len(set(readings)) == 5


def test_a_radio_that_is_switched_off_loses_service_at_once_and_searches_anew() -> None:
    radio = attached()
    radio.switch(False, now=2)
    assert (radio.registered, radio.due) == (False, None)
    radio.attenuate(1, now=3)
    assert radio.due is None
    radio.switch(True, now=4)
    assert radio.due == pytest.approx(4.3)


# Several technologies.


def test_the_fallback_is_from_4g_to_3g_to_2g_and_back() -> None:
    radio = attached(settings=ALL)
    now, seen = 1.0, []
    for db in (0, 49, 51, 55, 58, 64, 67, 64, 60, 54, 50, 48, 46):
        radio.attenuate(db, now)
        now = settle(radio, now)
        seen.append(served(radio))
    down = ["LTE", "LTE", "UTRAN", "UTRAN", "GSM", "GSM", None]
    assert seen == [*down, None, "GSM", "GSM", "UTRAN", "UTRAN", "LTE"]


def test_between_two_technologies_there_is_a_time_without_service() -> None:
    radio = attached(52, ALL)
    assert radio.tick(1.121)
    assert not radio.registered
    assert radio.due == pytest.approx(1.621)  # a tenth of 5 s
    assert radio.tick(1.622)
    assert served(radio) == "UTRAN"
    assert radio.level_dbm == -70 + UTRAN.offset_db - 52


def test_the_return_takes_patience_and_a_gap_in_which_nothing_passes() -> None:
    radio = attached(52, ALL)
    now = settle(radio, 1)
    radio.attenuate(40, now)
    assert radio.due == pytest.approx(now + 1)  # a tenth of 10 s
    radio.attenuate(52, now + 0.9)
    assert radio.due is None  # too short
    radio.attenuate(40, now + 2)
    assert radio.tick(now + 3.01)
    assert served(radio) == "LTE"
    assert radio.link_arguments() == CUT
    settle(radio, now + 3.01)
    assert radio.link_arguments() == radio.shape.as_arguments()


@given(st.lists(DB, min_size=1))
def test_however_it_fades_the_modem_settles_on_the_best_that_it_can_have(fades: list[float]) -> None:
    radio = attached(settings=ALL)
    now = 1.0
    for db in fades:
        radio.attenuate(db, now)
        now = settle(radio, now)
        levels = {each: -70 + each.offset_db - db for each in (LTE, UTRAN, GSM)}
        found = next((each for each, level in levels.items() if level >= each.camp_dbm + 3), None)
        if radio.serving is None:
            assert found is None
            continue
        here = radio.serving.technology
        assert levels[here] >= here.camp_dbm
        if found is not None:
            assert radio.settings.known.index(here) <= radio.settings.known.index(found)


def test_a_single_technology_has_the_reference_to_itself() -> None:
    radio = attached(10, replace(QUIET, technologies=("GSM",), reference_dbm=-65))
    assert radio.level_dbm == -75


# Two cells.


def test_two_crossing_attenuators_hand_the_modem_over() -> None:
    radio = attached(0, TWO_CELLS)
    radio.attenuate(40, now=1, cell=1)
    now = settle(radio, 1)
    first = radio.serving
    assert first is not None
    assert first.cell == 0
    radio.attenuate(20, now, cell=0)
    radio.attenuate(18, now, cell=1)
    assert radio.due is None  # 2 dB better is not better enough
    radio.attenuate(17, now, cell=1)
    assert radio.due == pytest.approx(now + 0.032)
    assert radio.tick(now + 0.033)
    assert radio.serving is not None
    assert (radio.serving.cell, radio.registered, radio.link_arguments()) == (1, True, CUT)
    assert radio.due == pytest.approx(now + 0.083)  # 50 ms, whatever the haste
    assert radio.tick(now + 0.084)
    assert radio.link_arguments() == radio.shape.as_arguments()
    assert radio.due is None


def test_a_handover_that_comes_too_late_is_a_loss_of_service() -> None:
    radio = attached(0, TWO_CELLS)
    now = settle(radio, 1)
    radio.attenuate(95, now, cell=1)
    radio.attenuate(95, now, cell=0)
    now = settle(radio, now)
    assert not radio.registered
    radio.attenuate(10, now, cell=1)
    settle(radio, now)
    assert radio.serving is not None
    assert radio.serving.cell == 1


@given(st.lists(st.tuples(DB, DB), min_size=1))
def test_the_cell_changes_only_for_one_that_is_better_enough(fades: list[tuple[float, float]]) -> None:
    radio = attached(0, TWO_CELLS)
    now = 1.0
    for pair in fades:
        before = radio.serving
        for cell, db in enumerate(pair):
            radio.attenuate(db, now, cell)
        now = settle(radio, now)
        after = radio.serving
        if before is not None and after is not None and before != after:
            assert pair[before.cell] - pair[after.cell] >= 3 or -70 - pair[before.cell] < LTE.camp_dbm


@given(DB, DB, DB)
def test_a_nearer_neighbour_never_makes_a_better_link(own: float, one: float, other: float) -> None:
    qualities = []
    for neighbour in sorted((one, other), reverse=True):
        radio = attached(own, TWO_CELLS)
        radio.attenuate(neighbour, now=1, cell=1)
        qualities.append(radio.sinr_db)
    assert qualities[0] >= qualities[1]


def test_in_the_middle_of_two_cells_the_level_is_good_and_the_quality_is_not() -> None:
    radio = attached(0, TWO_CELLS)
    assert radio.level_dbm == -70
    assert radio.sinr_db == pytest.approx(5.2, abs=0.1)
    alone = attached(0)
    assert alone.sinr_db == 30


# Load.


@given(NAMES, st.floats(0, 1), st.floats(0, 1), DB)
def test_more_load_never_makes_a_better_link(name: str, one: float, other: float, db: float) -> None:
    radio = attached(db, replace(QUIET, technologies=(name,)))
    shapes = []
    for load in sorted((one, other)):
        radio.congest(load)
        shapes.append(radio.shape)
    worse_or_equal(*shapes)


def test_load_takes_rate_and_makes_queues_and_the_level_does_not_show_it() -> None:
    radio = attached()
    before = radio.level_dbm
    radio.congest(0.9)
    assert radio.level_dbm == before
    assert radio.shape.down.rate_kbit == pytest.approx(2000)
    assert radio.shape.down.delay_ms == pytest.approx(15 + 9 * LTE.queue_ms)
    assert radio.shape.down.loss_percent == pytest.approx(2.5)
    assert congested(LTE.table[0], 0, 25) is LTE.table[0]


# Settings.


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"technologies": ["LTE", "NR"]}, "use some of LTE, UTRAN, GSM"),
        ({"technologies": []}, "use some of"),
        ({"haste": 0}, "haste 0"),
        ({"load": 1.5}, "load 1.5"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, object], said: str) -> None:
    with pytest.raises(CallerMistake, match=said):
        RadioSettings.of(settings)


def test_a_load_that_makes_no_sense_changes_nothing() -> None:
    radio = attached()
    with pytest.raises(CallerMistake, match="load -1"):
        radio.congest(-1)
    assert radio.load == 0


# The document.


@pytest.mark.parametrize("technology", [LTE, UTRAN, GSM], ids=lambda each: each.name)
def test_the_document_has_the_rows_of_the_tables(technology: Technology) -> None:
    document = (Path(__file__).parents[2] / "docs" / "radio-model.md").read_text()

    def cells(direction: Direction) -> list[str]:
        delay, jitter = f"{direction.delay_ms:g}", f"{direction.jitter_ms:g}"
        return [f"{delay} ± {jitter}", f"{direction.loss_percent:g}", f"{direction.rate_kbit:g}"]

    for row in technology.table:
        level = "below" if row is technology.table[-1] else f"{row.sinr_db + technology.floor_dbm:g}"
        line = " | ".join([f"{row.sinr_db:g}", level, *cells(row.up), *cells(row.down)])
        assert f"| {line} |".replace("-", "−") in document


def test_the_document_has_every_setting() -> None:
    document = (Path(__file__).parents[2] / "docs" / "radio-model.md").read_text()
    for setting in {field.name for field in fields(RadioSettings)} - {"neighbour_dbm"}:
        assert f"`{setting}`" in document, setting
