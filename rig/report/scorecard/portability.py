"""How far a terminal can be moved on a bearer before sales fail, and how it comes back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rig.report.scorecard.cells import Case, Sale, number, text
from rig.report.scorecard.figures import Portability
from rig.report.scorecard.links import Link
from rig.report.scorecard.recovery import recovery_of
from rig.verdict import Verdict

MOVING = "moving"
_LEVELS = ("level", "rsrp", "rscp", "rxlev")
"""Fields of the event ``signal`` that hold a level in dBm, the first one that is there."""


def portability_of(cases: Sequence[Case], link: Link) -> Portability:
    """One bearer's, from its cases under the condition ``moving``; failover from all of them."""
    sound = [case for case in cases if case.verdict is not Verdict.BENCH_FAULT]
    moving = [case for case in sound if case.condition == MOVING]
    sales = [(case, sale) for case in moving for sale in case.sales]
    way_out = [step for case in moving for step in _way_out(case, link)]
    reached = [step for step in way_out if step[1].completed(step[2])]
    missed = [step for step in way_out if not step[1].completed(step[2])]
    last = max(reached, key=lambda step: step[0], default=None)
    first = min(missed, key=lambda step: step[0], default=None)
    elsewhere = [sale.via for case in sound for sale in case.sales if sale.approved and not case.completed(sale)]
    return Portability(
        attenuated=bool(way_out),
        completed_db=last[0] if last else None,
        completed_dbm=_level(last[1], last[2], link) if last else None,
        failed_db=first[0] if first else None,
        failed_dbm=_level(first[1], first[2], link) if first else None,
        sales=len(sales),
        completed=sum(case.completed(sale) for case, sale in sales),
        back=recovery_of(moving, link),
        failover=len(elsewhere),
        failover_to=tuple(sorted({via for via in elsewhere if via})),
    )


def _way_out(case: Case, link: Link) -> Iterator[tuple[float, Case, Sale]]:
    """The sales with the losses at which they began, until the loss is less than it was: then it is on the way back."""
    farthest = 0.0
    for sale in case.sales:
        loss = _loss(case, sale, link)
        if loss is None:
            continue
        if loss < farthest:
            return
        farthest = loss
        yield loss, case, sale


def _loss(case: Case, sale: Sale, link: Link) -> float | None:
    """The loss of the bearer's path when a sale began; None where it has none, or nothing was set yet."""
    if link.path is None:
        return None
    told = [e for e in case.of("attenuation") if text(e.data, "path") == link.path and e.t <= sale.begun_t]
    return number(told[-1].data, "read_back") if told else None


def _level(case: Case, sale: Sale, link: Link) -> float | None:
    """The last level that the modem told between the loss before a sale and the sale's end; None without service."""
    since = max(
        (e.t for e in case.of("attenuation") if text(e.data, "path") == link.path and e.t <= sale.begun_t), default=0
    )
    until = sale.ended_t if sale.ended_t is not None else sale.begun_t
    told = [e for e in case.of("signal") if text(e.data, "modem") == link.modem and since <= e.t <= until]
    if not told:
        return None
    return next((level for name in _LEVELS if (level := number(told[-1].data, name)) is not None), None)
