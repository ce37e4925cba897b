"""Failures of a Bluetooth base, or of the telephone that a terminal is tethered to.

What the bench can reach are relays: in the base's supply, and beside the key for pairing. Nobody at this end can see
whether the terminal is connected, so the proof is that the supply was off, or the key held, from what the relay reads.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from rig.bearers.failures.failure import Hits, Site
from rig.errors import BenchTrouble
from rig.instruments.power import PowerSwitch


@dataclass(frozen=True)
class BaseKeys:
    """What the bench can do to a base.

    Attributes:
        power: the relay in its supply.
        pairing: the relay beside its key for pairing: open, the key is pressed.
        forget_s: so long the key is held until it has forgotten every terminal.
        pair_s: so long it is pressed to let terminals pair.
        boot_s: so long after its supply came back its key means nothing.
    """

    power: PowerSwitch | None = None
    pairing: PowerSwitch | None = None
    forget_s: float = 6.0
    pair_s: float = 0.5
    boot_s: float = 20.0


def press(key: PowerSwitch, seconds: float) -> bool:
    """Press a key for so long; returns whether the relay read open meanwhile. It is released, whatever happens.

    Raises:
        BenchTrouble: the relay does not follow.
    """
    try:
        key.off()
        pressed = not key.read()
        time.sleep(seconds)  # a key is held for a time, there is no event to wait for
    finally:
        key.on()
    return pressed


def supply(base: BaseKeys) -> None:
    """Give a base its supply, if it was away; it has booted then.

    Raises:
        BenchTrouble: the relay does not follow.
    """
    if base.power is not None and not base.power.read():
        base.power.on()
        time.sleep(base.boot_s)  # nobody at this end can see it boot


def let_pair(base: BaseKeys) -> None:
    """Let terminals pair with a base; one that is paired does not mind.

    Raises:
        BenchTrouble: a relay does not follow.
    """
    if base.pairing is not None:
        supply(base)
        press(base.pairing, base.pair_s)


class PairingLost:
    """The base has forgotten the terminal: its key for pairing is held.

    The terminal sees: the connection ends at once, and no other comes about until it is paired anew. To end the failure
    the key is pressed shortly, which lets terminals pair; one that does not by itself needs somebody at its menu.
    """

    sees = "the base has forgotten it: the connection ends and none comes until it is paired anew"

    def __init__(self) -> None:
        self._base: BaseKeys | None = None
        self._detail: dict[str, Any] = {}

    def start(self, site: Site) -> dict[str, Any]:
        """Hold the key.

        Raises:
            BenchTrouble: no relay is beside it, or the relay does not follow.
        """
        base = site.bluetooth()
        if base.pairing is None:
            raise BenchTrouble(f"bearer {site.bearer}", "no relay presses its base's key", "see bearers.*.base.pairing")
        self._base = base
        pressed = press(base.pairing, base.forget_s)
        self._detail = {"held_s": base.forget_s, "relay_read_open": pressed, "relay_closed": base.pairing.read()}
        return self._detail

    def hits(self) -> Hits:
        """Whether the key was held, and has not been pressed since."""
        return Hits(int(bool(self._base is not None and self._detail.get("relay_read_open"))), self._detail)

    def stop(self) -> None:
        """Let it pair again."""
        base, self._base = self._base, None
        if base is not None:
            let_pair(base)


class BaseOff:
    """The base has no supply: somebody pulled its plug.

    The terminal sees: silence until its supervision timeout, then no connection; it comes back some time after the
    base has booted.
    """

    sees = "the base is without power: silence at first, then no connection until it has booted"

    def __init__(self) -> None:
        self._base: BaseKeys | None = None

    def start(self, site: Site) -> dict[str, Any]:
        """Open the relay, and read it back.

        Raises:
            BenchTrouble: no relay is in its supply, or the relay does not follow.
        """
        base = site.bluetooth()
        power = base.power
        if power is None:
            raise BenchTrouble(f"bearer {site.bearer}", "no relay is in its base's supply", "see bearers.*.base.power")
        self._base = base
        power.off()
        return {"relay_closed": power.read()}

    def hits(self) -> Hits:
        """Whether it still reads open."""
        power = self._base.power if self._base is not None else None
        closed = power is None or power.read()
        return Hits(int(not closed), {"relay_closed": closed})

    def stop(self) -> None:
        """Close it, and wait until the base has booted."""
        base, self._base = self._base, None
        if base is not None:
            supply(base)
