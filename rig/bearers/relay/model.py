"""The model of one direction of the user-space link: when a packet may leave, or that it never does. No I/O.

What is done to a packet, and in which order, is what netem does (``netem_enqueue`` in ``net/sched/sch_netem.c``), so
that one profile means the same with either:

- It may be doubled, and it may be lost; of one that is both, one copy is left. The second copy takes its own chance of
  being lost, and is not doubled again.
- A copy may be damaged, and may overtake those that wait.
- Else it is due after the delay, but not before the last one that waits; from then on the line is busy with it.
"""

from __future__ import annotations

import random
from typing import NamedTuple

from rig.bearers.distributions import ENTRIES, SCALE, table
from rig.bearers.impairment import CLEAN, Impairment
from rig.bearers.loss import GilbertElliott

_MS = 1_000_000


class Copy(NamedTuple):
    """One copy of a packet on its way.

    Attributes:
        departure: when it may leave, monotonic nanoseconds.
        overtakes: it leaves now, before all that wait.
        turned_bit: the bit of the frame that is turned, counted from the lowest of the first byte; ``None``: none.
    """

    departure: int
    overtakes: bool = False
    turned_bit: int | None = None


class DirectionModel:
    """Decides on packets in the order in which they come, and keeps that order where no disorder is asked for.

    The dice are seeded: the same packets at the same times under the same impairments meet the same fate. An
    impairment with a seed begins with fresh dice of that seed.
    """

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)
        self._last_departure = 0
        self.waiting = 0
        """Copies admitted and not yet departed."""
        self.passed = 0
        self.dropped = 0
        self.set(CLEAN)

    def set(self, impairment: Impairment) -> None:
        """Put an impairment in force for the packets that come from now on."""
        self.impairment = impairment
        self._delay = round(impairment.delay_ms * _MS)
        self._jitter = round(impairment.jitter_ms * _MS)
        self._table = table(impairment.distribution)
        self._loss = impairment.loss_percent / 100
        self._bursts = _Bursts(impairment.burst_loss) if impairment.burst_loss is not None else None
        self._duplicate = impairment.duplicate_percent / 100
        self._corrupt = impairment.corrupt_percent / 100
        self._reorder = impairment.reorder_percent / 100
        self._byte_ns = 8 * _MS / impairment.rate_kbit if impairment.rate_kbit else 0.0
        self._limit = impairment.queue_limit
        self._cut = impairment.cut
        if impairment.seed is not None:
            self._dice.seed(impairment.seed)

    def admit(self, now: int, size: int) -> tuple[Copy, ...]:
        """Take in a packet.

        Args:
            now: monotonic nanoseconds; never less than at the packet before.
            size: of the Ethernet frame, in bytes.

        Returns:
            What is to be sent, none where it is lost. A copy never departs before one that does not overtake and
            waits already.
        """
        if self._cut:
            return self._drop()
        twice = self._duplicate > 0 and self._dice.random() < self._duplicate
        if self._is_lost():
            return self._enqueue(now, size) if twice else self._drop()
        first = self._enqueue(now, size)
        if not twice:
            return first
        return first + (self._drop() if self._is_lost() else self._enqueue(now, size))

    def depart(self, delivered: bool) -> None:
        """A copy left the queue, and was delivered or lost at the very end."""
        self.waiting -= 1
        if delivered:
            self.passed += 1
        else:
            self.dropped += 1

    def empty(self) -> int:
        """Everything that waits is lost, and the line is free. Returns how many copies that were."""
        lost, self.waiting = self.waiting, 0
        self.dropped += lost
        return lost

    def _is_lost(self) -> bool:
        if self._bursts is not None:
            return self._bursts.next_is_lost(self._dice)
        return self._loss > 0 and self._dice.random() < self._loss

    def _drop(self) -> tuple[()]:
        self.dropped += 1
        return ()

    def _enqueue(self, now: int, size: int) -> tuple[Copy, ...]:
        dice = self._dice
        turned_bit = None
        if self._corrupt and dice.random() < self._corrupt:
            turned_bit = int(dice.random() * size * 8)
        if self.waiting >= self._limit:
            return self._drop()
        overtakes = self._reorder > 0 and dice.random() < self._reorder
        departure = now if overtakes else self._due(now, size)
        self.waiting += 1
        return (Copy(departure, overtakes, turned_bit),)

    def _due(self, now: int, size: int) -> int:
        due = now + self._delay
        if self._jitter:
            due += self._deviation()
        if self.waiting and due < self._last_departure:
            due = self._last_departure
        if self._byte_ns:
            due += round(self.impairment.overhead.wire_bytes(size) * self._byte_ns)
        self._last_departure = max(due, now)
        return self._last_departure

    def _deviation(self) -> int:
        chance = self._dice.random()
        if self._table is None:
            return round((2 * chance - 1) * self._jitter)
        return round(self._jitter * self._table[int(chance * ENTRIES)] / SCALE)


class _Bursts:
    """The chain of Gilbert and Elliott; it begins good, as the kernel's does at every change."""

    def __init__(self, model: GilbertElliott) -> None:
        self._to_bad = model.to_bad_percent / 100
        self._to_good = model.to_good_percent / 100
        self._loss_in_bad = model.loss_in_bad_percent / 100
        self._loss_in_good = model.loss_in_good_percent / 100
        self._bad = False

    def next_is_lost(self, dice: random.Random) -> bool:
        """The state in which a packet comes decides over it; then the state may turn."""
        loss, turn = (self._loss_in_bad, self._to_good) if self._bad else (self._loss_in_good, self._to_bad)
        if dice.random() < turn:
            self._bad = not self._bad
        return dice.random() < loss
