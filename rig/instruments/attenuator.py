"""What every attenuator can do, and how a dialect is found by its name."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Protocol, runtime_checkable

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


class AttenuatorDialect(Protocol):
    """The class behind an entry point."""

    def open(self, address: str, *, name: str, lock_folder: Path, timeout_s: float, observe: Observe) -> Attenuator:
        """Connect and identify the box."""


def dialects() -> dict[str, EntryPoint]:
    """The installed dialects by name."""
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def open_attenuator(
    dialect: str,
    address: str,
    *,
    name: str,
    lock_folder: Path,
    timeout_s: float = 1.0,
    observe: Observe = unobserved,
) -> Attenuator:
    """Open the attenuator at ``address`` in a dialect of :func:`dialects`.

    Raises:
        CallerMistake: no such dialect.
        BenchTrouble: the box is gone, mute, busy, or another one.
    """
    known = dialects()
    if dialect not in known:
        raise CallerMistake(name, f"unknown dialect {dialect!r}", f"use one of {', '.join(sorted(known)) or 'none'}")
    chosen: AttenuatorDialect = known[dialect].load()
    return chosen.open(address, name=name, lock_folder=lock_folder, timeout_s=timeout_s, observe=observe)


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
