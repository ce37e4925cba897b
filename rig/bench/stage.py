"""What faults may do to a bench: each act reads back what it did, and everything can be undone at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from rig.bearers.bearer import Bearer
from rig.bearers.dialup.link import TelephoneLink
from rig.bearers.failures import Site
from rig.bearers.presets import load_preset
from rig.bearers.timeline import FOLDER as TIMELINES
from rig.bearers.timeline import Replay, Timeline
from rig.bearers.timeline.play import Play
from rig.bearers.wire_cut import Cut
from rig.bench.carding import Carding
from rig.bench.description import BenchFile
from rig.bench.devices import Devices, Observe, require
from rig.bench.failing import BearerFailures
from rig.bench.hosting import Hosting
from rig.bench.means import host_port, with_means
from rig.bench.playing import Playing
from rig.bench.signals import Signals
from rig.bench.switching import Switching
from rig.bench.wire import WireFaults
from rig.bench.wireless import Wireless
from rig.cards.faults import CardFault
from rig.cards.profile import Interface
from rig.errors import BenchTrouble, CallerMistake
from rig.faults import Facts, LateProof, Payload, Proof, TlsRecord
from rig.instruments.signal import Signal
from rig.units import Decibel

_PLAIN_SALE = Payload(7, b"0200")
"""The message type of a sale, in letters, after two bytes of length and a TPDU."""


class BenchStage(Hosting):
    """The devices of a bench in the hands of faults. Methods may be called from the devices' own threads."""

    def __init__(
        self,
        bench: BenchFile,
        devices: Devices,
        carding: Carding,
        impairments: Path,
        observe: Observe,
        timelines: Path = TIMELINES,
    ) -> None:
        self._bench = bench
        self._carding = carding
        self._impairments = impairments
        self._devices = devices
        self._observe = observe
        self._lock = threading.RLock()
        self._timers: list[threading.Timer] = []
        self._air = Wireless(bench, devices, observe)
        self._wire = WireFaults(observe)
        devices.at_close(self._wire.close)
        self._failures = BearerFailures(observe)
        devices.at_close(self._failures.clear)
        self.signals = Signals(bench, devices, observe)
        """The RF paths, and who reads what comes through them."""
        self._playing = Playing(bench, devices, timelines, self.attenuate, observe)
        devices.at_close(self._playing.clear)
        self._switching = Switching(bench, devices, self.signals, self._air, self._playing)
        self.power_was_cut = False
        """Since the last :meth:`restore`: the terminal has to boot."""
        self.ecr_is_cut = False
        """The cash register cannot reach the terminal now."""

    # --- faults ----------------------------------------------------------------------------------------------------

    def cut_bearer(self, name: str) -> Proof:
        """Nothing passes on a bearer any more."""
        self._playing.stop(name)  # its next step would end the cut
        evidence = self._bearer(name).cut()
        return Proof(_reads_cut(evidence), evidence)

    def switch_bearer_off(self, name: str) -> Proof:
        """The bearer's network is gone, in the way of its kind (:mod:`rig.bench.switching`)."""
        return self._switching.off(name)

    def act_on_air(self, name: str, act: str, options: Facts) -> Proof | LateProof:
        """Something of :mod:`rig.faults.wifi` happens to a bearer's access point, until :meth:`restore`."""
        return self._air.act(name, act, options)

    def impair_bearer(self, name: str, profile: str) -> Proof:
        """A bearer gets the named impairment."""
        preset = load_preset(profile, self._impairments)
        self._playing.stop(name)
        evidence = self._bearer(name).impair(preset.up, preset.down)
        return Proof(True, evidence)

    def play(self, bearer: str, timeline: str | Timeline) -> Play:
        """Play a timeline on a bearer, until it ends or :meth:`restore`."""
        return self._playing.start(bearer, timeline)

    def wait_for_timeline(self, bearer: str) -> Replay:
        """Wait until what plays on a bearer has ended; its last step stays in force."""
        return self._playing.wait(bearer)

    def play_timeline(self, bearer: str, timeline: str) -> LateProof:
        """A timeline plays on a bearer, until it ends or :meth:`restore`."""
        return self._playing.prove(self.play(bearer, timeline))

    def fail_bearer(self, name: str, failure: str, options: Facts) -> LateProof:
        """A bearer gets a named failure, until :meth:`restore`."""
        return self._failures.start(self._site(name), failure, options)

    def cut_ecr(self) -> Proof:
        """Nothing passes on the cash-register line any more."""
        line = require(self._devices.ecr_line, "cash-register link")
        self.ecr_is_cut = True
        evidence = line.cut()
        return Proof(_reads_cut(evidence), evidence)

    def restore_ecr_after(self, seconds: float) -> None:
        """The cash-register line comes back by itself."""
        timer = threading.Timer(seconds, self._restore_ecr)
        timer.daemon = True  # a run that is broken off does not wait for it: the guard restores
        self._timers.append(timer)
        timer.start()

    def pull_card(self) -> Proof:
        """The card leaves the field."""
        return self._carding.pull()

    def present(self, card: str, interface: Interface) -> Proof:
        """A card is presented by another interface, beside what is there."""
        return self._carding.present_by(card, interface)

    def put_second_card(self, card: str) -> Proof:
        """A second card lies in the field, until :meth:`restore`."""
        return self._carding.put_second(card)

    def arm_card(self, fault: CardFault) -> LateProof:
        """The next card that is presented misbehaves at its command."""
        return self._carding.arm(fault)

    def cut_power(self) -> Proof:
        """The terminal loses its supply. Its connections do not end, they just go silent."""
        power = require(self._devices.power, "power")
        self.power_was_cut = True  # from here on it may be, whatever the relay answers
        power.off()
        read_back = power.read()
        self._observe("power", {"device": "power", "on": False, "read_back": read_back})
        require(self._devices.terminal, "terminal").hang_up()
        return Proof(read_back is False, {"relay_reads": read_back})

    def arm_wire(self, bearer: str, cut: Cut) -> LateProof:
        """A packet of the terminal will meet its fate on the wire, until :meth:`restore`."""
        self._bearer(bearer)
        if not self._bench.bearers[bearer].has_packets:
            raise CallerMistake(
                bearer,
                "a telephone call has no packets to meet",
                "use moments of the host, or call-dropped: rig failures",
            )
        request = _PLAIN_SALE if self._bench.bearers[bearer].plain or not self._bench.acquirer.tls else TlsRecord()
        port = cut.port or host_port(self._bench, bearer)
        complete = replace(cut, trigger=cut.trigger or request, port=port)
        return self._wire.arm(bearer, self._bench.bearers[bearer].interface, complete)

    # --- instruments -------------------------------------------------------------------------------------------------

    def attenuate(self, path: str, loss: Decibel) -> float:
        """Set an RF path; returns what reads back, in dB (:meth:`Signals.attenuate`)."""
        return self.signals.attenuate(path, loss)

    def maximum(self, path: str) -> Decibel:
        """The largest attenuation of a path."""
        return self.signals.maximum(path)

    def signal(self, bearer: str | None = None) -> Signal:
        """What the modem reports now of a bearer, the first one that is watched where left out."""
        return self.signals.signal(bearer)

    def wait_for_signal(self, wanted: Callable[[Signal], bool], bearer: str | None = None) -> Signal:
        """Wait until the modem reports what is wanted (:meth:`Signals.wait_for_signal`)."""
        return self.signals.wait_for_signal(wanted, bearer)

    def use_only(self, *names: str) -> None:
        """Switch every bearer off but these, and see that these are there."""
        self._switching.use_only(*names)

    def bring_back(self, name: str) -> None:
        """A bearer is as if nothing had been done to it, and there; the others stay as they are."""
        self._failures.clear(name)
        self._switching.bring_back(name)

    # --- back to normal ----------------------------------------------------------------------------------------------

    def power_on(self) -> None:
        """Give the terminal its supply; it boots."""
        power = require(self._devices.power, "power")
        power.on()
        self._observe("power", {"device": "power", "on": True, "read_back": power.read()})

    def power_cycle(self) -> None:
        """Cut the terminal's power, give it back, and wait until it has booted."""
        self.cut_power()
        self.power_on()
        require(self._devices.terminal, "terminal").wait_until_up(self._bench.terminal.boot_limit_s)
        self.power_was_cut = False

    def wait_for_service(self) -> None:
        """Wait until every bearer whose signal can be read has its service back."""
        self.signals.wait_for_service()

    def wait_for_stations(self) -> None:
        """Give the terminal time to come back on the bench's access points; where it does not, that is its matter."""
        self._air.wait_for_stations()

    def restore(self) -> None:
        """Undo everything: host, links, attenuators, card, power."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self._playing.clear()
        self._wire.clear()
        if self.power_was_cut and self._devices.plugs:
            self.power_on()  # a cable has no link while its terminal has no power
        self._failures.clear()
        if self._devices.acquirer is not None:
            self._devices.acquirer.clear()
        self._air.restore()
        for name, link in self._devices.links.items():
            if not link.restore()["read_back"]["carrier"]:
                raise BenchTrouble(f"link {name}", "has no carrier though it was restored", "see rig doctor")
        self.ecr_is_cut = False
        for path in self._bench.paths:
            self.signals.make_safe(path)
        for bearer in self._bench.bearers:
            self._switching.plug_in(bearer)
        self._carding.remove()
        if self.power_was_cut:
            self.power_on()

    def _restore_ecr(self) -> None:
        with self._lock:
            if self.ecr_is_cut and self._devices.ecr_line is not None:
                self._devices.ecr_line.restore()
                self.ecr_is_cut = False

    def _site(self, name: str) -> Site:
        """A bearer as a failure sees it."""
        link = self._bearer(name).link
        host, services = self._bench.acquirer, self._bench.services.get(name)
        answering = self._bench.bearers[name].answering
        site = Site(
            bearer=name,
            interface=self._bench.bearers[name].interface,
            hosts=host.listen,
            port=host.port,
            gateway=services.address.split("/")[0] if services is not None else None,
            host_name=host.name,
            services=self._devices.services if services is not None else None,
            usual=self._air.usual_server(name),
            access_point=self._air.openable(name),
            line=link.line if isinstance(link, TelephoneLink) else None,
            loop=self._devices.relays.get(answering.loop or "") if answering is not None else None,
        )
        return with_means(site, self._bench, self._devices, self.signals)

    def _bearer(self, name: str) -> Bearer:
        return self._switching.bearer(name)


def _reads_cut(evidence: dict[str, Any]) -> bool:
    read_back = evidence["read_back"]
    return bool(read_back["up"]["cut"] and read_back["down"]["cut"])


def elapsed_ms(since: float) -> int:
    """Milliseconds since a ``time.monotonic()``."""
    return round((time.monotonic() - since) * 1000)
