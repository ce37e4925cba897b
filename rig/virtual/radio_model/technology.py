"""LTE, UTRAN and GSM as the model knows them: levels, times, and the link at each quality.

Sources of the figures, and which of them are assumptions: docs/radio-model.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from rig.virtual.radio_model.shape import Direction, Shape

WORST_DB, BEST_DB = -20.0, 30.0
"""The range in which a quality is told."""


@dataclass(frozen=True)
class Technology:
    """One radio access technology.

    Attributes:
        name: as :mod:`rig.wire.at` calls it.
        offset_db: how much its level is above LTE's at the same place: RSRP is the power of one subcarrier, RSCP that
            of the pilot, RXLEV that of a whole carrier.
        floor_dbm: noise and other cells' interference in the bandwidth of that level.
        camp_dbm: the weakest level that keeps the service.
        detach_ms: how long the level must be too weak until the service is lost, unhasted.
        reattach_ms: how long it takes from a level that is strong enough to service, unhasted.
        interruption_ms: how long nothing passes when the cell is changed.
        queue_ms: how long packets wait where half of the cell is others'.
        shared: whether neighbour cells use the same frequency, and so disturb.
        table: from good to bad; the first row whose quality is reached holds.
    """

    name: str
    offset_db: float
    floor_dbm: float
    camp_dbm: float
    detach_ms: float
    reattach_ms: float
    interruption_ms: float
    queue_ms: float
    shared: bool
    table: tuple[Shape, ...]


LTE = Technology(
    name="LTE",
    offset_db=0,
    floor_dbm=-114,  # one 15 kHz subcarrier: −132 dBm thermal, 7 dB noise figure, 11 dB of neighbours
    camp_dbm=-120,
    detach_ms=1200,
    reattach_ms=3000,
    interruption_ms=50,
    queue_ms=25,
    shared=True,
    table=(
        Shape(20, Direction(20, 2, 0.0, 5000), Direction(15, 2, 0.0, 20000)),
        Shape(10, Direction(25, 4, 0.0, 2000), Direction(20, 4, 0.0, 8000)),
        Shape(5, Direction(30, 8, 0.1, 1000), Direction(25, 8, 0.1, 3000)),
        Shape(0, Direction(40, 15, 0.5, 256), Direction(35, 15, 0.5, 1000)),
        Shape(-3, Direction(80, 30, 2.0, 64), Direction(60, 30, 1.5, 256)),
        Shape(-5, Direction(150, 60, 5.0, 32), Direction(120, 60, 3.0, 128)),
        Shape(WORST_DB, Direction(250, 100, 10.0, 16), Direction(200, 100, 8.0, 64)),
    ),
)

UTRAN = Technology(
    name="UTRAN",
    offset_db=14,
    floor_dbm=-98,  # 3.84 MHz: −108 dBm thermal, 7 dB noise figure, 3 dB of neighbours
    camp_dbm=-112,
    detach_ms=3200,
    reattach_ms=5000,
    interruption_ms=150,
    queue_ms=40,
    shared=True,
    table=(
        Shape(0, Direction(38, 10, 0.0, 1600), Direction(25, 6, 0.0, 5900)),
        Shape(-4, Direction(45, 12, 0.0, 1000), Direction(30, 8, 0.0, 3000)),
        Shape(-8, Direction(60, 20, 0.2, 384), Direction(45, 15, 0.1, 1200)),
        Shape(-11, Direction(90, 40, 0.5, 128), Direction(70, 30, 0.3, 384)),
        Shape(-13, Direction(140, 60, 1.5, 64), Direction(110, 50, 1.0, 128)),
        Shape(WORST_DB, Direction(250, 120, 5.0, 16), Direction(200, 100, 4.0, 64)),
    ),
)

GSM = Technology(  # GPRS, two time slots up and three down; a row is a coding scheme
    name="GSM",
    offset_db=31,
    floor_dbm=-113,  # 200 kHz: −121 dBm thermal, 8 dB noise figure; neighbours use other frequencies
    camp_dbm=-104,
    detach_ms=7680,
    reattach_ms=8000,
    interruption_ms=2000,
    queue_ms=200,
    shared=False,
    table=(
        Shape(23, Direction(300, 80, 0.0, 42.8), Direction(200, 60, 0.0, 64.2)),
        Shape(15, Direction(320, 90, 0.0, 31.2), Direction(220, 70, 0.0, 46.8)),
        Shape(13, Direction(350, 100, 0.0, 26.8), Direction(250, 80, 0.0, 40.2)),
        Shape(9, Direction(450, 150, 0.5, 18.1), Direction(320, 120, 0.5, 27.15)),
        Shape(WORST_DB, Direction(800, 400, 5.0, 9.05), Direction(600, 300, 5.0, 9.05)),
    ),
)

TECHNOLOGIES = {each.name: each for each in (LTE, UTRAN, GSM)}
"""From the one that a modem prefers to its last resort."""
