"""A field log (time, round trip, loss, throughput, signal) turned into a timeline.

The recipe: rows in the order of time; steps no finer than asked for; the bench's own round trip taken away; the rest
split between the directions; rows that lost everything become an outage where they last, else bursts of the fitted
length; throughput a rate; the signal a note, or the target of an attenuator. Whatever the log did not say is told
among the timeline's assumptions.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from rig.bearers.impairment import CUT, MAX_DELAY_MS, MIN_RATE_KBIT, Impairment
from rig.bearers.loss import GilbertElliott
from rig.bearers.ranges import require_range
from rig.bearers.timeline.bursts import bursts_of, fit_bursts
from rig.bearers.timeline.columns import FieldLog, Sample, read_log
from rig.bearers.timeline.model import LONGEST_MS, SHORTEST_STEP_MS, Step, Timeline
from rig.errors import CallerMistake

PROBE_LIMITED = (
    "rates are what somebody reached, not what the link could do: replays of such traces are published to fall short "
    "of the true round trips by 13 to 17 %"
)
_MEASURED = tuple(each.name for each in fields(Sample) if each.name not in ("line", "t_ms"))


@dataclass(frozen=True)
class FieldRecipe:
    """How a log is read.

    Attributes:
        mapping: the log's name of a column → ours (:mod:`rig.bearers.timeline.columns`).
        sort: put rows in the order of time; else a row that goes back is refused.
        step_ms: rows closer than this share a step.
        up_share: the share of the round trip that the way up has.
        baseline_rtt_ms: what the bench's own network takes, by ``rig timeline`` or a ping; not played twice.
        longest_gap_ms: rows further apart are a hole in the log, and refused.
        outage_ms: all lost for at least so long is an outage.
        mean_burst: packets lost in a row, for a log that tells only shares of loss; 1: each for itself.
        reference_dbm: the signal at the terminal with no attenuation; given, the log's signal becomes the
            attenuator's target instead of a note alone.
        begin_ms, end_ms: the stretch of the log that is taken, from its first row; the end None is its own.
    """

    mapping: Mapping[str, str] = field(default_factory=dict)
    sort: bool = False
    step_ms: float = 100.0
    up_share: float = 0.5
    baseline_rtt_ms: float = 0.0
    longest_gap_ms: float = 5000.0
    outage_ms: float = 2000.0
    mean_burst: float = 1.0
    reference_dbm: float | None = None
    begin_ms: float = 0.0
    end_ms: float | None = None

    def __post_init__(self) -> None:
        require_range("step_ms", self.step_ms, SHORTEST_STEP_MS, 60_000)
        require_range("up_share", self.up_share, 0, 1, "a share, 0.5 for half")
        require_range("baseline_rtt_ms", self.baseline_rtt_ms, 0, 10_000)
        require_range("longest_gap_ms", self.longest_gap_ms, self.step_ms, LONGEST_MS)
        require_range("outage_ms", self.outage_ms, self.step_ms, LONGEST_MS)
        require_range("mean_burst", self.mean_burst, 1, 100_000)
        require_range("begin_ms", self.begin_ms, 0, LONGEST_MS)
        if self.reference_dbm is not None:
            require_range("reference_dbm", self.reference_dbm, -150, 0)
        if self.end_ms is not None:
            require_range("end_ms", self.end_ms, self.begin_ms + self.step_ms, LONGEST_MS, "beyond begin_ms")


def import_log(path: Path, recipe: FieldRecipe | None = None) -> Timeline:
    """Turn a CSV log into a timeline.

    Raises:
        CallerMistake: the log is wrong, has a hole, or goes back in time; names the row and the cure.
    """
    recipe = recipe or FieldRecipe()
    log = read_log(path, recipe.mapping)
    samples = _stretch(path, _in_order(path, log.samples, recipe), recipe)
    held, filled = _filled(path, log, _shared(_told_losses(log, samples), recipe.step_ms))
    outages = _outages(held, recipe)
    bursts = _fitted(held, outages)
    steps: list[Step] = []
    for number, sample in enumerate(held):
        step = _step(sample, number in outages, bursts, recipe)
        if not steps or replace(step, at_ms=steps[-1].at_ms) != steps[-1]:
            steps.append(step)
    period = statistics.median(b.t_ms - a.t_ms for a, b in itertools.pairwise(held)) if len(held) > 1 else 1000.0
    return Timeline(
        path.stem, f"field log {path.name}", f"CSV of {len(samples)} rows, {samples[0].line} to {samples[-1].line}",
        tuple(steps), held[-1].t_ms + max(period, recipe.step_ms),
        assumptions=tuple(_assumptions(log, filled, bursts, recipe)), longest_gap_ms=LONGEST_MS,
    )  # fmt: skip


def _in_order(path: Path, samples: Iterable[Sample], recipe: FieldRecipe) -> list[Sample]:
    """In the order of time, the first row at 0."""
    rows = sorted(samples, key=lambda each: each.t_ms) if recipe.sort else list(samples)
    for before, after in itertools.pairwise(rows):
        apart = after.t_ms - before.t_ms
        if apart < 0:
            what = f"is {-apart:g} ms before row {before.line}"
            raise CallerMistake(f"{path} row {after.line}", what, "ask for the rows to be sorted, if that is meant")
        if apart > recipe.longest_gap_ms:
            raise CallerMistake(
                f"{path} row {after.line}", f"comes {apart:g} ms after row {before.line}: a gap",
                f"take a stretch without it, or allow gaps above {recipe.longest_gap_ms:g} ms",
            )  # fmt: skip
    return [replace(each, t_ms=each.t_ms - rows[0].t_ms) for each in rows]


def _stretch(path: Path, rows: list[Sample], recipe: FieldRecipe) -> list[Sample]:
    end = math.inf if recipe.end_ms is None else recipe.end_ms
    kept = [each for each in rows if recipe.begin_ms <= each.t_ms < end]
    if not kept:
        raise CallerMistake(str(path), f"has no row from {recipe.begin_ms:g} to {end:g} ms", "take another stretch")
    return [replace(each, t_ms=each.t_ms - kept[0].t_ms) for each in kept]


def _told_losses(log: FieldLog, samples: list[Sample]) -> list[Sample]:
    """A log without a column of loss tells it by an empty round trip: of each row, before rows share a step."""
    if "loss_percent" in log.holds or "rtt_ms" not in log.holds:
        return samples
    return [replace(each, loss_percent=100.0 if each.rtt_ms is None else 0.0) for each in samples]


def _shared(samples: list[Sample], step_ms: float) -> list[Sample]:
    """Rows within one step as one: the median round trip, the mean of the rest."""
    shared = []
    for number, group in itertools.groupby(samples, key=lambda each: int(each.t_ms // step_ms)):
        rows = list(group)
        values: dict[str, float] = {}
        for name in _MEASURED:
            if measured := [value for each in rows if (value := getattr(each, name)) is not None]:
                values[name] = (statistics.median if name == "rtt_ms" else statistics.fmean)(measured)
        shared.append(Sample(rows[0].line, number * step_ms, **values))
    return shared


def _filled(path: Path, log: FieldLog, samples: list[Sample]) -> tuple[list[Sample], dict[str, int]]:
    """Every row with all that the log has columns for, and how often what was not measured had to be taken from the
    row before.
    """
    filled: dict[str, int] = {}
    last: dict[str, float] = {}
    for name in log.holds:
        first = next((value for each in samples if (value := getattr(each, name)) is not None), None)
        if first is None:
            raise CallerMistake(
                str(path), f"holds no sample of {name}", "leave the column out, or take another stretch"
            )
        last[name] = first
    rows = []
    for each in samples:
        for name in log.holds:
            value = getattr(each, name)
            if value is None or (name.endswith("_kbit") and value == 0):
                lost = name != "loss_percent" and each.loss_percent == 100  # nothing can be measured then
                filled[name] = filled.get(name, 0) + (not lost)
            else:
                last[name] = value
        held: dict[str, Any] = {"loss_percent": each.loss_percent or 0.0, **last}
        rows.append(replace(each, **held))
    return rows, {name: count for name, count in filled.items() if count}


def _outages(samples: list[Sample], recipe: FieldRecipe) -> set[int]:
    """The rows that lost everything for long; in a log that tells shares of loss, short ones too."""
    told_by_packet = all(each.loss_percent in (0, 100) for each in samples)
    outages: set[int] = set()
    numbers = range(len(samples))
    for lost, group in itertools.groupby(numbers, key=lambda number: samples[number].loss_percent == 100):
        run = list(group)
        end = samples[run[-1] + 1].t_ms if run[-1] + 1 < len(samples) else math.inf
        if lost and (not told_by_packet or end - samples[run[0]].t_ms >= recipe.outage_ms):
            outages.update(run)
    return outages


def _fitted(samples: list[Sample], outages: set[int]) -> GilbertElliott | None:
    """The bursts of a log that tells of each packet whether it was lost, beside the outages."""
    rest = [each.loss_percent for number, each in enumerate(samples) if number not in outages]
    if not all(loss in (0, 100) for loss in rest):
        return None
    return fit_bursts(loss == 100 for loss in rest)


def _step(sample: Sample, outage: bool, bursts: GilbertElliott | None, recipe: FieldRecipe) -> Step:
    annotations: dict[str, Any] = {}
    if sample.rssi_dbm is not None:
        annotations["rssi_dbm"] = round(sample.rssi_dbm, 1)
        if recipe.reference_dbm is not None:
            annotations["attenuation_db"] = float(round(max(recipe.reference_dbm - sample.rssi_dbm, 0)))
    if outage:
        return Step(sample.t_ms, CUT, CUT, "outage", **annotations)
    up = _way(sample, sample.up_kbit, recipe.up_share, bursts, recipe)
    down = _way(sample, sample.down_kbit, 1 - recipe.up_share, bursts, recipe)
    return Step(sample.t_ms, up, down, **annotations)


def _way(
    sample: Sample, rate: float | None, share: float, bursts: GilbertElliott | None, recipe: FieldRecipe
) -> Impairment:
    delay = round(min(max((sample.rtt_ms or 0) - recipe.baseline_rtt_ms, 0) * share, MAX_DELAY_MS), 3)
    # Half of the lost round trips to either way: 1 - L = (1 - l)².
    told = bursts.mean_loss_percent if bursts is not None else sample.loss_percent or 0.0
    loss = round(100 * (1 - math.sqrt(1 - told / 100)), 4)
    burst = recipe.mean_burst if bursts is None else bursts.mean_bad_packets
    in_bursts = bool(loss) and burst > 1
    return Impairment(
        delay_ms=delay,
        jitter_ms=min(round((sample.jitter_ms or 0) * share, 3), delay),
        loss_percent=0.0 if in_bursts else loss,
        burst_loss=bursts_of(loss, burst) if in_bursts else None,
        rate_kbit=None if rate is None else round(max(rate, MIN_RATE_KBIT), 3),
    )


def _assumptions(
    log: FieldLog, filled: Mapping[str, int], bursts: GilbertElliott | None, recipe: FieldRecipe
) -> Iterable[str]:
    if "rtt_ms" in log.holds:
        yield f"{recipe.up_share:.0%} of the round trip is the way up, the rest the way down"
        yield f"{recipe.baseline_rtt_ms:g} ms of it are the bench's own and taken away"
    else:
        yield "the log has no round trips: no delay is played"
    if "rtt_ms" in log.holds and "loss_percent" not in log.holds:
        yield "a row without a round trip lost its packet"
    yield f"losses are shared evenly by the two ways; all lost for {recipe.outage_ms:g} ms is an outage"
    if bursts is not None:
        yield f"other losses are bursts fitted to the rows: {bursts}"
    elif recipe.mean_burst > 1:
        yield f"losses come {recipe.mean_burst:g} in a row"
    if {"up_kbit", "down_kbit"} & log.holds:
        yield PROBE_LIMITED
    for name, count in filled.items():
        yield f"{count} rows without {name}: the value before holds"
    if recipe.reference_dbm is not None and "rssi_dbm" in log.holds:
        yield f"without attenuation the terminal receives {recipe.reference_dbm:g} dBm"
    if log.unused:
        yield f"columns that are not used: {', '.join(log.unused)}"
