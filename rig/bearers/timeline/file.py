"""Timelines as data: one YAML file each.

::

    title: into the elevator and out again
    source: assumed; … where the figures come from
    assumptions: [the car is a Faraday cage]  # optional: what the source did not say
    loop: false                            # optional: begin again at the end
    longest_gap_ms: 60000                  # optional: a step that lasts longer is a hole, and refused
    duration_ms: 30000                     # when the last step ends
    steps:
      - {at_ms: 0, both: {delay_ms: 15, rate_kbit: 20000}, rssi_dbm: -55, note: in the hall}
      - {at_ms: 4000, ramp_ms: 250, up: {delay_ms: 60, rate_kbit: 500}, down: {delay_ms: 60, rate_kbit: 900}}
      - {at_ms: 4500, cut: true, note: the doors have closed}

A step has ``up`` and ``down``, or ``both``, which are the fields of an :class:`~rig.bearers.impairment.Impairment`;
or ``cut: true``. Each step is whole: what it leaves out is clean, not as before. Optional are ``note``, ``rssi_dbm``
(told in the history) and ``attenuation_db`` (set on the bearer's RF path, where it has one).

``ramp_ms`` fills the time from the step before up to this one with steps of that length (50 ms at least), between
which delay, jitter, loss, rate and annotations change linearly. Both ends of a ramp need what the other has: a rate
at one end alone, a cut, or different burst losses cannot be ramped.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from rig.bearers.impairment import CLEAN, CUT, Impairment
from rig.bearers.ranges import require_mapping, require_range
from rig.bearers.timeline.model import LONGEST_GAP_MS, SHORTEST_STEP_MS, Step, Timeline
from rig.errors import CallerMistake

FOLDER = Path(__file__).resolve().parents[3] / "fixtures" / "timelines"
"""Where the project's own timelines are."""

_REQUIRED = ("title", "source", "duration_ms", "steps")
_OPTIONAL = ("assumptions", "loop", "longest_gap_ms")
_ANNOTATIONS = ("note", "rssi_dbm", "attenuation_db")
_STEP_KEYS = ("at_ms", "ramp_ms", "up", "down", "both", "cut", *_ANNOTATIONS)
_RAMPED = ("delay_ms", "jitter_ms", "loss_percent", "duplicate_percent", "corrupt_percent", "reorder_percent")
_LARGEST = 20_000_000


def timeline_names(folder: Path = FOLDER) -> list[str]:
    """What there is."""
    return sorted(path.stem for path in folder.glob("*.yaml"))


def load_timeline(name: str, folder: Path = FOLDER) -> Timeline:
    """Read a timeline by its name, or by the path of its file.

    Raises:
        CallerMistake: there is none of that name, or the file is wrong; names the file, the line and the cure.
    """
    if name.endswith((".yaml", ".yml")):
        return read_timeline(Path(name))
    if name not in timeline_names(folder):
        known = ", ".join(timeline_names(folder)) or f"none in {folder}"
        raise CallerMistake("timeline", f"there is no {name!r}", f"there are {known}")
    return read_timeline(folder / f"{name}.yaml")


