"""The picture itself: intended round trips as a stepped line, those that probes met as dots, in hand-written SVG."""

from __future__ import annotations

import base64
import itertools
import math
import statistics
from html import escape

from rig.report.played.reading import Played
from rig.report.timeline.labels import width
from rig.report.timeline.marks import Tone

LARGEST = 40_000
"""The most bytes that a picture may have."""

_WIDTH, _LEFT, _RIGHT = 1120, 64, 1104
_TOP, _HEIGHT, _LOST, _SIGNAL = 86, 230, 16, 44
_NOTE_ROWS, _NOTE = 2, 14
_PALE = 0.16
_STYLE = (
    "text{font:11px system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;fill:#22272b}"
    ".a{fill:#5b6269;font-size:10px}.t{font-size:13px;font-weight:600}.c{fill:#4d5358}"
    ".w{fill:none;stroke:#c1c7cd;stroke-width:.8}.e{text-anchor:end}.m{text-anchor:middle}"
    f".i{{fill:none;stroke:{Tone.CARD};stroke-width:2;stroke-linejoin:round}}"
    f".j{{fill:{Tone.CARD};fill-opacity:.13}}.k{{fill:{Tone.BAD};fill-opacity:.13}}"
    ".d{fill:none;stroke:#22272b;stroke-width:4.4;stroke-linecap:round}"
    f".x{{fill:none;stroke:{Tone.BAD};stroke-width:1.6}}.s{{fill:none;stroke:{Tone.SIGNAL};stroke-width:1.6}}"
)


def played_svg(played: Played) -> str:
    """Draw one timeline; at most :data:`LARGEST` bytes, for which long ones show every n-th step and probe."""
    for every in (1, 2, 4, 8, 16, 32, 64, 128, 512, 4096):
        svg = _Picture(played, every).draw()
        if len(svg.encode()) <= LARGEST:
            break
    return svg


def played_html(played: Played, svg: str) -> str:
    """The picture as Allure's ``description_html`` takes it: an image with its data inside."""
    data = base64.b64encode(svg.encode()).decode()
    alt = escape(f"Timeline {played.name} on {played.link}: {caption(played)}", quote=True)
    return f'<img alt="{alt}" style="width:100%;height:auto" src="data:image/svg+xml;base64,{data}">'


def caption(played: Played) -> str:
    """What came of it, in one line."""
    said = []
    if end := played.end:
        lag = f"lag p50 {end['lag_p50_us'] / 1000:.2f} ms, p99 {end['lag_p99_us'] / 1000:.2f} ms"
        said.append(f"{end['applied']} steps in force, {lag}")
        if end["superseded"]:
            said.append(f"{end['superseded']} passed over")
        said.append(str(end["why"]))
    else:
        said.append("broken off")
    if errors := played.errors_ms():
        off = f"{statistics.median(errors):+.1f}".replace("-", "−")
        said.append(f"{len(played.answered)} probes, in the median {off} ms from what was meant")
    if played.unanswered:
        said.append(f"{len(played.unanswered)} unanswered")
    return " · ".join(said)


