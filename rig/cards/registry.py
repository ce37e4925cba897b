"""The presenters that there are, by the driver name of a bench file, with what each can do.

What a driver can do stands here too, so that a bench can be described without loading any.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from math import isfinite
from typing import Any

from rig.cards.presenter import Capability, Presenter
from rig.cards.profile import Interface
from rig.errors import CallerMistake

_ALL = frozenset(Capability)
_EMULATED = _ALL - {Capability.PROTOCOL_FAULTS, Capability.WRONG_CHECKSUMS}
_NONE: frozenset[Capability] = frozenset()
_ACTUATOR = "rig.cards.actuator.presenter"

_NUMBER, _TRUTH, _MAPPING = "a number", "true or false", "a mapping"
_MACHINE = {"cards": _MAPPING, "interface": "contactless or contact", "reader": _MAPPING}
_MOVE, _SETTLE = {"move_s": _NUMBER}, {"settle_s": _NUMBER}


class WrongSetting(ValueError):
    """A setting that a driver does not take so; `place` is where it is among the settings."""

    def __init__(self, what: str, *place: str) -> None:
        super().__init__(what)
        self.place = place


@dataclass(frozen=True)
class Driver:
    """One kind of presenter.

    Attributes:
        module: where it lives; loaded when the first one is opened.
        factory: its class there.
        interface: where it presents.
        capabilities: what it can do.
        place: the name of the field that says where it is: a serial or USB `port`, or a socket's `address`.
        settings: the names of the settings that it takes, and what each is, in words.
        slot: what its setting `cards` says of each card; empty where there is no such setting.
    """

    module: str
    factory: str
    interface: Interface
    capabilities: frozenset[Capability]
    place: str = "port"
    settings: Mapping[str, str] = field(default_factory=dict)
    slot: tuple[str, ...] = ()

    def check(self, settings: Mapping[str, Any]) -> None:
        """Raises WrongSetting for the first that this driver does not know, or that is of another kind or missing."""
        for name, value in settings.items():
            if name not in self.settings:
                raise WrongSetting(f"there is no such setting; {_these(self.settings)}", name)
            if not _is(self.settings[name], value):
                raise WrongSetting(f"is not {self.settings[name]}", name)
        if "cards" in self.settings:
            self._check_slots(settings.get("cards", {}))
        reader = settings.get("reader", {"driver": "pn532", "port": ""})
        if set(reader) != {"driver", "port"} or reader["driver"] != "pn532":
            raise WrongSetting("write {driver: pn532, port: /dev/…}", "reader")

    def _check_slots(self, cards: Mapping[str, Any]) -> None:
        if not cards:
            raise WrongSetting("no card has a slot", "cards")
        for card, slot in cards.items():
            if not isinstance(slot, Mapping) or set(slot) != set(self.slot):
                raise WrongSetting(f"needs {', '.join(self.slot)} and nothing else", "cards", str(card))

    def open(self, *arguments: Any, **settings: Any) -> Presenter:
        """The presenter; arguments and errors are those of its class."""
        presenter: Presenter = getattr(import_module(self.module), self.factory)(*arguments, **settings)
        return presenter


DRIVERS: Mapping[str, Driver] = {
    "pn532": Driver("rig.cards.pn532", "Pn532Presenter", Interface.CONTACTLESS, _ALL),
    "pn532-firmware": Driver("rig.cards.pn532_firmware", "Pn532FirmwarePresenter", Interface.CONTACTLESS, _EMULATED),
    "rcs380": Driver("rig.cards.rcs380", "Rcs380Presenter", Interface.CONTACTLESS, _ALL - {Capability.WRONG_CHECKSUMS}),
    "grbl": Driver(
        _ACTUATOR, "GrblPresenter", Interface.CONTACTLESS, _NONE,
        settings={**_MACHINE, **_MOVE, "home": _TRUTH}, slot=("park", "field"),
    ),
    "maestro": Driver(
        _ACTUATOR, "MaestroPresenter", Interface.CONTACTLESS, _NONE,
        settings={**_MACHINE, **_MOVE, **_SETTLE}, slot=("channel", "park", "field"),
    ),
    "relay": Driver(
        _ACTUATOR, "RelayPresenter", Interface.CONTACTLESS, _NONE,
        settings={**_MACHINE, **_SETTLE}, slot=("relay",),
    ),
    "vpcd": Driver(
        "rig.cards.vpcd", "VpcdPresenter", Interface.CONTACT, _EMULATED, place="address",
        settings={"interface": _MACHINE["interface"], "loses_power": _TRUTH},
    ),
    "stripe": Driver("rig.cards.stripe", "StripePresenter", Interface.STRIPE, _NONE),
}  # fmt: skip


def _is(kind: str, value: object) -> bool:
    if kind == _NUMBER:
        return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value) and value >= 0
    if kind == _TRUTH:
        return isinstance(value, bool)
    if kind == _MAPPING:
        return isinstance(value, Mapping)
    return value in (Interface.CONTACTLESS, Interface.CONTACT)


def _these(settings: Mapping[str, str]) -> str:
    return f"use {', '.join(settings)}" if settings else "this driver has none"


def presenter_driver(name: str) -> Driver:
    """The driver of this name. Raises CallerMistake, naming those that there are."""
    if name not in DRIVERS:
        raise CallerMistake(f"presenter driver {name}", "there is none", f"use one of {', '.join(DRIVERS)}")
    return DRIVERS[name]
