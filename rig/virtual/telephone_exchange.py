"""A telephone exchange with two subscribers, as far as their modems hear it: tones, ringing, carriers, the end of it.

A state machine without clock or wires: the time is told by :meth:`Exchange.tick`, which must be called at
:attr:`Exchange.due` at the latest.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field, fields

from rig.errors import CallerMistake
from rig.virtual.telephone_modem import LineModem
from rig.virtual.telephone_pipe import Pipe


@dataclass(frozen=True)
class ExchangeSettings:
    """How the exchange and its lines are. Times in milliseconds, far shorter than a real network's.

    Attributes:
        number: of the answering line; ``line_number`` of the terminal's.
        rate: the fastest carrier that the line lets through, bit/s.
        noise_percent: share of the octets in which one bit is turned, both ways.
        dial_tone_ms: until the dial tone is there (a real modem waits 2 s by S6).
        no_tone_ms: how long a modem listens for a dial tone in vain (really 5 s).
        digit_ms: what a digit takes (tones: 100 ms, pulses: a second).
        busy_ms: until a modem is sure of the busy tone (really 1 to 3 s).
        ring_ms: from ring to ring (really 3 to 6 s).
        training_ms: until the carriers agree (V.22bis 3 s, V.34 8 to 15 s).
        carrier_loss_ms: until a carrier that is gone is noticed (S10, really 1.4 s).
        seed: of the noise.
    """

    number: str = "0800"
    line_number: str = "100"
    rate: int = 33600
    noise_percent: float = 0.0
    dial_tone_ms: int = 50
    no_tone_ms: int = 300
    digit_ms: int = 10
    busy_ms: int = 100
    ring_ms: int = 400
    training_ms: int = 100
    carrier_loss_ms: int = 50
    seed: int = 1

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if each.name.endswith(("_ms", "rate", "percent")) and (isinstance(value, str) or value < 0):
                raise CallerMistake(f"telephone setting {each.name}", f"is {value!r}", "a number from 0")
        if self.number == self.line_number or not self.number.isdigit():
            raise CallerMistake("telephone setting number", f"is {self.number!r}", "digits, not the other line's")


@dataclass
class _Call:
    """A call from the first ring to the last octet."""

    number: int
    caller: LineModem
    called: LineModem
    up: bool = False
    rate: int = 0
    pipes: dict[str, Pipe] = field(default_factory=dict)
    closing: LineModem | None = None

    def other(self, modem: LineModem) -> LineModem:
        return self.called if modem is self.caller else self.caller


class Exchange:
    """Connects the two modems. A :class:`rig.virtual.telephone_modem.LineSide`.

    Args:
        settings: how it is.
        note: told (kind, data by name) of calls.
        on_line: told of the modems' dialogue.
    """

    def __init__(
        self,
        settings: ExchangeSettings,
        note: Callable[..., object],
        on_line: Callable[[str, str, str], None] = lambda _m, _k, _l: None,
    ) -> None:
        def told(name: str) -> Callable[[str, str], None]:
            return lambda kind, line: on_line(name, kind, line)

        self.line = LineModem("line", self, told("line"))
        self.answering = LineModem("answering", self, told("answering"))
        self._settings = settings
        self._note = note
        self._now = 0.0
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._count = itertools.count(1)
        self._calls = itertools.count(1)
        self._attempt = {self.line: 0, self.answering: 0}
        self._off_hook: set[LineModem] = set()
        self._loop = self._power = True
        self._call: _Call | None = None
        self._dice = random.Random(settings.seed)

    # --- the time --------------------------------------------------------------------------------------------------

    @property
    def due(self) -> float | None:
        """When something happens by itself next, monotonic seconds."""
        dues = [modem.due for modem in (self.line, self.answering)]
        dues += [pipe.next_due() for pipe in self._call.pipes.values()] if self._call is not None else []
        dues += [self._timers[0][0]] if self._timers else []
        return min((each for each in dues if each is not None), default=None)

    def tick(self, now: float) -> None:
        """Let happen what happens by now."""
        self._now = now
        for modem in (self.line, self.answering):
            modem.tick(now)
        self._carry()
        while self._timers and self._timers[0][0] <= now:
            heapq.heappop(self._timers)[2]()

    def receive(self, modem: LineModem, data: bytes, now: float) -> None:
        """Bytes from the computer of a modem; a modem without power hears nothing."""
        self.tick(now)
        if self._power or modem is not self.line:
            modem.receive(data, now)

    def _after(self, milliseconds: float, modem: LineModem, act: Callable[[], None]) -> None:
        """Do something later, unless the modem's attempt is over by then."""
        attempt = self._attempt[modem]

        def run() -> None:
            if self._attempt[modem] == attempt:
                act()

        heapq.heappush(self._timers, (self._now + milliseconds / 1000, next(self._count), run))

    def set_loop(self, closed: bool) -> None:
        """The relay in the terminal's line: open, the line is dead."""
        self._loop = closed
        self._note("loop", closed=closed)
        if not closed and self._involves(self.line):
            self._break("the terminal's line was opened")

    def set_power(self, on: bool) -> None:
        """The supply of the terminal's modem, which is the terminal's own."""
        self._power = on
        if not on:
            if self._involves(self.line):
                self._break("the terminal lost its power")
            self._release(self.line)
            self.line.power_off()

    # --- LineSide --------------------------------------------------------------------------------------------------

    def dial(self, modem: LineModem, number: str) -> None:
        """Tone, digits, and what the exchange makes of them."""
        self._lift(modem)
        settings = self._settings
        self._note("dialled", line=modem.name, number=number)
        if modem is self.line and not self._loop:
            self._after(settings.no_tone_ms, modem, lambda: self._fail(modem, "NO DIALTONE"))
            return
        digits_ms = settings.dial_tone_ms + len(number) * settings.digit_ms
        self._after(digits_ms, modem, lambda: self._connect(modem, number))
        self._after(digits_ms + modem.patience_s * 1000, modem, lambda: self._give_up(modem))

    def answer(self, modem: LineModem) -> None:
        """The carriers look for each other, or nobody is there."""
        self._lift(modem)
        call = self._call
        if call is None or call.called is not modem or call.up:
            self._after(modem.patience_s * 1000, modem, lambda: self._fail(modem, "NO CARRIER"))
            return
        self._attempt[call.called] += 1
        self._after(self._settings.training_ms, modem, lambda: self._trained(call))

    def set_hook(self, modem: LineModem, off: bool) -> None:
        """Lift the receiver for nobody, or put it back and give up what is about to be."""
        if off:
            self._lift(modem)
            return
        if self._involves(modem):
            self._break(f"the {modem.name} modem gave up")
        self._release(modem)

    def hang_up(self, modem: LineModem) -> bool:
        """End the call once the modem's octets have gone."""
        call = self._call
        if call is not None and call.up and not call.pipes[modem.name].empty:
            call.closing = modem
            return False
        self.set_hook(modem, off=False)
        return True

    def transmit(self, modem: LineModem, data: bytes) -> None:
        """Octets go into the call."""
        if self._call is not None and self._call.up:
            self._call.pipes[modem.name].put(data, self._now)

    # --- a call ----------------------------------------------------------------------------------------------------

    def _connect(self, caller: LineModem, number: str) -> None:
        settings = self._settings
        numbers = {settings.number: self.answering, settings.line_number: self.line}
        called = numbers.get(number)
        if called is None or called is caller or (called is self.line and not (self._loop and self._power)):
            return  # a voice says so, which is no carrier
        if called in self._off_hook:
            self._after(settings.busy_ms, caller, lambda: self._fail(caller, "BUSY"))
            return
        self._call = _Call(next(self._calls), caller, called)
        self._ring(self._call)

    def _ring(self, call: _Call) -> None:
        if self._call is call and not call.up and call.called not in self._off_hook:
            self._note("rings", call=call.number)
            heapq.heappush(
                self._timers,
                (self._now + self._settings.ring_ms / 1000, next(self._count), lambda: self._ring(call)),
            )
            call.called.ring()

    def _trained(self, call: _Call) -> None:
        if self._call is not call:
            return
        rate = min(call.caller.fastest, call.called.fastest, self._settings.rate)
        call.up, call.rate = True, rate
        for modem in (call.caller, call.called):
            self._attempt[modem] += 1  # nobody waits for a carrier any more
            call.pipes[modem.name] = Pipe(rate, self._settings.noise_percent, self._dice)
            modem.now = self._now
        self._note("exchange_call", call=call.number, rate=rate)
        call.called.connected(rate)
        call.caller.connected(rate)

    def _carry(self) -> None:
        call = self._call
        if call is None or not call.up:
            return
        for modem in (call.caller, call.called):
            if data := call.pipes[modem.name].due(self._now):
                call.other(modem).received(data)
        closing = call.closing
        if closing is not None and call.pipes[closing.name].empty:
            self._break(f"the {closing.name} modem hung up", by=closing)
            self._release(closing)
            closing.hung_up()

    def _break(self, why: str, by: LineModem | None = None) -> None:
        """The call is over; who did not end it notices that the carrier is gone."""
        call, self._call = self._call, None
        if call is None:
            return
        for modem in (call.caller, call.called):
            modem.quiet()
            if modem is by or (modem is self.line and not self._power):
                continue
            if call.up:
                self._attempt[modem] += 1
                self._after(self._settings.carrier_loss_ms, modem, lambda modem=modem: self._lose(modem))  # type: ignore[misc]
            elif modem is call.caller or modem in self._off_hook:
                self._after(self._settings.carrier_loss_ms, modem, lambda modem=modem: self._fail(modem, "NO CARRIER"))  # type: ignore[misc]
        if call.up:
            counts = {modem.name: call.pipes[modem.name].octets for modem in (call.caller, call.called)}
            self._note("exchange_octets", call=call.number, up=counts["line"], down=counts["answering"], why=why)

    def _lose(self, modem: LineModem) -> None:
        self._release(modem)
        modem.carrier_lost()

    def _fail(self, modem: LineModem, why: str) -> None:
        self._release(modem)
        modem.failed(why)

    def _give_up(self, caller: LineModem) -> None:
        """S7 has run out: it rang and nobody answered, or nobody's carrier was heard."""
        call = self._call
        rang = call is not None and call.caller is caller and call.called not in self._off_hook
        if self._involves(caller):
            self._break("nobody answered", by=caller)
        self._fail(caller, "NO ANSWER" if rang else "NO CARRIER")

    def _involves(self, modem: LineModem) -> bool:
        return self._call is not None and modem in (self._call.caller, self._call.called)

    def _lift(self, modem: LineModem) -> None:
        self._attempt[modem] += 1
        self._off_hook.add(modem)

    def _release(self, modem: LineModem) -> None:
        self._attempt[modem] += 1
        self._off_hook.discard(modem)
