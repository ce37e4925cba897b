"""The bench's modem at the far end of the telephone line: it answers calls. A serial port and AT commands.

.. code-block:: yaml

    bearers:
      dialup: {kind: dial-up, interface: /dev/serial/by-id/usb-…, answering: {baud: 115200, loop: line}}

Source: ITU-T V.250: 5.2 (command lines), 6.3 (call control: A, H, S0, S7), 6.4.1 (+MS), 6.2.8 (&C), 6.2.9 (&D).
The escape ``+++`` between two silences of S12 fiftieths of a second is Hayes', not of V.250, and every modem's.
"""

from __future__ import annotations

import contextlib
import time
from collections import deque

from rig.errors import DeviceClamped, DeviceMute, DeviceNonsense
from rig.instruments.serial_port import SerialPort
from rig.instruments.transcript import Observe, unobserved
from rig.wire.at_dial import FINAL, CarrierWatch, Code, Lines, Result, parse_result

MODULATIONS = {1200: "V22", 2400: "V22B", 33600: "V34"}
"""bit/s → the carrier of ``AT+MS`` (V.250, table 25)."""

_ANSWER_S = 2.0
_HANG_UP_S = 8.0
"""A modem first sends what it still holds: a kilobyte at 1200 bit/s."""
_GUARD_FIFTIETHS = 10
_DTR_S = 0.3
"""Longer than S25 of any modem: DTR that is shorter away is not seen."""
_QUIET_S = 0.05
_ESCAPES = 3
_ESCAPED_S = 0.5
"""Within this time a modem that was in a call tells that it takes commands."""


