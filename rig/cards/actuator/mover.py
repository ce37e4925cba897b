"""What moves cards between where they rest and the terminal, whatever drives it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from rig.errors import CallerMistake

Value = TypeVar("Value")
Settings = Mapping[str, Any]


class Place(StrEnum):
    """Where a card is: at rest, perhaps on the bench's own reader, or at the terminal."""

    PARK = "park"
    FIELD = "field"


class Mover(Protocol):
    """Carries cards. Every method returns, or raises BenchTrouble, when the machine stands still again."""

    @property
    def cards(self) -> tuple[str, ...]:
        """The names of the cards that it carries."""

    def put(self, card: str, place: Place) -> dict[str, Any]:
        """Move a card there; returns what the machine reads back.

        Raises:
            BenchTrouble: the machine does not move, raised an alarm, or reads back another position.
        """

    def clear(self) -> dict[str, Any]:
        """Move every card away from the terminal; returns what the machine reads back. Raises as `put`."""

    def identify(self) -> dict[str, Any]:
        """The machine, and how it is."""

    def close(self) -> None:
        """Let go of the machine; it stays where it is."""


def take(device: str, settings: Settings, allowed: tuple[str, ...]) -> None:
    """Raises CallerMistake for a setting that the driver does not know."""
    if unknown := sorted(set(settings) - set(allowed)):
        raise CallerMistake(device, f"unknown settings: {', '.join(unknown)}", f"use {', '.join(allowed)}")


def numbers(device: str, card: str, field: str, value: object, count: int) -> tuple[float, ...]:
    """A list of so many numbers out of a bench file. Raises CallerMistake naming card and field."""
    given: list[Any] = list(value) if isinstance(value, list | tuple) else [value]
    if len(given) != count or not all(isinstance(each, int | float) and not isinstance(each, bool) for each in given):
        what = "a number" if count == 1 else f"{count} numbers"
        raise CallerMistake(device, f"cards.{card}.{field} is not {what}", "see the driver's example")
    return tuple(float(each) for each in given)


def slots_of(device: str, cards: object, fields: tuple[str, ...]) -> dict[str, Settings]:
    """The slots by card, each with exactly these fields. Raises CallerMistake naming what is missing or too much."""
    if not isinstance(cards, Mapping) or not cards:
        raise CallerMistake(device, "field cards: no card has a slot", f"name each with {', '.join(fields)}")
    for card, slot in cards.items():
        if not isinstance(slot, Mapping) or set(slot) != set(fields):
            raise CallerMistake(device, f"cards.{card} needs {', '.join(fields)} and nothing else", "mend the slot")
    return dict(cards)
