"""The timelines that a bench plays on its bearers now."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rig.bearers.probe import Prober
from rig.bearers.timeline import Replay, Timeline, load_timeline
from rig.bearers.timeline.play import Play
from rig.bench.description import BenchFile
from rig.bench.devices import Devices, Observe
from rig.errors import BenchTrouble, CallerMistake
from rig.faults import LateProof, Proof
from rig.units import Decibel

_LATEST_END_S = 10.0

Attenuate = Callable[[str, Decibel], object]
"""Sets an RF path."""


class Playing:
    """At most one timeline a bearer; another one, or another fault of the same bearer, ends it. For several threads.

    Args:
        bench: the bench.
        devices: its devices.
        timelines: the folder of named timelines.
        attenuate: sets an RF path, for the steps that say so.
        observe: gets the events.
    """

    def __init__(
        self, bench: BenchFile, devices: Devices, timelines: Path, attenuate: Attenuate, observe: Observe
    ) -> None:
        self._bench, self._devices, self._timelines = bench, devices, timelines
        self._attenuate, self._observe = attenuate, observe
        self._lock = threading.RLock()
        self._plays: dict[str, Play] = {}

    def start(self, bearer: str, timeline: str | Timeline) -> Play:
        """Play a timeline on a bearer until it ends or :meth:`stop`; returns when its first step is in force.

        Raises:
            CallerMistake: no such bearer or timeline, or the timeline's file is wrong; nothing was touched then.
            BenchTrouble: the link is gone, or lacks what a step needs.
        """
        found = load_timeline(timeline, self._timelines) if isinstance(timeline, str) else timeline
        if bearer not in self._devices.bearers:
            raise CallerMistake(bearer, "no such bearer on this bench", f"there are {', '.join(self._devices.bearers)}")
        with self._lock:
            self.stop(bearer)
            address = self._bench.terminal_address(bearer)
            place = self._bench.bearers[bearer]
            prober = Prober(address, place.interface) if address is not None and place.has_packets else None
            play = Play(self._devices.bearers[bearer].link, found, self._note, prober, self._attenuator_of(bearer))
            self._plays[bearer] = play
            play.start()
        return play

    def prove(self, play: Play) -> LateProof:
        """What proves that a timeline was met, asked when the case is over."""

        def ask() -> Proof:
            seen = play.seen()
            return Proof(seen.shown, {"timeline": play.timeline.name, **asdict(seen)})

        return ask

    def wait(self, bearer: str) -> Replay:
        """Wait until what plays on a bearer has ended.

        Raises:
            CallerMistake: nothing does, or it never ends by itself.
            BenchTrouble: it does not end in time.
        """
        play = self._plays.get(bearer)
        if play is None:
            raise CallerMistake(bearer, "no timeline plays on it", "begin one with bench.play or the fault play")
        if play.timeline.loop:
            raise CallerMistake(bearer, f"timeline {play.timeline.name} goes on for ever", "stop it instead")
        replay = play.wait(play.timeline.duration_ms / 1000 + _LATEST_END_S)
        if replay is None:
            raise BenchTrouble(f"link {bearer}", "its timeline does not end", "is the link's backend stuck?")
        return replay

    def stop(self, bearer: str) -> None:
        """End what plays on a bearer; what is in force stays.

        Raises:
            BenchTrouble: its backend is stuck.
        """
        with self._lock:
            if play := self._plays.pop(bearer, None):
                play.stop()

    def clear(self) -> None:
        """End all.

        Raises:
            BenchTrouble: a backend is stuck.
        """
        for bearer in list(self._plays):
            self.stop(bearer)

    def _attenuator_of(self, bearer: str) -> Callable[[float], object] | None:
        path = self._bench.bearers[bearer].path
        if path is None:
            return None
        most = self._devices.attenuators[self._bench.paths[path].attenuator].maximum
        return lambda db: self._attenuate(path, Decibel(min(db, most)))

    def _note(self, kind: str, data: Mapping[str, Any]) -> None:
        self._observe(kind, dict(data))
