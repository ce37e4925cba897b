"""The picture itself: hand-written SVG, a few dozen kilobytes at most, legible on light and dark pages alike."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape

from rig.history.events import Event
from rig.report.timeline.labels import Label, Wish, place, width
from rig.report.timeline.lanes import Drawing, draw
from rig.report.timeline.marks import Lane, Level, Mark, Shape, Tone
from rig.report.timeline.scale import Scale, scale

LARGEST = 30_000
"""The most bytes that a picture may have: it is shown at the top of every test."""

_WIDTH, _LEFT, _RIGHT = 1120, 104, 1104
_ROOM_FOR_LAST_LABEL = 110
_TOP, _HEAD, _ROW = 40, 24, 14
_SIGNAL_HEIGHT = 34
_LONG_WAIT_NS = 1_000_000_000
_VERDICT_TONES = {
    "completed": Tone.GOOD,
    "failed safely": Tone.CARD,
    "undecided": Tone.DOUBT,
    "bench fault": Tone.DOUBT,
}

_STYLE = (
    "text{font:11px system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;fill:#22272b;"
    "paint-order:stroke;stroke:#fcfcfb;stroke-width:2.5px}"
    ".l{font-weight:600;fill:#4d5358}.a{fill:#697077;font-size:10px}.t{font-size:13px;font-weight:600}"
    ".w{fill:none;stroke:#c1c7cd;stroke-width:.8}.k{stroke-width:1.6}.f{stroke:#c04a00;stroke-dasharray:4 3}"
    ".g{fill:#eceef0}.v{fill:#fff;font-weight:600;stroke:none}.s{fill:none;stroke-width:2}"
)


def timeline_svg(events: Sequence[Event], *, title: str = "", verdict: str = "") -> str:
    """Draw the events of one case; always at most :data:`LARGEST` bytes.

    Args:
        events: those of the case, in order; unknown kinds are not drawn.
        title: the name of the case.
        verdict: in words, such as ``failed safely``.
    """
    drawing = draw(events)
    for most, rows in ((400, 7), (200, 5), (100, 4), (40, 3), (10, 2)):
        svg = _render(_thin(drawing, most), rows, title, verdict)
        if len(svg.encode()) <= LARGEST:
            break
    return svg


def description_html(svg: str) -> str:
    """The picture as Allure's ``description_html`` takes it: an image with its data inside."""
    data = base64.b64encode(svg.encode()).decode()
    return f'<img alt="Timeline of the case" style="width:100%;height:auto" src="data:image/svg+xml;base64,{data}">'


def _thin(drawing: Drawing, most: int) -> Drawing:
    """At most so many marks and levels a lane: the weightiest stay."""
    kept: list[Mark] = []
    for lane in Lane:
        marks = [mark for mark in drawing.marks if mark.lane is lane]
        kept += sorted(marks, key=lambda mark: (-mark.weight, not mark.label))[:most]
    every = -(-len(drawing.levels) // most) or 1
    return Drawing(sorted(kept, key=lambda mark: mark.t), drawing.levels[::every])


def _render(drawing: Drawing, rows: int, title: str, verdict: str) -> str:
    times = [mark.t for mark in drawing.marks] + [level.t for level in drawing.levels]
    times += [mark.until for mark in drawing.marks if mark.until is not None]
    if not times:
        return _document(_header(title, verdict) + f'<text x="16" y="{_TOP + 16}">nothing happened</text>', _TOP + 32)
    axis = scale(times, _LEFT + 8, _RIGHT - _ROOM_FOR_LAST_LABEL)
    lanes, y = [], _TOP
    for lane in Lane:
        marks = [mark for mark in drawing.marks if mark.lane is lane]
        levels = drawing.levels if lane is Lane.SIGNAL else []
        if marks or levels:
            drawn, height = _lane(lane, marks, levels, axis, y, rows)
            lanes.append(drawn)
            y += height
    faults = [mark for mark in drawing.marks if mark.lane is Lane.FAULT and mark.shape is Shape.DIAMOND]
    behind = _waits(axis, y) + "".join(f'<path class="w f" d="M{axis.x(mark.t):.1f} {_TOP}V{y}"/>' for mark in faults)
    return _document(_header(title, verdict) + behind + "".join(lanes) + _axis(axis, y), y + 40)


def _document(body: str, height: int) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}">'
        f'<style>{_STYLE}</style><rect width="{_WIDTH}" height="{height}" rx="8" fill="#fcfcfb" stroke="#c1c7cd"/>'
        f"{body}</svg>"
    )


def _header(title: str, verdict: str) -> str:
    drawn = f'<text class="t" x="16" y="25">{_safe(title)}</text>'
    if verdict:
        room = width(verdict) + 20
        tone = _VERDICT_TONES.get(verdict.replace("_", " "), Tone.BAD)
        drawn += (
            f'<rect x="{_RIGHT - room:.0f}" y="10" width="{room:.0f}" height="21" rx="10" fill="{tone}"/>'
            f'<text class="v" text-anchor="middle" x="{_RIGHT - room / 2:.0f}" y="25">{_safe(verdict)}</text>'
        )
    return drawn


def _safe(text: str) -> str:
    """Text for XML, which knows neither control characters nor half a surrogate pair."""
    return escape("".join(letter if letter.isprintable() else "·" for letter in text))


