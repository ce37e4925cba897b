"""One way of a call, octet by octet: late, slow, damaged, or silent. Pure: the time is always told from outside."""

from __future__ import annotations

import math
import random
from collections import deque

from rig.bearers.impairment import CLEAN, Impairment

BITS_AN_OCTET = 10
"""Start bit, eight of data, stop bit: what an octet costs on a line without error correction."""
_SLICE_S = 0.01
"""Octets leave in slices of this length, so that a fast line does not wake the process for each of them."""


class Direction:
    """Octets in, octets out at their time.

    Args:
        seed: of the dice for the damage.
    """

    def __init__(self, seed: int) -> None:
        self.impairment = CLEAN
        self.noise_percent = 0.0
        self.rate_bit: int | None = None
        """What the call carries in bit/s; None: nobody knows."""
        self.passed = 0
        self.dropped = 0
        self.damaged = 0
        self._dice = random.Random(seed)
        self._queue: deque[tuple[float, bytes]] = deque()
        self._free_at = 0.0

    def set(self, impairment: Impairment) -> None:
        """Put an impairment in force; what waits is lost by a cut."""
        self.impairment = impairment
        if impairment.seed is not None:
            self._dice.seed(impairment.seed)
        if impairment.cut:
            self.empty()

    def empty(self) -> None:
        """Lose what waits: the call is over, or cut."""
        self.dropped += self.waiting
        self._queue.clear()

    @property
    def waiting(self) -> int:
        """How many octets have come and not left."""
        return sum(len(data) for _, data in self._queue)

    def take(self, data: bytes, now: float) -> None:
        """Octets come in at ``now`` (monotonic seconds)."""
        if self.impairment.cut:
            self.dropped += len(data)
        elif data:
            self._queue.append((now + self.impairment.delay_ms / 1000, data))

    def due(self, now: float, at_most: int | None = None) -> bytes:
        """The octets whose time to leave has come, at most so many, as damaged as they are."""
        out = b""
        rate = self._octets_per_s
        while self._queue and (at_most is None or len(out) < at_most):
            ready, data = self._queue[0]
            start = max(ready, self._free_at)
            if start > now:
                break
            count = len(data) if rate is None else min(len(data), math.floor((now - start) * rate + 1e-6))
            if at_most is not None:
                count = min(count, at_most - len(out))
            if not count:
                break
            self._free_at = start + (count / rate if rate is not None else 0.0)
            out += data[:count]
            self._queue[0] = (ready, data[count:])
            if count == len(data):
                self._queue.popleft()
        self.passed += len(out)
        return self._hurt(out)

    def next_due(self) -> float | None:
        """When something can leave again; None: nothing waits."""
        if not self._queue:
            return None
        ready, data = self._queue[0]
        rate = self._octets_per_s
        start = max(ready, self._free_at)
        return start if rate is None else start + min(len(data), math.ceil(rate * _SLICE_S)) / rate

    @property
    def _octets_per_s(self) -> float | None:
        limits = [self.rate_bit / BITS_AN_OCTET] if self.rate_bit else []
        if self.impairment.rate_kbit is not None:
            limits.append(self.impairment.rate_kbit * 1000 / BITS_AN_OCTET)
        return min(limits, default=None)

    def _hurt(self, data: bytes) -> bytes:
        share = max(self.impairment.corrupt_percent, self.noise_percent) / 100
        if not share or not data:
            return data
        hurt = bytearray(data)
        for place in range(len(hurt)):
            if self._dice.random() < share:
                hurt[place] ^= 1 << self._dice.randrange(8)
                self.damaged += 1
        return bytes(hurt)
