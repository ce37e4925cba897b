"""``rig bench calibrate``: the whole bench measured by its own readers, and what cannot be measured refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rig.calibrate_command import calibrate
from rig.errors import CallerMistake
from tests.system.rigs import Rig
from tests.system.test_bearers_killed import every_bearer

BENCHES = Path(__file__).parents[1] / "fixtures/benches"


def test_a_path_that_cannot_be_calibrated_is_refused_with_those_that_can() -> None:
    with pytest.raises(CallerMistake, match=r"path bt-air: .*there are lte-main, umts-main, gprs-main, private-main"):
        calibrate(BENCHES / "virtual-bearers.yaml", ["bt-air"])


def test_a_bench_without_anything_to_calibrate_says_what_is_needed() -> None:
    with pytest.raises(CallerMistake, match="write source_dbm of a path"):
        calibrate(BENCHES / "virtual-wifi.yaml")


def test_the_losses_of_the_virtual_bench_are_measured_and_kept(tmp_path: Path) -> None:
    rig = Rig.make(tmp_path)
    every_bearer(rig)
    done = rig.call(
        "bench", "calibrate", "--bench", str(rig.bench), "--path", "lte-main", "--path", "gprs-main", "--json"
    )
    assert done.returncode == 0, done.stderr
    measured = json.loads(done.stdout)
    assert measured.keys() == {"lte-main", "gprs-main"}
    assert measured["lte-main"]["loss_db"] == pytest.approx(42, abs=2)
    assert measured["gprs-main"]["loss_db"] == pytest.approx(41, abs=2)
    told = json.loads(rig.call("doctor", "--bench", str(rig.bench), "--json").stdout)["findings"]
    found = {each["subject"]: each["health"] for each in told if each["subject"].startswith("path ")}
    good, lacking = "good", "lacking"
    assert found == {
        "path lte-main": good, "path umts-main": lacking, "path gprs-main": good, "path private-main": lacking,
    }  # fmt: skip
