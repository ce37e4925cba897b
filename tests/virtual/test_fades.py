"""The shipped fades, played to the radio model: what they are for happens, on any attenuator's steps."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from rig.bearers.impairment import CLEAN
from rig.bearers.timeline import load_timeline, timeline_names
from rig.virtual.radio_model.radio import Radio
from rig.virtual.radio_model.settings import RadioSettings
from rig.virtual.radio_model.shape import congested
from rig.virtual.radio_model.technology import LTE

FADES = [name for name in timeline_names() if name.startswith("fade-")]
TRUE_TIMES = RadioSettings(noise_db=0, haste=1)
ALL = replace(TRUE_TIMES, technologies=("LTE", "UTRAN", "GSM"))


def course(settings: RadioSettings, *names: str) -> list[tuple[str, int] | None]:
    """Where the modem was one after the other, while a timeline for each cell is played, and half a minute after."""
    radio = Radio(settings)
    steps = [(step.at_ms / 1000, cell, step) for cell, name in enumerate(names) for step in load_timeline(name).steps]
    places: list[tuple[str, int] | None] = []

    def live(until: float) -> None:
        while radio.due is not None and radio.due <= until:
            radio.tick(radio.due)
            note()

    def note() -> None:
        place = None if radio.serving is None else (radio.serving.technology.name, radio.serving.cell)
        if not places or places[-1] != place:
            places.append(place)

    for at_s, cell, step in sorted(steps, key=lambda each: each[:2]):
        live(60 + at_s)
        assert step.attenuation_db is not None
        radio.attenuate(step.attenuation_db, 60 + at_s if at_s else 0, cell)
        note()
    live(1000)
    return places


@pytest.mark.parametrize("name", FADES)
def test_a_fade_moves_the_attenuator_alone_by_steps_that_every_box_has(name: str) -> None:
    steps = load_timeline(name).steps
    assert all(step.up == step.down == CLEAN for step in steps)
    assert all(step.attenuation_db is not None and step.attenuation_db == round(step.attenuation_db) for step in steps)
    levels = [step.attenuation_db for step in steps if step.attenuation_db is not None]
    assert levels[0] == levels[-1]
    assert max(levels) <= 60  # what a box of 63 dB has, too


@pytest.mark.parametrize("name", ["fade-walk-away", "fade-elevator", "fade-tunnel", "fade-parking-garage"])
def test_a_fade_takes_the_service_of_lte_and_gives_it_back(name: str) -> None:
    assert course(TRUE_TIMES, name) == [None, ("LTE", 0), None, ("LTE", 0)]


def test_walking_away_goes_down_the_technologies_and_returns_to_the_best() -> None:
    seen = [place[0] for place in course(ALL, "fade-walk-away") if place is not None]
    assert [name for name, _ in itertools.groupby(seen)] == ["LTE", "UTRAN", "GSM", "LTE"]


def test_two_crossing_fades_hand_over_and_back_without_a_loss() -> None:
    settings = replace(TRUE_TIMES, neighbour_dbm=-70)
    places = course(settings, "fade-handover-from", "fade-handover-to")
    assert places == [None, ("LTE", 0), ("LTE", 1), ("LTE", 0)]


def test_the_crowd_of_the_timeline_is_the_models() -> None:
    told = {step.note: step for step in load_timeline("cell-congestion").steps if step.note}
    for note, load in {
        "nobody": 0,
        "half full": 0.5,
        "load 0.8": 0.8,
        "load 0.9": 0.9,
        "load 0.95: the worst": 0.95,
    }.items():
        model = congested(LTE.table[0], load, LTE.queue_ms)
        for played, wanted in ((told[note].up, model.up), (told[note].down, model.down)):
            assert played.delay_ms == pytest.approx(wanted.delay_ms)
            assert played.jitter_ms == pytest.approx(wanted.jitter_ms, abs=2)
            assert played.loss_percent == pytest.approx(wanted.loss_percent)
            assert played.rate_kbit == pytest.approx(wanted.rate_kbit)
