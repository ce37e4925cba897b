"""What every attenuator can do, and how a dialect is found by its name."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from rig.errors import CallerMistake
from rig.instruments.transcript import Observe, unobserved
from rig.units import Decibel

GROUP = "rig.attenuators"
"""Entry points of dialects: each names a class with the ``open`` of :class:`AttenuatorDialect`."""


@runtime_checkable
class Attenuator(Protocol):
    """A box of attenuators. A value that was set is a value that was read back."""

    @property
    def channels(self) -> int:
        """How many, counted from 1."""

    @property
    def maximum(self) -> Decibel:
        """The largest attenuation of a channel."""

    @property
    def step(self) -> Decibel:
        """What every value is a multiple of."""

    @property
    def identity(self) -> str:
        """Model and serial number, for the inventory."""

    def set(self, channel: int, attenuation: Decibel) -> Decibel:
        """Attenuate a channel and return what it reads back.

        Raises:
            CallerMistake: no such channel, or a value that the box cannot take exactly.
            DeviceClamped: the box took another value.
            DeviceNonsense: it reads back something else than it confirmed.
            BenchTrouble: it is gone, mute, or refuses.
        """

    def get(self, channel: int) -> Decibel:
        """What a channel reads back now."""

    def close(self) -> None:
        """Let go of the box; the values stay."""


@dataclass(frozen=True, slots=True)
class Ramp:
    """A fade of equal steps: ``start``, then by ``step`` towards ``stop``, which is the last level whatever remains.

    Attributes:
        start: where it begins, in dB.
        stop: where it ends and stays; above or below the start.
        step: how far each step goes, in dB, greater than 0.
        dwell_ms: how long each level lasts, in milliseconds, greater than 0.
    """

    start: Decibel
    stop: Decibel
    step: Decibel
    dwell_ms: float

    def __post_init__(self) -> None:
        if not (self.step > 0 and self.dwell_ms > 0 and math.isfinite(self.start) and math.isfinite(self.stop)):
            raise CallerMistake("ramp", f"{self} goes nowhere", "give it a step and a dwell greater than 0")

    @property
    def levels(self) -> Iterator[Decibel]:
        """Every level of it in order, the first and the last included."""
        whole = int(abs(self.stop - self.start) / self.step + 1e-9)
        sign = 1 if self.stop > self.start else -1
        for number in range(whole + 1):
            last = Decibel(self.start + sign * number * self.step)
            yield last
        if abs(last - self.stop) > 1e-6:
            yield self.stop

    @property
    def duration_ms(self) -> float:
        """From its beginning until it stands at ``stop``, in milliseconds."""
        return (sum(1 for _ in self.levels) - 1) * self.dwell_ms


@runtime_checkable
class PlaysRamps(Protocol):
    """An attenuator that plays a fade by itself, without the jitter of a network and a busy machine.

    The box is an :class:`Attenuator` too. What it plays has no read-back a step: :meth:`Attenuator.get` reads where it
    stands, and its end is to be read back by the caller.
    """

    def takes(self, ramp: Ramp) -> bool:
        """Whether the box can play it exactly: its levels, its dwell, the number of its steps."""

    def fade(self, channel: int, ramp: Ramp) -> None:
        """Begin to play on a channel, and return at once.

        Raises:
            CallerMistake: no such channel, a ramp that it does not take, or it is playing already.
            DeviceNonsense: it does not say that it plays.
            BenchTrouble: it is gone, mute, or refuses.
        """

    def fading(self, channel: int) -> bool:
        """Whether it still plays on a channel."""

    def stop_fade(self, channel: int) -> None:
        """Stop where it stands; nothing happens when it does not play."""


class AttenuatorDialect(Protocol):
    """The class behind an entry point."""

    def check(self, settings: Mapping[str, Any]) -> None:
        """Refuse settings of the bench file that the dialect does not know, before anything is opened.

        Raises:
            CallerMistake: which, and what there is instead.
        """

    def open(
        self,
        address: str,
        *,
        name: str,
        lock_folder: Path,
        timeout_s: float,
        observe: Observe,
        settings: Mapping[str, Any],
    ) -> Attenuator:
        """Connect and identify the box.

        Args:
            address: ``resource`` of the bench file, as it stands there.
            name: what the bench calls it.
            lock_folder: where the lock files of this machine's instruments are.
            timeout_s: longest wait for an answer.
            observe: told every line.
            settings: ``settings`` of the bench file, which passed :meth:`check`.
        """


def dialects() -> dict[str, EntryPoint]:
    """The installed dialects by name."""
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def dialect_named(dialect: str, name: str = "attenuator") -> AttenuatorDialect:
    """A dialect of :func:`dialects`.

    Raises:
        CallerMistake: no such dialect.
    """
    known = dialects()
    if dialect not in known:
        raise CallerMistake(name, f"unknown dialect {dialect!r}", f"use one of {', '.join(sorted(known)) or 'none'}")
    chosen: AttenuatorDialect = known[dialect].load()
    return chosen


def open_attenuator(
    dialect: str,
    address: str,
    *,
    name: str,
    lock_folder: Path,
    timeout_s: float = 1.0,
    observe: Observe = unobserved,
    settings: Mapping[str, Any] | None = None,
) -> Attenuator:
    """Open the attenuator at ``address`` in a dialect of :func:`dialects`.

    Raises:
        CallerMistake: no such dialect, or settings that it does not know.
        BenchTrouble: the box is gone, mute, busy, or another one.
    """
    chosen = dialect_named(dialect, name)
    chosen.check(settings or {})
    return chosen.open(
        address, name=name, lock_folder=lock_folder, timeout_s=timeout_s, observe=observe, settings=settings or {}
    )


def known_settings(settings: Mapping[str, Any], known: Collection[str] = ()) -> None:
    """Refuse settings that a dialect does not know: a misspelt one would be ignored for ever.

    Raises:
        CallerMistake: names them, and those that there are.
    """
    if unknown := sorted(settings.keys() - set(known)):
        raise CallerMistake(
            "attenuator settings",
            f"unknown {', '.join(map(repr, unknown))}",
            f"this dialect knows {', '.join(sorted(known))}" if known else "this dialect has none",
        )


def check_setting(attenuator: Attenuator, name: str, channel: int, attenuation: Decibel) -> None:
    """Refuse what the box cannot take exactly; silent rounding would make a wrong experiment.

    Raises:
        CallerMistake: channel, range or step.
    """
    check_channel(attenuator, name, channel)
    if not 0 <= attenuation <= attenuator.maximum:
        raise CallerMistake(name, f"{attenuation} dB is outside 0 to {attenuator.maximum:g} dB", "stay inside it")
    steps = attenuation / attenuator.step
    if abs(steps - round(steps)) > 1e-6:
        raise CallerMistake(
            name,
            f"{attenuation} dB is not a multiple of {attenuator.step:g} dB",
            f"use {round(steps) * attenuator.step:g} dB",
        )


def check_channel(attenuator: Attenuator, name: str, channel: int) -> None:
    """Refuse a channel that the box does not have.

    Raises:
        CallerMistake: channel.
    """
    if not 1 <= channel <= attenuator.channels:
        raise CallerMistake(
            name, f"there is no channel {channel}", f"{attenuator.identity} has 1 to {attenuator.channels}"
        )


def positive(name: str, value: object) -> float:
    """A setting that is a number above 0.

    Raises:
        CallerMistake: it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise CallerMistake("attenuator settings", f"{name}: {value!r} is no number above 0", f"write {name}: 1")
    return float(value)
