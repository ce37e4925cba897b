"""The presenters that there are, by the driver name of a bench file, with what each can do.

What a driver can do stands here too, so that a bench can be described without loading any.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from rig.cards.presenter import Capability, Presenter
from rig.cards.profile import Interface
from rig.errors import CallerMistake

_ALL = frozenset(Capability)
_EMULATED = _ALL - {Capability.PROTOCOL_FAULTS}
_NONE: frozenset[Capability] = frozenset()
_ACTUATOR = "rig.cards.actuator.presenter"


@dataclass(frozen=True)
class Driver:
    """One kind of presenter.

    Attributes:
        module: where it lives; loaded when the first one is opened.
        factory: its class there.
        interface: where it presents.
        capabilities: what it can do.
        place: the name of the field that says where it is: a serial or USB `port`, or a socket's `address`.
    """

    module: str
    factory: str
    interface: Interface
    capabilities: frozenset[Capability]
    place: str = "port"

    def open(self, *arguments: Any, **settings: Any) -> Presenter:
        """The presenter; arguments and errors are those of its class."""
        presenter: Presenter = getattr(import_module(self.module), self.factory)(*arguments, **settings)
        return presenter


DRIVERS: Mapping[str, Driver] = {
    "pn532": Driver("rig.cards.pn532", "Pn532Presenter", Interface.CONTACTLESS, _ALL),
    "pn532-firmware": Driver("rig.cards.pn532_firmware", "Pn532FirmwarePresenter", Interface.CONTACTLESS, _EMULATED),
    "rcs380": Driver("rig.cards.rcs380", "Rcs380Presenter", Interface.CONTACTLESS, _ALL),
    "grbl": Driver(_ACTUATOR, "GrblPresenter", Interface.CONTACTLESS, _NONE),
    "maestro": Driver(_ACTUATOR, "MaestroPresenter", Interface.CONTACTLESS, _NONE),
    "relay": Driver(_ACTUATOR, "RelayPresenter", Interface.CONTACTLESS, _NONE),
    "vpcd": Driver("rig.cards.vpcd", "VpcdPresenter", Interface.CONTACT, _EMULATED, place="address"),
    "stripe": Driver("rig.cards.stripe", "StripePresenter", Interface.STRIPE, _NONE),
}


def presenter_driver(name: str) -> Driver:
    """The driver of this name. Raises CallerMistake, naming those that there are."""
    if name not in DRIVERS:
        raise CallerMistake(f"presenter driver {name}", "there is none", f"use one of {', '.join(DRIVERS)}")
    return DRIVERS[name]
