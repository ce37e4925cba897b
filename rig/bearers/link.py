"""One link between the terminal and its host that can be degraded, whatever does the degrading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal, Protocol, TypedDict

from rig.bearers.impairment import Impairment
from rig.bearers.loss import GilbertElliott
from rig.errors import DeviceClamped

Backend = Literal["netem", "user-space link", "telephone line"]

_PERCENT = 0.000_01
_TOLERANCE = {
    "delay_ms": 0.001,
    "jitter_ms": 0.001,
    "loss_percent": _PERCENT,
    "duplicate_percent": _PERCENT,
    "corrupt_percent": _PERCENT,
    "reorder_percent": _PERCENT,
    "rate_kbit": 0.01,
}
"""What a backend may round: the kernel keeps nanoseconds, 32-bit probabilities and whole bytes per second."""


class DirectionCounters(TypedDict):
    """What became of the packets of one direction since the link came up.

    ``packets`` passed, ``dropped`` did not (loss, cut, queue overflow, no carrier).
    """

    packets: int
    dropped: int


class Counters(TypedDict):
    """Both directions: ``up`` is terminal → host."""

    up: DirectionCounters
    down: DirectionCounters


@dataclass(frozen=True, slots=True)
class ReadBack:
    """What the backend says is in force now.

    Attributes:
        up: terminal → host.
        down: host → terminal.
        carrier: whether the terminal's end has a carrier.
    """

    up: Impairment
    down: Impairment
    carrier: bool

    def to_dict(self) -> dict[str, Any]:
        """JSON values for the history."""
        return {"up": self.up.to_dict(), "down": self.down.to_dict(), "carrier": self.carrier}

    def require(self, link: str, up: Impairment, down: Impairment) -> None:
        """Compare with what was asked.

        Raises:
            DeviceClamped: something else is in force.
        """
        for direction, asked, got in (("up", up, self.up), ("down", down, self.down)):
            if not _same(asked, got):
                what = f"{direction} was asked for {asked} and reads back {got}"
                raise DeviceClamped(f"link {link}", what, "does someone else set it?")


def _same(asked: Impairment, got: Impairment) -> bool:
    if asked.cut or got.cut:
        return asked.cut == got.cut
    if (asked.rate_kbit is None) != (got.rate_kbit is None) or asked.overhead != got.overhead:
        return False
    if asked.seed is not None and got.seed not in (None, asked.seed):  # a kernel without seeds tells none
        return False
    if asked.jitter_ms and asked.distribution is not got.distribution:
        return False
    return _same_bursts(asked.burst_loss, got.burst_loss) and all(
        abs((getattr(asked, name) or 0) - (getattr(got, name) or 0)) <= slack for name, slack in _TOLERANCE.items()
    )


def _same_bursts(asked: GilbertElliott | None, got: GilbertElliott | None) -> bool:
    if asked is None or got is None:
        return asked is got
    return all(abs(getattr(asked, f.name) - getattr(got, f.name)) <= _PERCENT for f in fields(asked))


class Prepared(Protocol):
    """Impairments made ready in advance, so that each can be put in force at its time with little to do."""

    def put(self, number: int) -> None:
        """Put the numbered one in force, both directions; not read back: :meth:`Link.read` tells.

        Raises:
            BenchTrouble: the backend is gone or refused.
        """
        ...


class Link(Protocol):
    """A link whose two directions can be degraded apart from each other. May be used from several threads."""

    @property
    def name(self) -> str:
        """The name of the link in the bench file."""
        ...

    @property
    def backend(self) -> Backend:
        """Who degrades: stated in every report, for a relay is never to be taken for the kernel's netem."""
        ...

    def apply(self, up: Impairment, down: Impairment) -> ReadBack:
        """Put exactly this in force, whatever was before, and read it back.

        Raises:
            DeviceClamped: the backend says that something else is in force.
            BenchTrouble: the backend is gone or refused.
        """
        ...

    def prepare(self, steps: Sequence[tuple[Impairment, Impairment]]) -> Prepared:
        """Make pairs of up and down ready to be put in force one by one, as a timeline does.

        Raises:
            BenchTrouble: the backend is gone, or does not have what a step needs; nothing was touched then.
        """
        ...

    def read(self) -> ReadBack:
        """What is in force now, asked of the backend and not remembered."""
        ...

    def clear(self) -> None:
        """As if never touched: no impairment, carrier on, nothing of ours left in the kernel."""
        ...

    def counters(self) -> Counters:
        """What passed and what did not, since the link came up."""
        ...

    def carrier(self, up: bool) -> bool:
        """Take the carrier from the terminal's end, or give it back. Returns what reads back.

        Raises:
            DeviceClamped: the carrier did not follow.
        """
        ...

    def close(self) -> None:
        """Let go of the backend; what is in force stays in force."""
        ...
