"""What hostapd told, in order, for whoever waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from rig.bearers.wifi.control import facts_in

_KEPT = 4096
REFUSED = "AP-STA-POSSIBLE-PSK-MISMATCH"
"""A station proved that it has another key."""


@dataclass(frozen=True, slots=True)
class Happening:
    """An event of one cell, such as ``AP-STA-CONNECTED 02:00:00:00:01:00``."""

    number: int
    cell: str
    text: str

    @property
    def word(self) -> str:
        """What happened."""
        return self.text.split(" ", 1)[0]

    @property
    def station(self) -> str:
        """The address of the station that it is about, where the event begins with one."""
        words = self.text.split()
        return words[1] if len(words) > 1 and words[1].count(":") == 5 else ""


class Happenings:
    """A bounded memory of events. May be used from several threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._kept: list[Happening] = []
        self._count = 0

    def add(self, cell: str, text: str) -> Happening:
        """An event came."""
        with self._changed:
            self._count += 1
            happening = Happening(self._count, cell, text)
            self._kept = [*self._kept[-_KEPT:], happening]
            self._changed.notify_all()
        return happening

    def now(self) -> int:
        """The number of the last event; what comes has a greater one."""
        with self._changed:
            return self._count

    def since(self, number: int) -> list[Happening]:
        """The events after that number."""
        with self._changed:
            return [each for each in self._kept if each.number > number]

    def wait_for(self, since: int, wanted: Callable[[list[Happening]], bool], limit_s: float) -> bool:
        """Wait until the events after ``since`` are what is wanted; returns whether they are."""
        with self._changed:
            return self._changed.wait_for(lambda: wanted([each for each in self._kept if each.number > since]), limit_s)


def came(happening: Happening, mac: str | None) -> bool:
    """Whether that station, or any, may send data from here on."""
    return happening.word == "AP-STA-CONNECTED" and mac in (None, happening.station)


def left(told: list[Happening]) -> set[str]:
    """The stations that are told to have gone."""
    return {each.station for each in told if each.word == "AP-STA-DISCONNECTED"}


def switched(happening: Happening, mhz: int) -> bool:
    """Whether a radio has come to that frequency."""
    return happening.word == "AP-CSA-FINISHED" and facts_in(happening.text).get("freq") == str(mhz)
