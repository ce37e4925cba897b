"""What stands on the bench: attenuators and their paths, modem, power, presenter."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from rig.bench.parts.base import Name, Part
from rig.bench.parts.terminal import Serial


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
    """What puts a card into the field."""

    driver: Literal["pn532"] = "pn532"
    port: str