def read_timeline(path: Path) -> Timeline:
    """Read the file of a timeline.

    Raises:
        CallerMistake: it is wrong; names the file, the line and the cure.
    """
    raw, lines = _read(path)
    if missing := [key for key in _REQUIRED if key not in raw]:
        raise CallerMistake(str(path), f"lacks {', '.join(missing)}", f"write {', '.join(_REQUIRED)}")
    if unknown := [str(key) for key in raw if key not in (*_REQUIRED, *_OPTIONAL)]:
        raise CallerMistake(str(path), f"has {', '.join(unknown)}", f"use {', '.join((*_REQUIRED, *_OPTIONAL))}")
    if not isinstance(raw["steps"], list) or not raw["steps"]:
        raise CallerMistake(f"{path}, steps", "holds no step", "give at least one: - {at_ms: 0, both: {}}")
    if len(raw["steps"]) != len(lines):
        raise CallerMistake(f"{path}, steps", "stands twice, or is taken from elsewhere", "write the steps once")
    steps: list[Step] = []
    origins: list[int] = []
    for item, line in zip(raw["steps"], lines, strict=True):
        try:
            more = _steps(item, steps[-1] if steps else None)
        except CallerMistake as error:
            raise CallerMistake(f"{path} line {line}, {error.device}", error.what, error.cure) from error
        steps += more
        origins += [line] * len(more)
    try:
        return Timeline(
            path.stem, str(raw["title"]), str(raw["source"]), tuple(steps), raw["duration_ms"],
            _truth(raw.get("loop", False)), _texts(raw.get("assumptions", [])),
            raw.get("longest_gap_ms", LONGEST_GAP_MS),
        )  # fmt: skip
    except CallerMistake as error:
        where = error.device.removeprefix("step ")
        place = f"{path} line {origins[int(where) - 1]}" if where.isdigit() else f"{path}, {error.device}"
        raise CallerMistake(place, error.what, error.cure) from error


def write_timeline(timeline: Timeline, path: Path) -> None:
    """Write a timeline so that :func:`read_timeline` reads the same; words for people become one line each.

    Raises:
        CallerMistake: the file cannot be written.
    """
    head = {
        "title": _one_line(timeline.title),
        "source": _one_line(timeline.source),
        **({"assumptions": [_one_line(each) for each in timeline.assumptions]} if timeline.assumptions else {}),
        "loop": timeline.loop,
        "longest_gap_ms": timeline.longest_gap_ms,
        "duration_ms": timeline.duration_ms,
    }
    text = yaml.safe_dump(head, sort_keys=False, allow_unicode=True, width=110) + "steps:\n"
    for step in timeline.steps:
        written = yaml.safe_dump(
            _as_written(step), default_flow_style=True, sort_keys=False, allow_unicode=True, width=math.inf
        )
        text += f"  - {written.strip()}\n"
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CallerMistake(str(path), f"cannot be written: {error.strerror}", "name a file of yours") from error


def _read(path: Path) -> tuple[dict[str, Any], list[int]]:
    """What the file says, and the line of each step."""
    try:
        if path.stat().st_size > _LARGEST:
            raise CallerMistake(str(path), f"is larger than {_LARGEST // 1_000_000} MB", "is it a timeline?")
        text = path.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        raw = yaml.safe_load(text)
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:  # ValueError: no UTF-8, no such date
        mark = getattr(error, "problem_mark", None)
        place = f"{path} line {mark.line + 1}" if mark else str(path)
        what = getattr(error, "problem", None) or getattr(error, "strerror", None) or str(error)
        raise CallerMistake(place, f"cannot be read: {what}", "a timeline is a text file of YAML") from error
    if not isinstance(raw, dict) or not isinstance(node, yaml.MappingNode):
        raise CallerMistake(str(path), "is no mapping of keys", "begin with: title: …")
    steps = next((value for key, value in node.value if key.value == "steps"), None)
    items = steps.value if isinstance(steps, yaml.SequenceNode) else []
    return raw, [item.start_mark.line + 1 for item in items]


def _steps(raw: object, before: Step | None) -> list[Step]:
    """The step that an entry says, after those of the ramp that leads to it."""
    entry = require_mapping("the step", raw)
    if unknown := [str(key) for key in entry if key not in _STEP_KEYS]:
        raise CallerMistake("the step", f"has {', '.join(unknown)}", f"use {', '.join(_STEP_KEYS)}")
    if "at_ms" not in entry:
        raise CallerMistake("the step", "lacks at_ms", "say when it begins, in milliseconds")
    up, down = _directions(entry)
    extras = {name: entry[name] for name in _ANNOTATIONS if name in entry}
    step = Step(entry["at_ms"], up, down, **{**extras, **({"note": str(extras["note"])} if "note" in extras else {})})
    if "ramp_ms" not in entry:
        return [step]
    require_range("ramp_ms", entry["ramp_ms"], SHORTEST_STEP_MS, LONGEST_GAP_MS)
    if before is None:
        raise CallerMistake("ramp_ms", "stands in the first step", "a ramp comes from the step before")
    return [*_ramp(before, step, float(entry["ramp_ms"])), step]


