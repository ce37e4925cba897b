"""The tables of the page that tell how stable each bearer was, and what was done to it."""

from __future__ import annotations

from rig.report.scorecard import words
from rig.report.scorecard.figures import Stability
from rig.report.scorecard.markup import cell, heads, note, row, table
from rig.report.scorecard.model import COUNTED, BearerCard, Scorecard

_NONE = "–"


def stability(card: Scorecard) -> str:
    """Every bearer under every condition."""
    head = heads(
        [
            ("Condition, bearer", "条件、承载"), ("Cases", "用例"), ("Completed", "完成"),
            ("p50", "p50"), ("p95", "p95"), ("p99", "p99"), ("Unsafe", "不安全"), ("Undecided", "无法判定"),
            ("Bench fault", "台架故障"), ("Recovered", "恢复"), ("After p50", "恢复 p50"), ("Longest", "最长"),
        ]
    )  # fmt: skip
    rows = [_stability_row(bearer, each) for name in card.conditions for bearer in card.bearers
            if (each := bearer.under(name)) is not None]  # fmt: skip
    return table(head, rows, ("Every bearer under every condition", "各承载在各条件下")) + note(
        "Small print: 95 % intervals. Only sales over the bearer's own way count as completed. Under “moving”, "
        "“outage” and “hostile network” sales are meant to fail: the share tells nothing there. Times are of completed "
        "sales; of fewer than 20 sales p95 is the longest, of fewer than three there is no p50.",
        "小字为 95% 区间。只有经该承载自身完成的交易才算完成；在移出覆盖范围、断网和恶意网络条件下"
        "交易本应失败，比例没有意义。用时只计完成的交易；不足 20 笔时 p95 即最长值，不足三笔不给 p50。",
    )


def _stability_row(bearer: BearerCard, each: Stability) -> str:
    times = each.times
    cells = [
        cell(str(each.cases)),
        cell(f"{each.completed}/{each.sales}", more=_share_ends(each)),
        cell(words.p50(times), more=_median_ends(each)),
        cell(words.milliseconds(times.p95 if times else None)),
        cell(words.milliseconds(times.p99 if times else None)),
        cell(str(each.unsafe), "bad" if each.unsafe else ""),
        cell(str(each.undecided), "doubt" if each.undecided else ""),
        cell(str(each.bench_faults), "doubt" if each.bench_faults else ""),
        cell(f"{each.recovery.recovered}/{each.recovery.disturbances}" if each.recovery.disturbances else _NONE),
        cell(words.milliseconds(each.recovery.median_ms if each.recovery.recovered >= words.ENOUGH else None)),
        cell(words.milliseconds(each.recovery.longest_ms)),
    ]
    return row(f"{each.condition}: {bearer.name}", cells, words.condition_zh(each.condition))


def _share_ends(each: Stability) -> str:
    return f"{words.spread(each.share, scale=100)} %" if each.share and each.condition in COUNTED else ""


def _median_ends(each: Stability) -> str:
    if each.times is None or each.times.median.low is None or each.times.median.high is None:
        return ""
    return f"{words.milliseconds(each.times.median.low)} – {words.milliseconds(each.times.median.high)}"


def stimuli(card: Scorecard) -> str:
    """What was done to each bearer under each condition that counts: one name is not one stimulus."""
    names = [name for name in card.conditions if name in COUNTED]
    if not names:
        return ""
    head = heads([("Bearer", "承载"), *((name, words.condition_zh(name)) for name in names)])
    rows = (row(each.name, [_stimulus_cell(each.under(name)) for name in names]) for each in card.bearers)
    return table(head, rows, ("What was done to each bearer", "对各承载施加的激励")) + note(
        "↑ to the host, ↓ to the terminal: added delay ± jitter, rate, loss. +dB: added to the path; dBm: what the "
        "modem then told.",
        "↑ 发往主机，↓ 发往终端：附加时延 ± 抖动、速率、丢包。+dB 为通路附加衰减，dBm 为此时调制解调器所报电平。",
    )


def _stimulus_cell(each: Stability | None) -> str:
    if each is None or not each.stimulus:
        return cell(_NONE)
    en, zh = (" / ".join(told) for told in zip(*each.stimulus, strict=True))
    return cell(en, more=zh if zh != en else "")
