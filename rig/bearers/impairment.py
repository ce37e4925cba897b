"""What is done to one direction of a bearer: delay, jitter, loss, duplicates, damage, disorder, rate, or a cut.

Order is kept by every backend whatever the jitter: a bearer that reorders is a different fault from one whose delay
varies, and netem users who meant the second get the first. Who wants disorder asks for it: ``reorder_percent``.

A **cut** is silence on the wire itself (layer 2). Nothing passes, ARP included, and what was queued is gone; the
carrier stays, and nobody is told. So a host whose neighbour entry is still fresh sees its packets vanish, and one
that must resolve the neighbour first fails with EHOSTUNREACH after about 3 s. Both are what a terminal meets in a
radio shadow. To take the carrier away as well is another fault: ``Link.carrier(False)``. Silence above ARP, resets
and rejections are named failures.

Facts: ``tc-netem(8)``, ``net/sched/sch_netem.c``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from rig.bearers.loss import GilbertElliott
from rig.bearers.ranges import require_known, require_mapping, require_range, require_whole
from rig.errors import CallerMistake

MAX_DELAY_MS = 60_000.0
MAX_JITTER_MS = 2_147.0
"""The kernel reckons jitter in 31 bits of nanoseconds; more would be cut short, or wrap around."""
MIN_RATE_KBIT, MAX_RATE_KBIT = 0.1, 1_000_000.0
MAX_SEED = 2**64 - 1

_SMALLEST_PACKET = 64
_BUSIEST_PACKETS_PER_S = 100_000
_SHALLOWEST_QUEUE = 1000
_WIDEST_JITTERS = 4
"""A long-tailed distribution reaches four times its jitter; its table ends there."""

_CORRELATION = "correl"


class Distribution(StrEnum):
    """How the delay varies around its middle."""

    UNIFORM = "uniform"
    """Evenly, by at most the jitter to either side."""
    NORMAL = "normal"
    """The jitter is one standard deviation."""
    PARETO = "pareto"
    """Long-tailed to the late side, as radio links are that repeat."""
    PARETO_NORMAL = "paretonormal"
    """A quarter normal and three quarters Pareto: netem's own picture of the Internet."""


