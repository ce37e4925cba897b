"""Bearers switched off and on, each in the way of its kind.

An access point leaves the air, a cell or a Bluetooth base is attenuated away, a cable's port is taken down, a telephone
line is dead; where the bench has nothing of the kind, the link loses its carrier.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any

from rig.bearers.bearer import Bearer
from rig.bearers.failures.cable import wait_for_link
from rig.bearers.probe import Prober
from rig.bench.description import BenchFile
from rig.bench.devices import Devices
from rig.bench.playing import Playing
from rig.bench.signals import Signals
from rig.bench.wireless import Wireless
from rig.errors import BenchTrouble, CallerMistake
from rig.faults import Proof
from rig.instruments.switch import restored_port

_CARRIER_LIMIT_S = 10.0
_POLL_S = 0.02
_BASE_LIMIT_S = 10.0
_PROBE_S = 0.25

Wait = Callable[[], Proof]
"""Waits until what was begun is done, and proves it."""


class Switching:
    """The bearers of a bench as switches. May be used from several threads."""

    def __init__(self, bench: BenchFile, devices: Devices, signals: Signals, air: Wireless, playing: Playing) -> None:
        self._bench, self._devices = bench, devices
        self._signals, self._air, self._playing = signals, air, playing

    def off(self, name: str) -> Proof:
        """The bearer's network is gone, and the terminal can see that it is.

        Raises:
            CallerMistake: no such bearer.
            BenchTrouble: what switches it failed, or the signal that is read there stays.
        """
        return self._begin_off(name)()

    def use_only(self, *names: str) -> None:
        """Switch every bearer off but these, all at once, and see that these are there.

        Raises:
            CallerMistake: no such bearer.
            BenchTrouble: one did not follow.
        """
        wanted = [self.bearer(name) for name in names]
        waits = [self._begin_off(other) for other in self._devices.bearers if other not in names]
        for wait in waits:
            wait()
        for bearer in wanted:
            self._wait_until_there(bearer)

    def bring_back(self, name: str) -> None:
        """The bearer is as the bench file says: its network, its port, its link and its path; waits until it is there.

        Raises:
            CallerMistake: no such bearer.
            BenchTrouble: it does not come back.
        """
        bearer = self.bearer(name)
        place = self._bench.bearers[name]
        self._playing.stop(name)
        if self._air.has(name):
            self._air.restore_one(name)
        self.plug_in(name)
        bearer.restore()
        if place.path is not None:
            self._signals.make_safe(place.path)
        self._wait_until_there(bearer)

    def plug_in(self, name: str) -> None:
        """The port of the bearer's cable is up and powered, the supply of its base on, where the bench has them.

        Raises:
            BenchTrouble: a switch or a relay does not follow.
        """
        if name in self._devices.plugs:
            restored_port(self._devices.plugs[name])
        base = self._bench.bearers[name].base
        if base is not None and base.power is not None:
            self._devices.relays[base.power].on()

    def bearer(self, name: str) -> Bearer:
        """A bearer by its name.

        Raises:
            CallerMistake: no such bearer.
        """
        if name not in self._devices.bearers:
            raise CallerMistake(name, "no such bearer on this bench", f"there are {', '.join(self._devices.bearers)}")
        return self._devices.bearers[name]

    def _begin_off(self, name: str) -> Wait:
        bearer = self.bearer(name)
        self._playing.stop(name)  # its next step would bring it back
        path = self._bench.bearers[name].path
        if path is not None:
            return self._attenuate_away(name, path)
        if name in self._devices.plugs:
            state = self._devices.plugs[name].down()
            self._signals.observe("port", {"bearer": name, "up": False, "read_back": state.as_dict()})
            down = Proof(not state.enabled and not state.link, {"read_back": state.as_dict()})
            return lambda: down
        if self._air.has(name):
            proof = self._air.act(name, "vanish", {"silent": False})
            assert isinstance(proof, Proof)
        else:
            evidence = bearer.off()
            proof = Proof(not evidence["read_back"]["carrier"], evidence)
        return lambda: proof

    def _attenuate_away(self, name: str, path: str) -> Wait:
        maximum = self._signals.maximum(path)
        read_back = self._signals.attenuate(path, maximum)

        def wait() -> Proof:
            evidence: dict[str, Any] = {"path": path, "db": read_back}
            if name not in self._bench.watched:
                return Proof(read_back >= maximum, evidence)
            signal = self._signals.wait_for_signal(lambda signal: not signal.registered, name)
            return Proof(not signal.registered, {**evidence, "registered": signal.registered})

        return wait

    def _wait_until_there(self, bearer: Bearer) -> None:
        self._signals.wait_for_service([bearer.name])
        self._air.wait_for_station(bearer.name)
        if bearer.name in self._devices.plugs:
            wait_for_link(self._devices.plugs[bearer.name])
            self._signals.observe("port", {"bearer": bearer.name, "up": True})
        if self._bench.bearers[bearer.name].base is not None:
            self._wait_for_base(bearer.name)
        deadline = time.monotonic() + _CARRIER_LIMIT_S
        while not bearer.link.read().carrier:
            if time.monotonic() >= deadline:
                raise BenchTrouble(f"bearer {bearer.name}", "has no carrier", "see rig doctor")
            time.sleep(_POLL_S)

    def _wait_for_base(self, name: str) -> None:
        """Until the terminal answers through its base: nobody at this end can ask the base. One that answers nobody is
        given the time all the same.
        """
        address = self._bench.terminal_address(name)
        if address is None:
            return
        with contextlib.closing(Prober(address, self._bench.bearers[name].interface)) as prober:
            deadline = time.monotonic() + _BASE_LIMIT_S
            while prober.rtt(_PROBE_S) is None and time.monotonic() < deadline:
                pass
