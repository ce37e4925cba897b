"""The RF paths of a bench, and who reads what comes through them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from rig.bench.description import BenchFile
from rig.bench.devices import Devices, Observe
from rig.errors import BenchTrouble, CallerMistake
from rig.instruments.attenuator import Attenuator
from rig.instruments.closed_loop import Lever, Step, prove_step, set_signal
from rig.instruments.fade import FadePlayer
from rig.instruments.fade_shape import Fade
from rig.instruments.signal import Signal, SignalReader
from rig.units import Dbm, Decibel

_SIGNAL_LIMIT_S = 10.0


class Signals:
    """Attenuators and modems by the names of paths and bearers. May be used from several threads.

    Writes ``attenuation`` {path, asked, read_back} for what is set, ``signal`` for what is read, and ``signal_step``
    for a change of the one that was proven by the other.

    Attributes:
        observe: writes events; for those who switch bearers by these means and others.
    """

    def __init__(self, bench: BenchFile, devices: Devices, observe: Observe) -> None:
        self._bench = bench
        self._devices = devices
        self.observe = observe
        self._fades: dict[str, FadePlayer] = {}
        devices.at_close(self.stop_fades)

    def attenuate(self, path: str, loss: Decibel) -> float:
        """Set an RF path; returns what reads back, in dB. A fade that plays there ends.

        Raises:
            CallerMistake: no such path, or a value outside the box's range.
            BenchTrouble: the box failed or clamped.
        """
        box = self.box(path)
        self._stop_fade(path)
        read_back = [float(box.set(channel, loss)) for channel in self._bench.paths[path].all_channels]
        self.observe("attenuation", {"path": path, "asked": float(loss), "read_back": read_back[0]})
        return read_back[0]

    def attenuation(self, path: str) -> Decibel:
        """What an RF path reads back now; raises as :meth:`attenuate`."""
        return self.box(path).get(self._bench.paths[path].all_channels[0])

    def maximum(self, path: str) -> Decibel:
        """The largest attenuation of a path; raises as :meth:`attenuate`."""
        return self.box(path).maximum

    def make_safe(self, path: str) -> float:
        """A path as the guard leaves it; returns what reads back, in dB."""
        return self.attenuate(path, Decibel(self._bench.attenuators[self._bench.paths[path].attenuator].safe_db))

    def fade(self, path: str, points: Iterable[tuple[float, float]]) -> FadePlayer:
        """Play a fade on a path, all antennas of it alike: by the box where it can, else by us.

        Args:
            path: of the bench file.
            points: (milliseconds since the beginning, dB), the first at 0; straight lines between them.

        Returns:
            What can be waited for, or stopped; whatever sets the path ends it.

        Raises:
            CallerMistake: no such path, points that are no fade, or levels beyond the box's range.
            BenchTrouble: the box is gone, mute or lies.
        """
        box, part = self.box(path), self._bench.paths[path]
        name = f"attenuator {part.attenuator}"
        player = FadePlayer(box, part.all_channels, Fade.of(points), name=name, observe=self.observe)
        self._stop_fade(path)
        self._fades[path] = player
        player.start()
        return player

    def stop_fades(self) -> None:
        """Stop every fade where it stands."""
        for path in list(self._fades):
            self._stop_fade(path)

    def _stop_fade(self, path: str) -> None:
        if player := self._fades.pop(path, None):
            player.stop()

    def set_signal(self, path: str, level: Dbm) -> Step:
        """Attenuate a path until who reads there tells that level; writes ``signal_set``.

        Raises:
            CallerMistake: no such path, or a level that it cannot have.
            BenchTrouble: nobody reads there, there is no service at that level, or attenuator and reader disagree.
        """
        return self._tell_step(set_signal(self.lever(path), self._reader_at(path), level))

    def prove_step(self, path: str, loss: Decibel) -> Step:
        """Set a path, and see that who reads there feels it; writes ``signal_set``. Raises as :meth:`set_signal`."""
        return self._tell_step(prove_step(self.lever(path), self._reader_at(path), loss))

    def lever(self, path: str) -> Lever:
        """A path as a closed loop moves it, all antennas of it alike; raises as :meth:`attenuate`."""
        box = self.box(path)
        return Lever(
            path,
            lambda loss: Decibel(self.attenuate(path, loss)),
            lambda: self.attenuation(path),
            box.maximum,
            box.step,
        )

    def _reader_at(self, path: str) -> SignalReader:
        bearer = self.bearer_of(path)
        if bearer is None:
            raise BenchTrouble(
                f"path {path}",
                "nobody reads a signal at its end",
                "give its bearer a modem under modems, a sentinel where the terminal tells nothing",
            )
        return self.reader(bearer)[1]

    def _tell_step(self, step: Step) -> Step:
        self.observe("signal_set", step.as_dict())
        return step

    def box(self, path: str) -> Attenuator:
        """The attenuator of a path.

        Raises:
            CallerMistake: no such path.
        """
        if path not in self._bench.paths:
            there_are = ", ".join(self._bench.paths) or "none"
            raise CallerMistake(path, "no such RF path on this bench", f"there are {there_are}")
        return self._devices.attenuators[self._bench.paths[path].attenuator]

    def bearer_of(self, path: str) -> str | None:
        """The bearer of a path whose signal is read, the first of them; None where nobody reads any."""
        watched = self._bench.watched
        return next((name for name, each in self._bench.bearers.items() if each.path == path and name in watched), None)

    def signal(self, bearer: str | None = None) -> Signal:
        """What the modem reports now of a bearer, the first one that is watched where left out."""
        name, modem = self.reader(bearer)
        return self._tell(name, modem.signal())

    def wait_for_signal(
        self, wanted: Callable[[Signal], bool], bearer: str | None = None, limit_s: float = _SIGNAL_LIMIT_S
    ) -> Signal:
        """Wait until the modem reports what is wanted: attenuation is done when the receiver says so.

        Raises:
            BenchTrouble: it does not in time, or nobody reads the signal of this bearer.
        """
        name, modem = self.reader(bearer)
        return self._tell(name, modem.wait_until(wanted, limit_s))

    def wait_for_service(self, bearers: Iterable[str] | None = None) -> None:
        """Wait until every bearer whose signal can be read has its service; those named, or all."""
        for bearer in self._bench.watched if bearers is None else bearers:
            if bearer in self._bench.watched:
                self.wait_for_signal(lambda signal: signal.registered, bearer)

    def reader(self, bearer: str | None = None) -> tuple[str, SignalReader]:
        """Who reads the signal of a bearer, with its name.

        Raises:
            BenchTrouble: nobody.
        """
        watched = self._bench.watched
        name = next(iter(watched.values()), None) if bearer is None else watched.get(bearer)
        if name is None:
            whose = "a bearer" if bearer is None else f"bearer {bearer}"
            raise BenchTrouble("modem", f"this bench reads no signal of {whose}", "give it one under modems")
        return name, self._devices.modems[name]

    def _tell(self, name: str, signal: Any) -> Signal:
        told: Signal = signal
        self.observe("signal", {"modem": name, **told.as_dict()})
        return told
