"""`rig timeline`: for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from rig.bearers.timeline import load_timeline, timeline_names
from rig.cli import app
from rig.errors import CallerMistake

LOG = "Time,PING,Signal\n0,40,-60\n1,60,-70\n2,,-90\n"


def call(*arguments: object) -> str:
    done = CliRunner().invoke(app, ["timeline", *map(str, arguments)], env={"COLUMNS": "160"}, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_list_for_people_and_programs() -> None:
    said = call("list")
    assert all(name in said for name in timeline_names())
    told = json.loads(call("list", "--json"))
    assert [each["timeline"] for each in told] == timeline_names()
    assert all(each["duration_ms"] <= 120_000 for each in told)


def test_show_for_people_and_programs() -> None:
    said = call("show", "elevator")
    assert "the doors are shut" in said
    assert "source:" in said
    told = json.loads(call("show", "elevator", "--json"))
    assert len(told["steps"]) == len(load_timeline("elevator").steps)
    assert any(step["up"]["cut"] for step in told["steps"])


def test_import_writes_what_can_be_shown(tmp_path: Path) -> None:
    log, made = tmp_path / "log.csv", tmp_path / "made.yaml"
    log.write_text(LOG)
    names = ("--map", "Time=time_s", "--map", "PING=rtt_ms", "--map", "Signal=rssi_dbm")
    said = call("import", log, "--format", "csv", *names, "-o", made)
    assert "assumed: 50% of the round trip" in said
    assert f"written to {made}" in said.replace("\n", " ")
    assert json.loads(call("show", made, "--json"))["steps"][0]["rssi_dbm"] == -60
    told = json.loads(call("import", log, "--format", "csv", *names, "--json", "--up-share", "0.25"))
    assert told["written"] is None
    assert told["steps"][0]["up"]["delay_ms"] == 10


def test_import_of_mahimahi(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    trace.write_text("\n".join(map(str, range(1, 1001))))
    told = json.loads(call("import", trace, "--format", "mahimahi", "--delay-ms", "20", "--begin-s", "0.5", "--json"))
    assert told["loop"] is True
    assert told["duration_ms"] == 500
    assert told["steps"][0]["down"]["delay_ms"] == 20


MISTAKES: dict[str, tuple[list[str], str]] = {
    "other format's option": (["--format", "mahimahi", "--sort"], "--sort: means nothing to mahimahi"),
    "other format's mapping": (["--format", "mahimahi", "--map", "A=rtt_ms"], "--map: means nothing to mahimahi"),
    "no pair": (["--format", "csv", "--map", "PING"], "--map: 'PING' is no pair"),
    "no unit": (["--format", "csv"], "no time with a unit"),
    "not there": (["--format", "csv", "-o", "{log}"], "is there already"),
    "not a trace": (["--format", "mahimahi"], "line 1: 'Time,PING,Signal' is no millisecond"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_said_before_anything_is_written(tmp_path: Path, name: str) -> None:
    arguments, said = MISTAKES[name]
    log = tmp_path / "log.csv"
    log.write_text(LOG)
    words: list[Any] = [each.format(log=log) for each in arguments]
    with pytest.raises(CallerMistake, match=said):
        call("import", log, *words)
    assert log.read_text() == LOG
    assert list(tmp_path.iterdir()) == [log]
