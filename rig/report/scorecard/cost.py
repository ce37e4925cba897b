"""What a bearer costs: bytes a sale on its wire, or calls on its line, and a month of them by a tariff."""

from __future__ import annotations

import bisect
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from rig.history import Event
from rig.report.scorecard.cells import Case, number, text
from rig.report.scorecard.connections import Share
from rig.report.scorecard.figures import Calls, Cost, Month, Traffic, Volume
from rig.report.scorecard.links import Link
from rig.report.scorecard.statistics import mean
from rig.report.scorecard.tariffs import Tariff, rounded
from rig.report.scorecard.wire import Counted, Wire

_MEGABYTE = 1_000_000
_NEVER = 1 << 63
TYPICAL = "ideal"
"""The condition whose sizes a month is reckoned with; the first that was measured where this was not."""


def cost_of(
    cases: Sequence[Case], link: Link, wire: Wire | None, traffic: Traffic, tariff: Tariff | None, currency: str
) -> Cost:
    """All of it for one bearer; nothing of packets where ``wire`` is None: there was no capture."""
    conditions = dict.fromkeys(case.condition for case in cases)
    by_condition = {name: [case for case in cases if case.condition == name] for name in conditions}
    if not link.has_packets:
        calls = tuple(_calls(name, found) for name, found in by_condition.items())
        return Cost(calls=calls, month=_month_of_calls(calls, traffic, tariff, currency))
    if wire is None:
        return Cost()
    until = {case.begun_t: next_t for case, next_t in zip(cases, [*map(_first_t, cases[1:]), _NEVER], strict=False)}
    volumes = tuple(_volume(name, found, wire, until) for name, found in by_condition.items())
    return Cost(volumes=volumes, month=_month_of_bytes(volumes, traffic, tariff, currency))


def _volume(condition: str, cases: Sequence[Case], wire: Wire, until: Mapping[int, int]) -> Volume:
    kinds: Counter[Share] = Counter()
    ways = [0, 0]
    each_sale: list[float] = []
    probes = settling = 0
    for case in cases:
        of_sales = [0] * len(case.sales)
        for place, packet in _placed(case, wire, until[case.begun_t]):
            if place is None:
                settling += packet.size
                continue
            charged = sum(packet.shares.values())
            kinds.update(packet.shares)
            ways[packet.down] += charged
            of_sales[place] += charged
            probes += packet.size - charged
        each_sale += of_sales
    return Volume(
        condition=condition,
        sales=len(each_sale),
        completed=sum(case.completed(sale) for case in cases for sale in case.sales),
        bytes={share.value: kinds[share] for share in Share},
        up=ways[0],
        down=ways[1],
        a_sale=mean(each_sale),
        probes=probes,
        settling=settling,
    )


def _first_t(case: Case) -> int:
    """When the packets of a case begin to be somebody's."""
    return case.sales[0].begun_t if case.sales else case.settling_t


def _placed(case: Case, wire: Wire, until_t: int) -> Iterator[tuple[int | None, Counted]]:
    """The packets from a case's first sale to the next case's, each with the place of its sale; None: of the settling.

    A packet belongs to the sale in which its connection began: acknowledgements and FINs that come after the outcome
    are still the sale's own, even after the case, and sales that do the same cost the same. A connection from before
    the first sale is kept for many; its packets belong where they come.
    """
    begins, first_t = [sale.begun_t for sale in case.sales], _first_t(case)
    for packet in wire.between(case.bearer, first_t, until_t):
        at = packet.since if packet.since >= first_t else packet.t
        if at < case.settling_t:
            yield bisect.bisect_right(begins, at) - 1, packet
        elif packet.t < case.ended_t:
            yield None, packet


