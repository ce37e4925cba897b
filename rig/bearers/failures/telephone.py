"""Failures of a telephone line, made at the bench's own end of it, or by a relay in the terminal's line.

Nobody can count who calls a line that is busy or dead from its far end. There the proof is that it was so from
begin to end: the modem took the order and no call was answered meanwhile, or the relay reads open.
"""

from __future__ import annotations

import time
from typing import Any

from rig.bearers.failures.failure import Hits, Loop, Site, TelephoneLine
from rig.errors import BenchTrouble, CallerMistake

_RATES = (1200, 2400)
_NOTICED_S = 1.5
"""A modem notices after S10, 1.4 s where nobody sets it, that the other has hung up."""


class LineFailure:
    """Something that the answering side is told, until it is told to behave again."""

    sees = ""
    ends_call = True
    """A call that stands is ended by it, and the caller must know before it is called begun."""

    def __init__(self) -> None:
        self._line: TelephoneLine | None = None
        self._before: dict[str, Any] = {}

    def begin(self, line: TelephoneLine) -> dict[str, Any]:
        """Tell it; returns the state that reads back."""
        raise NotImplementedError

    def met(self, since: dict[str, int], now: dict[str, Any]) -> Hits:
        """What happened, from the counts since the beginning and the state now."""
        raise NotImplementedError

    def end(self, line: TelephoneLine) -> None:
        """Have it behave again."""
        line.behave()

    def start(self, site: Site) -> dict[str, Any]:
        """Make it happen.

        Raises:
            BenchTrouble: the bearer has no telephone line, or its answering side is gone.
        """
        line = site.telephone()
        before = line.state()
        self._before = dict(before["met"])
        self._line = line
        state = self.begin(line)
        if self.ends_call and before["call"] is not None:
            time.sleep(_NOTICED_S)  # nobody at this end can see when the caller has noticed
        return {name: state[name] for name in ("answering", "off_hook", "modulation", "noise_percent", "carrier")}

    def hits(self) -> Hits:
        """What it has met."""
        if self._line is None:
            return Hits(0)
        state = self._line.state()
        since = {name: count - self._before.get(name, 0) for name, count in state["met"].items()}
        return self.met(since, state)

    def stop(self) -> None:
        """As before."""
        line, self._line = self._line, None
        if line is not None:
            self.end(line)


class LineBusy(LineFailure):
    """The receiver is off the hook at the host's end.

    The terminal sees: dial tone, then the busy tone: its modem says BUSY.
    """

    sees = "the host's number is busy: its modem says BUSY within seconds"

    def begin(self, line: TelephoneLine) -> dict[str, Any]:
        """Lift the receiver."""
        return line.behave(answering="busy")

    def met(self, since: dict[str, int], now: dict[str, Any]) -> Hits:
        """Whether the line was held, and nobody got through."""
        through = since.get("calls", 0)
        return Hits(int(now["off_hook"] and not through), {"off_hook": now["off_hook"], "calls": through})


class NoAnswer(LineFailure):
    """It rings, and nobody answers.

    The terminal sees: ringing tone until its modem gives up: NO ANSWER or NO CARRIER.
    """

    sees = "the host's number rings and nobody answers: its modem gives up when its patience ends"

    def begin(self, line: TelephoneLine) -> dict[str, Any]:
        """Let it ring."""
        return line.behave(answering="nobody")

    def met(self, since: dict[str, int], now: dict[str, Any]) -> Hits:
        """The rings that were heard."""
        rings = since.get("rings_ignored", 0)
        return Hits(rings, {"rings": rings})


class NoCarrier(LineFailure):
    """Who answers is no modem: a wrong number, or the receiver was lifted by hand.

    The terminal sees: the call is answered, no carrier follows, and its modem says NO CARRIER.
    """

    sees = "somebody answers who is no modem: its own says NO CARRIER"

    def begin(self, line: TelephoneLine) -> dict[str, Any]:
        """Lift the receiver when it rings, and put it back after a second."""
        return line.behave(answering="voice")

    def met(self, since: dict[str, int], now: dict[str, Any]) -> Hits:
        """The calls that were answered so."""
        voices = since.get("voices", 0)
        return Hits(voices, {"answered": voices})