def _directions(entry: Mapping[str, Any]) -> tuple[Impairment, Impairment]:
    said = sorted(set(entry) & {"up", "down", "both", "cut"})
    if said == ["cut"]:
        return (CUT, CUT) if _truth(entry["cut"]) else (CLEAN, CLEAN)
    if said == ["both"]:
        both = _direction(entry, "both")
        return both, both
    if said == ["down", "up"]:
        return _direction(entry, "up"), _direction(entry, "down")
    found = f"has {', '.join(said)}" if said else "says nothing of the link"
    raise CallerMistake("the step", found, "write up and down, or both, or cut: true; {} is clean")


def _direction(entry: Mapping[str, Any], name: str) -> Impairment:
    try:
        return Impairment.from_dict(require_mapping(name, entry[name]))
    except CallerMistake as error:
        raise CallerMistake(f"{name}.{error.device}", error.what, error.cure) from error


def _ramp(before: Step, after: Step, every_ms: float) -> list[Step]:
    """The steps between two, without either."""
    if before.is_cut or after.is_cut:
        raise CallerMistake("ramp_ms", "leads from or to a cut", "a cut has no halves: end the ramp beside it")
    count = math.floor((after.at_ms - before.at_ms) / every_ms + 1e-6)
    steps = []
    for number in range(1, count):
        share = number / count
        steps.append(
            Step(
                round(before.at_ms + share * (after.at_ms - before.at_ms), 3),
                _between("up", before.up, after.up, share),
                _between("down", before.down, after.down, share),
                "",
                _number("rssi_dbm", before.rssi_dbm, after.rssi_dbm, share),
                _number("attenuation_db", before.attenuation_db, after.attenuation_db, share),
            )
        )
    return steps


def _between(name: str, before: Impairment, after: Impairment, share: float) -> Impairment:
    if before.burst_loss != after.burst_loss:
        raise CallerMistake(f"{name}.burst_loss", "differs between the ends of a ramp", "write the steps one by one")
    if (before.rate_kbit is None) != (after.rate_kbit is None):
        raise CallerMistake(f"{name}.rate_kbit", "is set at one end of a ramp alone", "give both ends a rate")
    values: dict[str, Any] = {
        each: _number(each, getattr(before, each), getattr(after, each), share) for each in _RAMPED
    }
    return replace(after, **values, rate_kbit=_number("rate_kbit", before.rate_kbit, after.rate_kbit, share))


def _number(name: str, before: float | None, after: float | None, share: float) -> float | None:
    if before is None or after is None:
        if before is not after:
            raise CallerMistake(name, "is set at one end of a ramp alone", "give it at both ends")
        return None
    return round(before + share * (after - before), 3)


def _as_written(step: Step) -> dict[str, Any]:
    if step.is_cut and step.up == step.down:
        ways: dict[str, Any] = {"cut": True}
    elif step.up == step.down:
        ways = {"both": _fields(step.up)}
    else:
        ways = {"up": _fields(step.up), "down": _fields(step.down)}
    notes = {**step.annotations(), **({"note": _one_line(step.note)} if step.note else {})}
    return {"at_ms": step.at_ms, **ways, **notes}


def _one_line(text: str) -> str:
    """YAML would fold or refuse other breaks and controls."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _fields(way: Impairment) -> dict[str, Any]:
    """What differs from clean."""
    clean = CLEAN.to_dict()
    return {name: value for name, value in way.to_dict().items() if value != clean[name]}


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise CallerMistake("the value", f"{value!r} is neither true nor false")
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise CallerMistake("assumptions", f"{value!r} is no list", "write [one sentence, another]")
    return tuple(str(each) for each in value)
