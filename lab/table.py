"""The lab's one table, as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from lab.part import Row

_COLUMNS = ("what", "asked", "measured", "limit", "")
_HELD, _BROKEN = "held", "DID NOT HOLD"


def render(rows: Sequence[Row], troubles: Mapping[str, str]) -> str:
    """The rows under the headings of their parts; then what did not hold, once more; what could not run; the count."""
    lines: list[str] = []
    cells = [_COLUMNS, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(_COLUMNS))]
    for part, group in groupby(rows, key=lambda row: row.part):
        lines += ["", part, _line(_COLUMNS, widths), _line(tuple("─" * width for width in widths), widths)]
        lines += [_line(_cells(row), widths) for row in group]
    lines += ["", *(_once_more(row) for row in rows if not row.ok)]
    lines += [f"{part} could not run: {trouble}" for part, trouble in troubles.items()]
    lines.append(summary(rows, troubles))
    return "\n".join(lines)


def summary(rows: Sequence[Row], troubles: Mapping[str, str]) -> str:
    """The last line."""
    missing = f"; {', '.join(troubles)} could not run" if troubles else ""
    return f"lab: {sum(row.ok for row in rows)} of {len(rows)} held{missing}"


def _once_more(row: Row) -> str:
    """For who sees only the end of it."""
    asked = f"{row.asked}: " if row.asked else ""
    return f"did not hold: {row.part}: {row.what}: {asked}{row.measured} (limit {row.limit})"


def _cells(row: Row) -> tuple[str, ...]:
    return (row.what, row.asked, row.measured, row.limit, _HELD if row.ok else _BROKEN)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  " + "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
