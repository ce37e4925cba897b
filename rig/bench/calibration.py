"""The fixed loss of RF paths, measured: kept with its date in the bench's state directory, and told when it is old.

What the cell or call box puts into a path is assumed known, ``source_dbm``: nobody at this end can measure it. From it
the loss is what the reader at the end of the path tells is missing, less what the attenuator itself was set to:

    loss = source_dbm - level - attenuation

The reader is as exact as its chip: 3GPP TS 36.133, 9.1.2 allows RSRP ± 6 dB absolute in normal conditions, and ± 3 dB
relative. So a calibration compares one day with another of the same bench far better than with a data sheet.
"""

from __future__ import annotations

import datetime
import os
import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from rig.bench.description import BenchFile
from rig.bench.rf import fixed_loss
from rig.errors import BenchTrouble, CallerMistake
from rig.units import Decibel

if TYPE_CHECKING:
    from rig.bench.signals import Signals

STALE_DAYS = 90
"""Cables are bent and connectors loosen."""

APART_DB = 3.0
"""Between a measured loss and that of the bench file: the relative tolerance of a modem's RSRP."""

_STEPS_DB = (0.0, 10.0, 20.0)
_LIMIT_S = 20.0


class Calibration(BaseModel):
    """One path, measured once.

    Attributes:
        path: its name.
        frequency_mhz: of the bench file, where it says one.
        source_dbm: what was assumed to enter the path, in the terms of the reader: RSRP, RSCP or RXLEV.
        loss_db: what is lost on the way besides the attenuator's own setting.
        spread_db: between the largest and the smallest of the losses at several settings.
        settings_db: those settings.
        reader: who read, and what it is.
        cell: what was heard, and ``technology``.
        measured: when, UTC.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    frequency_mhz: float | None
    source_dbm: float
    loss_db: float
    spread_db: float
    settings_db: tuple[float, ...]
    reader: str
    technology: str | None
    cell: str | None
    measured: datetime.datetime

    def age_days(self, now: datetime.datetime) -> int:
        """Whole days since."""
        return (now - self.measured).days

    @property
    def summary(self) -> str:
        """For people."""
        where = f" at {self.frequency_mhz:g} MHz" if self.frequency_mhz is not None else ""
        return f"{self.loss_db:g} dB{where} by {self.reader}, {self.measured:%Y-%m-%d}"


_KEPT = TypeAdapter(dict[str, Calibration])


def load_calibrations(file: Path) -> dict[str, Calibration]:
    """What was measured, by path; nothing where nothing was.

    Raises:
        BenchTrouble: the file is not of ours.
    """
    try:
        return _KEPT.validate_json(file.read_bytes())
    except FileNotFoundError:
        return {}
    except (ValidationError, OSError) as error:
        what = str(error).splitlines()[0]
        raise BenchTrouble("calibration", f"{file} cannot be read: {what}", "rig bench calibrate") from error


def keep_calibrations(file: Path, measured: Mapping[str, Calibration]) -> None:
    """Put what was measured in place of what was known of the same paths; never half of it."""
    try:
        known = load_calibrations(file)
    except BenchTrouble:
        known = {}  # what cannot be read is measured anew
    part = file.with_name(f"{file.name}.{os.getpid()}")
    part.write_bytes(_KEPT.dump_json({**known, **measured}, indent=2))
    part.replace(file)


def doubts(bench: BenchFile, known: Mapping[str, Calibration], now: datetime.datetime) -> dict[str, str]:
    """What is wrong with the calibration of each path whose level is read; nothing for one that is sound.

    Args:
        bench: the bench.
        known: what was measured.
        now: with a timezone.
    """
    found = {}
    for name in calibrated_paths(bench):
        if name not in known:
            found[name] = "was never measured"
        elif (age := known[name].age_days(now)) > STALE_DAYS:
            found[name] = f"was measured {age} days ago"
        elif bench.paths[name].frequency_mhz != known[name].frequency_mhz:
            found[name] = f"was measured at {known[name].frequency_mhz} MHz, and is used at another frequency now"
        elif bench.paths[name].source_dbm != known[name].source_dbm:
            found[name] = f"was reckoned from {known[name].source_dbm:g} dBm, and source_dbm says otherwise now"
        elif (apart := _apart_db(bench, known[name])) is not None and abs(apart) > APART_DB:
            found[name] = f"was measured as {known[name].loss_db:g} dB, {apart:+.1f} dB apart from its loss_db"
    return found


def calibrated_paths(bench: BenchFile) -> list[str]:
    """The paths that can be calibrated: what enters is known, and somebody reads what arrives."""
    read = {bench.bearers[name].path for name in bench.watched}
    return [name for name, path in bench.paths.items() if path.source_dbm is not None and name in read]


def told(bench: BenchFile, file: Path, now: datetime.datetime) -> dict[str, str]:
    """What is known of the loss of each path that can be calibrated, with what is wrong with it, for an inventory."""
    try:
        known = load_calibrations(file)
    except BenchTrouble as error:
        return dict.fromkeys(calibrated_paths(bench), str(error))
    wrong = doubts(bench, known, now)
    found = {name: known[name].summary if name in known else "" for name in calibrated_paths(bench)}
    return {
        name: f"{each}{'; ' * bool(each)}its loss {wrong[name]}: rig bench calibrate" if name in wrong else each
        for name, each in found.items()
    }


def measure(bench: BenchFile, signals: Signals, path: str, now: datetime.datetime) -> Calibration:
    """Measure the loss of one path; it is at rest again afterwards, whatever happens.

    Raises:
        CallerMistake: no such path, or it is not known what enters it.
        BenchTrouble: nobody reads at its end, there is no service, the cell changes, or box and reader disagree.
    """
    box = signals.box(path)
    source = bench.paths[path].source_dbm
    bearer = signals.bearer_of(path)
    if source is None:
        raise CallerMistake(f"path {path}", "what enters it is not known", f"write source_dbm of {path} under paths")
    if bearer is None:
        raise BenchTrouble(f"path {path}", "nobody reads a signal at its end", "give its bearer a modem under modems")
    settings = [each for each in _STEPS_DB if each <= box.maximum]
    if len(settings) < 2:
        at_least = f"give it one of at least {_STEPS_DB[1]:g} dB"
        raise CallerMistake(f"path {path}", f"its box has {box.maximum:g} dB at most, too few to compare", at_least)
    losses: list[float] = []
    try:
        signals.attenuate(path, Decibel(settings[0]))
        heard = signals.wait_for_signal(lambda each: each.registered and each.level is not None, bearer, _LIMIT_S)
        for setting in settings[1:]:
            step = signals.prove_step(path, Decibel(setting))
            if step.before.level is None or not step.comparable:
                raise BenchTrouble(
                    f"path {path}",
                    f"what is read changed on the way to {setting:g} dB: {step.before}, then {step.after}",
                    "screen the terminal, or bind it to one cell; a weak cell cannot be attenuated by so much",
                )
            if not losses:
                losses.append(source - step.before.level - step.from_db)
            assert step.after.level is not None  # of a comparable step
            losses.append(source - step.after.level - step.to_db)
    finally:
        signals.make_safe(path)
    name, reader = signals.reader(bearer)
    return Calibration(
        path=path,
        frequency_mhz=bench.paths[path].frequency_mhz,
        source_dbm=source,
        loss_db=round(statistics.fmean(losses), 1),
        spread_db=round(max(losses) - min(losses), 1),
        settings_db=tuple(settings),
        reader=f"modem {name} ({reader.identity})",
        technology=heard.technology,
        cell=heard.cell,
        measured=now,
    )


def _apart_db(bench: BenchFile, known: Calibration) -> float | None:
    """By how much more than the bench file's the measured loss is; None where the file has none there."""
    place = bench.paths[known.path]
    if not place.loss_db or place.frequency_mhz is None:
        return None
    return known.loss_db - fixed_loss(place, place.frequency_mhz, known.path)
