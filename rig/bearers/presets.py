"""Named impairments as data: one YAML file each, with where its numbers come from.

::

    title: 3G, good coverage
    source: Ofcom, Q4 2014 (rates, latency); the rest is an assumption
    up: {delay_ms: 38, jitter_ms: 10, distribution: pareto, rate_kbit: 1600}     # terminal → host
    down: {delay_ms: 25, jitter_ms: 6, distribution: pareto, rate_kbit: 5900}    # host → terminal

The keys of a direction are the fields of :class:`~rig.bearers.impairment.Impairment`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from rig.bearers.impairment import Impairment
from rig.errors import CallerMistake

FOLDER = Path(__file__).resolve().parents[2] / "fixtures" / "impairments"
"""Where the project's own presets are."""

_KEYS = {"title", "source", "up", "down"}


@dataclass(frozen=True)
class Preset:
    """A named impairment of both directions.

    Attributes:
        name: the file's name without ``.yaml``.
        title: what it is like, for people.
        source: where its numbers come from, or that they are assumed.
        up: terminal → host.
        down: host → terminal.
    """

    name: str
    title: str
    source: str
    up: Impairment
    down: Impairment


def preset_names(folder: Path = FOLDER) -> list[str]:
    """What there is."""
    return sorted(path.stem for path in folder.glob("*.yaml"))


def load_preset(name: str, folder: Path = FOLDER) -> Preset:
    """Read a preset by its name.

    Raises:
        CallerMistake: there is none of that name, or the file is wrong; names the file and the field.
    """
    if name not in preset_names(folder):
        raise CallerMistake("impairment", f"there is no {name!r}", f"there are {', '.join(preset_names(folder))}")
    path = folder / f"{name}.yaml"
    raw = _read(path)
    up, down = _direction(path, raw, "up"), _direction(path, raw, "down")
    return Preset(name, str(raw["title"]), str(raw["source"]), up, down)


def _read(path: Path) -> dict[str, Any]:
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:  # ValueError: no UTF-8, no such date
        raise CallerMistake(str(path), f"cannot be read: {error}") from error
    if not isinstance(raw, dict) or set(raw) != _KEYS:
        found = ", ".join(map(str, raw)) if isinstance(raw, dict) else "no mapping"
        raise CallerMistake(str(path), f"has {found}", f"write {', '.join(sorted(_KEYS))}")
    return raw


def _direction(path: Path, raw: dict[str, Any], direction: str) -> Impairment:
    if not isinstance(raw[direction], dict):
        raise CallerMistake(f"{path}, {direction}", "is no mapping", "write {} for clean")
    try:
        return Impairment.from_dict(raw[direction])
    except CallerMistake as error:
        raise CallerMistake(f"{path}, {direction}.{error.device}", error.what, error.cure) from error
