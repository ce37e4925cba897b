"""What a month costs, in words: from its least to its most, for which traffic, and by whose prices."""

from __future__ import annotations

from collections.abc import Iterator

from rig.report.scorecard import words
from rig.report.scorecard.figures import Calls, Month, Traffic
from rig.report.scorecard.markup import note
from rig.report.scorecard.model import BearerCard, Scorecard

_Pair = tuple[str, str]


def month_price(month: Month | None) -> _Pair | None:
    """A month's price in both languages, such as ``21.90–249.90 EUR``; None where there is none.

    The ends of a price are of figures: one of them alone would pass for the price.
    """
    if month is None or month.money is None:
        return None
    most = month.high if month.high is not None else month.money
    span = most if month.low in (None, most) else f"{month.low}–{most}"
    said = f"{span} {month.currency}"
    return (f"{said} or more", f"{said} 或更多") if month.is_open else (said, said)


def unpriced(card: Scorecard) -> list[str]:
    """The bearers for which the tariff file has no price."""
    return [each.name for each in card.bearers if each.cost.month is not None and each.cost.month.money is None]


def kept(traffic: Traffic) -> _Pair:
    """The keep-alives that were assumed; empty where there are none."""
    every = traffic.keepalive_s
    if every is None:
        return "", ""
    return (
        f" and, beside the sales, which open their own connections, as measured, one that is kept by a keep-alive "
        f"every {every:g} s",
        f"，此外（交易如实测各自新建连接）另有一条每 {every:g} 秒保活一次的连接",
    )


def assumed(card: Scorecard) -> str:
    """A line beneath the overview: without it a price looks like an offer."""
    months = [each.cost.month for each in card.bearers if each.cost.month is not None]
    if not months:
        return ""
    said = list(_traffic(card, months))
    said += [pair for each in card.bearers if (pair := _of_calls(each)) is not None]
    return note(" ".join(en for en, _ in said), "".join(zh for _, zh in said))


def _traffic(card: Scorecard, months: list[Month]) -> Iterator[_Pair]:
    conditions = list(dict.fromkeys(each.condition for each in months))
    traffic = card.traffic
    more, more_zh = kept(traffic)
    yield (
        f"A month: {traffic.days} days of {traffic.sales_a_day} sales a day, each as measured under "
        f"{words.listed(f'“{name}”' for name in conditions)}{more}.",
        f"每月：{traffic.days} 天、每天 {traffic.sales_a_day} 笔交易，每笔按"
        f"{words.listed_zh(words.condition_zh(name) for name in conditions)}下实测{more_zh}。",
    )
    if card.tariff:
        remark = f": {card.tariff_note}" if card.tariff_note else ""
        yield f"Prices by {card.tariff}{remark}.", f"价格来自 {card.tariff}{remark}。"
    if names := unpriced(card):
        yield f"No price for {words.listed(names)}.", f"{words.listed_zh(names)} 没有价格。"


def _of_calls(bearer: BearerCard) -> _Pair | None:
    """What the two ends of a telephone line's price are."""
    month = bearer.cost.month
    if month is None or month.calls is None or month.money is None:
        return None
    calls = next((each for each in bearer.cost.calls if each.condition == month.condition), None)
    if calls is None or calls.lone_s is None:
        return (
            f"{bearer.name}: sales share calls as in the run; how long a call for one sale lasts was not seen, so the "
            "price of one for each sale is not known.",
            f"{bearer.name}：按测试中多笔交易共用一次连接计；未测得单笔交易的连接时长，因此每笔单独拨号的价格未知。",
        )
    length, length_zh = _length(calls, calls.lone_s)
    return (
        f"{bearer.name}: from calls that sales share as in the run, to one for each sale of {length}.",
        f"{bearer.name}：低者按测试中多笔交易共用一次连接计，高者按每笔单独拨号计，每次{length_zh}。",
    )


def _length(calls: Calls, lone_s: float) -> _Pair:
    if calls.idle_s is None:
        return (
            f"{lone_s:.1f} s for set-up and the sale; how long the line idles after it was not seen and comes on top",
            f"建立连接与交易 {lone_s:.1f} 秒，其后的空闲时长未测得，需另加",
        )
    whole = lone_s + calls.idle_s
    return (
        f"{whole:.1f} s: set-up, the sale, and {calls.idle_s:.1f} s that the line idled after it",
        f" {whole:.1f} 秒，含建立连接、交易及其后 {calls.idle_s:.1f} 秒空闲",
    )
