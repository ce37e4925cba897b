"""What every simulated attenuator does with a line, whatever its dialect."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from rig.virtual.attenuators.bank import Bank

Say = Callable[[str], None]
"""Sends a line to the client that asked, unasked and later."""


@dataclass(frozen=True)
class Reply:
    """What goes back to the client: lines, late or not, and the prompt; None is silence; or the connection's end."""

    lines: tuple[str, ...] | None
    delay_ms: float = 0.0
    drop: bool = False


class Box(ABC):
    """A box in front of its bank. Not thread-safe: its owner asks one thing at a time, and holds the bank's lock.

    Args:
        bank: its paths.
        model: what it says it is.
        serial: its serial number.
    """

    greeting = b""
    prompt = b""
    ending = b"\r\n"

    def __init__(self, bank: Bank, model: str, serial: str) -> None:
        self.bank = bank
        self.plate = model
        """The model that it is."""
        self.serial = serial

    @property
    def model(self) -> str:
        """What it says it is."""
        return "XYZ-1" if self.bank.strikes("wrong-model") else self.plate

    @abstractmethod
    def answer(self, line: str, say: Say) -> tuple[str, ...]:
        """The lines of the answer to a line; none where the box is silent."""

    def handle(self, line: str, say: Say = lambda _line: None) -> Reply:
        """The reply to one line from a client."""
        lines = self.answer(line.strip(), say)
        if self.bank.strikes("dropped", line):
            return Reply(None, drop=True)
        if self.bank.strikes("mute", line):
            return Reply(None)
        late = self.bank.strikes("late", line)
        return Reply(lines, delay_ms=late.delay_ms if late else 0.0)