class AnsweringModem:
    """A modem in command state until it answers a call, and a stream of octets until the call is over.

    Not for several threads. What passes as data is never told to ``observe``: it holds card data.

    Raises:
        DeviceMute: nothing there understands AT.
        DeviceNonsense: it refuses what it must know.
        DeviceGone: the port.
    """

    def __init__(self, port: SerialPort, observe: Observe = unobserved) -> None:
        self.name = port.name
        self._port = port
        self._observe = observe
        self._lines = Lines()
        self._watch = CarrierWatch()
        self._events: deque[Result] = deque()
        self._held_since = 0.0
        self._wake()
        self._command("ATE0V1Q0")
        self._command("ATS0=0")  # the bench decides which call is answered
        for wish in ("AT&C1", "AT&D2", f"ATS12={_GUARD_FIFTIETHS}"):
            self._command(wish, needed=False)
        self.identity = " ".join(self._command("ATI")) or "modem"

    def fileno(self) -> int:
        """For select."""
        return self._port.fileno()

    # --- command state ---------------------------------------------------------------------------------------------

    def listen(self) -> list[Result]:
        """What the modem has said by itself since the last call: ``RING``, or how an ATA ended."""
        self._lines.feed(self._port.discard())
        return self._take_events()

    def answer(self) -> None:
        """Begin to answer; :meth:`listen` tells ``CONNECT`` or ``NO CARRIER`` once the modems have agreed."""
        self._send("ATA")

    def begin_data(self) -> bytes:
        """The call stands: returns what came behind ``CONNECT``."""
        self._watch = CarrierWatch()
        return self._watch.feed(self._lines.rest())

    def set_hook(self, off: bool) -> None:
        """Lift the receiver without a call, so that who calls finds the line busy, or put it back."""
        self._command("ATH1" if off else "ATH0")

    def set_modulation(self, rate: int | None) -> None:
        """Answer with one modulation alone (bit/s, of :data:`MODULATIONS`); None: with the best one.

        Raises:
            DeviceNonsense: it does not know the command.
            DeviceClamped: another one reads back.
        """
        carrier, automode = ("V34", 1) if rate is None else (MODULATIONS[rate], 0)
        self._command(f"AT+MS={carrier},{automode}")
        told = " ".join(self._command("AT+MS?"))
        if told.removeprefix("+MS:").split(",")[0].strip() != carrier:
            raise DeviceClamped(
                self.name, f"was told modulation {carrier} and reads {told!r}", "see the modem's manual"
            )

    # --- data ------------------------------------------------------------------------------------------------------

    def read(self) -> bytes:
        """The octets that came. :attr:`lost` is true once the call is over."""
        data = self._watch.feed(self._port.discard())
        self._held_since = time.monotonic() if self._watch.holds else 0.0
        return data

    def overdue(self, now: float) -> bytes:
        """What looked like the beginning of NO CARRIER, and was data after all."""
        return self._watch.quiet() if self._held_since and now - self._held_since > _QUIET_S else b""

    @property
    def lost(self) -> bool:
        """Whether the modem has said that the call is over."""
        return self._watch.lost

    def write(self, data: bytes) -> None:
        """Send octets to the caller."""
        self._port.write(data)

    def hang_up(self) -> None:
        """End the call: by DTR, or by the escape and ATH where the line has no such wire."""
        if self._port.set_ready(False):
            time.sleep(_DTR_S)
            self._port.set_ready(True)
            self._port.discard(_QUIET_S)
        else:
            self._escape()
        self._lines = Lines()
        self._command("ATH0", timeout_s=_HANG_UP_S)

    def end_data(self) -> None:
        """The call is over; what comes from here on are lines again.

        The last octets may have met a modem that had lost its call and took them for a command: that is ended here.
        """
        self._watch, self._held_since = CarrierWatch(), 0.0
        self._port.write(b"\r")
        self._port.discard(_QUIET_S)
        self._lines = Lines()

    def close(self) -> None:
        """Let go of the port."""
        self._port.close()

    def _escape(self, times: int = _ESCAPES) -> None:
        """Out of data state. A modem that was busy just then may have taken the sign for data: it gets another."""
        guard = _GUARD_FIFTIETHS / 50 * 1.2
        for _ in range(times):
            time.sleep(guard)
            self._port.write(b"+++")
            deadline = time.monotonic() + guard + _ESCAPED_S
            heard = b""
            while time.monotonic() < deadline:
                self._port.wait_for_input(deadline - time.monotonic())
                heard += self._port.discard()
                if b"OK\r\n" in heard or b"NO CARRIER\r\n" in heard:
                    return
            self._port.write(b"\r")  # in command state the sign was the beginning of a line
            self._lines = Lines()
            with contextlib.suppress(DeviceMute, DeviceNonsense):
                self._command("AT", timeout_s=_ESCAPED_S)
                return

    # --- dialogue --------------------------------------------------------------------------------------------------

    def _wake(self) -> None:
        """Bring the modem into step, out of a call that somebody left behind if need be."""
        try:
            self._command("AT", timeout_s=0.5)
        except (DeviceMute, DeviceNonsense):
            self._escape(times=1)
            self._command("AT", timeout_s=1.0)

    def _command(self, command: str, *, needed: bool = True, timeout_s: float = _ANSWER_S) -> list[str]:
        """The lines of the answer. ``RING`` among them is kept for :meth:`listen`."""
        self._send(command)
        deadline = time.monotonic() + timeout_s
        told: list[str] = []
        while True:
            while (line := self._lines.next()) is not None:
                result = parse_result(line)
                if result is None:
                    told += [line] if line != command else []
                    continue
                self._tell("instrument_rx", line)
                if result.code is Code.RING:
                    self._events.append(result)
                elif result.code is Code.OK or (result.code is Code.ERROR and not needed):
                    return told
                elif result.code in FINAL and result.code is not Code.NO_CARRIER:
                    raise DeviceNonsense(self.name, f"answers {command} with {line}", "does this modem know it?")
            if time.monotonic() >= deadline:
                raise DeviceMute(
                    self.name, f"no answer to {command} in {timeout_s:g} s", "check its power, cable and baud rate"
                )
            self._port.wait_for_input(deadline - time.monotonic())
            self._lines.feed(self._port.discard())

    def _send(self, command: str) -> None:
        self._tell("instrument_tx", command)
        self._port.write(command.encode("ascii") + b"\r")

    def _take_events(self) -> list[Result]:
        events = list(self._events)
        self._events.clear()
        while (line := self._lines.next()) is not None:
            if (result := parse_result(line)) is not None:
                self._tell("instrument_rx", line)
                events.append(result)
                if result.code is Code.CONNECT:
                    break  # what follows is data
        return events

    def _tell(self, kind: str, line: str) -> None:
        self._observe(kind, {"device": self.name, "line": line})