def _calls(condition: str, cases: Sequence[Case]) -> Calls:
    """The calls that began between a case's first sale and its settling."""
    seconds: list[float] = []
    count = up = down = 0
    for case in cases:
        begin_t = case.sales[0].begun_t if case.sales else case.settling_t
        for began in (e for e in case.of("call_begin") if begin_t <= e.t < case.settling_t):
            count += 1
            of_call = [e for e in case.events if _is_same_call(e, began)]
            up += max((round(number(e.data, "up") or 0) for e in of_call if e.kind == "line_octets"), default=0)
            down += max((round(number(e.data, "down") or 0) for e in of_call if e.kind == "line_octets"), default=0)
            ended_t = next((e.t for e in of_call if e.kind == "call_end"), case.settling_t)
            seconds.append((min(ended_t, case.settling_t) - began.t) / 1e9)
    sales = sum(len(case.sales) for case in cases)
    completed = sum(case.completed(sale) for case in cases for sale in case.sales)
    lone, idle = (mean([each for case in cases for each in of(case)]) for of in (_set_up_and_sale_s, _idle_s))
    return Calls(
        condition, sales, completed, count, mean(seconds), up, down,
        lone.value if lone is not None else None, idle.value if idle is not None else None,
    )  # fmt: skip


def _set_up_and_sale_s(case: Case) -> Iterator[float]:
    """How long the completed sales took that had to set their call up: a lone one has to, and lasts no less."""
    for sale in case.sales:
        if not case.completed(sale) or sale.ended_t is None:
            continue
        if any(sale.begun_t <= began.t < sale.ended_t for began in case.of("call_begin")):
            yield (sale.ended_t - sale.begun_t) / 1e9


def _idle_s(case: Case) -> Iterator[float]:
    """How long the line still stood after a completed sale, where it was the terminal that hung up then."""
    for ended in case.of("call_end"):
        last = next((sale for sale in reversed(case.sales) if sale.begun_t < ended.t), None)
        by_caller = text(ended.data, "why").startswith("the caller hung up") and ended.t <= case.settling_t
        if by_caller and last is not None and last.ended_t is not None and case.completed(last):
            yield max(0.0, (ended.t - last.ended_t) / 1e9)


def _is_same_call(event: Event, began: Event) -> bool:
    return (
        event.kind in ("line_octets", "call_end")
        and (event.pid, event.data.get("call")) == (began.pid, began.data.get("call"))
        and event.t >= began.t
    )


def _month_of_bytes(volumes: Sequence[Volume], traffic: Traffic, tariff: Tariff | None, currency: str) -> Month | None:
    volume = next((each for each in volumes if each.condition == TYPICAL), volumes[0] if volumes else None)
    if volume is None or volume.a_sale is None:
        return None
    sales = traffic.sales_a_day * traffic.days
    kept = keepalives(traffic)

    def money(a_sale: float | None) -> str | None:
        if tariff is None or a_sale is None:
            return None
        return _text(tariff.of_bytes(sales, max(0, math.ceil(a_sale)), kept, traffic.keepalive_bytes), currency)

    size = volume.a_sale
    return Month(
        volume.condition, (size.value * sales + kept * traffic.keepalive_bytes) / _MEGABYTE, None,
        money(size.value), money(size.low), money(size.high), currency if tariff is not None else "",
    )  # fmt: skip


def keepalives(traffic: Traffic) -> int:
    """How many a month has, if the traffic has any."""
    return 0 if traffic.keepalive_s is None else int(traffic.days * 86_400 / traffic.keepalive_s)


def _month_of_calls(calls: Sequence[Calls], traffic: Traffic, tariff: Tariff | None, currency: str) -> Month | None:
    """A call for each sale, for sales of a day lie too far apart to share one; at least, shared as in the run."""
    typical = next((each for each in calls if each.condition == TYPICAL), calls[0] if calls else None)
    if typical is None or not typical.sales or typical.seconds is None:
        return None
    sales = traffic.sales_a_day * traffic.days
    if tariff is None:
        return Month(typical.condition, None, sales)
    shared = tariff.of_calls(math.ceil(sales * typical.calls / typical.sales), _seconds(typical.seconds.value))
    if typical.lone_s is None:
        told = _text(shared, currency)
        return Month(typical.condition, None, sales, told, told, None, currency)
    alone = tariff.of_calls(sales, _seconds(typical.lone_s + (typical.idle_s or 0)))
    high = None if typical.idle_s is None else _text(max(alone, shared), currency)
    return Month(
        typical.condition, None, sales, _text(alone, currency), _text(min(alone, shared), currency), high, currency
    )


def _seconds(value: float) -> Decimal:
    return Decimal(str(round(value, 3)))


def _text(amount: Decimal, currency: str) -> str:
    return str(rounded(amount, currency)).removesuffix(f" {currency}")
