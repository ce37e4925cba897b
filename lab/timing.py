"""The figures of time: delay, order and spread of a delay that varies, rate, and a queue that is deep enough."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from lab.again import Figures
from lab.chance import inversions, quantile
from lab.part import Row
from lab.spread import SHARES, expected_quantiles
from lab.streams import HEADERS, Flow, exchange
from lab.wires import Wire
from rig.bearers.impairment import CLEAN, Distribution, Impairment, Overhead
from rig.bearers.link import Backend

P99_MS: dict[Backend, float] = {"netem": 1.0, "user-space link": 2.0}
P50_MS = 0.5
PROBES = 1000
PACES = (200, 2000)
TURNS = ((20, 100), (100, 500), (500, 20))
"""Each delay once up and once down, and never the same in both directions."""
VARIED = 2400
VARIED_PACE = 200
RATE_PERCENT = 3.0
RATE_S = 4.0
_CELLS = Overhead(packet_bytes=10, cell_bytes=48, cell_overhead_bytes=5)
_DEEP_MS, _DEEP_PACE = 500, 5000


@dataclass(frozen=True)
class Bench:
    """What is measured.

    Attributes:
        part: the heading of its rows: backend and kernel.
        backend: whose figures.
        wires: four links of it.
    """

    part: str
    backend: Backend
    wires: Sequence[Wire]

    def row(self, what: str, asked: str, measured: str, limit: str, ok: bool) -> Row:
        """A row of this bench."""
        return Row(self.part, what, asked, measured, limit, ok)


def timing(bench: Bench) -> Iterator[Figures]:
    """All figures of time."""
    yield partial(_delays, bench, 0, 0, PACES[0])
    for pace in PACES:
        for up, down in TURNS:
            yield partial(_delays, bench, up, down, pace)
    yield partial(_varied, bench)
    for up_kbit, down_kbit in ((256, 8000), (8000, 256)):
        yield partial(_rates, bench, Impairment(rate_kbit=up_kbit), Impairment(rate_kbit=down_kbit), 1000)
    celled = Impairment(rate_kbit=1000, overhead=_CELLS)
    yield partial(_rates, bench, celled, celled, 100)
    for up in (True, False):
        yield partial(_deep, bench, up)


def _word(up: bool) -> str:
    return "up" if up else "down"


def _percentiles(delays: Sequence[float]) -> str:
    p1, p50, p99 = (quantile(delays, share) for share in (0.01, 0.5, 0.99))
    return f"p1 {p1:.2f}  p50 {p50:.2f}  p99 {p99:.2f} ms"


def _delays(bench: Bench, up: float, down: float, pace: int) -> Iterator[Row]:
    wire = bench.wires[0]
    wire.put(Impairment(delay_ms=up), Impairment(delay_ms=down))
    flows = wire.both(PROBES, pace, max(up, down) / 1000 + 1)
    for word, asked, flow in (("up", up, flows[0]), ("down", down, flows[1])):
        yield _delay(bench, f"delay {word}, {pace:,} packets/s", asked, flow)


def _delay(bench: Bench, what: str, asked: float, flow: Flow) -> Row:
    p99_ms = P99_MS[bench.backend]
    p50, p99 = quantile(flow.delays, 0.5), quantile(flow.delays, 0.99)
    held = abs(p50 - asked) <= P50_MS and abs(p99 - asked) <= p99_ms and not flow.missing
    lost = f"  {flow.missing} lost" if flow.missing else ""
    limit = f"p50 ± {P50_MS:g}, p99 ± {p99_ms:g} ms"
    return bench.row(what, f"{asked:g} ms", _percentiles(flow.delays) + lost, limit, held)


def _varied(bench: Bench) -> Iterator[Row]:
    """A delay that varies, each distribution on a link of its own, all at once, in both directions."""
    asked = [
        Impairment(delay_ms=50, jitter_ms=20),
        *(Impairment(delay_ms=50, jitter_ms=8, distribution=kind) for kind in list(Distribution)[1:]),
    ]
    flows: list[tuple[str, Impairment, Flow]] = []
    for wire, each in zip(bench.wires, asked, strict=True):
        wire.put(each, each)
        flows += [(_word(up), each, wire.flow(up, VARIED, VARIED_PACE)) for up in (True, False)]
    exchange([flow for _, _, flow in flows], 1.0)
    for word, each, flow in flows:
        yield _order(bench, word, each, flow)
        yield _spread(bench, word, each, flow)


def _order(bench: Bench, word: str, asked: Impairment, flow: Flow) -> Row:
    late = inversions(flow.numbers)
    what, measured = f"order {word}, {VARIED_PACE} packets/s", f"{late} of {len(flow.arrivals):,} out of order"
    return bench.row(what, _told(asked), measured, "0", late == 0 and not flow.missing)


def _spread(bench: Bench, word: str, asked: Impairment, flow: Flow) -> Row:
    expected = expected_quantiles(asked, flow.count, flow.per_second)
    measured = [quantile(flow.delays, share) for share in SHARES]
    held = all(each.allows(value, P50_MS) for each, value in zip(expected, measured, strict=True))
    shares = "/".join(f"{100 * share:.0f}" for share in SHARES)
    told = "  ".join(f"{value:.1f}" for value in measured)
    limit = "  ".join(f"{each.middle:.1f}±{each.reach + P50_MS:.1f}" for each in expected)
    return bench.row(f"spread {word}, p{shares}", _told(asked), told, limit, held)


def _told(asked: Impairment) -> str:
    return f"{asked.delay_ms:g} ± {asked.jitter_ms:g} ms {asked.distribution}"


def _rates(bench: Bench, up: Impairment, down: Impairment, payload: int) -> Iterator[Row]:
    """More than the line carries is sent for some seconds; what comes out of it is the rate."""
    wire = bench.wires[0]
    wire.put(up, down)
    flows = []
    for is_up, asked in ((True, up), (False, down)):
        per_second = 1.5 * _carried(asked, payload)
        flows.append(wire.flow(is_up, round(per_second * RATE_S), per_second, payload))
    exchange(flows, 0.1)
    for word, asked, flow in (("up", up, flows[0]), ("down", down, flows[1])):
        yield _rate(bench, word, asked, flow)


def _carried(asked: Impairment, payload: int) -> float:
    """Packets a second that a line carries."""
    return (asked.rate_kbit or 0) * 125 / asked.overhead.wire_bytes(payload + HEADERS)


def _rate(bench: Bench, word: str, asked: Impairment, flow: Flow) -> Row:
    bits = 8 * asked.overhead.wire_bytes(flow.size + HEADERS)
    came = flow.arrivals
    seconds = (came[-1].came - came[0].came) / 1e9 if len(came) > 1 else float("inf")
    measured = (len(came) - 1) * bits / seconds / 1000
    error = 100 * (measured / (asked.rate_kbit or 1) - 1)
    cells = (
        f", cells of {asked.overhead.cell_bytes}+{asked.overhead.cell_overhead_bytes}"
        if asked.overhead.cell_bytes
        else ""
    )
    told = f"{measured:,.1f} kbit/s ({error:+.2f} %) of {len(came):,} packets"
    what = f"rate {word}{cells}, {flow.size + HEADERS} B"
    return bench.row(what, f"{asked.rate_kbit:g} kbit/s", told, f"± {RATE_PERCENT:g} %", abs(error) <= RATE_PERCENT)


def _deep(bench: Bench, up: bool) -> Iterator[Row]:
    """Thousands of packets wait at once, and the queue itself loses none."""
    wire, asked = bench.wires[0], Impairment(delay_ms=_DEEP_MS)
    wire.put(asked if up else CLEAN, CLEAN if up else asked)
    flow = wire.flow(up, 2 * _DEEP_PACE, _DEEP_PACE)
    exchange([flow], _DEEP_MS / 1000 + 2)
    told = f"{flow.missing} of {flow.count:,} lost at {flow.pace:,.0f}/s, p50 {quantile(flow.delays, 0.5):.1f} ms"
    held = not flow.missing and flow.pace >= 0.95 * _DEEP_PACE
    yield bench.row(f"queue {_word(up)}", f"{_DEEP_MS} ms at {_DEEP_PACE:,}/s", told, "0 lost, pace − 5 %", held)
