"""What is plugged to a Keysight 11713, as the bench file says it, and which attenuations that makes."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

from rig.errors import CallerMistake
from rig.instruments.attenuator import known_settings, positive

SECTIONS: dict[str, tuple[int, ...]] = {
    "8494": (1, 2, 4, 4),
    "8495": (10, 20, 40),
    "8496": (10, 20, 40, 40),
    "8497": (10, 20, 30, 30),
    "84904": (1, 2, 4, 4),
    "84905": (10, 20, 30),
    "84906": (10, 20, 30, 30),
    "84907": (10, 20, 40),
    "84908": (5, 10, 20, 30),
}
"""Model → its sections in dB."""
_BANKS = ("bank1", "bank2")


class Bank:
    """What hangs on one bank of the box, X and Y in series.

    Args:
        number: 1 or 2.
        sections: ``x`` and ``y``, or one of them → the sections' attenuations in dB.
    """

    def __init__(self, number: int, sections: Mapping[str, tuple[float, ...]]) -> None:
        self.number = number
        self.sides = [side for side in ("x", "y") if side in sections]
        levels = [sorted({sum(sums) for sums in product(*((0, db) for db in sections[side]))}) for side in self.sides]
        self._ways = {round(sum(way), 6): way for way in sorted(product(*levels), reverse=True)}
        """Total → how much of it on each side; of several ways the one with least on X."""
        self.values = sorted(self._ways)
        self.maximum = self.values[-1]
        self.step = self.values[1]
        if self.values != [round(number * self.step, 6) for number in range(len(self.values))]:
            raise CallerMistake(
                f"attenuator settings bank{number}",
                f"its sections make {', '.join(f'{value:g}' for value in self.values[:9])} … dB, which is no grid",
                "plug sections that make every multiple of the smallest",
            )

    def way(self, total: float) -> dict[str, float]:
        """How much of a total is set on each side."""
        return dict(zip(self.sides, self._ways[min(self.values, key=lambda value: abs(value - total))], strict=True))


def banks_of(settings: Mapping[str, Any]) -> list[Bank]:
    """The banks that the settings name, in the order of their numbers.

    Raises:
        CallerMistake: no bank, an unknown name, or sections that make no grid.
    """
    known_settings(settings, _BANKS)
    if not settings:
        raise CallerMistake(
            "attenuator settings",
            "name no bank",
            "write what is plugged: bank1: {x: [1, 2, 4, 4], y: [10, 20, 40, 40]}",
        )
    return [Bank(_BANKS.index(name) + 1, _sections(name, settings[name])) for name in _BANKS if name in settings]


def models_of(settings: Mapping[str, Any]) -> dict[str, str]:
    """Where the settings name a model: such as ``BANK1:X`` → ``8494``."""
    return {
        f"{name.upper()}:{side.upper()}": str(plugged)
        for name in _BANKS
        for side, plugged in settings.get(name, {}).items()
        if not isinstance(plugged, list)
    }


def _sections(name: str, bank: Any) -> dict[str, tuple[float, ...]]:
    where = f"attenuator settings {name}"
    if not isinstance(bank, Mapping) or not bank or not bank.keys() <= {"x", "y"}:
        raise CallerMistake(where, f"{bank!r} is no bank", "write {x: [1, 2, 4, 4], y: [10, 20, 40, 40]}, or one side")
    sections: dict[str, tuple[float, ...]] = {}
    for side, plugged in bank.items():
        if isinstance(plugged, list) and 1 <= len(plugged) <= 4:
            sections[side] = tuple(positive(f"{name}.{side}", db) for db in plugged)
        elif not isinstance(plugged, list) and str(plugged) in SECTIONS:
            sections[side] = SECTIONS[str(plugged)]
        else:
            raise CallerMistake(
                where, f"{side}: {plugged!r} is no attenuator", f"one to four sections, or {', '.join(SECTIONS)}"
            )
    return sections
