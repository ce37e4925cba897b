"""The figures of fate: how many packets are lost, in what bursts, doubled, damaged, overtaken, or cut off."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from statistics import fmean

from lab.again import Figures
from lab.chance import binomial_interval, burst_loss_interval, bursts, inversions
from lab.part import Row
from lab.streams import HEADERS, Flow
from lab.timing import Bench
from rig.bearers.impairment import CUT, Impairment
from rig.bearers.loss import GilbertElliott

PACKETS = 10_000
PACE = 4000
TURNS = ((1, 10), (10, 30), (30, 1))
"""Each loss once up and once down, and never the same in both directions."""
BURSTS = GilbertElliott(5, 30, 100, 0)
BURST_PACKETS = 100_000
BURST_PERCENT = 10.0
SHARE = 5.0
"""Per cent of packets doubled, damaged, overtaken."""

_LINGER_S = 0.5
_LONG = 1400
_UNSEEN_BYTES = 8
"""A bit turned in the sender's hardware address or its UDP port damages nothing that the receiver looks at."""
_OVERTAKEN_MS = 50


def fates(bench: Bench) -> Iterator[Figures]:
    """All figures of fate."""
    for up, down in TURNS:
        yield partial(_losses, bench, up, down)
    for figures in (_burst_losses, _duplicates, _damages, _overtakings, _cut):
        yield partial(figures, bench)


def _directions(flows: tuple[Flow, Flow]) -> Iterator[tuple[str, Flow]]:
    return zip(("up", "down"), flows, strict=True)


def _share(bench: Bench, what: str, asked: str, seen: int, chance: float, told: str = "", sound: bool = True) -> Row:
    """A share of ``PACKETS`` against what chance allows."""
    least, most = binomial_interval(PACKETS, chance)
    measured = f"{seen:,} of {PACKETS:,} ({100 * seen / PACKETS:.2f} %){told}"
    return bench.row(what, asked, measured, f"{least:,} … {most:,}", sound and least <= seen <= most)


def _losses(bench: Bench, up: float, down: float) -> Iterator[Row]:
    wire = bench.wires[0]
    wire.put(Impairment(loss_percent=up), Impairment(loss_percent=down))
    before = wire.link.counters()
    flows = wire.both(PACKETS, PACE, _LINGER_S)
    after = wire.link.counters()
    counted = {
        "up": after["up"]["dropped"] - before["up"]["dropped"],
        "down": after["down"]["dropped"] - before["down"]["dropped"],
    }
    for (word, flow), asked in zip(_directions(flows), (up, down), strict=True):
        told = f", the link counted {counted[word]:,}"
        yield _share(
            bench, f"loss {word}", f"{asked:g} %", flow.missing, asked / 100, told, counted[word] == flow.missing
        )


def _burst_losses(bench: Bench) -> Iterator[Row]:
    wire = bench.wires[0]
    asked = Impairment(burst_loss=BURSTS)
    wire.put(asked, asked)
    words = f"{BURSTS.to_bad_percent:g}/{BURSTS.to_good_percent:g}/100/0"
    theory, (least, most) = BURSTS.mean_bad_packets, burst_loss_interval(BURSTS, BURST_PACKETS)
    for word, flow in _directions(wire.both(BURST_PACKETS, PACE, _LINGER_S)):
        runs = bursts(flow.numbers, flow.count)
        mean, lost = fmean(runs or [0]), flow.missing / flow.count
        error = 100 * (mean / theory - 1)
        told = f"mean {mean:.3f} ({error:+.1f} %) of {len(runs):,} bursts"
        limit = f"{theory:.3f} ± {BURST_PERCENT:g} %"
        yield bench.row(f"burst {word}, packets", words, told, limit, abs(error) <= BURST_PERCENT)
        measured, limit = f"{100 * lost:.2f} % of {flow.count:,}", f"{100 * least:.2f} … {100 * most:.2f} %"
        yield bench.row(f"burst loss {word}", words, measured, limit, least <= lost <= most)


def _duplicates(bench: Bench) -> Iterator[Row]:
    wire, asked = bench.wires[0], Impairment(duplicate_percent=SHARE)
    wire.put(asked, asked)
    for word, flow in _directions(wire.both(PACKETS, PACE, _LINGER_S, to_the_end=True)):
        twice = len(flow.arrivals) - len(set(flow.numbers))
        told = f", {flow.missing} lost"
        yield _share(bench, f"duplicates {word}", f"{SHARE:g} %", twice, SHARE / 100, told, not flow.missing)


def _damages(bench: Bench) -> Iterator[Row]:
    """What is damaged in its headers is lost, for their check sums notice; in the payload one bit is seen turned."""
    wire, asked = bench.wires[0], Impairment(corrupt_percent=SHARE)
    wire.put(asked, asked)
    chance = SHARE / 100 * (1 - _UNSEEN_BYTES / (_LONG + HEADERS))
    for word, flow in _directions(wire.both(PACKETS, PACE / 2, _LINGER_S, _LONG, damages=True)):
        turned = max(flow.damaged_bits, default=0)
        told = f", {len(flow.damaged_bits)} of them seen, {turned} bit turned at most"
        yield _share(bench, f"damage {word}", f"{SHARE:g} %", flow.missing, chance, told, turned == 1)


def _overtakings(bench: Bench) -> Iterator[Row]:
    wire, asked = bench.wires[0], Impairment(delay_ms=_OVERTAKEN_MS, reorder_percent=SHARE)
    wire.put(asked, asked)
    for word, flow in _directions(wire.both(PACKETS, PACE / 2, _LINGER_S)):
        early = sum(delay < _OVERTAKEN_MS / 2 for delay in flow.delays)
        told = f", {inversions(flow.numbers):,} were overtaken, {flow.missing} lost"
        what = f"overtaking {word} of {_OVERTAKEN_MS} ms"
        yield _share(bench, what, f"{SHARE:g} %", early, SHARE / 100, told, not flow.missing)


def _cut(bench: Bench) -> Iterator[Row]:
    wire, few = bench.wires[0], 200
    for up, down in ((CUT, Impairment()), (Impairment(), replace(CUT))):
        wire.put(up, down)
        came = [len(flow.arrivals) for flow in wire.both(few, 1000, 0.2)]
        (word, cut), (other, whole) = sorted(zip(("up", "down"), came, strict=True), reverse=up.cut)
        told = f"{cut} of {few} came, {whole} {other}"
        yield bench.row(f"cut {word} alone", "cut", told, f"0, {few} {other}", (cut, whole) == (0, few))
