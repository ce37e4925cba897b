"""Values from people's files, taken only where they are what they must be."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from rig.errors import CallerMistake


def require_range(name: str, value: object, low: float, high: float, cure: str = "") -> None:
    """A finite number from ``low`` to ``high``.

    Raises:
        CallerMistake: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not _is_finite(value):
        raise CallerMistake(name, f"{value!r} is not a number")
    if not low <= value <= high:
        raise CallerMistake(name, f"{value:g} is outside {low:g} to {high:g}", cure)


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond all floats
        return False


def require_whole(name: str, value: object, low: int, high: int) -> None:
    """A whole number from ``low`` to ``high``.

    Raises:
        CallerMistake: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise CallerMistake(name, f"{value!r} is not a whole number")
    if not low <= value <= high:
        raise CallerMistake(name, f"{value} is outside {low} to {high}")


def require_mapping(name: str, value: object) -> Mapping[str, Any]:
    """A mapping.

    Raises:
        CallerMistake: it is none.
    """
    if not isinstance(value, Mapping):
        raise CallerMistake(name, f"{value!r} is no mapping", "write {name: value, …}")
    return value


def require_known(kind: type[Any], name: str, raw: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a data class, as they stand in a file.

    Raises:
        CallerMistake: a name that the class has not.
    """
    known = {field.name for field in fields(kind)}
    if unknown := sorted(str(each) for each in raw if each not in known):
        raise CallerMistake(name, f"unknown {', '.join(unknown)}", f"use {', '.join(sorted(known))}")
    return dict(raw)
