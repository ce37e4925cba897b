"""Losses of paths: measured by who reads at their end, kept with a date, and doubted when they are old."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from rig.bench.calibration import (
    STALE_DAYS,
    Calibration,
    calibrated_paths,
    doubts,
    keep_calibrations,
    load_calibrations,
    measure,
    told,
)
from rig.bench.description import BenchFile, load_bench
from rig.bench.devices import Devices
from rig.bench.doctor import Health, examine_bench
from rig.bench.places import StateDirectory
from rig.bench.signals import Signals
from rig.errors import BenchTrouble, CallerMistake
from rig.instruments.signal import Signal, wait_for_signal
from rig.units import Dbm, Decibel

BEARERS = Path(__file__).parents[2] / "fixtures/benches/virtual-bearers.yaml"
NOW = datetime.datetime(2026, 11, 1, tzinfo=datetime.UTC)


@dataclass
class Box:
    """An attenuator of one value, and the air behind it: who reads hears what it leaves of the source."""

    loss: float = 42.0
    edge: float = -125.0
    source: float = -28.0
    felt: float = 1.0
    db: Decibel = field(default_factory=lambda: Decibel(0))
    maximum: Decibel = field(default_factory=lambda: Decibel(95))
    step: Decibel = field(default_factory=lambda: Decibel(0.25))
    channels: int = 4
    identity: str = "box"
    name: str = "lte"
    asked: list[float] = field(default_factory=list)

    def set(self, channel: int, attenuation: Decibel) -> Decibel:
        self.db = attenuation
        self.asked.append(attenuation)
        return attenuation

    def get(self, channel: int) -> Decibel:
        return self.db

    def signal(self) -> Signal:
        level = round(self.source - self.loss - self.felt * self.db)
        if level < self.edge:
            return Signal()
        return Signal("LTE", Dbm(level), registered=True, cell="00C3D4E5")

    def wait_until(self, wanted: Callable[[Signal], bool], limit_s: float, poll_s: float = 0.1) -> Signal:
        return wait_for_signal(self.name, self.signal, lambda _: None, wanted, 0, poll_s)

    def close(self) -> None:
        pass


@pytest.fixture
def bench() -> BenchFile:
    return load_bench(BEARERS)


def signals(bench: BenchFile, box: Box) -> Signals:
    devices = Devices()
    devices.attenuators["rf"] = box
    devices.modems["lte"] = box
    return Signals(bench, devices, lambda *_: None)


def a_calibration(**other: Any) -> Calibration:
    known = {
        "path": "lte-main", "frequency_mhz": 1800, "source_dbm": -28, "loss_db": 42.0, "spread_db": 1.0,
        "settings_db": (0, 10, 20), "reader": "modem lte", "technology": "LTE", "cell": "1", "measured": NOW,
    }  # fmt: skip
    return Calibration.model_validate({**known, **other})


@pytest.mark.parametrize("loss", [30.0, 42.0, 55.0])
def test_the_loss_is_what_is_missing_less_what_was_set(bench: BenchFile, loss: float) -> None:
    box = Box(loss=loss)
    found = measure(bench, signals(bench, box), "lte-main", NOW)
    assert found.loss_db == pytest.approx(loss, abs=0.5)
    assert (found.settings_db, found.frequency_mhz, found.cell) == ((0, 10, 20), 1800, "00C3D4E5")
    assert box.db == Decibel(0)
    assert max(box.asked) == 20


def test_a_cell_too_weak_to_attenuate_is_told_and_the_path_is_at_rest(bench: BenchFile) -> None:
    box = Box(loss=80)
    with pytest.raises(BenchTrouble, match="path lte-main: what is read changed on the way to 20 dB"):
        measure(bench, signals(bench, box), "lte-main", NOW)
    assert box.db == Decibel(0)


def test_no_service_is_told(bench: BenchFile) -> None:
    with pytest.raises(BenchTrouble, match="lte: the signal did not become"):
        measure(bench, signals(bench, Box(loss=110)), "lte-main", NOW)


def test_paths_that_cannot_be_calibrated_say_why(bench: BenchFile) -> None:
    assert calibrated_paths(bench) == ["lte-main", "umts-main", "gprs-main", "private-main"]
    of_bench = signals(bench, Box())
    with pytest.raises(CallerMistake, match="no such RF path"):
        measure(bench, of_bench, "nowhere", NOW)
    unknown = bench.paths["lte-main"].model_copy(update={"source_dbm": None})
    without = bench.model_copy(update={"paths": {**bench.paths, "lte-main": unknown}})
    with pytest.raises(CallerMistake, match="source_dbm of lte-main"):
        measure(without, signals(without, Box()), "lte-main", NOW)
    deaf = bench.model_copy(update={"modems": {}})
    with pytest.raises(BenchTrouble, match="nobody reads"):
        measure(deaf, signals(deaf, Box()), "lte-main", NOW)


def test_what_is_kept_replaces_what_was_known_of_the_same_path_alone(tmp_path: Path) -> None:
    file = tmp_path / "calibration.json"
    assert load_calibrations(file) == {}
    first, other = a_calibration(), a_calibration(path="umts-main", loss_db=43)
    keep_calibrations(file, {"lte-main": first, "umts-main": other})
    again = a_calibration(loss_db=41)
    keep_calibrations(file, {"lte-main": again})
    assert load_calibrations(file) == {"lte-main": again, "umts-main": other}
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_of_somebody_else_is_told_and_measured_anew(bench: BenchFile, tmp_path: Path) -> None:
    file = tmp_path / "calibration.json"
    file.write_text("no json")
    with pytest.raises(BenchTrouble, match="calibrat"):
        load_calibrations(file)
    assert "cannot be read" in told(bench, file, NOW)["lte-main"]
    keep_calibrations(file, {"lte-main": a_calibration()})
    assert set(load_calibrations(file)) == {"lte-main"}


@pytest.mark.parametrize(
    ("known", "doubt"),
    [
        ({}, None),
        ({"measured": NOW - datetime.timedelta(days=STALE_DAYS)}, None),
        ({"measured": NOW - datetime.timedelta(days=STALE_DAYS + 1)}, "was measured 91 days ago"),
        ({"frequency_mhz": 800}, "at another frequency now"),
        ({"loss_db": 45.5}, "+3.5 dB apart"),
        ({"loss_db": 39.0}, None),
    ],
)
def test_what_is_doubted(bench: BenchFile, known: dict[str, Any], doubt: str | None) -> None:
    found = doubts(bench, {"lte-main": a_calibration(**known)}, NOW)
    assert found.pop("umts-main") == "was never measured"
    if doubt is None:
        assert "lte-main" not in found
    else:
        assert doubt in found["lte-main"]


def test_doctor_and_inventory_tell_it(bench: BenchFile, state: StateDirectory) -> None:
    file = StateDirectory.of("virtual-bearers").calibration
    keep_calibrations(file, {"lte-main": a_calibration(measured=datetime.datetime.now(datetime.UTC))})
    findings = {each.subject: each for each in examine_bench(BEARERS)}
    assert (findings["path lte-main"].health, findings["path umts-main"].health) == (Health.GOOD, Health.LACKING)
    assert findings["path umts-main"].cure == f"rig bench calibrate --bench {BEARERS}"
    inventory = told(bench, file, NOW)
    assert inventory["lte-main"].startswith("42 dB at 1800 MHz by modem lte, ")
    assert inventory["umts-main"] == "its loss was never measured: rig bench calibrate"
