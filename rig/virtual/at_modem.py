"""The command set of a simulated LTE modem: bytes in, bytes out, over a :class:`rig.virtual.radio_model.Radio`.

Source: 3GPP TS 27.007 (commands and the coding of levels), ITU-T V.250 (framing, echo). Levels are coded here by the
standard's own tables, apart from the decoder that the rig's driver uses, so that an error of one is not hidden by
the same error of the other.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from rig.virtual.radio_model import Radio

_ACT_LTE = 7
_AREA, _CELL = "1A2B", "00C3D4E5"
_NO_NETWORK = "+CME ERROR: 30"
_HOME, _SEARCHING = 1, 2
_MAX_LINE = 512


class AtModem:
    """Answers command lines; :meth:`service_changed` tells what the modem says by itself.

    Args:
        radio: what it reports on.
        on_line: told (kind, line) for every command line and every line of an answer.
    """

    def __init__(self, radio: Radio, on_line: Callable[[str, str], None] = lambda _kind, _line: None) -> None:
        self._radio = radio
        self._on_line = on_line
        self._echo = True
        self._urc_mode = 0
        self._context_active = False
        self._data_mode = False
        self._pending = b""

    def receive(self, data: bytes) -> bytes:
        """What goes back for what came in, echo included."""
        if self._data_mode:
            return self._escape(data)
        reply = bytearray()
        for byte in data:
            if self._echo:
                reply.append(byte)
            if byte != 0x0D:
                self._pending = (self._pending + bytes([byte]))[-_MAX_LINE:]
                continue
            line, self._pending = self._pending.decode("ascii", "replace").strip(), b""
            if line:
                self._on_line("device_rx", line)
                reply += self._said(*self._execute(line))
        return bytes(reply)

    def service_changed(self) -> bytes:
        """Take note that the radio found or lost service; an LTE attach brings its default bearer with it."""
        self._context_active = self._radio.registered
        lines = []
        if self._data_mode and not self._radio.registered:
            self._data_mode = False
            lines.append("NO CARRIER")
        if self._urc_mode and not self._data_mode:
            lines.append(f"+CEREG: {self._registration()}")
        return self._said(*lines)

    def _said(self, *lines: str) -> bytes:
        for line in lines:
            self._on_line("device_tx", line)
        return "".join(f"\r\n{line}\r\n" for line in lines).encode()

    def _escape(self, data: bytes) -> bytes:
        if b"+++" not in data:
            return b""  # nothing speaks PPP behind this modem; the link is modelled beside it
        self._data_mode = False
        return self._said("OK")

    def _execute(self, line: str) -> list[str]:
        command = line.upper()
        if command in self._FIXED:
            return [*self._FIXED[command], "OK"]
        if command in self._COMMANDS:
            return self._COMMANDS[command](self)
        if mode := re.fullmatch(r"AT\+CEREG=([0-2])", command):
            self._urc_mode = int(mode[1])
            return ["OK"]
        if re.fullmatch(r"AT\+CGDCONT=1(,.*)?|AT\+CMEE=[0-2]|AT\+C(G)?REG=[0-2]", command):
            return ["OK"]
        if command.startswith("ATD*99"):
            return self._dial()
        return ["ERROR"]

    def _set_echo(self, echo: bool) -> list[str]:
        self._echo = echo
        return ["OK"]

    def _csq(self) -> list[str]:
        level = self._radio.reading_dbm()
        if level is None or not self._radio.registered:
            return ["+CSQ: 99,99", "OK"]
        rssi = level + 28  # RSSI of the 600 subcarriers of a loaded 10 MHz cell over RSRP of one: 10·log10(600)
        return [f"+CSQ: {max(0, min(31, round((rssi + 113) / 2)))},99", "OK"]

    def _cesq(self) -> list[str]:
        level = self._radio.reading_dbm()
        if level is None or not self._radio.registered:
            return ["+CESQ: 99,99,255,255,255,255", "OK"]
        rsrp = max(0, min(97, math.floor(level) + 141))
        rsrq_db = max(-20.0, min(-3.0, self._radio.sinr_db / 3 - 14))
        rsrq = max(0, min(34, math.floor((rsrq_db + 20) * 2)))
        return [f"+CESQ: 99,99,255,255,{rsrq},{rsrp}", "OK"]

    def _cereg(self) -> list[str]:
        return [f"+CEREG: {self._urc_mode},{self._registration()}", "OK"]

    def _registration(self) -> str:
        if not self._radio.registered:
            return str(_SEARCHING)
        return f'{_HOME},"{_AREA}","{_CELL}",{_ACT_LTE}' if self._urc_mode == 2 else str(_HOME)

    def _cops(self) -> list[str]:
        return [f'+COPS: 0,0,"Bench LTE",{_ACT_LTE}' if self._radio.registered else "+COPS: 0", "OK"]

    def _cgact(self) -> list[str]:
        return [f"+CGACT: 1,{int(self._context_active)}", "OK"]

    def _activate(self) -> list[str]:
        if not self._radio.registered:
            return [_NO_NETWORK]
        self._context_active = True
        return ["OK"]

    def _deactivate(self) -> list[str]:
        self._context_active = False
        return ["OK"]

    def _cgpaddr(self) -> list[str]:
        return ['+CGPADDR: 1,"10.64.2.2"' if self._context_active else "+CGPADDR: 1", "OK"]

    def _dial(self) -> list[str]:
        if not self._radio.registered:
            return ["NO CARRIER"]
        self._context_active = self._data_mode = True
        return ["CONNECT 150000000"]

    _FIXED: dict[str, tuple[str, ...]] = {
        "AT": (),
        "ATZ": (),
        "ATH": (),
        "ATI": ("pos-rig", "Simulated LTE modem", "Revision: 1.0"),
        "AT+CGMI": ("pos-rig",),
        "AT+CPIN?": ("+CPIN: READY",),
        "AT+CEREG=?": ("+CEREG: (0-2)",),
        "AT+CREG?": ("+CREG: 0,0",),  # an LTE-only modem without circuit-switched service
    }

    _COMMANDS: dict[str, Callable[[AtModem], list[str]]] = {
        "ATE0": lambda self: self._set_echo(False),
        "ATE1": lambda self: self._set_echo(True),
        "AT+CSQ": _csq,
        "AT+CESQ": _cesq,
        "AT+CEREG?": _cereg,
        "AT+COPS?": _cops,
        "AT+CGACT?": _cgact,
        "AT+CGACT=1,1": _activate,
        "AT+CGACT=0,1": _deactivate,
        "AT+CGPADDR": _cgpaddr,
        "AT+CGPADDR=1": _cgpaddr,
    }
