"""A cellular modem as the reader of a signal: AT commands over a serial line.

.. code-block:: yaml

    modems:
      lte:
        port: /dev/serial/by-id/usb-SimTech_…-if02-port0
        baud: 115200

Source: 3GPP TS 27.007 (commands), ITU-T V.250 (framing); the parsing is :mod:`rig.wire.at`. Everything here is of the
standard, nothing a vendor's own: of two SIMs the slot in use is ``+CSUS`` (5.x of release 12 on), and a modem that does
not know it has one slot as far as it tells.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from rig.errors import CallerMistake, DeviceNonsense
from rig.instruments.at_line import AtLine, Refused
from rig.instruments.serial_port import SerialPort
from rig.instruments.signal import Signal, wait_for_signal
from rig.instruments.transcript import Observe, unobserved
from rig.units import Dbm
from rig.wire import at, at_errors

__all__ = ["Modem", "Signal"]

_PACKETS = ("CEREG", "CGREG")
"""Registrations for packets, LTE before 2G and 3G. ``+CREG`` is for calls, and asked where a model knows no other."""
_ATTACH_LIMIT_S = 75.0
"""A network may take its time: vendors' manuals give an attach a minute and more."""
_NOT_KNOWN = at.Quality(None, None, None, None, None)


@dataclass(frozen=True)
class _Details:
    """What changes with the registration alone, and is asked with it."""

    operator: str | None = None
    technology: str | None = None
    address: str | None = None
    slot: int | None = None