class _Picture:
    def __init__(self, played: Played, every: int) -> None:
        self._played = played
        self._every = every
        self._until = max(played.until_s, 0.001)
        self._base = played.baseline_ms or 0.0
        self._most = _ceiling(played)
        self._bottom = _TOP + _HEIGHT
        self._signals = [each for each in played.stretches if each.rssi_dbm is not None]

    def draw(self) -> str:
        bottom = self._bottom + _LOST + (_SIGNAL if self._signals else 0)
        parts = (self._head(), self._losses(), self._grid(), self._meant(), self._met(), self._notes())
        body = "".join(parts) + self._signal() + self._seconds(bottom) + _legend(bottom + 34, bool(self._signals))
        height = bottom + 48
        said = escape(f"{self._played.link}: {self._played.name}. {caption(self._played)}")
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" '
            f'height="{height}" role="img"><title>{said}</title><style>{_STYLE}</style>'
            f'<rect width="{_WIDTH}" height="{height}" rx="8" fill="#fcfcfb" stroke="#c1c7cd"/>{body}</svg>'
        )

    def _x(self, at_s: float) -> float:
        return _LEFT + (_RIGHT - _LEFT) * min(max(at_s / self._until, 0), 1)

    def _y(self, rtt_ms: float) -> float:
        return self._bottom - _HEIGHT * min(max(rtt_ms / self._most, 0), 1)

    def _head(self) -> str:
        name = f"Timeline {self._played.name} on {self._played.link} ({self._played.backend}): {self._played.title}"
        return (
            f'<text class="t" x="16" y="24">{_safe(name)}</text>'
            f'<text class="c" x="16" y="42">{_safe(caption(self._played))}</text>'
        )

    def _grid(self) -> str:
        step = _nice(self._most / 4)
        drawn = ""
        for number in range(math.floor(self._most / step + 1e-9) + 1):
            y = self._y(number * step)
            drawn += f'<path class="w" d="M{_LEFT} {y:.1f}H{_RIGHT}"/>'
            drawn += f'<text class="a e" x="{_LEFT - 6}" y="{y + 3.5:.1f}">{number * step:g}</text>'
        middle = _TOP + _HEIGHT / 2
        label = f'<text class="a m" transform="translate(18 {middle}) rotate(-90)">round trip, ms</text>'
        lost = f'<text class="a e" x="{_LEFT - 6}" y="{self._bottom + 12}">no answer</text>'
        return drawn + label + lost + f'<path class="w" d="M{_LEFT} {self._bottom + _LOST}H{_RIGHT}"/>'

    def _losses(self) -> str:
        """Grounds of what was meant to be lost: the darker the more; a cut has its word."""
        drawn = ""
        runs = itertools.groupby(self._played.stretches, key=lambda each: (each.rtt_ms is None, each.loss_percent))
        for (cut, loss), group in runs:
            if not loss:
                continue
            run = list(group)
            x, end = self._x(run[0].begin_s), self._x(run[-1].end_s)
            shade = "" if cut else f' style="fill:{Tone.FAULT};fill-opacity:{_PALE * (0.3 + 0.7 * loss / 100):.2f}"'
            height = _HEIGHT + _LOST
            drawn += f'<rect class="k" x="{x:.1f}" y="{_TOP}" width="{end - x:.1f}" height="{height}"{shade}/>'
            if cut and end - x > 24:
                drawn += f'<text class="m" style="fill:{Tone.BAD}" x="{(x + end) / 2:.1f}" y="{_TOP + 14}">cut</text>'
        return drawn

    def _meant(self) -> str:
        """The stepped line of intended round trips, and the band of their jitter."""
        line, band, drawing = "", "", False
        for each in self._played.stretches[:: self._every]:
            if each.rtt_ms is None:
                drawing = False
                continue
            x, end, y = self._x(each.begin_s), self._x(each.end_s), self._y(self._base + each.rtt_ms)
            line += f"{'L' if drawing else 'M'}{x:.1f} {y:.1f}H{end:.1f}"
            drawing = True
            if each.jitter_ms:
                top = self._y(self._base + each.rtt_ms + each.jitter_ms)
                foot = self._y(self._base + each.rtt_ms - each.jitter_ms)
                band += f"M{x:.1f} {top:.1f}H{end:.1f}V{foot:.1f}H{x:.1f}z"
        return f'<path class="j" d="{band}"/><path class="i" d="{line}"/>'

    def _met(self) -> str:
        dots = above = ""
        for at_s, rtt_ms in self._played.answered[:: self._every]:
            x = self._x(at_s)
            if rtt_ms <= self._most:
                dots += f"M{x:.1f} {self._y(rtt_ms):.1f}h0"
            else:
                above += f"M{x - 3:.1f} {_TOP + 7}l3-6 3 6z"
        y = self._bottom + _LOST / 2
        crosses = "".join(
            f"M{self._x(t) - 3:.1f} {y - 3}l6 6m0-6l-6 6" for t in self._played.unanswered[:: self._every]
        )
        return f'<path class="d" d="{dots}"/><path d="{above}"/><path class="x" d="{crosses}"/>'

    def _notes(self) -> str:
        """Notes above the picture, each on a line from where it begins; those that find no room are left out."""
        drawn, free = "", [0.0] * _NOTE_ROWS
        changes = itertools.groupby(self._played.stretches, key=lambda each: each.note)
        for note, group in changes:
            x = self._x(next(iter(group)).begin_s)
            room = width(note) + 10
            at = min(x, _RIGHT - room + 10)
            row = next((number for number, begin in enumerate(free) if begin <= at), None)
            if not note or row is None:
                continue
            free[row] = at + room
            y = _TOP - 8 - _NOTE * (_NOTE_ROWS - 1 - row)
            drawn += f'<path class="w" d="M{x:.1f} {y + 3}V{self._bottom}"/>'
            drawn += f'<text class="c" x="{at:.1f}" y="{y}">{_safe(note)}</text>'
        return drawn

    def _signal(self) -> str:
        if not self._signals:
            return ""
        top, low = self._bottom + _LOST + 8, self._bottom + _LOST + _SIGNAL - 8
        values = [each.rssi_dbm for each in self._signals if each.rssi_dbm is not None]
        least, most = min(values), max(values)
        path = "".join(
            f"{'L' if number else 'M'}{self._x(each.begin_s):.1f} {y:.1f}H{self._x(each.end_s):.1f}"
            for number, each in enumerate(self._signals[:: self._every])
            for y in [low - (low - top) * ((each.rssi_dbm or 0) - least) / ((most - least) or 1)]
        )
        labels = "".join(
            f'<text class="a e" x="{_LEFT - 6}" y="{y + 3.5:.1f}">{_dbm(value)}</text>'
            for value, y in {most: top, least: low}.items()
        )
        return labels + f'<path class="s" d="{path}"/>'

    def _seconds(self, y: int) -> str:
        step = _nice(self._until / 8)
        drawn = f'<path class="w" d="M{_LEFT} {y}H{_RIGHT}"/>'
        for number in range(math.floor(self._until / step + 1e-9) + 1):
            x = self._x(number * step)
            drawn += f'<path class="w" d="M{x:.1f} {y}v5"/>'
            drawn += f'<text class="a m" x="{x:.1f}" y="{y + 16}">{number * step:g} s</text>'
        return drawn


