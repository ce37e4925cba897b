"""What this rig sets of a netem, in the kernel's units, and the way from there to people's units and back.

Facts: ``linux/pkt_sched.h``, ``net/sched/sch_netem.c``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from rig.bearers.impairment import CUT, Distribution, Impairment, Overhead
from rig.bearers.loss import GilbertElliott
from rig.errors import CallerMistake, DeviceNonsense

ORDER_KEEPING_RATE = 1_250_000_000
"""10 Gbit/s in bytes per second, where no rate is asked: netem keeps packets in order only where it has a rate."""

ALWAYS = 0xFFFF_FFFF
"""The probability of one."""

_TABLES = tuple(Distribution)
_SEEDED, _LIMIT_STEP = 4, 8  # behind the two bits of the table; and what a limit is rounded up to
_NO_OVERHEAD = Overhead()


@dataclass(frozen=True, slots=True)
class NetemSettings:
    """What this rig sets of a netem, in the kernel's units; probabilities are × (2**32 - 1).

    Attributes:
        delay_ns: one way.
        jitter_ns: how far it varies.
        loss: probability, where there is no ``burst_loss``.
        rate: bytes per second.
        limit: packets that may wait; its last two bits number the delay's distribution, the third says that a seed was
            asked for.
        burst_loss: (p, r, h, k1) of ``struct tc_netem_gemodel``; h is the chance to *pass* while bad.
        duplicate: probability.
        corrupt: probability.
        reorder: probability to pass by those that wait.
        overhead: of a packet, on the wire.
        seed: of the dice; ``None``: the kernel's choice, or a kernel that tells none.
    """

    delay_ns: int
    jitter_ns: int
    loss: int
    rate: int
    limit: int
    burst_loss: tuple[int, int, int, int] | None = None
    duplicate: int = 0
    corrupt: int = 0
    reorder: int = 0
    overhead: Overhead = _NO_OVERHEAD
    seed: int | None = None

    @property
    def distribution(self) -> Distribution:
        """The table that goes with this limit."""
        return _TABLES[self.limit % len(_TABLES)]

    @classmethod
    def of(cls, impairment: Impairment) -> NetemSettings:
        """An impairment in the kernel's units."""
        if impairment.cut:
            return cls(0, 0, ALWAYS, ORDER_KEEPING_RATE, _limit(CUT))
        # Rounded up, so that the slowest rate that may be asked for is not below itself when it reads back.
        rate = ORDER_KEEPING_RATE if impairment.rate_kbit is None else math.ceil(impairment.rate_kbit * 125)
        return cls(
            round(impairment.delay_ms * 1e6),
            round(impairment.jitter_ms * 1e6),
            _chance(impairment.loss_percent),
            rate,
            _limit(impairment),
            None if impairment.burst_loss is None else _model(impairment.burst_loss),
            _chance(impairment.duplicate_percent),
            _chance(impairment.corrupt_percent),
            _chance(impairment.reorder_percent),
            impairment.overhead,
            impairment.seed,
        )

    def impairment(self, cut: bool) -> Impairment:
        """The same in people's units; ``cut`` where it stands for one.

        Raises:
            DeviceNonsense: somebody else's hand is on it: these are no values that this rig sets.
        """
        if cut:
            return CUT
        try:
            return Impairment(
                delay_ms=self.delay_ns / 1e6,
                jitter_ms=self.jitter_ns / 1e6,
                loss_percent=_percent(self.loss),
                rate_kbit=None if self.rate == ORDER_KEEPING_RATE else self.rate / 125,
                distribution=self.distribution,
                burst_loss=None if self.burst_loss is None else _chain(self.burst_loss),
                duplicate_percent=_percent(self.duplicate),
                corrupt_percent=_percent(self.corrupt),
                reorder_percent=_percent(self.reorder),
                overhead=self.overhead,
                seed=self.seed if self.limit & _SEEDED else None,
            )
        except CallerMistake as error:
            raise DeviceNonsense("netem", f"holds what the rig never sets: {error}", "who else sets it?") from error


def _limit(impairment: Impairment) -> int:
    said = _TABLES.index(impairment.distribution) + (_SEEDED if impairment.seed is not None else 0)
    return math.ceil(impairment.queue_limit / _LIMIT_STEP) * _LIMIT_STEP + said


def _chance(percent: float) -> int:
    return round(percent / 100 * ALWAYS)


def _percent(chance: int) -> float:
    return chance * 100 / ALWAYS


def _model(chain: GilbertElliott) -> tuple[int, int, int, int]:
    passes_while_bad = ALWAYS - _chance(chain.loss_in_bad_percent)
    return (
        _chance(chain.to_bad_percent),
        _chance(chain.to_good_percent),
        passes_while_bad,
        _chance(chain.loss_in_good_percent),
    )


def _chain(model: tuple[int, int, int, int]) -> GilbertElliott:
    p, r, h, k1 = model
    return GilbertElliott(_percent(p), _percent(r), _percent(ALWAYS - h), _percent(k1))
