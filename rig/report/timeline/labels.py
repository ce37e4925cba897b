"""Labels that do not lie on one another.

Labels hang in rows beneath their marks, each on a thin line. They are placed from right to left, so that a line runs
down beside the labels of later marks and never through one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rig.report.timeline.marks import Mark, Weight

CHARACTER = 5.9
"""The usual width of a character at 11 pixels."""
_GAP = 5.0


@dataclass(frozen=True)
class Label:
    """A placed label: the place of its mark, where its text begins, and its row from 0."""

    text: str
    at: float
    x: float
    row: int


@dataclass(frozen=True)
class Wish:
    """A label that wants a place: its mark, where that stands, and the bounds of the lane."""

    mark: Mark
    at: float


def place(wishes: Sequence[Wish], right: float, rows: int) -> list[Label]:
    """Place as many labels as the rows take; where not all fit, the less important ones go first."""
    for weight in Weight:
        chosen = [wish for wish in wishes if wish.mark.weight >= weight and wish.mark.label]
        placed = _place(chosen, right, rows)
        if len(placed) == len(chosen):
            break
    return placed


def _place(wishes: Sequence[Wish], right: float, rows: int) -> list[Label]:
    taken: list[list[tuple[float, float]]] = [[] for _ in range(rows)]
    placed = []
    for wish in sorted(wishes, key=lambda wish: wish.at, reverse=True):
        width = len(wish.mark.label) * CHARACTER + _GAP
        x = min(wish.at, right - width)
        row = _free_row(taken, x, x + width, wish.at)
        if row is None:
            continue
        taken[row].append((x, x + width))
        for above in taken[:row]:
            above.append((wish.at - 2, wish.at + 2))
        placed.append(Label(wish.mark.label, wish.at, x, row))
    return placed


def _free_row(taken: list[list[tuple[float, float]]], begin: float, end: float, line: float) -> int | None:
    """The first row with room for the text, where the line down to it meets no text either."""
    for row, intervals in enumerate(taken):
        if not any(begin < high and low < end for low, high in intervals):
            return row
        if any(low < line < high and high - low > 4 for low, high in intervals):
            return None
    return None
