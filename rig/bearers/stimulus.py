"""Proof of stimulus: that an impairment in force meets packets, and is not merely remembered by whoever keeps it.

What can be seen at once is: a probe that the cut drops, as the link's own counter says; a round trip that is as long
as was asked; a volley of probes of which some are lost. What cannot, for the terminal answers nobody or the effect is
too small to see, is seen at the end, by the packets that went through while it was in force. Unless probes have shown
the contrary: answers that are too early, or a volley of which none was lost.
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Literal

from rig.bearers.impairment import CLEAN, Impairment
from rig.bearers.link import Counters, Link
from rig.bearers.probe import Prober
from rig.errors import BenchTrouble

Means = Literal[
    "a dropped probe", "a late probe", "lost probes", "packets that met it", "early probes", "a whole volley", "nothing"
]

_COUNTED_WITHIN_S = 0.25
_BARE_WITHIN_S = 1.0
_PAUSE_S = 0.001
_TRIES = 3
SMALLEST_DELAY_MS = 4.0
"""Below this a round trip through a real network tells nothing of what was added to it."""
LATE_ENOUGH = 0.5
"""Of the delay that was asked for: jitter may shorten one probe, not all of three by half."""
_ODDS = 1e-4
_LARGEST_VOLLEY = 400
_PROBE_BITS = 8 * 74
_VOLLEY_S = 0.1


@dataclass(frozen=True)
class Stimulus:
    """Whether an impairment was seen to meet packets, by what, and the figures."""

    shown: bool
    by: Means
    evidence: dict[str, Any] = field(default_factory=dict)


class Witness:
    """Watches one link. May be used from several threads.

    Args:
        link: the link.
        prober: asks the terminal over it; ``None`` where nobody knows its address.
    """

    def __init__(self, link: Link, prober: Prober | None = None) -> None:
        self._link = link
        self._prober = prober
        self._lock = threading.Lock()
        self._since: tuple[Impairment, Impairment, Counters] | None = None
        self._clean = True
        self._bare_ms: float | None = None

    def expect(self, up: Impairment, down: Impairment) -> None:
        """Get ready for what is about to be put in force: how long is a round trip without it?"""
        with self._lock:
            if self._prober is not None and self._clean and _is_late(up, down):
                with contextlib.suppress(BenchTrouble):
                    took = [self._prober.rtt(_BARE_WITHIN_S) for _ in range(2)]  # the first may wake a sleeping radio
                    self._bare_ms = min((each for each in took if each is not None), default=None)

    def see(self, up: Impairment, down: Impairment) -> Stimulus | None:
        """Look for the effect of what has just been put in force.

        Returns:
            What was seen, be it that nothing is in force; ``None`` where there is nothing to see, or nothing yet:
            :meth:`conclude` tells.
        """
        with self._lock:
            before = self._link.counters()
            self._clean = up == down == CLEAN
            self._since = None if self._clean else (up, down, before)
            if self._since is None or self._prober is None:
                return None
            with contextlib.suppress(BenchTrouble):  # nobody can be asked: the packets of the case will tell
                if seen := self._look(up, down, before, self._prober):
                    self._since = None
                    return seen
            return None

    def conclude(self) -> Stimulus | None:
        """What the traffic since the last change says, before the next one; ``None`` where it was seen already."""
        with self._lock:
            if self._since is None:
                return None
            (up, down, before), self._since = self._since, None
            now = self._link.counters()
        met: dict[str, Any] = {
            name: _met(impairment, before[name], now[name])
            for name, impairment in _directions(up, down)
            if impairment != CLEAN
        }
        return Stimulus(any(met.values()), "packets that met it" if any(met.values()) else "nothing", met)

    def close(self) -> None:
        """Ask no more."""
        if self._prober is not None:
            self._prober.close()

    def _look(self, up: Impairment, down: Impairment, before: Counters, prober: Prober) -> Stimulus | None:
        if up.cut or down.cut:
            prober.way.ask()
            return self._dropped("a dropped probe", before)
        if _is_late(up, down):
            return _late(up, down, prober, self._bare_ms)
        if volley := _volley(up, down):
            for _ in range(volley):
                prober.way.ask()
            return self._dropped("lost probes", before, sent=volley) or self._unhurt(up, down, before, volley)
        return None

    def _unhurt(self, up: Impairment, down: Impairment, before: Counters, sent: int) -> Stimulus | None:
        """A volley that went all through where at least one of it should have been lost: nothing is in force."""
        if up.burst_loss is not None or down.burst_loss is not None:
            return None  # the volley may have met a good stretch
        now = self._link.counters()
        lossy = [name for name, each in _directions(up, down) if each.loss_percent]
        passed: dict[str, int] = {name: now[name]["packets"] - before[name]["packets"] for name in lossy}
        return Stimulus(False, "a whole volley", {"sent": sent, **passed}) if min(passed.values()) >= sent else None

    def _dropped(self, by: Means, before: Counters, **evidence: Any) -> Stimulus | None:
        """Wait a moment until the link says that it has dropped something."""
        deadline = time.monotonic() + _COUNTED_WITHIN_S
        while True:
            now = self._link.counters()
            dropped = sum(now[name]["dropped"] - before[name]["dropped"] for name in ("up", "down"))
            if dropped:
                return Stimulus(True, by, {"dropped": dropped, **evidence})
            if time.monotonic() > deadline:
                return None
            time.sleep(_PAUSE_S)  # a counter tells nobody that it has grown


def _is_late(up: Impairment, down: Impairment) -> bool:
    return not (up.cut or down.cut) and up.delay_ms + down.delay_ms >= SMALLEST_DELAY_MS


def _late(up: Impairment, down: Impairment, prober: Prober, bare_ms: float | None) -> Stimulus | None:
    asked, jitter = up.delay_ms + down.delay_ms, up.jitter_ms + down.jitter_ms
    patience_s = ((bare_ms or 0) + asked + 4 * jitter) / 1000 + 0.5
    early = []
    for _ in range(_TRIES):
        took = prober.rtt(patience_s)
        # Late by how much nobody can say who does not know how long it takes without.
        if took is not None and bare_ms is not None and took >= bare_ms + LATE_ENOUGH * asked:
            figures = {"rtt_ms": round(took, 3), "asked_ms": asked, "without_ms": round(bare_ms, 3)}
            return Stimulus(True, "a late probe", figures)
        if took is None and not prober.answered:
            return None
        if took is not None and took < LATE_ENOUGH * asked - jitter:
            early.append(round(took, 3))
    if len(early) == _TRIES and not up.reorder_percent and not down.reorder_percent:
        return Stimulus(False, "early probes", {"rtt_ms": early, "asked_ms": asked})
    return None


def _volley(up: Impairment, down: Impairment) -> int:
    """How many probes make it all but certain that one is lost; 0 where that would be too many for the link."""
    passes = math.prod(1 - _mean_loss(each) for each in (up, down))
    if passes >= 1:
        return 0
    count = math.ceil(math.log(_ODDS) / math.log(passes)) if passes > 0 else 1
    slowest = min((each.rate_kbit for each in (up, down) if each.rate_kbit is not None), default=math.inf)
    fits = min(_LARGEST_VOLLEY, slowest * 1000 * _VOLLEY_S / _PROBE_BITS)
    return count if count <= fits else 0


def _mean_loss(impairment: Impairment) -> float:
    if impairment.burst_loss is not None:
        return impairment.burst_loss.mean_loss_percent / 100
    return impairment.loss_percent / 100


def _directions(up: Impairment, down: Impairment) -> tuple[tuple[Literal["up", "down"], Impairment], ...]:
    return (("up", up), ("down", down))


def _met(impairment: Impairment, before: Any, now: Any) -> int:
    """Packets that met it: of a cut those that it dropped."""
    dropped: int = now["dropped"] - before["dropped"]
    return dropped if impairment.cut else dropped + int(now["packets"] - before["packets"])
