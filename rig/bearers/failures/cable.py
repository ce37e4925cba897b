"""Failures of a terminal's cable, made at the port of the managed switch that it is in.

The switch tells what it did and whether it sees a link: that is the evidence, and the proof too. Who is at the other
end of a cable without a link hears nothing, whatever it does.
"""

from __future__ import annotations

import threading
import time
from typing import Any

from rig.bearers.failures.failure import Hits, Site
from rig.errors import BenchTrouble, CallerMistake, RigError
from rig.instruments.switch import PortState, SwitchPort, restored_port

_POLL_S = 0.05
_LINK_LIMIT_S = 30.0
"""From 1 s for autonegotiation alone to a terminal's boot where it lives on the port's power."""
_LEAST_S, _MOST_S = 0.05, 60.0


class PortFailure:
    """Something done to a port, until it is up, powered and linked again."""

    sees = ""

    def __init__(self) -> None:
        self._port: SwitchPort | None = None

    def begin(self, port: SwitchPort) -> PortState:
        """Do it; returns what reads back."""
        raise NotImplementedError

    def met(self, state: PortState) -> bool:
        """Whether it is in force."""
        raise NotImplementedError

    def start(self, site: Site) -> dict[str, Any]:
        """Make it happen.

        Raises:
            BenchTrouble: the bearer's cable is in no managed switch, or the switch does not do it.
        """
        port = site.cable()
        self._port = port
        return self.begin(port).as_dict()

    def hits(self) -> Hits:
        """Whether the port still reads so: nothing passes such a port."""
        if self._port is None:
            return Hits(0)
        state = self._port.read()
        return Hits(int(self.met(state)), state.as_dict())

    def stop(self) -> None:
        """As before; waits for the link where the switch tells of one.

        Raises:
            BenchTrouble: the switch does not follow, or there is no link any more.
        """
        port, self._port = self._port, None
        if port is not None:
            restored_port(port)
            wait_for_link(port)


class PortDown(PortFailure):
    """The port is administratively down.

    The terminal sees: its cable is unplugged, at once.
    """

    sees = "its cable is unplugged: the link is gone at once"

    def begin(self, port: SwitchPort) -> PortState:
        """Take it down."""
        return port.down()

    def met(self, state: PortState) -> bool:
        """Down, and without a link."""
        return not state.enabled and not state.link


class PoeOff(PortFailure):
    """The port gives no power any more (PoE).

    The terminal sees: the adapter or base that lives on it goes dead, and the link with it; when power is back, it
    boots first.
    """

    sees = "what lives on the port's power is dead, and the link with it; it boots when power is back"

    def begin(self, port: SwitchPort) -> PortState:
        """Take the power."""
        return port.power_off()

    def met(self, state: PortState) -> bool:
        """No power. The link is gone only where the other end lives on it."""
        return state.powered is False


class CableFlap(PortFailure):
    """A loose plug: the link comes and goes.

    The terminal sees: link, no link, link again, for as long as the failure lasts.

    Args:
        down_s: without a link.
        up_s: with one; from 1 s on both sides can agree on real hardware.
    """

    sees = "its cable is loose: the link comes and goes"

    def __init__(self, down_s: float = 0.5, up_s: float = 1.5) -> None:
        super().__init__()
        for name, value in (("down_s", down_s), ("up_s", up_s)):
            if isinstance(value, bool) or not _LEAST_S <= value <= _MOST_S:
                raise CallerMistake("cable-flap", f"{name} is {value}", f"{_LEAST_S:g} to {_MOST_S:g} s")
        self._down_s, self._up_s = down_s, up_s
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._downs = 0
        self._trouble: RigError | None = None

    def begin(self, port: SwitchPort) -> PortState:
        """The first time at once, so that its evidence reads down."""
        state = port.down()
        self._downs = 1
        self._thread = threading.Thread(target=self._run, args=(port,), name="cable-flap", daemon=True)
        self._thread.start()
        return state

    def hits(self) -> Hits:
        """How often the link was taken.

        Raises:
            RigError: the switch failed meanwhile.
        """
        if self._trouble is not None:
            raise self._trouble
        return Hits(self._downs, {"downs": self._downs})

    def stop(self) -> None:
        """End it, with a link."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()
        super().stop()

    def _run(self, port: SwitchPort) -> None:
        try:
            while not self._over.wait(self._down_s):
                port.up()
                if self._over.wait(self._up_s):
                    return
                port.down()
                self._downs += 1
        except RigError as error:
            self._trouble = error


def wait_for_link(port: SwitchPort, limit_s: float = _LINK_LIMIT_S) -> None:
    """Until the switch sees a link; at once where it does not say.

    Raises:
        BenchTrouble: none in time.
    """
    deadline = time.monotonic() + limit_s
    while port.read().link is False:
        if time.monotonic() > deadline:
            raise BenchTrouble(port.name, f"is up and has no link after {limit_s:g} s", "is the cable in it?")
        time.sleep(_POLL_S)
