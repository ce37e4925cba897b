"""A simulated Pololu Maestro with one servo arm a card, in its compact protocol.

Source: Pololu "Maestro Servo Controller User's Guide", 4.e and 5.e (https://www.pololu.com/docs/0J40).
"""

from __future__ import annotations

from rig.virtual.actuator import Arrangement, Positions

SET_TARGET, GET_POSITION, GET_MOVING, GET_ERRORS = 0x84, 0x90, 0x93, 0xA1
DATA_BYTES = {SET_TARGET: 3, GET_POSITION: 1, GET_MOVING: 0, GET_ERRORS: 0}
PROTOCOL_ERROR = 0x0010
TRAVEL_S = 0.05
NEAR_QUARTERS = 20


class MaestroArms:
    """The board and its arms, which are all at rest when it starts."""

    def __init__(self, arrangement: Arrangement) -> None:
        self._send, self._clock, self._fault = arrangement.send, arrangement.clock, arrangement.fault
        self._cards = arrangement.cards
        self._positions = Positions(arrangement)
        self._command = b""
        self._errors = 0
        self._pulse = {slot["channel"]: round(slot["park"] * 4) for slot in self._cards.values()}
        self.deadline: float | None = None
        self._tell()

    def feed(self, data: bytes) -> None:
        """Bytes from the host; one with its highest bit set begins a command."""
        if self._fault == "mute":
            return
        for byte in data:
            if byte & 0x80:
                self._command = bytes([byte])
            elif self._command:
                self._command += bytes([byte])
            if self._command and len(self._command) > DATA_BYTES.get(self._command[0], 0):
                command, self._command = self._command, b""
                self._obey(command)

    def tick(self) -> None:
        """The arms arrive."""
        if self.deadline is not None and self.deadline <= self._clock():
            self.deadline = None
            self._tell()

    def _obey(self, command: bytes) -> None:
        match command[0]:
            case 0x84 if command[1] in self._pulse and self._fault == "alarm":
                self._errors |= PROTOCOL_ERROR
            case 0x84 if command[1] in self._pulse and self._fault != "stuck":
                self._pulse[command[1]] = command[2] | command[3] << 7
                self.deadline = self._clock() + TRAVEL_S
            case 0x84:
                pass
            case 0x90:
                self._send(self._pulse.get(command[1], 0).to_bytes(2, "little"))
            case 0x93:
                self._send(bytes([self.deadline is not None]))
            case 0xA1:
                self._send(self._errors.to_bytes(2, "little"))
                self._errors = 0
            case _:
                self._errors |= PROTOCOL_ERROR

    def _tell(self) -> None:
        for card, slot in self._cards.items():
            pulse = self._pulse[slot["channel"]]
            near = [place for place in ("park", "field") if abs(slot[place] * 4 - pulse) < NEAR_QUARTERS]
            self._positions.tell(card, near[0] if near else None)
