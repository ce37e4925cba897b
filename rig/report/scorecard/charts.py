"""The pictures of the page: inline SVG that takes its colours from the page, so that it follows light and dark."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from rig.report.scorecard import words
from rig.report.scorecard.figures import Stability
from rig.report.scorecard.markup import both, safe
from rig.report.scorecard.model import COUNTED, BearerCard, Scorecard

_WIDTH, _LEFT, _ROW, _TOP = 1080, 196, 20, 30
_RIGHT = _WIDTH - 150
_TIMES = (
    "Time of completed sales: p50 (dot), p95 (bar), p99 (line); of fewer than 20 sales p95 is the longest",
    "完成交易用时：p50（点）、p95（条）、p99（线）；不足 20 笔时 p95 即最长值",
)
_REACH = ("Loss that each bearer bore, and the least at which a sale failed", "各承载可承受的衰减与首次失败的衰减")


def completion(card: Scorecard) -> str:
    """The share of completed sales with its interval, for every bearer and condition in which one should complete."""
    entries = [e for e in _entries(card) if e[2].share is not None]
    grid = [(each / 100, f"{each} %") for each in (0, 25, 50, 75, 100)]

    def draw(each: Stability, x: Callable[[float], float], y: float) -> str:
        share = each.share
        if share is None or share.low is None or share.high is None:
            return ""
        tone = "g" if each.completed == each.sales else "b" if not each.completed else "d"
        end = f'<text class="v" x="{_RIGHT + 12}" y="{y + 4}">{each.completed}/{each.sales}</text>'
        return _whisker(x(share.low), x(share.high), x(share.value), y, tone) + end

    return _rows(("Completed sales, 95 % interval", "完成的交易，95% 区间"), entries, grid, lambda value: value, draw)


def times(card: Scorecard) -> str:
    """p50 with p95 and p99 on a logarithmic scale, where there are enough sales for a median."""
    entries = [e for e in _entries(card) if words.has_median(e[2].times)]
    if not entries:
        return ""
    found = [e[2].times for e in entries if e[2].times is not None]
    low = 10 ** math.floor(math.log10(max(1.0, min(each.median.value for each in found))))
    high = max(each.p99 for each in found)
    decades = range(round(math.log10(low)), math.ceil(math.log10(max(high, low * 10))) + 1)
    span = (decades[-1] - decades[0]) or 1
    grid = [((d - decades[0]) / span, words.milliseconds(10.0**d)) for d in decades]

    def draw(each: Stability, x: Callable[[float], float], y: float) -> str:
        told = each.times
        if told is None:
            return ""
        ends = [
            x((math.log10(max(value, low)) - decades[0]) / span) for value in (told.median.value, told.p95, told.p99)
        ]
        label = f"{words.milliseconds(told.median.value)} · {words.milliseconds(told.p95)}"
        end = f'<text class="v" x="{_RIGHT + 12}" y="{y + 4}">{label}</text>'
        thin = f'<path class="w" d="M{ends[1]:.1f} {y}H{ends[2]:.1f}"/>'
        wide = f'<path class="r" d="M{ends[0]:.1f} {y}H{ends[1]:.1f}"/>'
        return f'{thin}{wide}<circle class="p" cx="{ends[0]:.1f}" cy="{y}" r="4.5"/>{end}'

    return _rows(_TIMES, entries, grid, lambda value: value, draw)


def volumes(card: Scorecard) -> str:
    """Bytes a sale by what they were for, stacked."""
    bars = [
        (f"{bearer.name}, {each.condition}", each)
        for name in card.conditions
        if name in COUNTED
        for bearer in card.bearers
        for each in bearer.cost.volumes
        if each.condition == name and each.sales
    ]
    if not bars:
        return ""
    most = max(each.total / each.sales for _, each in bars) or 1.0
    scale = (_RIGHT - _LEFT) / most
    shares = [share for share in words.SHARE_ZH if any(each.bytes.get(share) for _, each in bars)]
    drawn, y = _legend(shares), _TOP + 22 * math.ceil(len(shares) / 3) - 8
    for label, each in bars:
        x = float(_LEFT)
        drawn += f'<text class="n" x="{_LEFT - 10}" y="{y + 4}">{safe(label)}</text>'
        for share in shares:
            width = each.bytes.get(share, 0) / each.sales * scale
            if width:
                place = list(words.SHARE_ZH).index(share)
                drawn += f'<rect class="s{place}" x="{x:.1f}" y="{y - 7}" width="{width:.1f}" height="14"/>'
                x += width
        drawn += f'<text class="v" x="{x + 8:.1f}" y="{y + 4}">{words.count(each.total / each.sales)}</text>'
        y += _ROW
    return _svg(("Bytes a sale by what they were for", "每笔交易字节及其用途"), drawn, y)


def reach(card: Scorecard) -> str:
    """How much loss each attenuated bearer bore."""
    entries = [each for each in card.bearers if each.portability.attenuated]
    if not entries:
        return ""
    most = max(max(e.portability.failed_db or 0, e.portability.completed_db or 0) for e in entries) or 1.0
    most = math.ceil(most / 10) * 10
    drawn = _grid([(each / most, f"{each} dB") for each in range(0, most + 1, 10)], _TOP + _ROW * len(entries))
    for number, each in enumerate(entries):
        y, found = _TOP + 8 + _ROW * number, each.portability
        drawn += f'<text class="n" x="{_LEFT - 10}" y="{y + 4}">{safe(each.name)}</text>'
        if found.completed_db is not None:
            wide = _x(found.completed_db / most) - _LEFT
            drawn += f'<rect class="ok" x="{_LEFT}" y="{y - 6}" width="{wide:.1f}" height="12"/>'
        if found.failed_db is not None:
            x = _x(found.failed_db / most)
            drawn += f'<path class="x" d="M{x - 5:.1f} {y - 5}l10 10m0-10l-10 10"/>'
            level = f" {words.plain(found.failed_dbm, 'dBm')}" if found.failed_dbm is not None else ""
            drawn += f'<text class="v" x="{x + 10:.1f}" y="{y + 4}">failed 失败{level}</text>'
    return _svg(_REACH, drawn, _TOP + _ROW * len(entries) + 14)


_Entry = tuple[str, BearerCard, Stability]


def _entries(card: Scorecard) -> list[_Entry]:
    return [
        (name, bearer, found)
        for name in card.conditions
        if name in COUNTED
        for bearer in card.bearers
        if (found := bearer.under(name)) is not None and found.sales
    ]


def _rows(
    title: tuple[str, str],
    entries: Sequence[_Entry],
    grid: Sequence[tuple[float, str]],
    scale: Callable[[float], float],
    draw: Callable[[Stability, Callable[[float], float], float], str],
) -> str:
    """Rows by condition: a heading each, then one row a bearer."""
    if not entries:
        return ""
    drawn, y, last = "", float(_TOP + 8), ""
    for name, bearer, found in entries:
        if name != last:
            y += 6 if last else 0
            heading = f"{safe(name)} {safe(words.condition_zh(name))}"
            drawn += f'<text class="h" x="8" y="{y + 4}">{heading}</text>'
            last = name
        drawn += f'<text class="n" x="{_LEFT - 10}" y="{y + 4}">{safe(bearer.name)}</text>'
        drawn += draw(found, lambda value: _x(scale(value)), y)
        y += _ROW
    return _svg(title, _grid(grid, y - 6) + drawn, y + 2)


def _x(share: float) -> float:
    return _LEFT + share * (_RIGHT - _LEFT)


def _grid(grid: Sequence[tuple[float, str]], bottom: float) -> str:
    return "".join(
        f'<path class="w" d="M{_x(at):.1f} {_TOP - 8}V{bottom:.0f}"/>'
        f'<text class="m" x="{_x(at):.1f}" y="{_TOP - 13}">{safe(text)}</text>'
        for at, text in grid
    )


def _whisker(low: float, high: float, at: float, y: float, tone: str) -> str:
    line = f'<path class="i {tone}" d="M{low:.1f} {y}H{high:.1f}M{low:.1f} {y - 4}v8M{high:.1f} {y - 4}v8"/>'
    return f'{line}<circle class="{tone}" cx="{at:.1f}" cy="{y}" r="4.5"/>'


def _legend(shares: Sequence[str]) -> str:
    drawn = ""
    for number, share in enumerate(shares):
        x, y = _LEFT + 290 * (number % 3), 18 + 22 * (number // 3)
        place = list(words.SHARE_ZH).index(share)
        drawn += f'<rect class="s{place}" x="{x}" y="{y - 10}" width="12" height="12"/>'
        drawn += f'<text class="l" x="{x + 18}" y="{y}">{safe(share)} {safe(words.SHARE_ZH[share])}</text>'
    return drawn


def _svg(title: tuple[str, str], drawn: str, height: float) -> str:
    picture = f'<svg viewBox="0 0 {_WIDTH} {height:.0f}" role="img" aria-label="{safe(title[0])}">{drawn}</svg>'
    return f"<figure><figcaption>{both(*title)}</figcaption>{picture}</figure>"
