"""What puts a card into the terminal's field, whatever does it: an emulator, an actuator, a multiplexer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Protocol

from rig.cards.profile import CardProfile

Observe = Callable[[str, Mapping[str, Any]], object]
"""Takes an event of the history, ``card_armed`` for example, and its fields."""

Moment = Callable[[str, Mapping[str, Any]], object]
"""Called at a named moment while the card waits: ``card_selected`` and ``card_cryptogram`` before the answer to SELECT
AID or GPO leaves the card, ``card_answered`` when the cryptogram has left it. May take its time, may call `remove`."""


class Capability(Enum):
    """What a presenter can do beyond putting a card there and taking it away."""

    MOMENTS = "moments"
    """It stops at the named moments."""
    TEAR = "tear"
    """It can take the card away in the middle of an exchange."""
    PROTOCOL_FAULTS = "protocol-faults"
    """It answers each ISO-DEP block itself, so ATS, chaining and waiting times can be wrong on purpose."""


class Presenter(Protocol):
    """Puts one card at a time into the field."""

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What it can do; a fault that needs more is skipped by name."""

    def arm(self, card: CardProfile) -> None:
        """Put the card there; returns when a reader would find it.

        Raises:
            CallerMistake: the card may not be used on this bench.
            BenchTrouble: the presenter does not do it.
        """

    def remove(self, why: str = "asked") -> dict[str, Any]:
        """Take the card away, at any time, from any thread, once or twice; returns the proof that it is gone.

        Raises:
            BenchTrouble: the presenter does not do it, or failed while the card was there.
        """

    def identify(self) -> dict[str, Any]:
        """What is presented now: the device, and the card with its masked PAN, or None."""

    def close(self) -> None:
        """Take the card away and give the device back."""
