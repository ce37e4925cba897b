"""Which bearer is better than which: only where the measured intervals do not meet.

Under one condition the share of completed sales decides; where that shows no difference, the median time does, if it
differs by a tenth and by 200 ms at least: a sale that is a little shorter is no reason to lay a cable. Times are those
of completed sales alone: they decide nothing in favour of a bearer that completed a smaller share, for what it lost may
have been the long ones. A bearer is preferred to another that is worse under at least one condition that both went
through and better under none. Where no condition tells them apart, the cheaper one is preferred, by a tenth at least:
by money where a tariff in one currency prices both, by bytes where none prices either.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rig.report.scorecard.figures import Stability, Times
from rig.report.scorecard.model import COUNTED, BearerCard

MATERIAL = 0.10
"""Median times that differ by less than this share of the longer one are not told apart, nor sizes, nor prices."""

FELT_MS = 200.0
"""Nor those that differ by less than nobody at a counter would notice; a bench's own milliseconds are no bearer's."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference that was measured.

    Attributes:
        of: ``share`` or ``time``.
        first: whether the first of the two is the better one.
    """

    of: str
    first: bool


def difference(one: Stability, other: Stability) -> Difference | None:
    """What tells two bearers apart, each under one condition; None for nothing."""
    if one.share is not None and other.share is not None:
        if other.share.below(one.share):
            return Difference("share", first=True)
        if one.share.below(other.share):
            return Difference("share", first=False)
    if _faster(one, other):
        return Difference("time", first=True)
    if _faster(other, one):
        return Difference("time", first=False)
    return None


def preferred(one: BearerCard, other: BearerCard) -> str:
    """Why the first is preferred to the second: ``share``, ``time``, ``money`` or ``bytes``; empty where it is not."""
    of, told = _decisive(one, other)
    if not told:
        return _cheaper(one, other)
    return of if all(each.first for each in told.values()) else ""


def rests_on(one: BearerCard, other: BearerCard) -> tuple[str, ...]:
    """The conditions from which it follows that the first is preferred; empty where none prefers it."""
    _, told = _decisive(one, other)
    return tuple(told) if all(each.first for each in told.values()) else ()


def unlike(one: BearerCard, other: BearerCard, condition: str) -> bool:
    """Whether a condition was another stimulus for the one than for the other: then a difference is one of those."""
    mine, theirs = one.under(condition), other.under(condition)
    return mine is not None and theirs is not None and mine.stimulus != theirs.stimulus


def told_apart(one: BearerCard, other: BearerCard) -> bool:
    """Whether any condition tells the two apart, be it now in favour of the one, now of the other."""
    return any(_under(one, other, name) is not None for name in COUNTED)


def obstacles(bearer: BearerCard) -> tuple[str, ...]:
    """Why a bearer must not be recommended at all: ``unsafe``, ``undecided``, ``deceived``, ``clear``, ``unproven``."""
    found = []
    if any(each.unsafe for each in bearer.stability):
        found.append("unsafe")
    if any(each.undecided for each in bearer.stability):
        found.append("undecided")
    if bearer.security.harmed:
        found.append("deceived")
    if bearer.security.card_data_in_clear:
        found.append("clear")
    if not any(each.completed for each in bearer.stability if each.condition in COUNTED):
        found.append("unproven")
    return tuple(found)


def recommended(bearers: Sequence[BearerCard]) -> tuple[BearerCard, ...]:
    """Those without an obstacle to whom no other one without is preferred."""
    sound = [each for each in bearers if not obstacles(each)]
    return tuple(each for each in sound if not any(preferred(other, each) for other in sound if other is not each))


def beaten(stability: Iterable[tuple[str, Stability]]) -> dict[str, tuple[str, ...]]:
    """Who is better than whom under one condition; only names that are better than anybody."""
    entries = list(stability)
    found = {
        name: tuple(
            rival
            for rival, other in entries
            if rival != name and (told := difference(one, other)) is not None and told.first
        )
        for name, one in entries
    }
    return {name: rivals for name, rivals in found.items() if rivals}


def _decisive(one: BearerCard, other: BearerCard) -> tuple[str, dict[str, Difference]]:
    """The conditions that tell the two apart by what weighs most, the share or else the time, and by which."""
    found = {name: told for name in COUNTED if (told := _under(one, other, name)) is not None}
    for of in ("share", "time"):
        if decisive := {name: told for name, told in found.items() if told.of == of}:
            return of, decisive
    return "", {}


def _under(one: BearerCard, other: BearerCard, condition: str) -> Difference | None:
    mine, theirs = one.under(condition), other.under(condition)
    return None if mine is None or theirs is None else difference(mine, theirs)


def _faster(one: Stability, other: Stability) -> bool:
    """Whether the one's completed sales were shorter, and it did not lose more of them than the other."""
    if one.times is None or other.times is None or one.share is None or other.share is None:
        return False
    return one.share.value >= other.share.value and _shorter(one.times, other.times)


def _shorter(one: Times, other: Times) -> bool:
    longer = other.median.value
    matters = longer - one.median.value >= max(MATERIAL * longer, FELT_MS)
    return matters and (one.median.below(other.median) or _all_shorter(one, other))


def _all_shorter(one: Times, other: Times) -> bool:
    """Whether every sale of the one was shorter than any of the other, and that is no chance: it has one of 20 at most.

    That is the extreme of the rank-sum test (F. Wilcoxon, 1945), which tells apart four and four already.
    """
    by_chance = 2 / math.comb(one.count + other.count, one.count)
    return one.longest < other.shortest and by_chance <= 0.05


def _cheaper(one: BearerCard, other: BearerCard) -> str:
    mine, theirs = one.cost.month, other.cost.month
    if mine is None or theirs is None or not _comparable(one, other):
        return ""
    if mine.high is not None and theirs.low is not None:
        less = mine.currency == theirs.currency and float(mine.high) <= (1 - MATERIAL) * float(theirs.low)
        return "money" if less and float(theirs.low) > 0 else ""
    if mine.money is not None or theirs.money is not None:
        return ""  # what only one of them costs compares with nothing
    sizes = [
        next((v.a_sale for v in each.cost.volumes if v.condition == mine.condition), None) for each in (one, other)
    ]
    if sizes[0] is None or sizes[1] is None or not sizes[0].below(sizes[1]):
        return ""
    return "bytes" if sizes[0].value <= (1 - MATERIAL) * sizes[1].value else ""


def _comparable(one: BearerCard, other: BearerCard) -> bool:
    """Whether both went through one condition at least: of what was never compared nothing is preferred."""
    return any(one.under(name) and other.under(name) for name in COUNTED)
