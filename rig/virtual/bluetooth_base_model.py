"""A Bluetooth base and the terminal that is paired with it: in range, connected, forgotten.

The level is a reference less the attenuation. A connection lives until nothing was heard for the supervision timeout
(Bluetooth Core Specification 5.3, Vol 4 Part E, 6.21: 20 s where nobody says otherwise; the simulated one is quicker),
and meanwhile nothing passes and nobody is told. It comes back when the terminal has paged the base (Vol 2 Part B, 8.3:
a scan every 1.28 s, so up to some seconds). Receivers need -70 dBm by the specification (Vol 2 Part A, 4.1), real ones
about -90 dBm. Weak links are slow rather than lossy, for packets are sent again until they arrive; the figures are
estimates.

Holding the base's key makes it forget every terminal, and ends their connections at once. A short press lets terminals
pair for a while, and the one here, whose operator has told it to look for a base, does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rig.virtual.air_link import DEAD, Shape

_RATE_KBIT = (64.0, 1400.0)
_DELAY_MS = (90.0, 12.0)
_GOOD_MARGIN_DB = 20.0
"""So far above the least level a link is as good as it gets."""


@dataclass(frozen=True)
class BaseSettings:
    """Levels in dBm, times in milliseconds."""

    reference_dbm: float = -45.0
    """What the terminal hears without attenuation."""
    lost_dbm: float = -90.0
    found_dbm: float = -84.0
    """Paging needs a better link than holding one."""
    supervision_ms: float = 300.0
    reconnect_ms: float = 300.0
    boot_ms: float = 300.0
    hold_ms: float = 400.0
    """So long the key is to be held to forget all terminals."""
    window_ms: float = 5000.0
    pairing_ms: float = 100.0


class BaseModel:
    """Not thread-safe: its owner tells it what happens, and calls :meth:`tick` when something is :attr:`due`.

    Times are monotonic seconds. Until the attenuation is known nobody hears anybody.
    """

    def __init__(self, settings: BaseSettings, now: float) -> None:
        self.settings = settings
        self.paired = True
        self.connected = False
        self._level: float | None = None
        self._in_range = False
        self._powered = False
        self._timers: dict[str, float] = {}
        self._pressed = False
        self.power(True, now)

    @property
    def due(self) -> float | None:
        """When :meth:`tick` is to be called next."""
        return min(self._timers.values(), default=None)

    @property
    def hears(self) -> bool:
        """Whether base and terminal hear each other now."""
        return self.is_up and self._in_range

    @property
    def is_up(self) -> bool:
        """Whether the base has power and has booted."""
        return self._powered and "boot" not in self._timers

    @property
    def shape(self) -> Shape:
        """What packets meet while it is connected."""
        if not self.hears or self._level is None:
            return DEAD
        good = min(max((self._level - self.settings.lost_dbm) / _GOOD_MARGIN_DB, 0.0), 1.0)
        (worst, best), (late, soon) = _RATE_KBIT, _DELAY_MS
        direction = {
            "rate_kbit": round(worst + (best - worst) * good, 1),
            "delay_ms": round(late + (soon - late) * good, 1),
            "jitter_ms": round((late + (soon - late) * good) / 6, 1),
        }
        return {"up": direction, "down": direction}

    def state(self) -> dict[str, Any]:
        """What is, JSON values."""
        return {
            "powered": self._powered, "up": self.is_up, "paired": self.paired, "connected": self.connected,
            "in_range": self._in_range, "pairing": "window" in self._timers, "level_dbm": self._level,
        }  # fmt: skip

    def attenuate(self, attenuation_db: float, now: float) -> None:
        """The path between base and terminal has changed."""
        self._level = self.settings.reference_dbm - attenuation_db
        self._in_range = self._level >= (self.settings.lost_dbm if self._in_range else self.settings.found_dbm)
        self._reconsider(now)

    def power(self, on: bool, now: float) -> None:
        """The base's supply. What it has paired with it keeps."""
        if on == self._powered:
            return
        self._powered = on
        for name in ("hold", "window", "pair", "boot"):
            self._timers.pop(name, None)
        if on:
            self._after("boot", self.settings.boot_ms, now)
        self._reconsider(now)

    def press(self, pressed: bool, now: float) -> None:
        """The key goes down, or up."""
        if pressed == self._pressed:
            return
        self._pressed = pressed
        if pressed and self.is_up:
            self._after("hold", self.settings.hold_ms, now)
        elif self._timers.pop("hold", None) is not None:  # released before it was held long enough
            self._after("window", self.settings.window_ms, now)
            self._reconsider(now)

    def tick(self, now: float) -> None:
        """What was due happens, in the order in which it was."""
        while self._timers:
            name, due = min(self._timers.items(), key=lambda each: each[1])
            if due > now:
                return
            del self._timers[name]
            if name == "hold":
                self.paired = self.connected = False
                self._timers.pop("reconnect", None)
            elif name == "pair":
                self.paired = True
                self._timers.pop("window", None)
            elif name in ("reconnect", "supervision"):
                self.connected = name == "reconnect"
            self._reconsider(due)

    def _reconsider(self, now: float) -> None:
        self._keep("pair", not self.paired and self.hears and "window" in self._timers, self.settings.pairing_ms, now)
        wanted = self.paired and self.hears
        self._keep("reconnect", wanted and not self.connected, self.settings.reconnect_ms, now)
        self._keep("supervision", self.connected and not wanted, self.settings.supervision_ms, now)

    def _keep(self, timer: str, running: bool, after_ms: float, now: float) -> None:
        if not running:
            self._timers.pop(timer, None)
        elif timer not in self._timers:
            self._after(timer, after_ms, now)

    def _after(self, timer: str, after_ms: float, now: float) -> None:
        self._timers[timer] = now + after_ms / 1000
