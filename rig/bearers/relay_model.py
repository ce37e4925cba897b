"""The model of one direction of the user-space link: when a packet may leave, or that it never does. No I/O."""

from __future__ import annotations

import random

from rig.bearers.impairment import CLEAN, Impairment

_MS = 1_000_000
_FOREVER_AGO = 0


class DirectionModel:
    """Decides on packets in the order in which they come, and keeps that order.

    The dice are seeded: the same packets at the same times under the same impairments meet the same fate.
    """

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)
        self._last_departure = _FOREVER_AGO
        self._line_busy_until = _FOREVER_AGO
        self.waiting = 0
        """Packets admitted and not yet departed."""
        self.passed = 0
        self.dropped = 0
        self.set(CLEAN)

    def set(self, impairment: Impairment) -> None:
        """Put an impairment in force for the packets that come from now on."""
        self.impairment = impairment
        self._delay = round(impairment.delay_ms * _MS)
        self._jitter = round(impairment.jitter_ms * _MS)
        self._loss = impairment.loss_percent / 100
        self._byte_ns = 8 * _MS / impairment.rate_kbit if impairment.rate_kbit else 0.0
        self._limit = impairment.queue_limit
        self._cut = impairment.cut

    def admit(self, now: int, size: int) -> int | None:
        """Take in a packet.

        Args:
            now: monotonic nanoseconds; never less than at the packet before.
            size: of the Ethernet frame, in bytes.

        Returns:
            When it departs, monotonic nanoseconds, never before the packet before it; ``None``: it is lost.
        """
        if self._cut or (self._loss and self._dice.random() < self._loss) or self.waiting >= self._limit:
            self.dropped += 1
            return None
        departure = now
        if self._byte_ns:
            departure = self._line_busy_until = max(now, self._line_busy_until) + round(size * self._byte_ns)
        departure += self._delay
        if self._jitter:
            departure += round(self._dice.uniform(-self._jitter, self._jitter))
        self._last_departure = max(departure, self._last_departure)
        self.waiting += 1
        return self._last_departure

    def depart(self, delivered: bool) -> None:
        """A packet left the queue, and was delivered or lost at the very end."""
        self.waiting -= 1
        if delivered:
            self.passed += 1
        else:
            self.dropped += 1

    def empty(self) -> int:
        """Everything that waits is lost, and the line is free. Returns how many packets that were."""
        lost, self.waiting = self.waiting, 0
        self.dropped += lost
        self._last_departure = self._line_busy_until = _FOREVER_AGO
        return lost
