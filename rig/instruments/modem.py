"""A cellular modem as the reader of a signal: AT commands over a serial line.

.. code-block:: yaml

    modem:
      port: /dev/serial/by-id/usb-SimTech_…-if02-port0
      baudrate: 115200

Source: 3GPP TS 27.007 (commands), ITU-T V.250 (framing); the parsing is :mod:`rig.wire.at`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Self, TypeVar

from rig.errors import BenchTrouble, DeviceMute, DeviceNonsense
from rig.instruments.serial_port import SerialPort
from rig.instruments.transcript import Observe, unobserved
from rig.units import Dbm, Decibel
from rig.wire import at
from rig.wire.errors import WireError

_Parsed = TypeVar("_Parsed")
_QUIET_S = 0.1


@dataclass(frozen=True)
class Signal:
    """What the modem reports: LTE level in dBm and quality in dB (None: not known), and whether it has service."""

    rsrp: Dbm | None
    rsrq: Decibel | None
    registered: bool
    technology: str | None
    cell: str | None

    def as_dict(self) -> dict[str, object]:
        """The fields by name, as the event ``signal`` holds them."""
        return asdict(self)


class Modem:
    """Asks a modem for its signal. Unsolicited lines, before and inside an answer, are recorded and skipped.

    Raises:
        DeviceGone, BenchBusy: the port, see :class:`SerialPort`.
        DeviceMute: it does not answer ``AT``.
    """

    def __init__(self, port: SerialPort, *, timeout_s: float = 1.0) -> None:
        self.name = port.name
        self._port = port
        self._timeout_s = timeout_s
        self._in_step = False
        self._command("ATE0")
        self._command("AT+CEREG=2")  # with 2 the answer names the cell: ΔRSRP proves on an unchanged cell alone
        self.identity = " ".join(self._command("ATI"))

    @classmethod
    def open(
        cls,
        path: str,
        *,
        name: str,
        baudrate: int = 115_200,
        timeout_s: float = 1.0,
        observe: Observe = unobserved,
    ) -> Self:
        """Open the port and bring the modem into step."""
        port = SerialPort(path, name=name, baudrate=baudrate, observe=observe)
        try:
            return cls(port, timeout_s=timeout_s)
        except BaseException:
            port.close()
            raise

    def signal(self) -> Signal:
        """Level, quality, registration, technology and cell, as of now."""
        quality = self._ask("AT+CESQ", "+CESQ", at.parse_cesq)
        registration = self.registration()
        technology = registration.technology
        if registration.registered and technology is None:
            _, technology = self.operator()
        return Signal(quality.rsrp, quality.rsrq, registration.registered, technology, registration.cell)

    def registration(self) -> at.Registration:
        """``AT+CEREG?``."""
        return self._ask("AT+CEREG?", "+CEREG", at.parse_cereg)

    def operator(self) -> tuple[str | None, str | None]:
        """``AT+COPS?`` as (operator, technology)."""
        return self._ask("AT+COPS?", "+COPS", at.parse_cops)

    def rssi(self) -> Dbm | None:
        """``AT+CSQ``: coarse, and clipped at −51 dBm."""
        return self._ask("AT+CSQ", "+CSQ", at.parse_csq)

    def active_contexts(self) -> list[int]:
        """The PDP contexts that ``AT+CGACT?`` calls active."""
        answers = [line for line in self._command("AT+CGACT?") if line.startswith("+CGACT:")]
        states = [self._parsed("AT+CGACT?", line, at.parse_cgact) for line in answers]
        return [context for context, active in states if active]

    def wait_until(self, predicate: Callable[[Signal], bool], timeout_s: float, poll_s: float = 0.1) -> Signal:
        """Ask until ``predicate`` holds; an unsolicited line makes it ask at once.

        Raises:
            BenchTrouble: it did not hold in time; the error tells the last signal.
        """
        deadline = time.monotonic() + timeout_s
        while not predicate(signal := self.signal()):
            if time.monotonic() >= deadline:
                raise BenchTrouble(
                    self.name,
                    f"the signal did not become what was awaited in {timeout_s:g} s: {signal}",
                    "check the attenuator's value, the antenna path and the SIM",
                )
            self._port.wait_for_input(poll_s)
        return signal

    def close(self) -> None:
        """Let go of the port."""
        self._port.close()

    def _ask(self, command: str, prefix: str, parse: Callable[[str], _Parsed]) -> _Parsed:
        for line in self._command(command):
            if not line.startswith(f"{prefix}:"):
                continue
            if prefix == "+CEREG" and not at.is_cereg_answer(line):
                continue  # an unsolicited line of the same name
            return self._parsed(command, line, parse)
        raise DeviceNonsense(self.name, f"answers {command} without {prefix}", "does this model know the command?")

    def _parsed(self, command: str, line: str, parse: Callable[[str], _Parsed]) -> _Parsed:
        try:
            return parse(line)
        except WireError as error:
            raise DeviceNonsense(self.name, f"answers {command} with nonsense: {error}", "check the model") from error

    def _command(self, command: str) -> list[str]:
        """Send a command and return the lines of its answer, without echo and final result."""
        if not self._in_step:
            self._resynchronise()
        self._port.discard()
        *answer, final = self._exchange(command)
        if final != "OK":
            raise DeviceNonsense(
                self.name, f"answers {command} with {final}", "is the SIM in, its PIN off, the command known?"
            )
        return [line for line in answer if line != command]

    def _exchange(self, command: str) -> list[str]:
        self._in_step = False
        self._port.write(command.encode("ascii") + b"\r")
        answer = self._port.read_until(at.FINAL, self._timeout_s)
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
