"""One way through a simulated call: octets leave at the carrier's speed, and noise turns bits of them."""

from __future__ import annotations

import math
import random

BITS_AN_OCTET = 10
"""Start bit, eight of data, stop bit: there is no error correction here that would strip them."""
_SLICE_S = 0.01


class Pipe:
    """A queue that lets ``rate`` / 10 octets a second through. Times are monotonic seconds, told from outside.

    Args:
        rate: of the carrier, bit/s.
        noise_percent: share of the octets in which one bit is turned.
        dice: of the noise.
    """

    def __init__(self, rate: int, noise_percent: float, dice: random.Random) -> None:
        self.octets = 0
        """How many have come out at the other end."""
        self._per_s = rate / BITS_AN_OCTET
        self._noise = noise_percent / 100
        self._dice = dice
        self._waiting = b""
        self._free_at = 0.0

    @property
    def empty(self) -> bool:
        """Whether nothing waits."""
        return not self._waiting

    def put(self, data: bytes, now: float) -> None:
        """Octets go in."""
        if not self._waiting:
            self._free_at = max(self._free_at, now)
        self._waiting += data

    def due(self, now: float) -> bytes:
        """The octets that have come through by now."""
        count = min(len(self._waiting), math.floor((now - self._free_at) * self._per_s + 1e-6))
        if count <= 0:
            return b""
        out, self._waiting = self._waiting[:count], self._waiting[count:]
        self._free_at += count / self._per_s
        self.octets += count
        return self._disturbed(out)

    def next_due(self) -> float | None:
        """When the next slice will be through; ``None``: nothing waits."""
        if not self._waiting:
            return None
        return self._free_at + min(len(self._waiting), math.ceil(self._per_s * _SLICE_S)) / self._per_s

    def _disturbed(self, data: bytes) -> bytes:
        if not self._noise:
            return data
        return bytes(
            octet ^ (1 << self._dice.randrange(8)) if self._dice.random() < self._noise else octet for octet in data
        )
