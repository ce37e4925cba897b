"""Power of the terminal through a relay board.

.. code-block:: yaml

    power:
      port: /dev/serial/by-id/usb-Numato_Systems_…
      channel: 0

Source: Numato Lab, "USB Relay Module" user guides, chapter "The Command Set" (https://numato.com/docs): ASCII lines
ended by CR at any baud rate; the board echoes the line, answers, and prompts with ``>``. ``relay on 0``,
``relay off 0``, and ``relay read 0``, which answers ``on`` or ``off``.
"""

from __future__ import annotations

import re
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
    """Switches the terminal's power. A state that was set is a state that was read back."""

    def on(self) -> None:
        """Power on; raises BenchTrouble where the switch does not follow."""

    def off(self) -> None:
        """Power off; raises BenchTrouble where the switch does not follow."""

    def read(self) -> bool:
        """Whether the power is on."""

    def close(self) -> None:
        """Let go of the switch; the state stays."""


class NumatoRelay:
    """One channel of a Numato relay board.

    Args:
        port: the board's line.
        channel: the relay, from 0; the board calls them ``0`` to ``9``, then ``A`` to ``V``.
        timeout_s: longest wait for the board's prompt.
    """

    def __init__(self, port: SerialPort, channel: int = 0, *, timeout_s: float = _ANSWER_S) -> None:
        if not 0 <= channel <= _MAX_CHANNEL:
            raise CallerMistake(port.name, f"there is no relay {channel}", f"use 0 to {_MAX_CHANNEL}")
        self.name = port.name
        self._port = port
        self._channel = "0123456789ABCDEFGHIJKLMNOPQRSTUV"[channel]
        self._timeout_s = timeout_s

    @classmethod
    def open(
        cls,
        path: str,
        *,
        channel: int = 0,
        name: str,
        timeout_s: float = _ANSWER_S,
        observe: Observe = unobserved,
    ) -> Self:
        """Open the board's port; raises as :class:`SerialPort`."""
        return cls(SerialPort(path, name=name, baudrate=19_200, observe=observe), channel, timeout_s=timeout_s)

    def on(self) -> None:
        """Power on, and read back."""
        self._set(True)

    def off(self) -> None:
        """Power off, and read back."""
        self._set(False)

    def read(self) -> bool:
        """Whether the relay is closed."""
        answer = self._command(f"relay read {self._channel}")
        if answer not in ("on", "off"):
            raise DeviceNonsense(self.name, f"reads back {answer!r}", "is it a Numato board with this relay?")
        return answer == "on"

    def close(self) -> None:
        """Let go of the board; the relay stays as it is."""
        self._port.close()

    def _set(self, wanted: bool) -> None:
        word = "on" if wanted else "off"
        if answer := self._command(f"relay {word} {self._channel}"):
            raise DeviceNonsense(self.name, f"answers {answer!r} to relay {word}", "is it a Numato board?")
        if self.read() is not wanted:
            raise DeviceNonsense(self.name, f"does not switch {word}: its relay reads back the opposite", "replace it")

    def _command(self, command: str) -> str:
        """The board's answer, between the echo and the prompt."""
        self._port.discard()  # the prompt of whoever was here before
        self._port.write(command.encode("ascii") + b"\r")
        answer = self._port.read_until(_PROMPT, self._timeout_s).decode("ascii", "replace")
        return answer.removesuffix(">").strip().removeprefix(command).strip()
