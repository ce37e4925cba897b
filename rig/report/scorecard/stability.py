"""How stable a bearer is: what came through under each condition, how fast, and what went wrong."""

from __future__ import annotations

from collections.abc import Sequence

from rig.report.scorecard.cells import Case
from rig.report.scorecard.figures import Stability, Times
from rig.report.scorecard.links import Link
from rig.report.scorecard.recovery import recovery_of
from rig.report.scorecard.statistics import median, percentile, wilson
from rig.report.scorecard.stimulus import stimulus_of
from rig.verdict import Verdict


def stability_of(cases: Sequence[Case], link: Link) -> tuple[Stability, ...]:
    """One entry a condition, in the order of first appearance.

    Cases that the bench spoilt are counted, and their sales left out: they say nothing of the bearer.
    """
    conditions = dict.fromkeys(case.condition for case in cases)
    return tuple(_under(name, [case for case in cases if case.condition == name], link) for name in conditions)


def _under(condition: str, cases: Sequence[Case], link: Link) -> Stability:
    sound = [case for case in cases if case.verdict is not Verdict.BENCH_FAULT]
    sales = [(case, sale) for case in sound for sale in case.sales]
    done = [sale for case, sale in sales if case.completed(sale)]
    return Stability(
        condition=condition,
        cases=len(cases),
        sales=len(sales),
        completed=len(done),
        share=wilson(len(done), len(sales)),
        times=times_of([sale.took_ms for sale in done if sale.took_ms is not None]),
        unsafe=_count(cases, Verdict.UNSAFE),
        undecided=_count(cases, Verdict.UNDECIDED),
        bench_faults=_count(cases, Verdict.BENCH_FAULT),
        recovery=recovery_of(sound, link),
        stimulus=stimulus_of(condition, sound, link),
    )


def times_of(took_ms: Sequence[float]) -> Times | None:
    """Durations in their percentiles; None for none."""
    middle = median(took_ms)
    if middle is None:
        return None
    p95, p99 = percentile(took_ms, 95), percentile(took_ms, 99)
    return Times(len(took_ms), min(took_ms), middle, p95, p99, max(took_ms))


def _count(cases: Sequence[Case], verdict: Verdict) -> int:
    return sum(case.verdict is verdict for case in cases)
