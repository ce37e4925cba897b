"""A bearer of the bench: a link with a name and a kind, whose every change is an event with its read-back."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Literal

from rig.bearers.impairment import CLEAN, CUT, Impairment
from rig.bearers.link import Counters, Link, ReadBack
from rig.bearers.stimulus import Stimulus, Witness

BearerKind = Literal["wifi", "cellular", "ethernet", "private", "dial-up", "bluetooth", "ecr"]
Observer = Callable[[str, Mapping[str, Any]], object]
"""Called with the kind of an event and its data."""


def _ignore(_kind: str, _data: Mapping[str, Any]) -> None:
    pass


class Bearer:
    """A way of the terminal to its host, or its cash-register line.

    Every change returns its evidence, and writes the same as an ``impairment`` event: ``link``, ``backend``, what was
    asked of ``up`` and ``down``, the ``read_back``, the ``counters`` at that time, and when it was asked and in force
    (``asked_t``, ``applied_t``; monotonic nanoseconds). Up is terminal → host. A ``stimulus`` event tells whether the
    impairment was seen to meet packets (``shown``), and by what: at once where a probe can show it, else when it ends.

    Args:
        name: of the bearer, in the bench file.
        kind: what it is.
        link: what can be degraded.
        observe: gets the events.
        witness: sees that impairments meet packets; one without a probe where left out.
    """

    def __init__(
        self, name: str, kind: BearerKind, link: Link, observe: Observer = _ignore, witness: Witness | None = None
    ) -> None:
        self.name = name
        self.kind = kind
        self.link = link
        self._observe = observe
        self._witness = witness or Witness(link)

    def impair(self, up: Impairment, down: Impairment | None = None) -> dict[str, Any]:
        """Put an impairment in force in both directions, whatever was before.

        Args:
            up: terminal → host.
            down: host → terminal; as ``up`` where left out.

        Raises:
            DeviceClamped: something else reads back.
        """
        down = up if down is None else down
        self._tell(self._witness.conclude())
        self._witness.expect(up, down)
        asked_t = time.monotonic_ns()
        read_back = self.link.apply(up, down)
        evidence = self._evidence(asked_t, up, down, read_back)
        self._tell(self._witness.see(up, down))
        return evidence

    def cut(self) -> dict[str, Any]:
        """Silence in both directions; the carrier stays."""
        return self.impair(CUT)

    def restore(self) -> dict[str, Any]:
        """As if never touched; the carrier comes back too."""
        self._tell(self._witness.conclude())
        asked_t = time.monotonic_ns()
        self.link.clear()
        read_back = self.link.read()
        read_back.require(self.name, CLEAN, CLEAN)
        self._witness.see(CLEAN, CLEAN)
        return self._evidence(asked_t, CLEAN, CLEAN, read_back)

    def off(self) -> dict[str, Any]:
        """Take the carrier away: the access point or the cell is off, the cable is out."""
        return self._switch(False)

    def on(self) -> dict[str, Any]:
        """Give the carrier back; the impairment that was in force still is."""
        return self._switch(True)

    def counters(self) -> Counters:
        """What passed and what did not: the proof that a cut really met packets."""
        return self.link.counters()

    def close(self) -> None:
        """Let go of the link; what is in force stays in force."""
        self._witness.close()
        self.link.close()

    def _tell(self, seen: Stimulus | None) -> None:
        if seen is not None:
            data = {"link": self.name, "shown": seen.shown, "by": seen.by, "evidence": seen.evidence}
            self._observe("stimulus", data)

    def _switch(self, carrier: bool) -> dict[str, Any]:
        asked_t = time.monotonic_ns()
        self.link.carrier(carrier)
        read_back = self.link.read()
        return self._evidence(asked_t, read_back.up, read_back.down, read_back, carrier=carrier)

    def _evidence(
        self, asked_t: int, up: Impairment, down: Impairment, read_back: ReadBack, carrier: bool = True
    ) -> dict[str, Any]:
        evidence: dict[str, Any] = {
            "link": self.name,
            "backend": self.link.backend,
            "up": up.to_dict(),
            "down": down.to_dict(),
            "carrier": carrier,
            "read_back": read_back.to_dict(),
            "counters": self.link.counters(),
            "asked_t": asked_t,
            "applied_t": time.monotonic_ns(),
        }
        self._observe("impairment", evidence)
        return evidence
