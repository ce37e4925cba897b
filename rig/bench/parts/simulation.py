"""What a virtual bench has in the place of hardware."""

from __future__ import annotations

from typing import Any

from rig.bench.parts.base import Name, Part


class Segment(Part):
    """A simulated cable: the terminal's end and the bench's end."""

    terminal_interface: str
    terminal_address: str
    bench_address: str
    carries_host: bool = True
    dhcp: bool = False
    """Whether the terminal asks for its address there; else it is given ``terminal_address``."""
    air: bool = False
    """Whether simulated physics lie on it, such as a radio: the link ``air-NAME``, which one simulated device rules."""
    access_point: Name | None = None
    """No cable: ``terminal_interface`` is a Wi-Fi radio of this machine, which joins this access point."""
    joins_open: bool = False
    """Whether the terminal takes a network of that name without a key, too."""


class SimulatedDevice(Part):
    """A device that the guard starts; ``settings`` are the device's own."""

    device: str
    settings: dict[str, Any] = {}


class Simulation(Part):
    """Everything that a virtual bench has in the place of hardware."""

    segments: dict[Name, Segment]
    devices: dict[Name, SimulatedDevice]
    terminal: dict[str, Any] = {}
    """Settings of the virtual terminal, such as ``defects``."""
