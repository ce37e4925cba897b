"""The command set of a simulated telephone modem: bytes of its serial port in, bytes out, and the line at its back.

Sources: ITU-T V.250 (5.2 command lines, 5.7 result codes, 6.3 call control, 6.4.1 ``+MS``), and for the escape what
every maker does after Hayes: ``+++`` between two silences of S12 fiftieths of a second. The escape itself is kept
back from the line. Not here: V0 (numeric results), error correction, fax, voice.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

_MAX_LINE = 256
_DEFAULTS = {0: 0, 2: 43, 3: 13, 4: 10, 5: 8, 6: 2, 7: 50, 8: 2, 10: 14, 12: 50, 25: 5}
"""S-registers as they are after ``ATZ``: S7 seconds for a carrier, S12 the guard time of the escape."""
_RATES = {"V21": 300, "V22": 1200, "V22B": 2400, "V32": 9600, "V32B": 14400, "V34": 33600}
_FASTEST = 33600
_BASIC = re.compile(
    r"\s*(?:(?P<ms>\+MS=(?P<carrier>[0-9A-Z]+)(?:,[0-9,]*)?;?)|(?P<ask>\+MS\?;?)|S(?P<set>\d+)=(?P<value>\d+)"
    r"|S(?P<get>\d+)\?|D(?P<number>.*)|(?P<letter>&?[A-Z])(?P<digit>\d*))"
)


class Mode(StrEnum):
    """What the modem is about."""

    COMMAND = "command"
    CALLING = "calling"
    ANSWERING = "answering"
    DATA = "data"
    ESCAPED = "escaped"


class LineSide(Protocol):
    """The telephone line as its modem meets it."""

    def dial(self, modem: LineModem, number: str) -> None:
        """Lift the receiver and dial."""

    def answer(self, modem: LineModem) -> None:
        """Lift the receiver and answer, whether it rings or not."""

    def set_hook(self, modem: LineModem, off: bool) -> None:
        """Lift the receiver, or put it back at once."""

    def hang_up(self, modem: LineModem) -> bool:
        """Put the receiver back once what was given has gone; whether that is so already."""

    def transmit(self, modem: LineModem, data: bytes) -> None:
        """Octets for the other end."""


class LineModem:
    """One modem. The exchange tells it the time by :meth:`tick` and what happens on the line by the other methods.

    Args:
        name: for the journal.
        line: what it is plugged into.
        on_line: told (kind, line) for every command line and every line of an answer; never data.
    """

    def __init__(self, name: str, line: LineSide, on_line: Callable[[str, str], None] = lambda _k, _l: None) -> None:
        self.name = name
        self.mode = Mode.COMMAND
        self.out = b""
        """What its serial port has to say; whoever sends it empties it."""
        self.now = 0.0
        self._line = line
        self._on_line = on_line
        self._reset()

    def _reset(self) -> None:
        self._echo, self._quiet = True, False
        self._registers = dict(_DEFAULTS)
        self.fastest = _FASTEST
        self.rate = 0
        self._pending = b""
        self._rings = 0
        self._plus = 0
        self._last_data = 0.0
        self._closing = False

    # --- from its serial port --------------------------------------------------------------------------------------

    def receive(self, data: bytes, now: float) -> None:
        """Bytes from the computer."""
        self.now = now
        if self.mode is Mode.DATA:
            self._data(data)
            return
        if self.mode in (Mode.CALLING, Mode.ANSWERING):
            if data.strip(b"\r\n"):  # any character gives up the call (V.250, 5.6.1)
                self.mode = Mode.COMMAND
                self._line.set_hook(self, off=False)
                self._result("NO CARRIER")
            return
        for place, byte in enumerate(data):
            if self._echo:
                self.out += bytes([byte])
            if byte == 0x08:
                self._pending = self._pending[:-1]
            elif byte != 0x0D:
                self._pending = (self._pending + bytes([byte]))[-_MAX_LINE:]
            else:
                line, self._pending = self._pending.decode("ascii", "replace").strip(), b""
                self._command(line)
                if str(self.mode) == Mode.DATA:  # ATO: what follows is no command
                    self._data(data[place + 1 :])
                    return

    def tick(self, now: float) -> None:
        """The time goes on: an escape may be complete."""
        self.now = now
        due = self.due
        if due is not None and now >= due:
            self._plus = 0
            self.mode = Mode.ESCAPED
            self._result("OK")

    @property
    def due(self) -> float | None:
        """When :meth:`tick` has something to do."""
        return self._last_data + self._guard if self._plus == 3 and self.mode is Mode.DATA else None

    @property
    def patience_s(self) -> int:
        """How long it waits for a carrier (S7)."""
        return self._registers[7]

    @property
    def _guard(self) -> float:
        return self._registers[12] / 50

    def _data(self, data: bytes) -> None:
        if not data:
            return
        silent_before = self._plus or self.now - self._last_data >= self._guard
        if silent_before and set(data) == {0x2B} and self._plus + len(data) <= 3:
            self._plus += len(data)
        else:
            held, self._plus = b"+" * self._plus, 0
            self._line.transmit(self, held + data)
        self._last_data = self.now

    # --- from the line ---------------------------------------------------------------------------------------------

    def ring(self) -> None:
        """Somebody calls."""
        if self.mode is not Mode.COMMAND:
            return
        self._rings += 1
        self._result("RING")
        if 0 < self._registers[0] <= self._rings:
            self.mode = Mode.ANSWERING
            self._line.answer(self)

    def quiet(self) -> None:
        """It rings no more."""
        self._rings = 0

    def failed(self, why: str) -> None:
        """The call that it makes or answers comes to nothing."""
        self.mode = Mode.COMMAND
        self._result(why)

    def connected(self, rate: int) -> None:
        """The carriers agree."""
        self.mode, self.rate, self._rings = Mode.DATA, rate, 0
        self._plus, self._last_data = 0, self.now
        self._result(f"CONNECT {rate}")

    def received(self, data: bytes) -> None:
        """Octets from the other end. In command state they are lost: nothing holds them back."""
        if self.mode is Mode.DATA:
            self.out += data

    def carrier_lost(self) -> None:
        """The call is over."""
        told = self.mode in (Mode.DATA, Mode.ESCAPED) and not self._closing
        self.mode = Mode.COMMAND
        if self._closing:
            self.hung_up()
        elif told:
            self._result("NO CARRIER")

    def hung_up(self) -> None:
        """What it had to send before the end has gone."""
        self._closing = False
        self.mode = Mode.COMMAND
        self._result("OK")

    def power_off(self) -> None:
        """It forgets everything."""
        self.mode = Mode.COMMAND
        self.out = b""
        self._reset()

    # --- commands --------------------------------------------------------------------------------------------------

    def _command(self, line: str) -> None:
        begin = line.upper().find("AT")
        if begin < 0:
            return  # no command line: a modem is silent about it
        self._on_line("device_rx", line[begin:])  # what stands before may be the end of a call's data
        upper = line[begin:].upper()
        at = 2
        while at < len(upper):
            match = _BASIC.match(upper, at)
            if match is None:
                self._result("ERROR")
                return
            answer = self._one(match)
            if answer != "OK":
                if answer:
                    self._result(answer)
                return
            at = match.end()
        self._result("OK")

    def _one(self, match: re.Match[str]) -> str:
        """One command of a line: its result code; empty where that comes later."""
        if match["ms"]:
            return self._modulate(match["carrier"])
        if match["ask"]:
            self._tell(f"+MS: {next(name for name, rate in _RATES.items() if rate == self.fastest)},1")
            return "OK"
        if match["set"]:
            self._registers[int(match["set"])] = int(match["value"])
            return "OK" if int(match["value"]) < 256 else "ERROR"
        if match["get"]:
            self._tell(f"{self._registers.get(int(match['get']), 0):03d}")
            return "OK"
        if match["number"] is not None:
            return self._dial(match["number"])
        return self._letter(match["letter"], int(match["digit"] or 0))

    def _letter(self, letter: str, digit: int) -> str:
        match letter:
            case "A":
                self.mode = Mode.ANSWERING
                self._line.answer(self)
                return ""
            case "H":
                return self._hook(off=digit == 1)
            case "O" if self.mode is Mode.ESCAPED:
                self.connected(self.rate)
                return ""
            case "E":
                self._echo = digit == 1
            case "Q":
                self._quiet = digit == 1
            case "Z" | "&F":
                self._hook(off=False)
                self._reset()
            case "I":
                self._tell("pos-rig simulated V.34 modem")
            case "V" if digit == 1:
                pass
            case "X" | "L" | "M" | "&C" | "&D" | "&K" | "&W":
                pass
            case _:
                return "ERROR"
        return "OK"

    def _modulate(self, carrier: str) -> str:
        if carrier not in _RATES:
            return "ERROR"
        self.fastest = _RATES[carrier]
        return "OK"

    def _dial(self, number: str) -> str:
        digits = "".join(each for each in number if each in "0123456789*#")
        if not digits or self.mode is not Mode.COMMAND:
            return "ERROR"
        self.mode = Mode.CALLING
        self._line.dial(self, digits)
        return ""

    def _hook(self, off: bool) -> str:
        if off:
            self._line.set_hook(self, off=True)
            return "OK"
        self._closing = not self._line.hang_up(self)
        if self._closing:
            return ""
        self.mode = Mode.COMMAND
        return "OK"

    def _result(self, text: str) -> None:
        if not self._quiet:
            self._tell(text)

    def _tell(self, text: str) -> None:
        self._on_line("device_tx", text)
        self.out += f"\r\n{text}\r\n".encode()
