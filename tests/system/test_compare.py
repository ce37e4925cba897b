"""`rig compare` as a person runs it: some bearers of the bench of all, and the scorecard that it leaves.

All eight take minutes; two stand for them here: one with TLS that an attenuator carries away, one in clear by a call.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.system.rigs import PROJECT, Rig


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Rig, dict[str, Any]]:
    rig = Rig.make(tmp_path_factory.mktemp("compare"))
    raw = yaml.safe_load((PROJECT / "fixtures/benches/virtual-bearers.yaml").read_text())
    raw |= {kind: str(PROJECT / "fixtures" / kind) for kind in ("cards", "impairments", "timelines")}
    rig.bench.write_text(yaml.safe_dump(raw, sort_keys=False))
    done = rig.call(
        "compare", "--bench", str(rig.bench), "--reports", str(rig.reports), "--bearers", "ethernet,private", "--json"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return rig, json.loads(done.stdout)


def test_every_case_is_as_required_and_every_figure_there(compared: tuple[Rig, dict[str, Any]]) -> None:
    _, card = compared
    assert card["exit_code"] == 0
    assert {"terminal", "radio", "switch"} <= set(card["simulated"])
    assert [bearer["name"] for bearer in card["bearers"]] == ["ethernet", "private"]
    assert card["bench"] == "virtual-bearers"
    for bearer in card["bearers"]:
        assert all(each["unsafe"] == each["undecided"] == each["bench_faults"] == 0 for each in bearer["stability"])
        ideal = next(each for each in bearer["stability"] if each["condition"] == "ideal")
        assert (ideal["sales"], ideal["completed"]) == (20, 20)
    ethernet, private = card["bearers"]
    assert ethernet["security"]["encrypted"]
    assert not ethernet["security"]["clear"]
    assert private["security"]["clear"]
    assert not private["security"]["encrypted"]
    assert private["portability"]["failed_db"] > private["portability"]["completed_db"]
    assert all(statement["en"] and statement["zh"] for statement in card["conclusion"])


def test_the_page_is_in_the_runs_folder_and_made_again_the_same(compared: tuple[Rig, dict[str, Any]]) -> None:
    rig, card = compared
    run = Path(card["run"])
    page, data = (run / "scorecard.html").read_bytes(), (run / "scorecard.json").read_bytes()
    assert b"<svg" in page
    assert b"<script" not in page
    again = rig.call("compare", "--run", str(run), "--json")
    assert again.returncode == 0, again.stderr
    assert ((run / "scorecard.html").read_bytes(), (run / "scorecard.json").read_bytes()) == (page, data)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--bearers", "wifi,nonsense"], "no bearer 'nonsense'"),
        (["--tariffs", "nowhere.yaml"], "nowhere.yaml"),
        (["--run", "nowhere"], "no run"),
        (["--bench", "nowhere.yaml"], "nowhere.yaml"),
    ],
)
def test_what_cannot_be_is_told_before_anything_runs(tmp_path: Path, arguments: list[str], says: str) -> None:
    rig = Rig.make(tmp_path)
    done = rig.call("compare", "--reports", str(rig.reports), *arguments)
    assert done.returncode == 2
    assert says in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
