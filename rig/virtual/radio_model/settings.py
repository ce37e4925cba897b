"""The constants of one radio, as a bench file may set them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from rig.errors import CallerMistake
from rig.virtual.radio_model.technology import TECHNOLOGIES, Technology


@dataclass(frozen=True)
class RadioSettings:
    """The radio's constants.

    Attributes:
        technologies: those that network and modem have, the preferred one first.
        reference_dbm: level of the first of them with the attenuator at 0 dB. The others' follow from it.
        neighbour_dbm: the same of a second cell, where there is one.
        hysteresis_db: how much above the weakest level it must be to find service again.
        handover_db: how much better the other cell must be.
        time_to_trigger_ms: for how long it must be.
        return_ms: how long a better technology must be there until the modem goes back to it.
        detach_ms: instead of each technology's own, not hasted.
        reattach_ms: likewise.
        haste: how many times faster than in truth service is lost, found and changed. Delays of packets and the gap
            of a handover are never hasted.
        load: the share of the cell that others use, 0 to 1.
        noise_db: standard deviation of a reading.
        seed: of that noise.

    Raises:
        CallerMistake: an unknown technology, or a figure outside its range.
    """

    technologies: tuple[str, ...] = ("LTE",)
    reference_dbm: float = -70.0
    neighbour_dbm: float | None = None
    hysteresis_db: float = 3.0
    handover_db: float = 3.0
    time_to_trigger_ms: float = 320.0
    return_ms: float = 10_000.0
    detach_ms: float | None = None
    reattach_ms: float | None = None
    haste: float = 10.0
    load: float = 0.0
    noise_db: float = 0.3
    seed: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "technologies", tuple(self.technologies))
        if not self.technologies or set(self.technologies) - TECHNOLOGIES.keys():
            raise CallerMistake(
                "device radio", f"technologies {list(self.technologies)}", f"use some of {', '.join(TECHNOLOGIES)}"
            )
        if self.haste <= 0:
            raise CallerMistake("device radio", f"haste {self.haste:g}", "use 1 for true times, more for quick ones")
        if not 0 <= self.load <= 1:
            raise CallerMistake(
                "device radio", f"load {self.load:g}", "use the share of the cell that others use, 0 to 1"
            )

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Self:
        """From those entries of a device's settings that are constants of the radio."""
        return cls(**{each.name: config[each.name] for each in fields(cls) if each.name in config})

    @property
    def known(self) -> tuple[Technology, ...]:
        """The technologies themselves, the preferred one first."""
        return tuple(TECHNOLOGIES[name] for name in self.technologies)

    def references(self) -> list[float]:
        """The reference level of each cell."""
        return [self.reference_dbm] if self.neighbour_dbm is None else [self.reference_dbm, self.neighbour_dbm]

    def detach_s(self, technology: Technology) -> float:
        """How long the level must be too weak until service is lost."""
        return self._time_s(self.detach_ms, technology.detach_ms)

    def reattach_s(self, technology: Technology) -> float:
        """How long it takes from a level that is strong enough to service."""
        return self._time_s(self.reattach_ms, technology.reattach_ms)

    def _time_s(self, instead_ms: float | None, true_ms: float) -> float:
        return (true_ms / self.haste if instead_ms is None else instead_ms) / 1000
