"""Timelines as files: what they say, what is refused, and what a mistake is told as."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.bearers.impairment import CLEAN, CUT, Impairment
from rig.bearers.timeline import Step, Timeline, load_timeline, timeline_names, write_timeline
from rig.bearers.timeline.file import read_timeline
from rig.errors import CallerMistake

HEAD = "title: T\nsource: assumed\nduration_ms: 4000\nsteps:\n"


def read(tmp_path: Path, text: str) -> Timeline:
    path = tmp_path / "t.yaml"
    path.write_text(text)
    return read_timeline(path)


def test_steps_are_read_and_ramps_filled(tmp_path: Path) -> None:
    timeline = read(
        tmp_path,
        HEAD
        + "  - {at_ms: 0, both: {delay_ms: 10, rate_kbit: 100}, rssi_dbm: -60, note: here}\n"
        + "  - {at_ms: 1000, ramp_ms: 250, up: {delay_ms: 50, rate_kbit: 300}, down: {delay_ms: 90, rate_kbit: 900},"
        + " rssi_dbm: -80}\n"
        + "  - {at_ms: 2000, cut: true}\n"
        + "  - {at_ms: 3000, both: {}}\n",
    )
    assert [step.at_ms for step in timeline.steps] == [0, 250, 500, 750, 1000, 2000, 3000]
    half = timeline.steps[2]
    assert (half.up.delay_ms, half.up.rate_kbit, half.down.delay_ms, half.rssi_dbm) == (30, 200, 50, -70)
    assert (timeline.steps[5].up, timeline.steps[5].down) == (CUT, CUT)
    assert timeline.steps[6].up == CLEAN
    assert timeline.steps[0].annotations() == {"note": "here", "rssi_dbm": -60}
    assert timeline.at(2999).is_cut


MISTAKES = {
    "no mapping": ("- 1\n", r"no mapping"),
    "not YAML": ("title: [\n", r"line 2: cannot be read"),
    "lacks": ("title: T\nsteps: [{at_ms: 0, both: {}}]\n", r"lacks source, duration_ms"),
    "unknown key": (HEAD.replace("title", "titel: x\ntitle") + "  - {at_ms: 0, both: {}}\n", r"has titel"),
    "no steps": (HEAD.replace("steps:\n", "steps: []\n"), r"holds no step"),
    "steps are text": (HEAD.replace("steps:\n", "steps: many\n"), r"holds no step"),
    "steps twice": (
        HEAD + "  - {at_ms: 0, both: {}}\nsteps: [{at_ms: 0, both: {}}, {at_ms: 90, both: {}}]\n",
        r"steps: stands twice",
    ),
    "first not at 0": (HEAD + "  - {at_ms: 5, both: {}}\n", r"line 5: is at 5 ms \(the first step is at 0"),
    "times fall": (
        HEAD + "  - {at_ms: 0, both: {}}\n  - {at_ms: 900, both: {}}\n  - {at_ms: 100, both: {}}\n",
        r"line 6",
    ),
    "too close": (HEAD + "  - {at_ms: 0, both: {}}\n  - {at_ms: 20, both: {}}\n", r"line 5: lasts 20 ms"),
    "beyond the end": (HEAD + "  - {at_ms: 0, both: {}}\n  - {at_ms: 4000, both: {}}\n", r"line 6.*duration_ms"),
    "gap": ("longest_gap_ms: 1000\n" + HEAD + "  - {at_ms: 0, both: {}}\n", r"line 6: lasts 4000 ms.*a gap"),
    "NaN time": (HEAD + "  - {at_ms: .nan, both: {}}\n", r"line 5, at_ms: nan is not a number"),
    "NaN delay": (HEAD + "  - {at_ms: 0, both: {delay_ms: .nan}}\n", r"line 5, both.delay_ms: nan is not a number"),
    "misspelt": (HEAD + "  - {at_ms: 0, both: {dealy_ms: 1}}\n", r"line 5, both.impairment: unknown dealy_ms"),
    "says nothing": (HEAD + "  - {at_ms: 0}\n", r"line 5, the step: says nothing"),
    "up alone": (HEAD + "  - {at_ms: 0, up: {}}\n", r"line 5, the step: has up"),
    "positive RSSI": (HEAD + "  - {at_ms: 0, both: {}, rssi_dbm: 60}\n", r"line 5, rssi_dbm"),
    "ramp first": (HEAD + "  - {at_ms: 0, ramp_ms: 100, both: {}}\n", r"line 5, ramp_ms: stands in the first step"),
    "ramp too fine": (HEAD + "  - {at_ms: 0, both: {}}\n  - {at_ms: 90, ramp_ms: 5, both: {}}\n", r"line 6, ramp_ms"),
    "ramp to a cut": (HEAD + "  - {at_ms: 0, both: {}}\n  - {at_ms: 90, ramp_ms: 50, cut: true}\n", r"line 6, ramp_ms"),
    "ramp from no rate": (
        HEAD + "  - {at_ms: 0, both: {}}\n  - {at_ms: 900, ramp_ms: 50, both: {rate_kbit: 1}}\n",
        r"line 6, up.rate_kbit: is set at one end",
    ),
    "loop is no truth": ("loop: 3\n" + HEAD + "  - {at_ms: 0, both: {}}\n", r"neither true nor false"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_name_the_place_and_refuse_the_whole(tmp_path: Path, name: str) -> None:
    text, said = MISTAKES[name]
    with pytest.raises(CallerMistake, match=said) as caught:
        read(tmp_path, text)
    assert str(tmp_path / "t.yaml") in str(caught.value)


def test_no_such_file_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(CallerMistake, match=r"no 'nowhere'.*elevator"):
        load_timeline("nowhere")
    with pytest.raises(CallerMistake, match="No such file"):
        load_timeline(str(tmp_path / "none.yaml"))
    (tmp_path / "binary.yaml").write_bytes(bytes(range(256)))
    with pytest.raises(CallerMistake, match="cannot be read"):
        load_timeline("binary", tmp_path)


@pytest.mark.parametrize("name", timeline_names())
def test_shipped_timelines_are_whole_short_and_sourced(name: str, tmp_path: Path) -> None:
    timeline = load_timeline(name)
    assert timeline.duration_ms <= 120_000
    assert timeline.source
    assert timeline.title
    write_timeline(timeline, tmp_path / f"{name}.yaml")
    assert read_timeline(tmp_path / f"{name}.yaml") == timeline


def test_the_minute_has_sixty_steps_a_second_apart() -> None:
    assert [step.at_ms for step in load_timeline("minute").steps] == [1000.0 * n for n in range(60)]


ways = st.one_of(
    st.just(CUT),
    st.builds(
        Impairment,
        delay_ms=st.floats(0, 60_000).map(lambda x: round(x, 3)),
        loss_percent=st.floats(0, 100).map(lambda x: round(x, 3)),
        rate_kbit=st.none() | st.floats(0.1, 1e6).map(lambda x: round(x, 3)),
    ),
)


words = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=20)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(50, 60_000), ways, ways), min_size=1, max_size=20), words)
def test_what_is_written_is_read_again(tmp_path_factory: pytest.TempPathFactory, rows: list, note: str) -> None:  # type: ignore[type-arg]
    steps, at = [], 0
    for lasts, up, down in rows:
        steps.append(Step(at, up, down, note))
        at += lasts
    path = tmp_path_factory.getbasetemp() / "again.yaml"
    timeline = Timeline("again", "T", "S", tuple(steps), at, assumptions=(note,))
    write_timeline(timeline, path)
    assert read_timeline(path) == timeline