class CallDropped(LineFailure):
    """The call ends in the middle, once.

    The terminal sees: NO CARRIER while it waits for its answer, or with a part of it. It may call again.

    Args:
        after_octets: how many octets more the caller still gets; none: the call that stands ends at once, or the next
            one as soon as it stands.
    """

    ends_call = False
    sees = "the call ends in the middle of a transaction: NO CARRIER, with a part of the answer or none"

    def __init__(self, after_octets: int | None = None) -> None:
        super().__init__()
        if after_octets is not None and (isinstance(after_octets, bool) or not 1 <= after_octets <= 100_000):
            raise CallerMistake("call-dropped", f"after_octets is {after_octets}", "1 to 100000, or leave it out")
        self._after = after_octets

    def begin(self, line: TelephoneLine) -> dict[str, Any]:
        """Hang up, or arm it."""
        return line.drop(self._after)

    def met(self, since: dict[str, int], now: dict[str, Any]) -> Hits:
        """The calls that were dropped."""
        dropped = since.get("calls_dropped", 0)
        return Hits(dropped, {"calls_dropped": dropped, "after_octets": self._after})

    def end(self, line: TelephoneLine) -> None:
        """What has not happened yet will not."""
        line.keep()


class LineNoise(LineFailure):
    """Noise on a line without error correction turns bits, both ways.

    The terminal sees: answers that are no messages, or none, for its host cannot read what it said.

    Args:
        percent: of the octets. 0.2 damages every second message of 400 octets or so, 5 each of them.
    """

    ends_call = False
    sees = "noise turns bits of what is said, both ways: many a message does not arrive whole"

    def __init__(self, percent: float = 0.2) -> None:
        super().__init__()
        if isinstance(percent, bool) or not 0 < percent <= 100:
            raise CallerMistake("line-noise", f"percent is {percent}", "above 0, at most 100")
        self._percent = percent

    def begin(self, line: TelephoneLine) -> dict[str, Any]:
        """Turn bits."""
        return line.set_noise(self._percent)

    def met(self, since: dict[str, int], now: dict[str, Any]) -> Hits:
        """The octets that were damaged."""
        damaged = since.get("octets_damaged", 0)
        return Hits(damaged, {"octets_damaged": damaged})

    def end(self, line: TelephoneLine) -> None:
        """Silence between the words."""
        line.set_noise(0.0)


class SlowLine(LineFailure):
    """The host's modem knows an old modulation alone. A call that stands is ended, so that the next one is slow.

    The terminal sees: CONNECT 1200 or 2400, and transactions of many seconds.

    Args:
        rate: 1200 or 2400 bit/s.
    """

    sees = "it gets through, at 1200 or 2400 bit/s: a transaction takes many seconds"

    def __init__(self, rate: int = 1200) -> None:
        super().__init__()
        if rate not in _RATES:
            raise CallerMistake("slow-line", f"rate is {rate}", f"use {' or '.join(map(str, _RATES))}")
        self._rate = rate

    def begin(self, line: TelephoneLine) -> dict[str, Any]:
        """Answer by the old modulation."""
        return line.behave(modulation=self._rate)

    def met(self, since: dict[str, int], now: dict[str, Any]) -> Hits:
        """The calls that stood at that rate."""
        calls = since.get(f"calls_at_{self._rate}", 0)
        return Hits(calls, {"calls": calls, "rate": self._rate})


class NoDialTone:
    """The terminal's line is dead: a relay in it is open.

    The terminal sees: no dial tone, its modem says NO DIALTONE. A call that stood ends with NO CARRIER.
    """

    sees = "the line is dead: its modem says NO DIALTONE, and a call that stood ends with NO CARRIER"

    def __init__(self) -> None:
        self._loop: Loop | None = None

    def start(self, site: Site) -> dict[str, Any]:
        """Open the relay, and read it back."""
        if site.loop is None:
            raise BenchTrouble(f"bearer {site.bearer}", "no relay lies in its line", "see bearers.*.answering.loop")
        self._loop = site.loop
        site.loop.off()
        return {"loop_closed": site.loop.read()}

    def hits(self) -> Hits:
        """Whether it still reads open."""
        closed = self._loop is None or self._loop.read()
        return Hits(int(not closed), {"loop_closed": closed})

    def stop(self) -> None:
        """Close it."""
        loop, self._loop = self._loop, None
        if loop is not None:
            loop.on()