@dataclass(frozen=True, slots=True)
class Overhead:
    """What a packet costs on the wire beside its Ethernet frame, where a rate is set.

    Attributes:
        packet_bytes: added to every packet; -14 takes away the Ethernet header, for a link without. Not more: the
            kernel takes a size below nothing for one without end.
        cell_bytes: payload of a cell, 48 for ATM under ADSL; 0: the link has no cells. A packet fills whole cells.
        cell_overhead_bytes: added to every cell, 5 for ATM.

    Raises:
        CallerMistake: a value outside its range.
    """

    packet_bytes: int = 0
    cell_bytes: int = 0
    cell_overhead_bytes: int = 0

    def __post_init__(self) -> None:
        require_whole("overhead.packet_bytes", self.packet_bytes, -14, 1500)
        require_whole("overhead.cell_bytes", self.cell_bytes, 0, 1500)
        require_whole("overhead.cell_overhead_bytes", self.cell_overhead_bytes, 0, 1500)
        if self.cell_overhead_bytes and not self.cell_bytes:
            raise CallerMistake("overhead.cell_overhead_bytes", "there are no cells", "set cell_bytes too")

    def wire_bytes(self, frame_bytes: int) -> int:
        """What a frame of this size takes up on the wire."""
        size = max(frame_bytes + self.packet_bytes, 0)
        if self.cell_bytes:
            cells = -(-size // self.cell_bytes)
            size = cells * (self.cell_bytes + self.cell_overhead_bytes)
        return size


@dataclass(frozen=True, slots=True)
class Impairment:
    """The state of one direction of a link.

    Attributes:
        delay_ms: one-way delay.
        jitter_ms: how far the delay varies, as ``distribution`` says; at most ``delay_ms``, and 2,147. Where a tail
            would reach below no delay at all, there is none.
        distribution: the shape of the jitter.
        loss_percent: each packet is lost by this chance, independently of the others.
        burst_loss: loss in bursts, in the place of ``loss_percent``.
        duplicate_percent: this share of the packets comes twice.
        corrupt_percent: in this share of the packets one bit is turned; check sums will notice, or not.
        reorder_percent: this share of the packets overtakes those that wait for their delay, of which there must be
            some.
        rate_kbit: capacity in 1000 bit/s, of whole Ethernet frames and their ``overhead``; ``None`` is unlimited.
        overhead: what a packet costs beside its frame.
        seed: of the kernel's or the relay's dice, for the same fate of the same packets; ``None``: any. A kernel
            before 6.6 has none to set, and says so by reading back ``None``.
        cut: nothing passes, and what was queued is gone. The other fields do not matter then.

    Raises:
        CallerMistake: a value outside its range, or two that contradict each other.
    """

    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    loss_percent: float = 0.0
    rate_kbit: float | None = None
    cut: bool = False
    distribution: Distribution = Distribution.UNIFORM
    burst_loss: GilbertElliott | None = None
    duplicate_percent: float = 0.0
    corrupt_percent: float = 0.0
    reorder_percent: float = 0.0
    overhead: Overhead = Overhead()
    seed: int | None = None

    def __post_init__(self) -> None:
        require_range("delay_ms", self.delay_ms, 0, MAX_DELAY_MS)
        require_range("jitter_ms", self.jitter_ms, 0, MAX_JITTER_MS)
        require_range("jitter_ms", self.jitter_ms, 0, self.delay_ms, "jitter is at most the delay that it varies")
        for name in ("loss_percent", "duplicate_percent", "corrupt_percent", "reorder_percent"):
            require_range(name, getattr(self, name), 0, 100)
        if self.rate_kbit is not None:
            require_range("rate_kbit", self.rate_kbit, MIN_RATE_KBIT, MAX_RATE_KBIT, "leave it out for unlimited")
        if self.seed is not None:
            require_whole("seed", self.seed, 0, MAX_SEED)
        if not isinstance(self.cut, bool):
            raise CallerMistake("cut", f"{self.cut!r} is neither true nor false")
        if self.distribution not in list(Distribution):
            raise CallerMistake("distribution", f"there is no {self.distribution!r}", f"use {', '.join(Distribution)}")
        self._require_sense()

    def _require_sense(self) -> None:
        if self.loss_percent and self.burst_loss is not None:
            raise CallerMistake("loss_percent", "stands beside burst_loss", "say which of the two is meant")
        if self.reorder_percent and not self.delay_ms:
            raise CallerMistake("reorder_percent", "nothing waits that could be overtaken", "set delay_ms too")
        if self.overhead != Overhead() and self.rate_kbit is None:
            raise CallerMistake("overhead", "costs nothing on a link without a rate", "set rate_kbit too")

    @property
    def queue_limit(self) -> int:
        """How many packets may wait in this direction: enough that the queue itself never loses one by surprise.

        Packets in flight are rate × delay; a fixed limit of 1000 loses 3 packets of 5 at 500 ms and 5,000 packets/s.
        """
        per_second = float(_BUSIEST_PACKETS_PER_S)
        if self.rate_kbit is not None:
            per_second = min(per_second, self.rate_kbit * 125 / self.overhead.wire_bytes(_SMALLEST_PACKET))
        per_second *= 1 + self.duplicate_percent / 100
        reach = 1 if self.distribution is Distribution.UNIFORM else _WIDEST_JITTERS
        return _SHALLOWEST_QUEUE + math.ceil(per_second * (self.delay_ms + reach * self.jitter_ms) / 1000)

    def to_dict(self) -> dict[str, Any]:
        """All fields, as JSON values."""
        return {**asdict(self), "distribution": str(self.distribution)}

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Impairment:
        """Read fields by their names; what is left out is clean.

        Raises:
            CallerMistake: an unknown name or a wrong value. (Never ignored: a misspelt fault would be no fault.)
        """
        if correlated := sorted(str(name) for name in raw if _CORRELATION in str(name)):
            raise CallerMistake(
                correlated[0],
                "netem's correlation does not do what it says: 14.3 % of loss with 50 % of it gave 0.5 %",
                "use burst_loss for loss in bursts",
            )
        values = require_known(cls, "impairment", raw)
        if (burst := values.get("burst_loss")) is not None and not isinstance(burst, GilbertElliott):
            values["burst_loss"] = GilbertElliott.from_dict(require_mapping("burst_loss", burst))
        if "overhead" in values and not isinstance(values["overhead"], Overhead):
            values["overhead"] = Overhead(
                **require_known(Overhead, "overhead", require_mapping("overhead", values["overhead"]))
            )
        if values.get("distribution") in list(Distribution):
            values["distribution"] = Distribution(values["distribution"])
        return cls(**values)

    def __str__(self) -> str:
        if self.cut:
            return "cut"
        parts = []
        if self.delay_ms:
            parts.append(f"{self.delay_ms:g}" + (f" ± {self.jitter_ms:g}" if self.jitter_ms else "") + " ms")
        if self.jitter_ms and self.distribution is not Distribution.UNIFORM:
            parts[-1] += f" {self.distribution}"
        if self.loss_percent:
            parts.append(f"{self.loss_percent:g} % loss")
        if self.burst_loss is not None:
            parts.append(str(self.burst_loss))
        for name, word in (("duplicate", "duplicated"), ("corrupt", "corrupted"), ("reorder", "reordered")):
            if share := getattr(self, f"{name}_percent"):
                parts.append(f"{share:g} % {word}")
        if self.rate_kbit is not None:
            parts.append(f"{self.rate_kbit:g} kbit/s")
        return ", ".join(parts) or "clean"


CLEAN = Impairment()
"""A direction as if untouched."""

CUT = Impairment(cut=True)
"""Silence."""
