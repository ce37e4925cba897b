"""The simulated machines that carry physical test cards, on a pseudo-terminal of the field process.

Settings, as ``actuator`` of the field's::

    {"device": "grbl", "port": "actuator.tty", "fault": null, "swapped": {"visa-credit": "unionpay-debit"},
     "cards": {"visa-credit": {"park": [0, 0], "field": [120, 40]}}}

The slots are those of the bench file's presenter. ``swapped`` says that the slot of the first card holds the second.
``fault`` is one of `FAULTS`: the machine is mute, raises alarms, is stuck where it is and says so, or has lost steps:
it believes to have moved, and no card arrived.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from rig.errors import CallerMistake

Send = Callable[[bytes], None]
Clock = Callable[[], float]
Moved = Callable[[str, str | None], None]
"""Called with a slot's card and where it is now: ``park``, ``field``, or None for nowhere near a reader."""

FAULTS = ("mute", "alarm", "stuck", "lost-step")
FIELDS = {"device", "port", "fault", "swapped", "cards"}


class Machine(Protocol):
    """A machine, driven by bytes and a clock."""

    @property
    def deadline(self) -> float | None:
        """When `tick` must be called at the latest; None when nothing is due."""

    def feed(self, data: bytes) -> None:
        """Take bytes from the host."""

    def tick(self) -> None:
        """Let what is due happen."""


@dataclass(frozen=True)
class Arrangement:
    """What a machine is built from.

    Attributes:
        cards: slot → its positions, as in the bench file.
        fault: one of FAULTS, or None.
        moved: told where each slot's card is, when that changes.
        send: takes bytes for the host.
        clock: monotonic seconds.
    """

    cards: Mapping[str, Mapping[str, Any]]
    fault: str | None
    moved: Moved
    send: Send
    clock: Clock


class Positions:
    """Which cards are where, told only when it changes."""

    def __init__(self, arrangement: Arrangement) -> None:
        self._arrangement = arrangement
        self._at: dict[str, str | None] = {}

    def tell(self, card: str, place: str | None) -> None:
        """The card in this slot is there now, if the machine has not lost it on its way."""
        lost = self._arrangement.fault == "lost-step" and place == "field"
        place = None if lost else place
        if self._at.get(card, "") != place:
            self._at[card] = place
            self._arrangement.moved(card, place)


def check(name: str, settings: Mapping[str, Any]) -> None:
    """Raises CallerMistake for settings that no machine has."""
    if unknown := settings.keys() - FIELDS:
        raise CallerMistake(
            f"device {name}", f"unknown settings of its actuator: {', '.join(sorted(unknown))}",
            f"use {', '.join(sorted(FIELDS))}",
        )  # fmt: skip
    if settings.get("fault") not in (None, *FAULTS):
        raise CallerMistake(
            f"device {name}", f"no fault {settings['fault']} of an actuator", f"use one of {', '.join(FAULTS)}"
        )
