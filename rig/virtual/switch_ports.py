"""The ports of a simulated switch: what is asked of each, and the link that its cable has by that.

A port has a link while it is enabled and, where the far end lives on its power (PoE), gives power. The link is lost at
once, and comes when both sides have agreed (IEEE 802.3 clause 28: autonegotiation takes 1 to 3 s; the simulated one is
quicker), after the far end's boot where its power was away.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from rig.history.journal import Journal
from rig.virtual.air_link import DEAD, PERFECT, AirLink


@dataclass(frozen=True)
class Port:
    """What a port reads: to be up, gives power (None: cannot), has a link."""

    enabled: bool = True
    powered: bool | None = None
    link: bool = True


@dataclass(frozen=True)
class Times:
    """Milliseconds until a link is there: agreeing on it, and the far end's boot before that."""

    link_ms: float = 100.0
    boot_ms: float = 300.0


class Panel:
    """All ports. May be asked by several threads.

    Args:
        cables: port → the segment that its cable is; None: nothing is plugged in.
        powering: the ports that give power.
        times: how long links take.
        journal: gets ``switch_port`` for every change.
    """

    def __init__(
        self, cables: Mapping[int, AirLink | None], powering: frozenset[int], times: Times, journal: Journal
    ) -> None:
        self.stuck = False
        """Whether it takes every order, and does nothing."""
        self._cables = cables
        self._times = times
        self._journal = journal
        self._due: dict[int, float] = {}
        self._changed = threading.Condition()
        self._ports = {
            number: Port(powered=True if number in powering else None, link=cable is not None)
            for number, cable in cables.items()
        }
        for number in self._ports:
            self._tell(number)
        threading.Thread(target=self._run, name="links", daemon=True).start()

    @property
    def numbers(self) -> list[int]:
        """The ports that there are."""
        return sorted(self._ports)

    def read(self, number: int) -> Port:
        """What a port is now; KeyError: there is none."""
        with self._changed:
            return self._ports[number]

    def enable(self, number: int, enabled: bool) -> None:
        """Take a port up or down."""
        with self._changed:
            if not self.stuck:
                self._change(number, replace(self._ports[number], enabled=enabled), self._times.link_ms)

    def power(self, number: int, powered: bool) -> None:
        """Give power or none; ValueError: this port cannot."""
        with self._changed:
            if self._ports[number].powered is None:
                raise ValueError(f"port {number} gives no power")
            if not self.stuck:
                after_ms = self._times.boot_ms + self._times.link_ms
                self._change(number, replace(self._ports[number], powered=powered), after_ms)

    def _change(self, number: int, port: Port, after_ms: float) -> None:
        if port == self._ports[number]:
            return
        alive = port.enabled and port.powered is not False and self._cables[number] is not None
        self._due.pop(number, None)
        if alive and not port.link:
            self._due[number] = time.monotonic() + after_ms / 1000
            self._changed.notify()
        self._ports[number] = replace(port, link=port.link and alive)
        self._tell(number)

    def _run(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                for number in [each for each, due in self._due.items() if due <= now]:
                    del self._due[number]
                    self._ports[number] = replace(self._ports[number], link=True)
                    self._tell(number)
                self._changed.wait(max(0.0, min(self._due.values()) - now) if self._due else None)

    def _tell(self, number: int) -> None:
        port, cable = self._ports[number], self._cables[number]
        if cable is not None:
            cable.want(port.link, PERFECT if port.link else DEAD)
        self._journal.write("switch_port", port=number, enabled=port.enabled, powered=port.powered, link=port.link)
