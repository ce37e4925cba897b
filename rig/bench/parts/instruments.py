"""What stands on the bench: attenuators and their paths, modem, power, presenter."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from rig.bench.parts.base import Name, Part, WrongField
from rig.bench.parts.terminal import Serial
from rig.cards.presenter import Capability
from rig.cards.profile import Interface
from rig.cards.registry import WrongSetting, presenter_driver
from rig.errors import CallerMistake


class Modem(Serial):
    """The modem that reads the cellular signal, on a splitter of the same path as the terminal or inside it."""

    watches: Name | None = None
    """The bearer whose signal it sees; the first cellular one with an RF path where left out."""


class Attenuator(Part):
    """A programmable attenuator at a VISA resource."""

    dialect: str = "mini-circuits"
    resource: str
    safe_db: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    """Where the guard leaves every channel."""


class RfPath(Part):
    """An RF path: which channel of which attenuator."""

    attenuator: Name
    channel: Annotated[int, Field(ge=1)]


class Power(Part):
    """The relay that switches the terminal's supply."""

    driver: Literal["numato"] = "numato"
    port: str
    channel: Annotated[int, Field(ge=0, le=63)] = 0


class Presenter(Part):
    """What presents cards to one interface of the terminal. The drivers: :mod:`rig.cards.registry`."""

    driver: str = "pn532"
    port: str | None = None
    """The serial or USB port of a driver that has one."""
    address: str | None = None
    """``HOST:PORT``, or the path of a Unix socket, of a driver that talks to one."""
    settings: dict[str, Any] = {}
    """The driver's own."""

    @property
    def place(self) -> str:
        """Where it is."""
        return self.port or self.address or ""

    @property
    def interface(self) -> Interface:
        """Which interface of the terminal it serves: its driver's, unless its settings say another."""
        return Interface(self.settings.get("interface", presenter_driver(self.driver).interface))

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What it can do."""
        return presenter_driver(self.driver).capabilities

    @model_validator(mode="after")
    def _is_somewhere(self) -> Presenter:
        try:
            driver = presenter_driver(self.driver)
            driver.check(self.settings)
        except CallerMistake as error:
            raise WrongField(f"{error.what}; {error.cure}", "driver") from error
        except WrongSetting as error:
            raise WrongField(str(error), "settings", *error.place) from error
        wanted, other = (self.port, self.address) if driver.place == "port" else (self.address, self.port)
        if not wanted:
            raise WrongField(f"{self.driver} needs it", driver.place)
        if other:
            raise WrongField(f"{self.driver} has none", "address" if driver.place == "port" else "port")
        return self
