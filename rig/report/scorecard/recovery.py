"""How long a bearer's return took to be of use.

A disturbance begins when the rig makes a bearer bad and ends when it undoes that, as its own events say: the link is
cut or without carrier and then clean (``impairment``), the path is attenuated and then back at the least loss of the
run (``attenuation``), a switch's port is down and then up (``port``), a named failure is active and then not
(``network_failure``). The recovery lasts from that end to the first of: a sale's outcome ``approved`` over this bearer,
or the host's answer to a reversal; at most until the next disturbance begins, or the bench begins to settle the case:
what the terminal says from then on the bench asked for. Where nothing was tried in that time, the disturbance does not
count. A recovery holds the time until the cash register asks for the next sale, which is the rig's.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

from rig.history import Event
from rig.report.scorecard.cells import REVERSALS, Case, number, text
from rig.report.scorecard.figures import Recovery
from rig.report.scorecard.links import Link
from rig.report.scorecard.statistics import percentile

_QUIET = ("delay_ms", "jitter_ms", "loss_percent", "duplicate_percent", "corrupt_percent", "reorder_percent")


def recovery_of(cases: Iterable[Case], link: Link) -> Recovery:
    """All disturbances of some cases of one bearer."""
    found = [took for case in cases for took in _recoveries(case, link)]
    took = [each for each in found if each is not None]
    return Recovery(len(found), len(took), percentile(took, 50) if took else None, max(took) if took else None)


def _recoveries(case: Case, link: Link) -> Iterator[float | None]:
    """Milliseconds of each, None where nothing came through before the next disturbance or the end."""
    changes = list(_changes(case, link))
    useful = sorted(_useful(case))
    for (began, bad), (ended, _) in itertools.pairwise(changes):
        if not bad or ended <= began:
            continue
        until = min(next((t for t, is_bad in changes if is_bad and t > ended), case.settling_t), case.settling_t)
        came = next((t for t in useful if ended < t <= until), None)
        if came is None and not any(ended < sale.begun_t < until for sale in case.sales):
            continue  # nobody tried
        yield None if came is None else (came - ended) / 1e6


def _changes(case: Case, link: Link) -> Iterator[tuple[int, bool]]:
    """When the bearer became bad (True) and good again (False), alternating."""
    causes: dict[str, bool] = {}
    losses = [number(e.data, "read_back") or 0.0 for e in case.of("attenuation") if text(e.data, "path") == link.path]
    least = min(losses, default=0.0)
    for event in case.events:
        before = any(causes.values())
        match event.kind:
            case "impairment" if text(event.data, "link") == link.name:
                causes["link"] = is_disturbed(event)
            case "attenuation" if link.path is not None and text(event.data, "path") == link.path:
                causes["path"] = (number(event.data, "read_back") or 0.0) > least
            case "port" if text(event.data, "bearer") == link.name:
                causes["port"] = event.data.get("up") is False
            case "network_failure" if text(event.data, "bearer") == link.name:
                causes[f"failure {text(event.data, 'failure')}"] = event.data.get("active") is True
            case _:
                continue
        if any(causes.values()) != before:
            yield event.t, not before


def is_disturbed(impairment: Event) -> bool:
    """Whether an ``impairment`` event leaves anything of a link but the bare wire."""
    data = impairment.data
    return data.get("carrier") is False or any(_bad(data.get(direction)) for direction in ("up", "down"))


def _bad(direction: Any) -> bool:
    if not isinstance(direction, dict):
        return False
    return bool(
        direction.get("cut")
        or direction.get("rate_kbit")
        or direction.get("burst_loss")
        or any(direction.get(name) for name in _QUIET)
    )


def _useful(case: Case) -> Iterator[int]:
    """When something came through: completed sales, and answered reversals."""
    yield from (sale.ended_t for sale in case.sales if case.completed(sale) and sale.ended_t is not None)
    yield from (event.t for event in case.of("answer_sent") if text(event.data, "mti") in REVERSALS)
