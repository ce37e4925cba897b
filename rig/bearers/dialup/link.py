"""The link backend ``telephone line``: a call degraded at the bench's own end of it.

A call has no packets. It can be late (``delay_ms``), slow (``rate_kbit``), damaged (``corrupt_percent``: of the octets)
and silent (``cut``: nothing is relayed any more, the carrier stays). Without carrier the bench hangs up and lets it
ring; where a relay lies in the terminal's line, the line is dead as well. Everything else that an
:class:`~rig.bearers.impairment.Impairment` can say is a caller's mistake here: octets are not lost, doubled or put out
of order one by one. Counters count octets.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from rig.bearers.dialup.client import LineClient
from rig.bearers.impairment import Impairment
from rig.bearers.link import Backend, Counters, ReadBack
from rig.errors import CallerMistake, DeviceClamped, DeviceNonsense

_CANNOT = ("jitter_ms", "loss_percent", "burst_loss", "duplicate_percent", "reorder_percent")


class Relay(Protocol):
    """A contact; raises BenchTrouble where it does not follow."""

    def on(self) -> None:
        """Close it."""
        ...

    def off(self) -> None:
        """Open it."""
        ...

    def read(self) -> bool:
        """Whether it is closed."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


@dataclass(frozen=True, slots=True)
class PreparedSteps:
    """Steps kept ready here: a modem's octets are milliseconds apart, so that there is nothing to win elsewhere."""

    client: LineClient
    steps: tuple[tuple[dict[str, Any], dict[str, Any]], ...]

    def put(self, number: int) -> None:
        """Put the numbered one in force, both directions, counted from 0.

        Raises:
            CallerMistake: there is no such step.
            BenchTrouble: the process is gone.
        """
        if not 0 <= number < len(self.steps):
            raise CallerMistake("telephone line", f"there is no step {number} of {len(self.steps)}")
        self.client.impair(*self.steps[number])


class TelephoneLink:
    """One telephone line as a link.

    Args:
        name: of the bearer.
        client: asks the process that answers its calls; closed with the link.
        loop: opens the relay that lies in the terminal's line, where there is one; called when it is needed first.
    """

    backend: Backend = "telephone line"

    def __init__(self, name: str, client: LineClient, loop: Callable[[], Relay] | None = None) -> None:
        self.name = name
        self.line = client
        self._find_loop = loop
        self._loop: Relay | None = None

    def apply(self, up: Impairment, down: Impairment) -> ReadBack:
        """Put exactly this in force, and ask again what is.

        Raises:
            CallerMistake: a call cannot be degraded so.
        """
        for impairment in (up, down):
            require_possible(self.name, impairment)
        self.line.impair(up.to_dict(), down.to_dict())
        read_back = self.read()
        read_back.require(self.name, up, down)
        return read_back

    def prepare(self, steps: Sequence[tuple[Impairment, Impairment]]) -> PreparedSteps:
        """Keep the steps of a timeline; raises CallerMistake for one that a call cannot have."""
        for impairment in (each for step in steps for each in step):
            require_possible(self.name, impairment)
        return PreparedSteps(self.line, tuple((up.to_dict(), down.to_dict()) for up, down in steps))

    def read(self) -> ReadBack:
        """What the answering side says is in force; with carrier it answers calls, and the line is not dead."""
        state = self.line.state()
        alive = self._loop is None or self._loop.read()
        try:
            return ReadBack(
                Impairment.from_dict(state["up"]), Impairment.from_dict(state["down"]), bool(state["carrier"]) and alive
            )
        except KeyError as missing:
            raise DeviceNonsense(f"link {self.name}", f"the answering side's state lacks {missing}") from None

    def clear(self) -> None:
        """No impairment, no noise, every modulation, calls are answered. A call that stands goes on.

        A relay that was opened elsewhere than by :meth:`carrier` stays as it is: it is a device of its own.
        """
        self.line.clear()
        self._revive()

    def counters(self) -> Counters:
        """Octets that passed and that did not, since the process started."""
        counters: Any = self.line.state()["counters"]
        return {"up": counters["up"], "down": counters["down"]}

    def carrier(self, up: bool) -> bool:
        """Answer calls; or hang up and answer none, over a line that is dead where a relay can make it so.

        Raises:
            DeviceClamped: it did not follow, as where a failure keeps the line busy.
        """
        read_back = bool(self.line.set_carrier(up)["carrier"])
        if up:
            self._revive()
        elif self._find_loop is not None:
            self._loop = self._loop or self._find_loop()
            self._loop.off()
        if read_back != up:
            what = f"was asked {'to answer calls' if up else 'to answer none'} and does the opposite"
            raise DeviceClamped(f"link {self.name}", what, "does a named failure keep the line busy?")
        return read_back

    def close(self) -> None:
        """Let go of the door; what is in force stays in force."""
        self.line.close()
        if self._loop is not None:
            self._loop.close()

    def _revive(self) -> None:
        if self._loop is not None:
            self._loop.on()


def require_possible(name: str, impairment: Impairment) -> None:
    """See that a call can be degraded so.

    Raises:
        CallerMistake: it cannot; names what is too much.
    """
    if impossible := [each for each in _CANNOT if getattr(impairment, each)]:
        raise CallerMistake(
            f"link {name}", f"a telephone line has no {', '.join(impossible)}: octets pass in order or not at all",
            "use delay_ms, rate_kbit, corrupt_percent or cut, or a named failure: rig failures",
        )  # fmt: skip
