"""Labels that do not lie on one another.

Labels hang in rows beneath their marks, each on a thin line. They are placed from right to left, so that a line runs
down beside the labels of later marks and never through one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from rig.report.timeline.marks import Mark, Weight

_GAP = 8.0
_LINE = 2.0
"""Half the room that the line down to a label takes."""


@dataclass(frozen=True)
class Label:
    """A placed label: the place of its mark, where its text begins, and its row from 0."""

    text: str
    at: float
    x: float
    row: int


@dataclass(frozen=True)
class Wish:
    """A mark whose label wants a place, where the mark stands, and how many marks share the label."""

    mark: Mark
    at: float
    count: int = 1

    @property
    def text(self) -> str:
        """What is written: ``print line ×6`` for six marks side by side."""
        return self.mark.label if self.count == 1 else f"{self.mark.label} ×{self.count}"


@dataclass
class _Row:
    texts: list[tuple[float, float]] = field(default_factory=list)
    lines: list[float] = field(default_factory=list)

    def takes(self, begin: float, end: float) -> bool:
        text_free = not any(begin < high and low < end for low, high in self.texts)
        return text_free and not any(begin < line + _LINE and line - _LINE < end for line in self.lines)

    def crossed_by(self, line: float) -> bool:
        return any(low < line < high for low, high in self.texts)


def width(text: str) -> float:
    """About how wide a text is at 11 pixels, in whichever sans-serif font the reader has."""
    return sum(7.6 if letter.isupper() or letter.isdigit() else 6.3 for letter in text)


def place(wishes: Sequence[Wish], right: float, rows: int) -> list[Label]:
    """Place as many labels as the rows take; no important one is left out for the sake of a lesser one."""
    wanted = _share(sorted(wishes, key=lambda wish: wish.at))
    for weight in Weight:
        chosen = [wish for wish in wanted if wish.mark.weight >= weight]
        labels, left_out = _place(chosen, right, rows)
        if all(wish.mark.weight is weight for wish in left_out):
            break
    return labels


def _share(wishes: Sequence[Wish]) -> list[Wish]:
    """One label for equal ones that would lie on one another."""
    shared: list[Wish] = []
    end = 0.0
    for wish in wishes:
        if not wish.mark.label:
            continue
        if shared and shared[-1].mark.label == wish.mark.label and wish.at < end:
            shared[-1] = replace(shared[-1], count=shared[-1].count + 1)
        else:
            shared.append(wish)
        end = wish.at + width(wish.mark.label) + _GAP
    return shared


def _place(wishes: Sequence[Wish], right: float, rows: int) -> tuple[list[Label], list[Wish]]:
    """The labels that found room, and the wishes that did not."""
    taken = [_Row() for _ in range(rows)]
    labels, left_out = [], []
    for wish in reversed(wishes):
        room = width(wish.text) + _GAP
        x = min(wish.at, right - room)
        row = _free_row(taken, x, x + room, wish.at)
        if row is None:
            left_out.append(wish)
            continue
        taken[row].texts.append((x, x + room))
        for above in taken[:row]:
            above.lines.append(wish.at)
        labels.append(Label(wish.text, wish.at, x, row))
    return labels, left_out


def _free_row(taken: Sequence[_Row], begin: float, end: float, line: float) -> int | None:
    """The first row with room whose line meets no text; else the first with room."""
    free = [number for number, row in enumerate(taken) if row.takes(begin, end)]
    clean = [number for number in free if not any(row.crossed_by(line) for row in taken[:number])]
    return next(iter(clean or free), None)
