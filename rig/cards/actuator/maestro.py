"""Servo arms on a Pololu Maestro, one arm a card.

Source: Pololu "Maestro Servo Controller User's Guide", 5.e serial servo commands, compact protocol
(https://www.pololu.com/docs/0J40/5.e): 84 channel low high sets a target, 90 channel reads the position back, 93 asks
whether a servo still moves, A1 reads (and clears) the errors. Targets are quarter microseconds in two 7-bit halves.
The position is the pulse that the board sends, not where the arm is: only a reader sees whether the card arrived.
"""

from __future__ import annotations

import re
import threading
import time
from typing import Any

from rig.cards.actuator.mover import Place, Settings, numbers, slots_of
from rig.errors import BenchTrouble, CallerMistake, DeviceMute
from rig.instruments.serial_port import SerialPort

SET_TARGET, GET_POSITION, GET_MOVING, GET_ERRORS = 0x84, 0x90, 0x93, 0xA1
ANSWER_S, POLL_S = 0.5, 0.02
CHANNELS, SHORTEST_US, LONGEST_US = 24, 64, 4095
ERRORS = ("signal", "overrun", "receive buffer full", "checksum", "protocol", "timeout", "script stack",
          "script call stack", "script counter")  # fmt: skip
_BYTES = {1: re.compile(rb"[\s\S]"), 2: re.compile(rb"[\s\S]{2}")}


class Maestro:
    """The arms.

    Args:
        port: the command port of the board.
        cards: card → ``{channel: n, park: µs, field: µs}``.
        settle_s: how long an arm swings after the board has sent its last pulse width.
        move_s: the longest that a move takes.

    Raises:
        CallerMistake: a slot is wrong.
        DeviceMute: no Maestro answers.
    """

    def __init__(self, port: SerialPort, cards: Settings, *, settle_s: float = 0.3, move_s: float = 10.0) -> None:
        self.name = port.name
        self._port, self._settle_s, self._move_s = port, settle_s, move_s
        self._slots = slots_of(port.name, cards, ("channel", *Place))
        self._channel = {card: self._channel_of(card, slot["channel"]) for card, slot in self._slots.items()}
        self._target = {
            card: {place: self._quarters(card, place, slot[place]) for place in Place}
            for card, slot in self._slots.items()
        }
        self._still = threading.Event()  # never set: a wait that nothing ends
        self._errors()

    @property
    def cards(self) -> tuple[str, ...]:
        """See `Mover.cards`."""
        return tuple(self._slots)

    def put(self, card: str, place: Place) -> dict[str, Any]:
        """See `Mover.put`. The proof: `pulse_us`, the width that the board sends."""
        channel, target = self._channel[card], self._target[card][place]
        self._port.write(bytes([SET_TARGET, channel, target & 0x7F, target >> 7]))
        self._until_still(channel)
        self._still.wait(self._settle_s)
        self._complain()
        if (sent := self._position(channel)) != target:
            raise BenchTrouble(
                self.name, f"channel {channel} sends {sent / 4:g} µs, not {target / 4:g} µs",
                "is the channel a servo's, and the target within its limits?",
            )  # fmt: skip
        return {"pulse_us": sent / 4}

    def clear(self) -> dict[str, Any]:
        """See `Mover.clear`: every arm goes to rest. The proof: `pulse_us` by card."""
        return {"pulse_us": {card: self.put(card, Place.PARK)["pulse_us"] for card in self.cards}}

    def identify(self) -> dict[str, Any]:
        """The board, and the pulse of each card's arm, µs."""
        return {
            "device": "Pololu Maestro",
            "pulse_us": {card: self._position(channel) / 4 for card, channel in self._channel.items()},
        }

    def close(self) -> None:
        """Let go of the port; the arms stay."""
        self._port.close()

    def _until_still(self, channel: int) -> None:
        deadline = time.monotonic() + self._move_s
        while self._ask(bytes([GET_MOVING]), 1)[0]:  # the board tells nothing unasked
            if time.monotonic() > deadline:
                raise DeviceMute(self.name, f"channel {channel} moves for more than {self._move_s:g} s", "see its way")
            self._still.wait(POLL_S)

    def _position(self, channel: int) -> int:
        return int.from_bytes(self._ask(bytes([GET_POSITION, channel]), 2), "little")

    def _errors(self) -> list[str]:
        bits = int.from_bytes(self._ask(bytes([GET_ERRORS]), 2), "little")
        return [name for at, name in enumerate(ERRORS) if bits >> at & 1]

    def _complain(self) -> None:
        if errors := self._errors():
            raise BenchTrouble(self.name, f"the board tells errors: {', '.join(errors)}", "check baud rate and cable")

    def _ask(self, command: bytes, length: int) -> bytes:
        self._port.discard()
        self._port.write(command)
        return self._port.read_until(_BYTES[length], ANSWER_S)

    def _channel_of(self, card: str, value: object) -> int:
        channel = numbers(self.name, card, "channel", value, 1)[0]
        if channel != int(channel) or not 0 <= channel < CHANNELS:
            raise CallerMistake(self.name, f"cards.{card}.channel: there is no channel {value}", "use 0 to 23")
        return int(channel)

    def _quarters(self, card: str, place: Place, value: object) -> int:
        width = numbers(self.name, card, place, value, 1)[0]
        if not SHORTEST_US <= width <= LONGEST_US:
            raise CallerMistake(
                self.name, f"cards.{card}.{place}: no servo takes {width:g} µs", f"use {SHORTEST_US} to {LONGEST_US}"
            )
        return round(width * 4)
