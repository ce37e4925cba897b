"""Solenoids on a Numato relay board: a card is at the terminal while its relay is closed.

The board's protocol and its source: `rig.instruments.power`. It reads back its relays, not the solenoids.
"""

from __future__ import annotations

import threading
from typing import Any

from rig.cards.actuator.mover import Place, Settings, numbers, slots_of
from rig.instruments.power import NumatoBoard
from rig.instruments.serial_port import SerialPort


class Solenoids:
    """The solenoids.

    Args:
        port: the board's line.
        cards: card → ``{relay: n}``.
        settle_s: how long a solenoid takes to move.

    Raises:
        CallerMistake: a slot is wrong.
        DeviceMute, DeviceNonsense: no Numato board with these relays answers.
    """

    def __init__(self, port: SerialPort, cards: Settings, *, settle_s: float = 0.3) -> None:
        self.name = port.name
        self._port, self._settle_s = port, settle_s
        board = NumatoBoard(port)
        self._relays = {
            card: board.relay(int(numbers(port.name, card, "relay", slot["relay"], 1)[0]))
            for card, slot in slots_of(port.name, cards, ("relay",)).items()
        }
        self._still = threading.Event()  # never set: a wait that nothing ends
        self._closed()

    @property
    def cards(self) -> tuple[str, ...]:
        """See `Mover.cards`."""
        return tuple(self._relays)

    def put(self, card: str, place: Place) -> dict[str, Any]:
        """See `Mover.put`. The proof: `relays_closed`, the cards whose relays are."""
        relay = self._relays[card]
        moved = relay.read() is not (place is Place.FIELD)
        (relay.on if place is Place.FIELD else relay.off)()
        if moved:
            self._still.wait(self._settle_s)
        return {"relays_closed": self._closed()}

    def clear(self) -> dict[str, Any]:
        """See `Mover.clear`: every relay opens."""
        for card in self.cards:
            self.put(card, Place.PARK)
        return {"relays_closed": self._closed()}

    def identify(self) -> dict[str, Any]:
        """The board, and the cards whose relays are closed."""
        return {"device": "Numato relay board", "relays_closed": self._closed()}

    def close(self) -> None:
        """Let go of the port; the relays stay."""
        self._port.close()

    def _closed(self) -> list[str]:
        return [card for card, relay in self._relays.items() if relay.read()]