def _lane(lane: Lane, marks: list[Mark], levels: list[Level], axis: Scale, y: int, rows: int) -> tuple[str, int]:
    """A lane from ``y`` down: its drawing and its height."""
    head = _SIGNAL_HEIGHT if levels else _HEAD
    wishes = [Wish(mark, axis.x(mark.t)) for mark in marks]
    wishes += [Wish(_level_mark(level), axis.x(level.t)) for level in _changes(levels)]
    labels = place(wishes, _RIGHT, rows)
    height = head + _ROW * (max((label.row for label in labels), default=-1) + 1) + 6
    middle = y + head // 2
    drawn = f'<path class="w" d="M8 {y}H{_WIDTH - 8}"/><text class="l" x="16" y="{y + 16}">{lane}</text>'
    drawn += "".join(_label(label, middle, y + head) for label in labels)
    drawn += _levels(levels, axis, y + 5, head - 8)
    drawn += "".join(_mark(mark, axis, middle) for mark in marks if mark.shape is Shape.BAR)
    drawn += "".join(_mark(mark, axis, middle) for mark in marks if mark.shape is not Shape.BAR)
    return drawn, height


def _label(label: Label, middle: int, top: int) -> str:
    """The text, and the line that it hangs on where it is not right beneath its mark."""
    baseline = top + _ROW * label.row + 9
    line = f'<path class="w" d="M{label.at:.1f} {middle + 6}V{baseline - 9}"/>' if label.row else ""
    return f'{line}<text x="{label.x:.1f}" y="{baseline}">{_safe(label.text)}</text>'


def _mark(mark: Mark, axis: Scale, y: int) -> str:
    x = axis.x(mark.t)
    if mark.shape is Shape.BAR:
        length = max(axis.x(mark.until or mark.t) - x, 2)
        return (
            f'<rect x="{x:.1f}" y="{y - 4}" width="{length:.1f}" height="8" rx="2" '
            f'fill="{mark.tone}" fill-opacity=".22" stroke="{mark.tone}" stroke-width=".7"/>'
        )
    if mark.shape in (Shape.DOT, Shape.RING):
        fill = mark.tone if mark.shape is Shape.DOT else "#fcfcfb"
        return f'<circle class="k" cx="{x:.1f}" cy="{y}" r="4" fill="{fill}" stroke="{mark.tone}"/>'
    if mark.shape in (Shape.TICK, Shape.CROSS):
        path = f"M{x:.1f} {y - 5}v10" if mark.shape is Shape.TICK else f"M{x - 4:.1f} {y - 4}l8 8m0-8l-8 8"
        return f'<path class="k" fill="none" stroke="{mark.tone}" d="{path}"/>'
    path = {
        Shape.SENT: f"M{x - 4:.1f} {y + 4}h8l-4-9z",
        Shape.RECEIVED: f"M{x - 4:.1f} {y - 4}h8l-4 9z",
        Shape.DIAMOND: f"M{x:.1f} {y - 6}l5 6-5 6-5-6z",
    }[mark.shape]
    return f'<path fill="{mark.tone}" d="{path}"/>'


def _changes(levels: list[Level]) -> list[Level]:
    """The levels that differ from the one before of the same name."""
    last: dict[str, float] = {}
    changed = []
    for level in levels:
        if last.get(level.name) != level.value:
            changed.append(level)
        last[level.name] = level.value
    return changed


def _level_mark(level: Level) -> Mark:
    return Mark(Lane.SIGNAL, level.t, Shape.TICK, Tone.SIGNAL, f"{level.value:g} {level.unit}".replace("-", "−"))


def _levels(levels: list[Level], axis: Scale, top: int, height: int) -> str:
    """Attenuation as a line that falls as the signal does; readings of the signal as rings."""
    drawn = ""
    for name in dict.fromkeys(level.name for level in levels if level.unit == "dB"):
        points = [(axis.x(level.t), top + height * min(level.value, 95) / 95) for level in levels if level.name == name]
        path = f"M{points[0][0]:.1f} {points[0][1]:.1f}" + "".join(f"H{x:.1f}V{y:.1f}" for x, y in points[1:])
        drawn += f'<path class="s" stroke="{Tone.SIGNAL}" d="{path}H{_RIGHT - _ROOM_FOR_LAST_LABEL}"/>'
    for level in levels:
        if level.unit == "dBm":
            y = top + height * min(max((-44 - level.value) / 96, 0), 1)
            drawn += f'<circle cx="{axis.x(level.t):.1f}" cy="{y:.1f}" r="3" fill="#fcfcfb" stroke="{Tone.SIGNAL}"/>'
    return drawn


def _waits(axis: Scale, bottom: int) -> str:
    """Long waits, which are drawn shorter than they were, on a grey ground."""
    return "".join(
        f'<rect class="g" x="{axis.x(begin):.1f}" y="{_TOP}" '
        f'width="{axis.x(end) - axis.x(begin):.1f}" height="{bottom - _TOP}"/>'
        for begin, end in axis.waits(_LONG_WAIT_NS)
    )


def _axis(axis: Scale, y: int) -> str:
    """Real times beneath the lanes, as many as do not touch."""
    drawn, free = f'<path class="w" d="M8 {y}H{_WIDTH - 8}"/>', 0.0
    for t in axis.times:
        x, said = axis.x(t), f"{(t - axis.times[0]) / 1e9:.3f} s"
        if x >= free and x + len(said) * 5.5 <= _RIGHT + 8:
            drawn += f'<path class="w" d="M{x:.1f} {y}v5"/><text class="a" x="{x:.1f}" y="{y + 15}">{said}</text>'
            free = x + len(said) * 5.5 + 14
    legend = "▲ to the terminal   ▼ from the terminal   ◆ fault, dashed   grey: a wait, drawn shorter than it was"
    return drawn + f'<text class="a" x="{_LEFT + 8}" y="{y + 31}" xml:space="preserve">{legend}</text>'
