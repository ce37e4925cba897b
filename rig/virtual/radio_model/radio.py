"""The modem's place in the network: which cell by which technology, at which level, and what that makes of the link.

The level falls by the attenuation of the cell's path, alike at all frequencies: a step attenuator **fades flat**. There
is no multipath and no Doppler, and a real link of the same level is worse.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from rig.virtual.radio_model.settings import RadioSettings
from rig.virtual.radio_model.shape import CUT, Shape, congested
from rig.virtual.radio_model.technology import BEST_DB, WORST_DB, Technology

_ACTIVITY = 0.3
"""The share of its power that a neighbour cell radiates on the mean."""


@dataclass(frozen=True)
class Place:
    """A cell (counted from 0), by one technology."""

    technology: Technology
    cell: int


class Change(Enum):
    """What may happen to the service."""

    LOSE = "lose"
    FIND = "find"
    HAND_OVER = "hand over"
    RETURN = "return to a better technology"


@dataclass(frozen=True)
class _Pending:
    change: Change
    to: Place | None
    since: float


class Radio:
    """The modem's view of its cells. Time is an argument (monotonic seconds), so it never waits by itself.

    Until the attenuation of a cell's path is known it has no level, and there is no service.
    """

    def __init__(self, settings: RadioSettings) -> None:
        self.settings = settings
        self.serving: Place | None = None
        self.load = settings.load
        self._references = settings.references()
        self._attenuation_db: list[float | None] = [None] * len(self._references)
        self._pending: _Pending | None = None
        self._gap_until: float | None = None
        self._on = True
        self._random = random.Random(settings.seed)

    # What it is like.

    @property
    def registered(self) -> bool:
        """Whether there is service."""
        return self.serving is not None

    @property
    def place(self) -> Place:
        """Where the modem is; without service, what it would like best."""
        first = self.settings.known[0]
        return self.serving or max(self._places(first), key=self._strength)

    @property
    def level_dbm(self) -> float | None:
        """RSRP, RSCP or RXLEV without the noise of a reading."""
        return self.level(self.place)

    @property
    def sinr_db(self) -> float:
        """Signal to interference and noise ratio, inside the range that a modem reports."""
        place = self.place
        level = self.level(place)
        if level is None:
            return WORST_DB
        disturbed = _milliwatt(place.technology.floor_dbm)
        for other in self._places(place.technology):
            other_level = self.level(other)
            if place.technology.shared and other != place and other_level is not None:
                disturbed += _ACTIVITY * _milliwatt(other_level)
        return max(WORST_DB, min(BEST_DB, level - 10 * math.log10(disturbed)))

    @property
    def shape(self) -> Shape:
        """What the link is like here, with the load that the cell has."""
        technology, sinr = self.place.technology, self.sinr_db
        row = next(row for row in technology.table if sinr >= row.sinr_db)
        return congested(row, self.load, technology.queue_ms)

    def link_arguments(self) -> dict[str, Any]:
        """What the link's ``set`` is to be told: the shape, or the gap of a change of cells."""
        return CUT if self._gap_until is not None else self.shape.as_arguments()

    def level(self, place: Place) -> float | None:
        """The level of a cell by a technology, whether or not the modem is there."""
        attenuation = self._attenuation_db[place.cell]
        if attenuation is None:
            return None
        offset = place.technology.offset_db - self.settings.known[0].offset_db
        return self._references[place.cell] + offset - attenuation

    def reading_dbm(self) -> float | None:
        """One noisy reading of the level."""
        level = self.level_dbm
        return None if level is None else level + self._random.gauss(0, self.settings.noise_db)

    # What happens to it.

    def attenuate(self, attenuation_db: float, now: float, cell: int = 0) -> None:
        """A path changed: begin to lose, to find or to change service where the levels say so."""
        self._attenuation_db[cell] = attenuation_db
        self._reconsider(now)

    def switch(self, on: bool, now: float) -> None:
        """The modem's radio is switched off or on; off, the service ends at once."""
        self._on = on
        if not on:
            self.serving = self._gap_until = None
        self._reconsider(now)

    def congest(self, load: float) -> None:
        """Others use this share of the cell from now on.

        Raises:
            CallerMistake: no share between 0 and 1.
        """
        self.load = replace(self.settings, load=load).load

    @property
    def due(self) -> float | None:
        """When :meth:`tick` will change something, if the levels stay; None when it will not."""
        times = [self._gap_until, None if self._pending is None else self._pending.since + self._wait_s(self._pending)]
        return min((time for time in times if time is not None), default=None)

    def tick(self, now: float) -> bool:
        """Do what is due; True when something changed."""
        before = self.serving, self._gap_until
        if self._gap_until is not None and now >= self._gap_until:
            self._gap_until = None
        pending = self._pending
        if pending is not None and now >= pending.since + self._wait_s(pending):
            self._pending = None
            self._do(pending, now)
            self._reconsider(now)
        return (self.serving, self._gap_until) != before

    def _do(self, pending: _Pending, now: float) -> None:
        self.serving = pending.to
        self._gap_until = None
        if pending.to is None:
            return
        if pending.change is Change.HAND_OVER:
            self._gap_until = now + pending.to.technology.interruption_ms / 1000
        elif pending.change is Change.RETURN:
            self._gap_until = now + self.settings.reattach_s(pending.to.technology)

    def _wait_s(self, pending: _Pending) -> float:
        if pending.change is Change.LOSE and self.serving is not None:
            return self.settings.detach_s(self.serving.technology)
        if pending.change is Change.FIND and pending.to is not None:
            return self.settings.reattach_s(pending.to.technology)
        slow_ms = self.settings.return_ms if pending.change is Change.RETURN else self.settings.time_to_trigger_ms
        return slow_ms / self.settings.haste / 1000

    def _reconsider(self, now: float) -> None:
        wish = self._wish()
        if wish is None:
            self._pending = None
            return
        change, to = wish
        began = self._pending.since if self._pending is not None and self._pending.change is change else now
        self._pending = _Pending(change, to, began)

    def _wish(self) -> tuple[Change, Place | None] | None:
        if not self._on:
            return None
        here = self.serving
        if here is None:
            found = next((place for each in self.settings.known for place in self._reachable(each)), None)
            return None if found is None else (Change.FIND, found)
        level = self.level(here)
        assert level is not None  # a level once known is never forgotten
        for rival in self._reachable(here.technology):
            if self._strength(rival) >= level + self.settings.handover_db:
                return Change.HAND_OVER, rival
        if level < here.technology.camp_dbm:
            return Change.LOSE, None
        better = self.settings.known[: self.settings.known.index(here.technology)]
        back = next((place for each in better for place in self._reachable(each)), None)
        return None if back is None else (Change.RETURN, back)

    def _reachable(self, technology: Technology) -> list[Place]:
        """The cells strong enough to be found, the strongest first."""
        needed = technology.camp_dbm + self.settings.hysteresis_db
        strong = [place for place in self._places(technology) if self._strength(place) >= needed]
        return sorted(strong, key=self._strength, reverse=True)

    def _strength(self, place: Place) -> float:
        level = self.level(place)
        return -math.inf if level is None else level

    def _places(self, technology: Technology) -> Iterator[Place]:
        return (Place(technology, cell) for cell in range(len(self._references)))


def _milliwatt(dbm: float) -> float:
    return float(10 ** (dbm / 10))
