"""The command line of an AT modem: one command, one answer, in step; unsolicited lines are recorded and set aside.

Source: ITU-T V.250 (framing), 3GPP TS 27.007 (errors).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from rig.errors import DeviceMute, DeviceNonsense
from rig.instruments.serial_port import SerialPort
from rig.wire import at, at_errors
from rig.wire.errors import WireError

_Parsed = TypeVar("_Parsed")
_QUIET_S = 0.1


class Refused(DeviceNonsense):
    """A modem answered a command with an error. Usual cure: the SIM, its PIN, the network, or another command.

    Attributes:
        final: the line that said so.
    """

    def __init__(self, device: str, command: str, final: str) -> None:
        said, cure = at_errors.explained(final)
        super().__init__(device, f"answers {command} with {said}", cure)
        self.final = final


class AtLine:
    """Commands to a modem at a port. May be used from several threads: each command is whole.

    Args:
        port: owned by this line from now on.
        timeout_s: longest wait for an answer.
        on_unsolicited: told each line that answers nothing and tells a registration.
    """

    def __init__(
        self, port: SerialPort, timeout_s: float, on_unsolicited: Callable[[str], None] = lambda _line: None
    ) -> None:
        self.name = port.name
        self._port = port
        self._timeout_s = timeout_s
        self._on_unsolicited = on_unsolicited
        self._in_step = False
        self._lock = threading.RLock()

    def command(self, command: str, timeout_s: float | None = None) -> list[str]:
        """Send a command and return the lines of its answer, without echo and final result.

        Args:
            command: the line.
            timeout_s: longest wait for this answer, where the network has a say in it.

        Raises:
            Refused: it answers with an error.
            DeviceMute, DeviceGone: as :class:`SerialPort` has them.
        """
        with self._lock:
            if not self._in_step:
                self._resynchronise()
            self._notice(at.lines(self._port.discard()))
            *answer, final = self._exchange(command, timeout_s)
        if final != "OK":
            raise Refused(self.name, command, final)
        self._notice(answer)
        return [line for line in answer if line != command]

    def ask_all(self, command: str, prefix: str, parse: Callable[[str], _Parsed]) -> list[_Parsed]:
        """The values of every line of the answer that begins with ``prefix:``.

        Raises:
            Refused, DeviceNonsense: an error, or values that cannot be.
        """
        wanted = [line for line in self.command(command) if line.startswith(f"{prefix}:")]
        return [self._parsed(command, line, parse) for line in wanted if not at.is_unsolicited_registration(line)]

    def ask(self, command: str, prefix: str, parse: Callable[[str], _Parsed]) -> _Parsed:
        """The value of the first such line; raises as :meth:`ask_all`, and where there is none."""
        values = self.ask_all(command, prefix, parse)
        if not values:
            raise DeviceNonsense(self.name, f"answers {command} without {prefix}", "does this model know the command?")
        return values[0]

    def knows(self, command: str) -> bool:
        """Send a command that a model need not know; False where it answers with an error."""
        try:
            self.command(command)
        except Refused:
            return False
        return True

    def pause(self, limit_s: float) -> bool:
        """Wait until the modem says something by itself; False where it does not."""
        return self._port.wait_for_input(limit_s)

    def close(self) -> None:
        """Let go of the port."""
        self._port.close()

    def _parsed(self, command: str, line: str, parse: Callable[[str], _Parsed]) -> _Parsed:
        try:
            return parse(line)
        except WireError as error:
            raise DeviceNonsense(self.name, f"answers {command} with nonsense: {error}", "check the model") from error

    def _notice(self, lines: list[str]) -> None:
        for line in lines:
            if at.is_unsolicited_registration(line):
                self._on_unsolicited(line)

    def _exchange(self, command: str, timeout_s: float | None = None) -> list[str]:
        self._in_step = False
        self._port.write(command.encode("ascii") + b"\r")
        answer = self._port.read_until(at.FINAL, self._timeout_s if timeout_s is None else timeout_s)
        self._in_step = True
        return at.lines(answer)

    def _resynchronise(self) -> None:
        """After a timeout the late answer may still come: ``AT`` until the line is quiet behind its ``OK``."""
        self._port.discard(_QUIET_S)
        try:
            self._exchange("AT")
        except DeviceMute:
            self._exchange("AT")  # the first one may have ended somebody's half-typed line
        self._port.discard(_QUIET_S)
