"""A mahimahi trace turned into rates.

Each line of a trace is a millisecond, since the beginning, at which one packet of 1,500 bytes may pass; a millisecond
with several lines lets several pass. At its last line the trace begins again. Facts: ``mm-link(1)``; Netravali and
others, Mahimahi, USENIX ATC 2015.

Milliseconds are counted into steps, each with the rate of its own. A pause shorter than an outage only makes its step
longer, for what waits in mahimahi is late and not lost; a longer one becomes a cut, in which our links lose what
waits. Both are told among the assumptions.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from rig.bearers.impairment import CUT, MAX_DELAY_MS, MAX_RATE_KBIT, MIN_RATE_KBIT, Impairment, Overhead
from rig.bearers.ranges import require_range
from rig.bearers.timeline.model import LONGEST_MS, SHORTEST_STEP_MS, Step, Timeline
from rig.bearers.timeline.text import read_text
from rig.errors import CallerMistake

PACKET_BYTES = 1500
_MOST_DIGITS = 20
"""Longer numbers are not read at all: Python refuses to turn very long ones."""
_IP_ONLY = Overhead(packet_bytes=-14)
"""A trace counts IP packets; our rates count Ethernet frames, less this."""


@dataclass(frozen=True)
class MahimahiRecipe:
    """How a trace is read.

    Attributes:
        step_ms: how finely rates follow the trace.
        outage_ms: a pause at least so long is an outage, a shorter one a slow time.
        delay_ms: one-way delay, which a trace does not tell (``mm-delay``).
        begin_ms, end_ms: the stretch of the trace that is taken; the end None is its own.
    """

    step_ms: float = 100.0
    outage_ms: float = 1000.0
    delay_ms: float = 0.0
    begin_ms: float = 0.0
    end_ms: float | None = None

    def __post_init__(self) -> None:
        require_range("step_ms", self.step_ms, SHORTEST_STEP_MS, 60_000)
        require_range("outage_ms", self.outage_ms, self.step_ms, LONGEST_MS, "an outage lasts a step at least")
        require_range("delay_ms", self.delay_ms, 0, MAX_DELAY_MS)
        require_range("begin_ms", self.begin_ms, 0, LONGEST_MS)
        if self.end_ms is not None:
            require_range("end_ms", self.end_ms, self.begin_ms + self.step_ms, LONGEST_MS, "beyond begin_ms")


def import_mahimahi(down: Path, up: Path | None = None, recipe: MahimahiRecipe | None = None) -> Timeline:
    """Turn a trace of one direction, or of each, into a timeline that loops as the trace does.

    Args:
        down: host → terminal.
        up: terminal → host; as ``down`` where left out.
        recipe: how.

    Raises:
        CallerMistake: not a trace; names the file, the line and the cure.
    """
    recipe = recipe or MahimahiRecipe()
    traces = {path: _stretch(path, _read(path), recipe) for path in dict.fromkeys((down, up or down))}
    ends = {path: end for path, (_, end) in traces.items()}
    end_ms = min(ends.values())
    down_rates, up_rates = (_rates(traces[path][0], end_ms, recipe) for path in (down, up or down))
    steps: list[Step] = []
    up_now, down_now = CUT, CUT
    for at_ms in sorted({*down_rates, *up_rates}):
        before = (up_now, down_now)
        up_now = _way(up_rates[at_ms], recipe) if at_ms in up_rates else up_now
        down_now = _way(down_rates[at_ms], recipe) if at_ms in down_rates else down_now
        if not steps or before != (up_now, down_now):
            steps.append(Step(at_ms, up_now, down_now, note="outage" if CUT in (up_now, down_now) else ""))
    name = " and ".join(path.name for path in traces)
    assumptions = [
        f"a pause below {recipe.outage_ms:g} ms is a slow time, a longer one an outage that loses what waits",
        f"the delay one way is {recipe.delay_ms:g} ms; the trace tells none",
    ]
    if up is None:
        assumptions.append("up is as down")
    if len(set(ends.values())) > 1:
        assumptions.append(f"both directions begin again after {end_ms:g} ms, the shorter trace's end")
    return Timeline(
        down.stem, f"rates of {name}", f"mahimahi trace {name}, steps of {recipe.step_ms:g} ms", tuple(steps), end_ms,
        loop=True, assumptions=tuple(assumptions), longest_gap_ms=LONGEST_MS,
    )  # fmt: skip


def _read(path: Path) -> list[int]:
    times: list[int] = []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        if not (said := line.strip()):
            continue
        where = f"{path} line {number}"
        if not (said.isascii() and said.isdigit() and len(said) <= _MOST_DIGITS) or int(said) > LONGEST_MS:
            raise CallerMistake(where, f"{said[:40]!r} is no millisecond", "one whole number a line, a packet each")
        if times and int(said) < times[-1]:
            raise CallerMistake(where, f"{said} ms comes after {times[-1]} ms", "the times of a trace never fall")
        times.append(int(said))
    if not times:
        raise CallerMistake(str(path), "holds no sample", "one whole number a line, a packet each")
    if times[-1] == 0:
        raise CallerMistake(str(path), "ends at 0 ms, so that it never begins again", "is it whole?")
    return times


def _stretch(path: Path, times: list[int], recipe: MahimahiRecipe) -> tuple[list[float], float]:
    """The packets of the stretch that is taken, from its beginning, and its length."""
    whole = float(times[-1])
    end = min(recipe.end_ms if recipe.end_ms is not None else whole, whole)
    length = end - recipe.begin_ms
    if length < recipe.step_ms:
        raise CallerMistake(
            str(path), f"ends at {whole:g} ms: too short for a step of {recipe.step_ms:g} ms", "see its end"
        )
    # The last line is the end: a packet at it passes just before the trace begins again.
    kept = [min(t - recipe.begin_ms, length - 0.5) for t in times if recipe.begin_ms <= t <= end]
    if not kept:
        raise CallerMistake(
            str(path), f"no packet passes from {recipe.begin_ms:g} to {end:g} ms", "take another stretch"
        )
    return kept, length


def _rates(packets: list[float], end_ms: float, recipe: MahimahiRecipe) -> dict[float, float]:
    """When a rate begins → kbit/s, 0 for an outage."""
    step, last = recipe.step_ms, max(int(end_ms // recipe.step_ms), 1) - 1  # a torn last step belongs to the one before
    counts = Counter(min(int(t // step), last) for t in packets if t < end_ms)
    rates: dict[float, float] = {}
    begin = 0
    for number in sorted(counts):
        if (number - begin) * step >= recipe.outage_ms:
            rates[begin * step] = 0.0
            begin = number
        end = end_ms if number == last else (number + 1) * step
        rates[begin * step] = _kbit(counts[number], end - begin * step)
        begin = number + 1
    if (last + 1 - begin) * step >= recipe.outage_ms:
        rates[begin * step] = 0.0
    return rates


def _kbit(packets: int, milliseconds: float) -> float:
    rate = packets * PACKET_BYTES * 8 / milliseconds
    return round(min(max(rate, MIN_RATE_KBIT), MAX_RATE_KBIT), 3)


def _way(rate: float, recipe: MahimahiRecipe) -> Impairment:
    return Impairment(recipe.delay_ms, rate_kbit=rate, overhead=_IP_ONLY) if rate else CUT