def _ceiling(played: Played) -> float:
    """The top of the scale: all that was meant, and all but the latest of what was met."""
    base = played.baseline_ms or 0.0
    meant = [base + each.rtt_ms + each.jitter_ms for each in played.stretches if each.rtt_ms is not None]
    met = sorted(rtt for _, rtt in played.answered)
    usual = met[: math.ceil(0.98 * len(met))][-1] if met else 0.0
    return max(1.08 * max([*meant, usual, 1.0]), 5.0)


def _nice(rough: float) -> float:
    """A round step of at least so much."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * each for each in (1, 2, 5, 10) if power * each >= rough * 0.999)


def _legend(y: int, signal: bool) -> str:
    line = f'<path class="s" d="M{_LEFT + 820} {y - 4}h22"/><text class="a" x="{_LEFT + 848}" y="{y}">signal</text>'
    cut = f'<rect class="k" x="{_LEFT + 560}" y="{y - 9}" width="22" height="11"/>'
    loss = f'<rect x="{_LEFT + 640}" y="{y - 9}" width="22" height="11" fill="{Tone.FAULT}" fill-opacity=".12"/>'
    return (
        f'<path class="i" d="M{_LEFT} {y - 4}h22"/><text class="a" x="{_LEFT + 28}" y="{y}">meant: delays and the '
        f'bench’s own; pale: jitter</text><path class="d" d="M{_LEFT + 286} {y - 4}h0"/>'
        f'<text class="a" x="{_LEFT + 294}" y="{y}">met by a probe, rate included</text>'
        f'<path class="x" d="M{_LEFT + 460} {y - 7}l6 6m0-6l-6 6"/>'
        f'<text class="a" x="{_LEFT + 471}" y="{y}">no answer</text>'
        f'{cut}<text class="a" x="{_LEFT + 588}" y="{y}">cut</text>'
        f'{loss}<text class="a" x="{_LEFT + 668}" y="{y}">loss, the darker the more</text>'
        f"{line if signal else ''}"
    )


def _dbm(value: float) -> str:
    return f"{value:g} dBm".replace("-", "−")


def _safe(text: str) -> str:
    return escape("".join(letter if letter.isprintable() else "·" for letter in text))
