from __future__ import annotations

from pathlib import Path

import pytest

from rig.bearers.impairment import CLEAN, CUT, Impairment
from rig.bearers.presets import load_preset, preset_names
from rig.errors import CallerMistake


def test_every_preset_of_the_project_can_be_read_and_says_where_it_is_from() -> None:
    assert {"clean", "slow", "lossy"} <= set(preset_names())
    for name in preset_names():
        preset = load_preset(name)
        assert preset.title
        assert preset.source


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
    ],
)
def test_a_wrong_file_names_the_field(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "odd.yaml").write_text(text)
    with pytest.raises(CallerMistake, match=complaint):
        load_preset("odd", tmp_path)


def test_an_unknown_name_says_which_there_are() -> None:
    with pytest.raises(CallerMistake, match=r"no 'slowly'.*there are .*slow"):
        load_preset("slowly")
