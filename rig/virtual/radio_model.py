"""The radio between a base station and the terminal: level, service, and what the level makes of the link.

One LTE cell. The level at the terminal is the reference level minus the attenuation of the path. It **fades flat**:
a step attenuator turns all frequencies down alike, so there is no multipath, no Doppler, no neighbour cell to go to,
and a real link of the same level is worse. The figures of :data:`LINK_TABLE` are estimates for one user of a shared
10 MHz cell, made to be ordered and plausible, not measured; thresholds follow the SINR at which LTE's channel quality
indicators step (3GPP TS 36.213, table 7.2.3-1 gives their efficiencies).
"""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass
from typing import Any

_FLOOR_DBM = -114.0
"""Noise and interference in one 15 kHz subcarrier: −132 dBm thermal, 7 dB noise figure, 11 dB of neighbours."""

_SINR_MIN, _SINR_MAX = -20.0, 30.0


@dataclass(frozen=True)
class Direction:
    """One direction of the link, in the words of the link's ``set``."""

    delay_ms: float
    jitter_ms: float
    loss_percent: float
    rate_kbit: int


@dataclass(frozen=True)
class Shape:
    """Both directions of the link from ``sinr_db`` upwards."""

    sinr_db: float
    up: Direction
    down: Direction

    def as_arguments(self) -> dict[str, Any]:
        """The arguments of the link's ``set``."""
        return {"up": asdict(self.up), "down": asdict(self.down)}


LINK_TABLE = (
    Shape(20, Direction(20, 2, 0.0, 5000), Direction(15, 2, 0.0, 20000)),
    Shape(10, Direction(25, 4, 0.0, 2000), Direction(20, 4, 0.0, 8000)),
    Shape(5, Direction(30, 8, 0.1, 1000), Direction(25, 8, 0.1, 3000)),
    Shape(0, Direction(40, 15, 0.5, 256), Direction(35, 15, 0.5, 1000)),
    Shape(-3, Direction(80, 30, 2.0, 64), Direction(60, 30, 1.5, 256)),
    Shape(-5, Direction(150, 60, 5.0, 32), Direction(120, 60, 3.0, 128)),
    Shape(_SINR_MIN, Direction(250, 100, 10.0, 16), Direction(200, 100, 8.0, 64)),
)
"""From good to bad; the first row whose SINR is reached holds."""


@dataclass(frozen=True)
class RadioSettings:
    """The radio's constants.

    Attributes:
        reference_dbm: RSRP with the attenuator at 0 dB.
        camp_dbm: the weakest RSRP at which the modem keeps its service.
        hysteresis_db: how much above that it must be to find service again.
        detach_ms: how long the level must be too weak until service is lost.
        reattach_ms: how long it must be strong enough until service is back.
        noise_db: standard deviation of a reading.
        seed: of that noise.
    """

    reference_dbm: float = -70.0
    camp_dbm: float = -120.0
    hysteresis_db: float = 3.0
    detach_ms: float = 150.0
    reattach_ms: float = 300.0
    noise_db: float = 0.3
    seed: int = 1


class Radio:
    """The modem's view of the cell. Time is an argument (monotonic seconds), so it never waits by itself.

    Until the attenuation is known there is no level and no service.
    """

    technology = "LTE"

    def __init__(self, settings: RadioSettings) -> None:
        self.settings = settings
        self.registered = False
        self._attenuation_db: float | None = None
        self._due: float | None = None
        self._random = random.Random(settings.seed)

    @property
    def level_dbm(self) -> float | None:
        """RSRP without the noise of a reading."""
        return None if self._attenuation_db is None else self.settings.reference_dbm - self._attenuation_db

    @property
    def due(self) -> float | None:
        """When :meth:`tick` will change the service, if the level stays; None when it will not."""
        return self._due

    @property
    def sinr_db(self) -> float:
        """Signal to interference and noise ratio, inside the range that a modem reports."""
        level = self.level_dbm
        return _SINR_MIN if level is None else max(_SINR_MIN, min(_SINR_MAX, level - _FLOOR_DBM))

    @property
    def shape(self) -> Shape:
        """What the link is like at this level."""
        return next(row for row in LINK_TABLE if self.sinr_db >= row.sinr_db)

    def reading_dbm(self) -> float | None:
        """One noisy reading of RSRP."""
        level = self.level_dbm
        return None if level is None else level + self._random.gauss(0, self.settings.noise_db)

    def attenuate(self, attenuation_db: float, now: float) -> None:
        """The path changed: begin to lose or to find service where the level says so."""
        self._attenuation_db = attenuation_db
        if self._reachable() == self.registered:
            self._due = None
        elif self._due is None:
            wait_ms = self.settings.detach_ms if self.registered else self.settings.reattach_ms
            self._due = now + wait_ms / 1000

    def tick(self, now: float) -> bool:
        """Lose or find service if that is due; True when it changed."""
        if self._due is None or now < self._due:
            return False
        self._due = None
        self.registered = not self.registered
        return True

    def _reachable(self) -> bool:
        level = self.level_dbm
        margin = 0.0 if self.registered else self.settings.hysteresis_db
        return level is not None and level >= self.settings.camp_dbm + margin
