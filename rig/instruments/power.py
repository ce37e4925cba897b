"""Relays of a board: the power of the terminal, and whatever else a bearer needs switched.

.. code-block:: yaml

    power:
      port: /dev/serial/by-id/usb-Numato_Systems_…
      channel: 0
    relays:
      base: {port: /dev/serial/by-id/usb-Numato_Systems_…, channel: 1}

Source: Numato Lab, "USB Relay Module" user guides, chapter "The Command Set" (https://numato.com/docs): ASCII lines
ended by CR at any baud rate; the board echoes the line, answers, and prompts with ``>``. ``relay on 0``,
``relay off 0``, and ``relay read 0``, which answers ``on`` or ``off``.
"""

from __future__ import annotations

import re
import threading
from typing import Protocol, Self, runtime_checkable

from rig.errors import CallerMistake, DeviceNonsense
from rig.instruments.serial_port import SerialPort
from rig.instruments.transcript import Observe, unobserved

_PROMPT = re.compile(rb">")
_MAX_CHANNEL = 31
_ANSWER_S = 4.0
"""A board answers in milliseconds; a simulated one first takes the network of what it powers down, radios included."""


@runtime_checkable
class PowerSwitch(Protocol):
    """Switches the terminal's power, or something else. A state that was set is a state that was read back."""

    def on(self) -> None:
        """Power on, relay closed; raises BenchTrouble where the switch does not follow."""

    def off(self) -> None:
        """Power off, relay open; raises BenchTrouble where the switch does not follow."""

    def read(self) -> bool:
        """Whether it is on."""

    def close(self) -> None:
        """Let go of the switch; the state stays."""


class NumatoBoard:
    """A board: one session, and its relays, which may be in several hands. The port closes with the last relay.

    Args:
        port: the board's line.
        timeout_s: longest wait for the board's prompt.
    """

    def __init__(self, port: SerialPort, *, timeout_s: float = _ANSWER_S) -> None:
        self.name = port.name
        self.closed = False
        """Whether the port was let go of; a board that is closed gives out no relays."""
        self._port = port
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._given_out = 0

    @classmethod
    def open(cls, path: str, *, name: str, timeout_s: float = _ANSWER_S, observe: Observe = unobserved) -> Self:
        """Open the board's port; raises as :class:`SerialPort`."""
        return cls(SerialPort(path, name=name, baudrate=19_200, observe=observe), timeout_s=timeout_s)

    def relay(self, channel: int, name: str | None = None) -> NumatoRelay:
        """One of its relays, by its own name where it has one. It must be closed once.

        Raises:
            CallerMistake: no Numato board has that many; one that was opened for this relay alone is closed.
        """
        try:
            made = NumatoRelay(self, channel, name or self.name)
        except CallerMistake:
            if not self._given_out:
                self._close()
            raise
        self._given_out += 1
        return made

    def command(self, command: str) -> str:
        """The board's answer, between the echo and the prompt.

        Raises:
            DeviceMute, DeviceGone: the board's line.
        """
        with self._lock:
            self._port.discard()  # the prompt of whoever was here before
            self._port.write(command.encode("ascii") + b"\r")
            answer = self._port.read_until(_PROMPT, self._timeout_s).decode("ascii", "replace")
        return answer.removesuffix(">").strip().removeprefix(command).strip()

    def let_go(self) -> None:
        """One relay fewer is in use."""
        self._given_out -= 1
        if self._given_out <= 0:
            self._close()

    def _close(self) -> None:
        self.closed = True
        self._port.close()


class NumatoRelay:
    """One relay of a board.

    Args:
        board: whose it is.
        channel: the relay, from 0; the board calls them ``0`` to ``9``, then ``A`` to ``V``.
        name: what the bench calls it.
    """

    def __init__(self, board: NumatoBoard, channel: int, name: str) -> None:
        if not 0 <= channel <= _MAX_CHANNEL:
            raise CallerMistake(name, f"there is no relay {channel}", f"use 0 to {_MAX_CHANNEL}")
        self.name = name
        self._board = board
        self._channel = "0123456789ABCDEFGHIJKLMNOPQRSTUV"[channel]

    @classmethod
    def open(
        cls,
        path: str,
        *,
        channel: int = 0,
        name: str,
        timeout_s: float = _ANSWER_S,
        observe: Observe = unobserved,
    ) -> NumatoRelay:
        """Open a board's port for one relay alone; raises as :class:`SerialPort`."""
        return NumatoBoard.open(path, name=name, timeout_s=timeout_s, observe=observe).relay(channel)

    def on(self) -> None:
        """Close it, and read back."""
        self._set(True)

    def off(self) -> None:
        """Open it, and read back."""
        self._set(False)

    def read(self) -> bool:
        """Whether it is closed."""
        answer = self._board.command(f"relay read {self._channel}")
        if answer not in ("on", "off"):
            raise DeviceNonsense(self.name, f"reads back {answer!r}", "is it a Numato board with this relay?")
        return answer == "on"

    def close(self) -> None:
        """Let go of it; the relay stays as it is."""
        self._board.let_go()

    def _set(self, wanted: bool) -> None:
        word = "on" if wanted else "off"
        if answer := self._board.command(f"relay {word} {self._channel}"):
            raise DeviceNonsense(self.name, f"answers {answer!r} to relay {word}", "is it a Numato board?")
        if self.read() is not wanted:
            raise DeviceNonsense(self.name, f"does not switch {word}: its relay reads back the opposite", "replace it")
