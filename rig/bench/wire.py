"""The exact moments on the wire that are armed now, and what they met."""

from __future__ import annotations

import threading
from typing import Any

from rig.bearers.wire_cut import Cut, CutCounts, Effect, WireCut
from rig.bench.devices import Observe
from rig.errors import BenchTrouble
from rig.faults import LateProof, Proof


class WireFaults:
    """One table an interface, from its first fault on. What is armed vanishes at :meth:`clear`; all of it at
    :meth:`close`, and with this process.
    """

    def __init__(self, observe: Observe) -> None:
        self._observe = observe
        self._lock = threading.Lock()
        self._cuts: dict[str, WireCut] = {}
        self._last: dict[str, dict[str, Any]] = {}

    def arm(self, bearer: str, interface: str, cut: Cut) -> LateProof:
        """Arm one fault in place of the interface's last one; writes a ``wire_armed`` event.

        Returns:
            What proves it after the sale.

        Raises:
            CallerMistake: a value out of range.
            BenchTrouble: no such interface, or nftables cannot be used here.
        """
        with self._lock:
            if interface not in self._cuts:
                self._cuts[interface] = WireCut(interface)
            wire = self._cuts[interface]
            armed = {"bearer": bearer, "interface": interface, **cut.describe()}
            self._last[interface] = armed
            wire.arm(cut)
        self._observe("wire_armed", armed)
        return lambda: self._proof(wire, cut, armed)

    def clear(self) -> None:
        """The wires are whole again.

        Raises:
            BenchTrouble: nft failed; its tables are gone then all the same.
        """
        with self._lock:
            for interface, cut in list(self._cuts.items()):
                try:
                    cut.disarm()
                except BaseException:
                    self._cuts.pop(interface).close()
                    raise

    def close(self) -> None:
        """Nothing of ours is left."""
        with self._lock:
            cuts, self._cuts = self._cuts, {}
        for cut in cuts.values():
            cut.close()

    def _proof(self, wire: WireCut, cut: Cut, armed: dict[str, Any]) -> Proof:
        if self._last[armed["interface"]] is not armed:  # its counts are gone, and those of the other prove nothing
            return Proof(False, {**armed, "why": "another fault on the same interface took its place"})
        return _counted(wire, cut, armed)


def _counted(wire: WireCut, cut: Cut, armed: dict[str, Any]) -> Proof:
    counts = wire.counts()
    evidence = {**armed, "counts": counts.to_dict()}
    if not counts.hits:
        raise BenchTrouble(
            f"wire of {armed['bearer']}",
            "no packet of the terminal met the trigger",
            "was there a request, to this port, within one packet? give another trigger",
        )
    return Proof(_took_effect(cut, counts), evidence)


def _took_effect(cut: Cut, counts: CutCounts) -> bool:
    """Whether the packet that was met decided the matter, or what came after it did too."""
    if cut.effect is Effect.ANSWER_RESET:
        return counts.resets > 0
    # A wire that heals may have been whole again before the answer came.
    return cut.effect is Effect.REQUEST_LOST or cut.heals_after_s is None or counts.answers_lost > 0
