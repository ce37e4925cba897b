"""Which bearer is better than which: only where the measured intervals do not meet.

Under one condition the share of completed sales decides; where that shows no difference, the median time does, if it
differs by a tenth and by 200 ms at least: a sale that is a little shorter is no reason to lay a cable. A bearer is
preferred to another that is worse under at least one condition that both went through and better under none. Where no
condition tells them apart, the cheaper one is preferred.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rig.report.scorecard.figures import Stability, Times
from rig.report.scorecard.model import COUNTED, BearerCard

MATERIAL = 0.10
"""Median times that differ by less than this share of the longer one are not told apart."""

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
    if one.times is not None and other.times is not None:
        if _shorter(one.times, other.times):
            return Difference("time", first=True)
        if _shorter(other.times, one.times):
            return Difference("time", first=False)
    return None


def preferred(one: BearerCard, other: BearerCard) -> str:
    """Why the first is preferred to the second: ``share``, ``time``, ``money`` or ``bytes``; empty where it is not."""
    found = [found for name in COUNTED if (found := _under(one, other, name)) is not None]
    for of in ("share", "time"):
        told = [each.first for each in found if each.of == of]
        if told:
            return of if all(told) else ""
    return _cheaper(one, other)


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


def _under(one: BearerCard, other: BearerCard, condition: str) -> Difference | None:
    mine, theirs = one.under(condition), other.under(condition)
    return None if mine is None or theirs is None else difference(mine, theirs)


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
    if mine.high is not None and theirs.low is not None and mine.currency == theirs.currency:
        return "money" if float(mine.high) < float(theirs.low) else ""
    sizes = [
        next((v.a_sale for v in each.cost.volumes if v.condition == mine.condition), None) for each in (one, other)
    ]
    return "bytes" if sizes[0] is not None and sizes[1] is not None and sizes[0].below(sizes[1]) else ""


def _comparable(one: BearerCard, other: BearerCard) -> bool:
    """Whether both went through one condition at least: of what was never compared nothing is preferred."""
    return any(one.under(name) and other.under(name) for name in COUNTED)
