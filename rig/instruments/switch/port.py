"""What every port of a switch can do."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Protocol, runtime_checkable


@dataclass(frozen=True)
class PortState:
    """What a port reads back.

    Attributes:
        enabled: it is to be up.
        link: it has a link; None where the switch does not say.
        powered: it gives power (PoE); None where it cannot, or does not say.
    """

    enabled: bool
    link: bool | None = None
    powered: bool | None = None

    def as_dict(self) -> dict[str, Any]:
        """The fields by name, as evidence."""
        return asdict(self)


@runtime_checkable
class SwitchPort(Protocol):
    """A port. A state that was set is a state that was read back: each act returns what it read.

    Every method raises BenchTrouble where the switch is gone or mute, refuses, or reads back something else.
    """

    @property
    def name(self) -> str:
        """What the bench calls it."""

    @property
    def identity(self) -> str:
        """What it is, for the inventory."""

    def down(self) -> PortState:
        """Take the port down; the terminal loses its link. Waits until the switch sees none, where it says so."""

    def up(self) -> PortState:
        """Take it up. The link follows when both sides have agreed, up to some seconds later."""

    def power_off(self) -> PortState:
        """Give no power (PoE)."""

    def power_on(self) -> PortState:
        """Give power."""

    def read(self) -> PortState:
        """The state now."""

    def close(self) -> None:
        """Let go of it; the state stays."""
