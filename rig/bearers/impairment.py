"""What is done to one direction of a bearer: delay, jitter, loss, rate, or a cut.

Order is kept by every backend whatever the jitter: a bearer that reorders is a different fault from one whose delay
varies, and netem users who meant the second get the first.

A **cut** is silence on the wire itself (layer 2). Nothing passes, ARP included, and what was queued is gone; the
carrier stays, and nobody is told. So a host whose neighbour entry is still fresh sees its packets vanish, and one
that must resolve the neighbour first fails with EHOSTUNREACH after about 3 s. Both are what a terminal meets in a
radio shadow. To take the carrier away as well is another fault: ``Link.carrier(False)``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from rig.errors import CallerMistake

MAX_DELAY_MS = 60_000.0
MIN_RATE_KBIT, MAX_RATE_KBIT = 0.1, 1_000_000.0

_SMALLEST_PACKET = 64
_BUSIEST_PACKETS_PER_S = 100_000
_SHALLOWEST_QUEUE = 1000


@dataclass(frozen=True, slots=True)
class Impairment:
    """The state of one direction of a link.

    Attributes:
        delay_ms: one-way delay.
        jitter_ms: the delay varies evenly by this much to either side; at most ``delay_ms``.
        loss_percent: each packet is lost by this chance, independently of the others.
        rate_kbit: capacity in 1000 bit/s, of whole Ethernet frames; ``None`` is unlimited.
        cut: nothing passes, and what was queued is gone. The other fields do not matter then.

    Raises:
        CallerMistake: a value outside its range.
    """

    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    loss_percent: float = 0.0
    rate_kbit: float | None = None
    cut: bool = False

    def __post_init__(self) -> None:
        _require_range("delay_ms", self.delay_ms, 0, MAX_DELAY_MS)
        _require_range("jitter_ms", self.jitter_ms, 0, self.delay_ms, "jitter is at most the delay that it varies")
        _require_range("loss_percent", self.loss_percent, 0, 100)
        if self.rate_kbit is not None:
            _require_range("rate_kbit", self.rate_kbit, MIN_RATE_KBIT, MAX_RATE_KBIT, "leave it out for unlimited")
        if not isinstance(self.cut, bool):
            raise CallerMistake("cut", f"{self.cut!r} is neither true nor false")

    @property
    def queue_limit(self) -> int:
        """How many packets may wait in this direction: enough that the queue itself never loses one by surprise.

        Packets in flight are rate × delay; a fixed limit of 1000 loses 3 packets of 5 at 500 ms and 5,000 packets/s.
        """
        per_second = float(_BUSIEST_PACKETS_PER_S)
        if self.rate_kbit is not None:
            per_second = min(per_second, self.rate_kbit * 125 / _SMALLEST_PACKET)
        return _SHALLOWEST_QUEUE + math.ceil(per_second * (self.delay_ms + self.jitter_ms) / 1000)

    def to_dict(self) -> dict[str, Any]:
        """All fields, as JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Impairment:
        """Read fields by their names; what is left out is clean.

        Raises:
            CallerMistake: an unknown name or a wrong value. (Never ignored: a misspelt fault would be no fault.)
        """
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(raw) - known):
            raise CallerMistake("impairment", f"unknown {', '.join(unknown)}", f"use {', '.join(sorted(known))}")
        return cls(**raw)

    def __str__(self) -> str:
        if self.cut:
            return "cut"
        parts = []
        if self.delay_ms:
            parts.append(f"{self.delay_ms:g}" + (f" ± {self.jitter_ms:g}" if self.jitter_ms else "") + " ms")
        if self.loss_percent:
            parts.append(f"{self.loss_percent:g} % loss")
        if self.rate_kbit is not None:
            parts.append(f"{self.rate_kbit:g} kbit/s")
        return ", ".join(parts) or "clean"


def _require_range(name: str, value: object, low: float, high: float, cure: str = "") -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise CallerMistake(name, f"{value!r} is not a number")
    if not low <= value <= high:
        raise CallerMistake(name, f"{value:g} is outside {low:g} to {high:g}", cure)


CLEAN = Impairment()
"""A direction as if untouched."""

CUT = Impairment(cut=True)
"""Silence."""
