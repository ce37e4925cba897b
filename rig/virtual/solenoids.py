"""A simulated Numato relay board whose relays drive solenoids: a closed relay holds its card at the terminal."""

from __future__ import annotations

from rig.history import Journal
from rig.virtual.actuator import Arrangement, Positions
from rig.virtual.relay_board import RelayBoard

RELAYS = 8


class _Nothing:
    """What relay 0 powers here."""

    def power_on(self) -> None:
        """Nothing."""

    def power_off(self) -> None:
        """Nothing."""


class SolenoidBoard(RelayBoard):
    """The board. A solenoid is there at once."""

    deadline: float | None = None

    def __init__(self, arrangement: Arrangement, journal: Journal) -> None:
        super().__init__(RELAYS, _Nothing(), journal)
        self._arrangement = arrangement
        self._positions = Positions(arrangement)
        self._tell()

    def feed(self, data: bytes) -> None:
        """Bytes from the host."""
        if self._arrangement.fault != "mute":
            self._arrangement.send(self.receive(data))

    def tick(self) -> None:
        """Nothing is ever due."""

    def switch(self, relay: int, closed: bool) -> None:
        """Close or open a relay, unless the board is stuck."""
        if self._arrangement.fault not in ("stuck", "alarm"):
            super().switch(relay, closed)
            self._tell()

    def _tell(self) -> None:
        for card, slot in self._arrangement.cards.items():
            self._positions.tell(card, "field" if self._closed[slot["relay"]] else "park")
