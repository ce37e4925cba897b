"""The link relay: carries real packets between pairs of interfaces, and degrades them, where no kernel does.

``python -m rig.bearers.relay --config FILE.json --ready-fd N``, with in the settings::

    links:
      wifi: {inner: wifi-t, outer: wifi-h, seed: 1}
      air:  {inner: air-t, outer: air-h, seed: 2, radio: true}   # not touched by "clear all"

It is asked over ``link.sock`` in the runtime folder: ``set {link, up, down}`` (both directions, absolute),
``get {link}``, ``carrier {link, up}``, ``counters {link}``, ``clear {link}`` where ``all`` stands for every link but
the radio's. A timeline's steps are told before they are due: ``prepare {link, steps, plan}`` keeps pairs of up and
down and answers with the number of its plan; with that number more are added to it, without it a plan before is
forgotten. ``put {link, plan, number}`` puts one in force with no more to do than ``set``'s last part. Every change is
an event ``link_set`` or ``link_carrier``.

Accuracy seen on a busy machine of two cores, 20, 100 and 500 ms asked, at 200 and 2,000 packets/s: p50 0.1 to 0.2 ms
late, p99 0.3 to 0.8 ms; without real-time priority p99 2.4 ms at times.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import select
import socket
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rig.bearers.impairment import CLEAN, Impairment
from rig.bearers.relay.control import ControlSocket, Verb
from rig.bearers.relay.link import RelayLink
from rig.errors import CallerMistake
from rig.history.journal import Journal
from rig.process import Started, main_config, wake_on_signal

_PR_SET_TIMERSLACK = 29
_RTMGRP_LINK = 1


class Relay:
    """All links of a bench, in one loop."""

    def __init__(self, config: Mapping[str, Any], journal: Journal) -> None:
        self._journal = journal
        self._links = {
            name: RelayLink(name, each["inner"], each["outer"], each.get("seed", 1), each.get("radio", False))
            for name, each in config["links"].items()
        }
        verbs: dict[str, Verb] = {
            "set": self._set,
            "prepare": self._prepare,
            "put": self._put,
            "get": self._get,
            "carrier": self._carrier,
            "counters": self._counters,
            "clear": self._clear,
        }
        self._control = ControlSocket(Path(config["runtime"]) / "link.sock", verbs)
        self._directions = [direction for link in self._links.values() for direction in link.directions]
        self._by_source = {direction.source: direction for direction in self._directions}
        self._link_news = _link_news()

    def run(self, started: Started, wake: socket.socket) -> None:
        """Carry packets until the process is asked to end."""
        while not started.stop.is_set():
            now = time.monotonic_ns()
            for direction in self._directions:
                direction.release(now)
            ready, _, _ = select.select(
                [*self._by_source, self._link_news, wake, *self._control.sockets], (), (), self._patience()
            )
            for each in ready:
                if each in self._by_source:
                    self._by_source[each].receive()
                elif each is self._link_news:
                    self._follow_carriers()
                elif each is not wake:
                    self._control.serve(each)

    def close(self) -> None:
        """End; what waits is lost."""
        self._control.close()

    def _patience(self) -> float | None:
        """Seconds until the next packet may leave; ``None``: nothing waits."""
        departures = [d.next_departure for d in self._directions if d.next_departure is not None]
        return max(0, min(departures) - time.monotonic_ns()) / 1e9 if departures else None

    def _follow_carriers(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._link_news.recv(65_536):
                pass
        for link in self._links.values():
            link.follow_carrier()

    def _link(self, name: str) -> RelayLink:
        if name not in self._links:
            raise CallerMistake("link", f"there is no {name!r}", f"there are {', '.join(self._links)}")
        return self._links[name]

    def _set(self, link: str, up: Mapping[str, Any], down: Mapping[str, Any]) -> dict[str, Any]:
        intended_t = time.monotonic_ns()
        target = self._link(link)
        asked_up, asked_down = Impairment.from_dict(up), Impairment.from_dict(down)
        lost = target.set(asked_up, asked_down)
        return self._note_set(target, asked_up, asked_down, intended_t, lost)

    def _prepare(self, link: str, steps: Sequence[Sequence[Mapping[str, Any]]], plan: int = 0) -> dict[str, Any]:
        pairs = [(Impairment.from_dict(up), Impairment.from_dict(down)) for up, down in steps]
        return {"plan": self._link(link).prepare(pairs, plan)}

    def _put(self, link: str, plan: int, number: int) -> dict[str, Any]:
        intended_t = time.monotonic_ns()
        target = self._link(link)
        up, down = target.step(plan, number)
        return self._note_set(target, up, down, intended_t, target.set(up, down))

    def _note_set(
        self, link: RelayLink, up: Impairment, down: Impairment, intended_t: int, lost: int
    ) -> dict[str, Any]:
        times: dict[str, Any] = {"intended_t": intended_t, "applied_t": time.monotonic_ns()}
        self._journal.write("link_set", link=link.name, up=up.to_dict(), down=down.to_dict(), lost=lost, **times)
        return {**link.read(), **times, "lost": lost}

    def _get(self, link: str) -> dict[str, Any]:
        return self._link(link).read()

    def _carrier(self, link: str, up: bool) -> dict[str, Any]:
        read_back = self._link(link).set_carrier(up)
        self._journal.write("link_carrier", link=link, up=up, read_back=read_back)
        return dict(read_back)

    def _counters(self, link: str) -> dict[str, Any]:
        target = self._link(link)
        return {"up": target.up.counters(), "down": target.down.counters()}

    def _clear(self, link: str) -> dict[str, Any]:
        targets = [each for each in self._links.values() if not each.by_radio] if link == "all" else [self._link(link)]
        for target in targets:
            intended_t = time.monotonic_ns()
            target.clear()
            self._note_set(target, CLEAN, CLEAN, intended_t, 0)
        return {"links": {target.name: target.read() for target in targets}}


def _link_news() -> socket.socket:
    """Readable whenever an interface of this namespace changes (``rtnetlink(7)``)."""
    news = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
    news.bind((0, _RTMGRP_LINK))
    news.setblocking(False)
    return news


def _be_punctual() -> None:
    """Packets leave at their time whatever else the machine does: no slack, before all others, no collector's pauses.

    Before all others does not starve them: there is no more to carry than they send.
    """
    ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, 1, 0, 0, 0)  # the default slack of 50 µs would add to every delay
    with contextlib.suppress(OSError):  # an ordinary user may not; then the machine should not be busy
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    gc.disable()  # it would look through all that waits, for milliseconds; nothing here refers to itself


def main() -> None:
    """Relay until SIGTERM."""
    started = main_config()
    config = started.config
    wake = wake_on_signal()
    journal = Journal.of_process(config)
    relay = Relay(config, journal)
    _be_punctual()
    journal.write("started", links=config["links"])
    started.ready(links=sorted(config["links"]))
    relay.run(started, wake)
    relay.close()
    journal.write("ended")


if __name__ == "__main__":
    main()
