"""What a radio makes of a link: delay, loss and rate, from good to bad, and with others in the cell."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

_LEAST_SHARE = 0.02
"""What a full cell still gives to each."""

_LONGEST_QUEUE = 20
"""Buffers are finite: a queue is at most so many times as long as at half load."""

_LOSES_FROM, _LOSS_AT_FULL = 0.8, 5.0
"""From which load on buffers overflow, and what percentage is lost when the cell is full."""

CUT: dict[str, Any] = {"up": {"cut": True}, "down": {"cut": True}}
"""The link's words for: nothing passes, and nobody is told."""


@dataclass(frozen=True)
class Direction:
    """One direction of the link, in the words of the link's ``set``."""

    delay_ms: float
    jitter_ms: float
    loss_percent: float
    rate_kbit: float


@dataclass(frozen=True)
class Shape:
    """Both directions of the link, from the quality ``sinr_db`` upwards."""

    sinr_db: float
    up: Direction
    down: Direction

    def as_arguments(self) -> dict[str, Any]:
        """The arguments of the link's ``set``."""
        return {"up": asdict(self.up), "down": asdict(self.down)}


def congested(shape: Shape, load: float, queue_ms: float) -> Shape:
    """The same link where others use a share of the cell.

    What is left of the rate is what the others leave; packets wait in a queue whose mean follows the utilisation as
    in an M/M/1 queue, ρ/(1 − ρ), up to what buffers hold; and buffers overflow in the end.

    Args:
        shape: the link with the cell to itself.
        load: the others' share, 0 to 1.
        queue_ms: how long the queue is at half load.
    """
    if load <= 0:
        return shape
    free = max(1 - load, _LEAST_SHARE)
    queue = queue_ms * min(load / free, _LONGEST_QUEUE)
    loss = _LOSS_AT_FULL * max(0.0, load - _LOSES_FROM) / (1 - _LOSES_FROM)

    def slower(direction: Direction) -> Direction:
        return Direction(
            delay_ms=direction.delay_ms + queue,
            jitter_ms=direction.jitter_ms + queue / 3,
            loss_percent=direction.loss_percent + loss,
            rate_kbit=direction.rate_kbit * free,
        )

    return replace(shape, up=slower(shape.up), down=slower(shape.down))