class Modem:
    """Asks a modem for its signal. Unsolicited lines, before and inside an answer, are recorded and skipped.

    Raises:
        DeviceGone, BenchBusy: the port, see :class:`SerialPort`.
        DeviceMute: it does not answer ``AT``.
        DeviceNonsense: it answers ``AT`` with an error, or knows no registration.
    """

    def __init__(self, port: SerialPort, *, timeout_s: float = 1.0) -> None:
        self.name = port.name
        self._line = AtLine(port, timeout_s, self._changed)
        self._known: tuple[at.Registration, _Details] | None = None
        self._line.command("ATE0")
        self._line.knows("AT+CMEE=1")  # errors by number, where it can
        # with 2 the answer names the cell: a change of the level proves on an unchanged cell alone
        self._domains = [name for name in _PACKETS if self._line.knows(f"AT+{name}=2")]
        if not self._domains:
            self._line.command("AT+CREG=2")
            self._domains = ["CREG"]
        self._has_cesq = True
        self._has_slots = True
        self.identity = " ".join(self._line.command("ATI"))

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

    # The signal.

    def signal(self) -> Signal:
        """The signal as of now. What changes with the registration alone is asked when that changed."""
        quality, rssi = self._quality()
        registration = self.registration()
        if not registration.registered:
            self._known = None
            technology, level, loudness = quality.of(None)
            return Signal(technology, level, quality=loudness, sim=self.sim(), slot=self.slot())
        details = self._details(registration)
        family = at.family(registration.technology or details.technology)
        technology, level, loudness = quality.of(family)
        if level is None and rssi is not None and technology in (None, "GSM"):
            technology, level = "GSM", rssi  # RXLEV is the RSSI; of other technologies it is another thing
        return Signal(
            technology=technology,
            level=level,
            registered=True,
            quality=loudness,
            cell=registration.cell,
            area=registration.area,
            operator=details.operator,
            sim="ready",
            slot=details.slot,
            address=details.address,
        )

    def wait_until(self, wanted: Callable[[Signal], bool], limit_s: float, poll_s: float = 0.1) -> Signal:
        """Ask until ``wanted`` holds; an unsolicited line makes it ask at once.

        Raises:
            BenchTrouble: it did not hold in time; the error tells the last signal.
        """
        return wait_for_signal(self.name, self.signal, self._line.pause, wanted, limit_s, poll_s)

    def rssi(self) -> Dbm | None:
        """``AT+CSQ``: coarse, and clipped at −51 dBm."""
        return self._line.ask("AT+CSQ", "+CSQ", at.parse_csq)

    def registration(self) -> at.Registration:
        """``AT+CEREG?``; where that has no service, ``AT+CGREG?``. The first of them where there is none."""
        answers = []
        for name in self._domains:
            try:
                answer = self._line.ask(f"AT+{name}?", f"+{name}", at.parse_registration)
            except Refused as error:
                if at_errors.sim_state(error.final) is None:
                    raise
                answer = at.Registration(0)  # some refuse all of it without a SIM
            if answer.registered:
                return answer
            answers.append(answer)
        return next((answer for answer in answers if answer.denied), answers[0])

    def operator(self) -> tuple[str | None, str | None]:
        """``AT+COPS?`` as (operator, technology)."""
        return self._line.ask("AT+COPS?", "+COPS", at.parse_cops)

    def _quality(self) -> tuple[at.Quality, Dbm | None]:
        """By ``+CESQ``; by ``+CSQ`` too where a model does not know that, as old ones of 2G do not."""
        if self._has_cesq:
            try:
                return self._line.ask("AT+CESQ", "+CESQ", at.parse_cesq), None
            except Refused as error:
                if at_errors.sim_state(error.final) is not None:
                    return _NOT_KNOWN, None  # some tell no level without a SIM
                if at_errors.code(error.final) not in (None, 3, 4, 50, 100):
                    raise
                rssi = self.rssi()  # it answers this one: it is +CESQ that it does not know
                self._has_cesq = False
                return _NOT_KNOWN, rssi
        return _NOT_KNOWN, self.rssi()

    def _details(self, registration: at.Registration) -> _Details:
        known = self._known  # another thread may forget it meanwhile
        if known is None or known[0] != registration:
            operator, technology = self.operator()
            found = _Details(operator, technology, next(iter(self.addresses().values()), None), self.slot())
            self._known = registration, found
            return found
        return known[1]

    def _changed(self, _line: str) -> None:
        self._known = None

    # SIM cards.

    def sim(self) -> str:
        """``AT+CPIN?``: "ready", "missing", "SIM PIN", "SIM PUK", "failure", "busy"."""
        try:
            state = self._line.ask("AT+CPIN?", "+CPIN", at.parse_cpin)
        except Refused as error:
            state_of_error = at_errors.sim_state(error.final)
            if state_of_error is None:
                raise
            return state_of_error
        return "ready" if state == "READY" else state

    def slot(self) -> int | None:
        """``AT+CSUS?``: the slot in use, counted from 0; None where the modem does not tell."""
        if not self._has_slots:
            return None
        try:
            return self._line.ask("AT+CSUS?", "+CSUS", at.parse_csus)
        except Refused:
            self._has_slots = False
            return None

    def use_slot(self, slot: int) -> None:
        """``AT+CSUS=slot``; the modem registers anew with the other SIM.

        Raises:
            Refused: it has no such slot, or does not know the command.
        """
        self._line.command(f"AT+CSUS={slot}")
        self._known = None

    # Packet contexts.

    def contexts(self) -> list[at.Context]:
        """``AT+CGDCONT?``: those that are defined."""
        return self._line.ask_all("AT+CGDCONT?", "+CGDCONT", at.parse_cgdcont)

    def apn(self, context: int = 1) -> str | None:
        """The APN of a context; None where it is not defined."""
        return next((each.apn for each in self.contexts() if each.number == context), None)

    def set_apn(self, apn: str, context: int = 1) -> None:
        """``AT+CGDCONT=``: counts from the next attach on, see :meth:`attach`.

        Raises:
            CallerMistake: no APN can be written so.
            DeviceNonsense: it reads back another one.
        """
        if not apn.isascii() or not apn.isprintable() or '"' in apn or len(apn) > 100:
            raise CallerMistake(self.name, f"{apn!r} is no APN", "letters, digits, dots and hyphens")
        kind = next((each.kind for each in self.contexts() if each.number == context), "IP")
        self._line.command(f'AT+CGDCONT={context},"{kind}","{apn}"')
        if (now := self.apn(context)) != apn:
            raise DeviceNonsense(
                self.name, f"was told APN {apn!r} and reads back {now!r}", "is the profile of the context locked?"
            )

    def attach(self, attached: bool) -> None:
        """``AT+CGATT=``: leave the packet network, or come back to it."""
        self._line.command(f"AT+CGATT={int(attached)}", _ATTACH_LIMIT_S)
        self._known = None

    def active_contexts(self) -> list[int]:
        """The contexts that ``AT+CGACT?`` calls active."""
        states = self._line.ask_all("AT+CGACT?", "+CGACT", at.parse_cgact)
        return [context for context, active in states if active]

    def addresses(self) -> dict[int, str]:
        """``AT+CGPADDR``: address by context, of those that have one; none where the model does not tell."""
        try:
            known = self._line.ask_all("AT+CGPADDR", "+CGPADDR", at.parse_cgpaddr)
        except Refused:
            return {}
        return {context: address for context, address in known if address is not None}

    def close(self) -> None:
        """Let go of the port."""
        self._line.close()
