"""The columns of a field log: which they are, in which unit, and whether their values make sense.

A column's name says its unit: ``time_s``, ``time_ms`` or ``time_iso`` (ISO 8601); ``rtt_ms``, ``rtt_s``;
``jitter_ms`` (of the round trip); ``loss_percent``, ``loss_ratio`` (of round trips); ``up_kbit``, ``down_kbit``,
``up_mbit``, ``down_mbit``, ``up_bit``, ``down_bit`` (a second); ``rssi_dbm``. Logs that name them otherwise are read
with a mapping, ``{"PINGAVG": "rtt_ms"}``. An empty cell was not measured; NaN is refused.
"""

from __future__ import annotations

import csv
import datetime
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rig.bearers.timeline.text import read_text
from rig.errors import CallerMistake

_UNITS: dict[str, tuple[str, float]] = {
    "time_s": ("t_ms", 1000),
    "time_ms": ("t_ms", 1),
    "time_iso": ("t_ms", 1),
    "rtt_ms": ("rtt_ms", 1),
    "rtt_s": ("rtt_ms", 1000),
    "jitter_ms": ("jitter_ms", 1),
    "loss_percent": ("loss_percent", 1),
    "loss_ratio": ("loss_percent", 100),
    "up_bit": ("up_kbit", 0.001),
    "up_kbit": ("up_kbit", 1),
    "up_mbit": ("up_kbit", 1000),
    "down_bit": ("down_kbit", 0.001),
    "down_kbit": ("down_kbit", 1),
    "down_mbit": ("down_kbit", 1000),
    "rssi_dbm": ("rssi_dbm", 1),
}
"""Column → what it holds, and the factor to that quantity's unit."""

_RANGES = {
    "t_ms": (-math.inf, math.inf),
    "rtt_ms": (0, 120_000),
    "jitter_ms": (0, 60_000),
    "loss_percent": (0, 100),
    "up_kbit": (0, 1_000_000),
    "down_kbit": (0, 1_000_000),
    "rssi_dbm": (-150, 0),
}


@dataclass(frozen=True, slots=True)
class Sample:
    """One row. What was not measured is None.

    Attributes:
        line: of the file, from 1.
        t_ms: since any origin.
        rtt_ms, jitter_ms: of the round trip.
        loss_percent: of round trips.
        up_kbit, down_kbit: reached, terminal → host and back.
        rssi_dbm: the signal.
    """

    line: int
    t_ms: float
    rtt_ms: float | None = None
    jitter_ms: float | None = None
    loss_percent: float | None = None
    up_kbit: float | None = None
    down_kbit: float | None = None
    rssi_dbm: float | None = None


@dataclass(frozen=True)
class FieldLog:
    """The rows of a log as they stand in it.

    Attributes:
        samples: the rows.
        holds: the quantities that it has a column for.
        unused: columns that are none of ours.
    """

    samples: tuple[Sample, ...]
    holds: frozenset[str]
    unused: tuple[str, ...]


def read_log(path: Path, mapping: Mapping[str, str] | None = None) -> FieldLog:
    """Read a CSV file, separated by comma, semicolon or tab.

    Args:
        path: the file; its first line names the columns.
        mapping: the log's name of a column → ours.

    Raises:
        CallerMistake: not such a file; names the row, the column and the cure.
    """
    text = read_text(path)
    head = text.splitlines()[0]
    separator = max(",;\t", key=head.count)
    reader = csv.reader(text.splitlines(), delimiter=separator)
    names = [name.strip() for name in next(reader)]
    columns, unused = _columns(path, names, mapping or {})
    samples = []
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                samples.append(_sample(f"{path} row {reader.line_num}", reader.line_num, names, cells, columns))
    except csv.Error as error:
        raise CallerMistake(f"{path} row {reader.line_num}", f"is no CSV: {error}", "mind its quotes") from error
    if not samples:
        raise CallerMistake(str(path), "holds no sample, only the names of columns", "a row a sample")
    return FieldLog(tuple(samples), frozenset(_UNITS[ours][0] for ours in columns.values()) - {"t_ms"}, unused)


def _columns(path: Path, names: list[str], mapping: Mapping[str, str]) -> tuple[dict[int, str], tuple[str, ...]]:
    """Place of a column → our name for it; and the names that are none of ours."""
    for theirs, ours in mapping.items():
        if theirs not in names:
            raise CallerMistake(str(path), f"has no column {theirs!r}", f"it has {', '.join(names)}")
        if ours not in _UNITS:
            raise CallerMistake("mapping", f"{ours!r} is no column of ours", f"use {', '.join(_UNITS)}")
    known = {place: mapping.get(name, name.lower()) for place, name in enumerate(names)}
    columns = {place: name for place, name in known.items() if name in _UNITS}
    held = [_UNITS[name][0] for name in columns.values()]
    if twice := sorted({quantity for quantity in held if held.count(quantity) > 1}):
        raise CallerMistake(str(path), f"has {', '.join(twice)} in two columns", "map the one that is meant")
    cure = f"map them, such as PINGAVG=rtt_ms; ours are {', '.join(_UNITS)}"
    if "t_ms" not in held:
        raise CallerMistake(str(path), f"has no time with a unit among {', '.join(names)}", cure)
    if set(held) <= {"t_ms", "rssi_dbm"}:
        raise CallerMistake(str(path), f"says nothing of the network in {', '.join(names)}", cure)
    return columns, tuple(name for place, name in enumerate(names) if place not in columns and name)


def _sample(where: str, line: int, names: list[str], cells: list[str], columns: Mapping[int, str]) -> Sample:
    if len(cells) != len(names):
        raise CallerMistake(where, f"has {len(cells)} cells for {len(names)} columns", "is the file cut off?")
    values: dict[str, float] = {}
    for place, ours in columns.items():
        said = cells[place].strip()
        if said:
            quantity, factor = _UNITS[ours]
            values[quantity] = _value(f"{where}, {names[place]}", said, ours, quantity, factor)
    if "t_ms" not in values:
        raise CallerMistake(where, "has no time", "leave rows out that were never measured")
    return Sample(line, **values)


def _value(where: str, said: str, ours: str, quantity: str, factor: float) -> float:
    if ours == "time_iso":
        return _moment(where, said)
    try:
        value = float(said) * factor
    except ValueError:
        raise CallerMistake(
            where, f"{said[:40]!r} is not a number", "leave a cell empty that was not measured"
        ) from None
    if not math.isfinite(value):
        raise CallerMistake(where, f"{said} is no measurement", "leave a cell empty that was not measured")
    low, high = _RANGES[quantity]
    if not low <= value <= high:
        raise CallerMistake(where, f"{said} is outside {low / factor:g} to {high / factor:g}", "is its unit another?")
    return value


def _moment(where: str, said: str) -> float:
    try:
        moment = datetime.datetime.fromisoformat(said)
    except ValueError:
        raise CallerMistake(where, f"{said[:40]!r} is no time of ISO 8601", "such as 2026-03-01T12:00:00.250") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).timestamp() * 1000
