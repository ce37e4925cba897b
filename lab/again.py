"""What does not hold is measured again, after all the others and for a while: a shared machine may stand still.

Some milliseconds in which nothing runs are no figure of a link, and they often come in swarms: so the next try is
made when everything else has been measured. A link that is wrong stays wrong.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from lab.part import Disturbed, Row

Figures = Callable[[], Iterable[Row]]
"""What measures the rows that belong together."""


def measure_until_held(groups: Sequence[Figures], patience_s: float, tell: Callable[[Row], None]) -> list[Row]:
    """Measure each group once, and those that did not hold again, in turns.

    Args:
        groups: in the order of the rows that come back.
        patience_s: so long after the first turn another one may begin.
        tell: is given each row as soon as it is measured; a row of a later try says so.

    Raises:
        Disturbed: a group was disturbed in its last try, and never held.
        LabTrouble: it cannot be measured here.
    """
    rows: dict[int, list[Row]] = {}
    left, number, deadline = list(range(len(groups))), 1, float("inf")
    while left:
        last = time.monotonic() >= deadline
        broken = [n for n in left if not _held(groups[n], rows.setdefault(n, []), number, tell, last)]
        if number == 1:
            deadline = time.monotonic() + patience_s
        if last:
            break
        left, number = broken, number + 1
    return [row for n in range(len(groups)) for row in rows[n]]


def _held(group: Figures, rows: list[Row], number: int, tell: Callable[[Row], None], last: bool) -> bool:
    """Whether a try holds; its rows take the place of those of the try before."""
    try:
        measured = list(group())
    except Disturbed:
        if last:
            raise
        return False
    rows[:] = [row if number == 1 else replace(row, measured=f"{row.measured}  (try {number})") for row in measured]
    for row in rows:
        tell(row)
    return all(row.ok for row in rows)
