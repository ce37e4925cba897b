"""The command set of a simulated cellular modem: bytes in, bytes out, over a simulated radio.

Source: 3GPP TS 27.007 (commands), ITU-T V.250 (framing, echo). As many modules do, and other than the standard's
default, it tells ``+CME ERROR: n`` without being asked by ``+CMEE``, and lets the last context of LTE go.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from typing import Any

from rig.virtual import at_levels
from rig.virtual.at_contexts import Contexts, numbers_in
from rig.virtual.at_registration import ACT, HOME, NOT_REGISTERED, SEARCHING, Registrations
from rig.virtual.at_sim import SimSlots
from rig.virtual.radio_model.radio import Radio

_CONNECT_BIT_S = {"LTE": 150_000_000, "UTRAN": 7_200_000, "GSM": 64_200}
_NO_NETWORK = "+CME ERROR: 30"
_MAX_LINE = 512

FAULTS = ("mute", "error", "sim-missing")
"""Says nothing at all; answers every command with ERROR; its card was pulled."""


class AtModem:
    """Answers command lines; :meth:`service_changed` tells what the modem says by itself.

    Args:
        radio: what it reports on.
        on_line: told (kind, line) for every command line and every line of an answer.
        sims: see :class:`rig.virtual.at_sim.SimSlots`.
        apn: the one that the network knows, and which the modem is set to.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        radio: Radio,
        on_line: Callable[[str, str], None] = lambda _kind, _line: None,
        *,
        sims: Sequence[dict[str, str] | None] = ({},),
        apn: str = "acquirer.apn",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._radio = radio
        self._on_line = on_line
        self._clock = clock
        self._sims = SimSlots(sims)
        self._contexts = Contexts(apn)
        self._faults: set[str] = set()
        self._echo = True
        self._verbose_errors = True
        self._powered = self._attached = True
        self._registrations = Registrations(radio)
        self._data_mode = False
        self._pending = b""
        self._was_registered = False
        self.service_changed()

    @property
    def registered(self) -> bool:
        """Whether the network has let the subscriber in."""
        return self._radio.registered and self._sims.ready and self._attached

    @property
    def carries(self) -> bool:
        """Whether the terminal's packets have a way."""
        return self.registered and self._contexts.carries

    # What goes in and out.

    def receive(self, data: bytes) -> bytes:
        """What goes back for what came in, echo included."""
        if "mute" in self._faults:
            return b""
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
                reply += self.service_changed()
        return bytes(reply)

    def service_changed(self) -> bytes:
        """Take note of what became of the service, and tell who asked to be told.

        Found service brings the default context with it, as an LTE attach does and a terminal's firmware elsewhere.
        """
        lines = []
        if self.registered != self._was_registered:
            self._was_registered = self.registered
            if self.registered:
                self._contexts.attached()
            else:
                self._contexts.lost()
        if self._data_mode and not self.carries:
            self._data_mode = False
            lines.append("NO CARRIER")
        if not self._data_mode:
            lines += self._registrations.news(self._status)
        return b"" if "mute" in self._faults else self._said(*lines)

    def give_fault(self, kind: str) -> bytes:
        """Break it in one of the ways of :data:`FAULTS`; returns what it says by itself.

        Raises:
            ValueError: no such way.
        """
        if kind not in FAULTS:
            raise ValueError(f"no fault {kind!r}; use {', '.join(FAULTS)}")
        self._faults.add(kind)
        return self._card_moved()

    def clear_faults(self) -> bytes:
        """Mend it; returns what it says by itself."""
        self._faults.clear()
        return self._card_moved()

    def state(self) -> dict[str, Any]:
        """What the side door tells."""
        return {
            "registered": self.registered,
            "carries": self.carries,
            "technology": self._radio.place.technology.name if self.registered else None,
            "cell": self._registrations.cell if self.registered else None,
            "sim": self._sims.used,
            "faults": sorted(self._faults),
        }

    def _card_moved(self) -> bytes:
        pulled = "sim-missing" in self._faults
        if pulled != self._sims.pulled:
            self._sims.pulled = pulled
            self._sims.restart()
            self._search_anew()
        return self.service_changed()

    def _said(self, *lines: str) -> bytes:
        for line in lines:
            self._on_line("device_tx", line)
        return "".join(f"\r\n{line}\r\n" for line in lines).encode()

    def _escape(self, data: bytes) -> bytes:
        if b"+++" not in data:
            return b""  # nothing speaks PPP behind this modem; the link is modelled beside it
        self._data_mode = False
        return self._said("OK") + self.service_changed()

    def _execute(self, line: str) -> list[str]:
        if "error" in self._faults:
            return ["ERROR"]
        for pattern, answer in self._COMMANDS:
            if match := pattern.fullmatch(line):
                lines = answer(self, match)
                break
        else:
            return ["ERROR"]
        if lines[-1].startswith("+CME ERROR") and not self._verbose_errors:
            return ["ERROR"]
        return lines

    # Service.

    @property
    def _status(self) -> int:
        if self.registered:
            return HOME
        return SEARCHING if self._powered and self._attached and self._sims.ready else NOT_REGISTERED

    def _search_anew(self) -> None:
        """Whoever comes with another card, or was away, registers from the beginning.

        Without a card that serves the modem camps on a cell all the same: it hears, and is not let in.
        """
        self._radio.switch(False, self._clock())
        self._radio.switch(self._powered, self._clock())

    # Commands.

    def _set_echo(self, match: re.Match[str]) -> list[str]:
        self._echo = match[1] == "1"
        return ["OK"]

    def _set_errors(self, match: re.Match[str]) -> list[str]:
        self._verbose_errors = match[1] != "0"
        return ["OK"]

    def _hears(self) -> float | None:
        return self._radio.reading_dbm() if self._radio.registered else None

    def _csq(self, _: re.Match[str]) -> list[str]:
        return [f"+CSQ: {at_levels.csq(self._radio.place.technology.name, self._hears())}", "OK"]

    def _cesq(self, _: re.Match[str]) -> list[str]:
        technology = self._radio.place.technology.name
        return [f"+CESQ: {at_levels.cesq(technology, self._hears(), self._radio.sinr_db)}", "OK"]

    def _ask_registration(self, match: re.Match[str]) -> list[str]:
        return self._registrations.answer(match[1].upper(), self._status)

    def _set_registration(self, match: re.Match[str]) -> list[str]:
        return self._registrations.set_mode(match[1].upper(), int(match[2]))

    def _cops(self, _: re.Match[str]) -> list[str]:
        technology = self._radio.place.technology.name
        return [f'+COPS: 0,0,"Bench {technology}",{ACT[technology]}' if self.registered else "+COPS: 0", "OK"]

    def _cgact(self, match: re.Match[str]) -> list[str]:
        numbers = numbers_in(match[2])
        if match[1] == "0":
            return self._contexts.deactivate(numbers)
        return self._sims.trouble() or (self._contexts.activate(numbers) if self.registered else [_NO_NETWORK])

    def _attach(self, match: re.Match[str]) -> list[str]:
        if trouble := self._sims.trouble():
            return trouble
        if self._attached != (match[1] == "1"):
            self._attached = match[1] == "1"
            self._search_anew()
        return ["OK"]

    def _power(self, match: re.Match[str]) -> list[str]:
        if self._powered != (match[1] == "1"):
            self._powered = match[1] == "1"
            if not self._powered:
                self._sims.restart()
            self._search_anew()
        return ["OK"]

    def _pin(self, match: re.Match[str]) -> list[str]:
        answer = self._sims.enter(match[1])
        if answer == ["OK"]:
            self._search_anew()
        return answer

    def _imsi(self, _: re.Match[str]) -> list[str]:
        card = self._sims.card
        return self._sims.trouble() or [card.imsi if card else "", "OK"]

    def _slot(self, match: re.Match[str]) -> list[str]:
        slot = int(match[1])
        if slot >= self._sims.count:
            return ["+CME ERROR: 21"]
        if slot != self._sims.used:
            self._sims.used = slot
            self._search_anew()
        return ["OK"]

    def _dial(self, _: re.Match[str]) -> list[str]:
        if not self.registered or self._contexts.activate([1]) != ["OK"]:
            return ["NO CARRIER"]
        self._data_mode = True
        return [f"CONNECT {_CONNECT_BIT_S[self._radio.place.technology.name]}"]

    _COMMANDS: tuple[tuple[re.Pattern[str], Callable[[AtModem, re.Match[str]], list[str]]], ...] = tuple(
        (re.compile(pattern, re.IGNORECASE), answer)
        for pattern, answer in (
            (r"AT|ATZ|ATH", lambda self, match: ["OK"]),
            (r"ATE([01])", _set_echo),
            (r"ATI", lambda self, match: ["pos-rig", "Simulated cellular modem", "Revision: 2.0", "OK"]),
            (r"AT\+CGMI", lambda self, match: ["pos-rig", "OK"]),
            (r"AT\+CMEE=([012])", _set_errors),
            (r"AT\+CSQ", _csq),
            (r"AT\+CESQ", _cesq),
            (r"AT\+(CREG|CGREG|CEREG)\?", _ask_registration),
            (r"AT\+(CREG|CGREG|CEREG)=([0-2])", _set_registration),
            (r"AT\+COPS\?", _cops),
            (r"AT\+CPIN\?", lambda self, match: self._sims.state()),
            (r'AT\+CPIN="?(\d{4,8})"?', _pin),
            (r"AT\+CIMI", _imsi),
            (r"AT\+CSUS\?", lambda self, match: [f"+CSUS: {self._sims.used}", "OK"]),
            (r"AT\+CSUS=\?", lambda self, match: [f"+CSUS: (0-{self._sims.count - 1})", "OK"]),
            (r"AT\+CSUS=(\d)", _slot),
            (r"AT\+CFUN\?", lambda self, match: [f"+CFUN: {1 if self._powered else 4}", "OK"]),
            (r"AT\+CFUN=([014])", _power),
            (r"AT\+CGATT\?", lambda self, match: [f"+CGATT: {int(self.registered)}", "OK"]),
            (r"AT\+CGATT=([01])", _attach),
            (r"AT\+CGDCONT\?", lambda self, match: self._contexts.definitions()),
            (r"AT\+CGDCONT=(.*)", lambda self, match: self._contexts.define(match[1])),
            (r"AT\+CGACT\?", lambda self, match: self._contexts.states()),
            (r"AT\+CGACT=([01])((?:,\d)*)", _cgact),
            (r"AT\+CGPADDR(?:=(\d(?:,\d)*))?", lambda self, match: self._contexts.addresses(numbers_in(match[1]))),
            (r"ATD\*99.*", _dial),
        )
    )
