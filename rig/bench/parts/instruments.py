"""What stands on the bench: attenuators and their paths, modem, power, presenter."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from rig.bench.parts.base import Name, Part, WrongField
from rig.cards.presenter import Capability
from rig.cards.profile import Interface
from rig.cards.registry import WrongSetting, presenter_driver
from rig.errors import CallerMistake
from rig.instruments.switch import check_settings


class Modem(Part):
    """Who reads the cellular signal: the terminal's own modem, a sentinel modem on a splitter of the same path, or the
    terminal's Android.
    """

    reader: Literal["at", "android"] = "at"
    port: str | None = None
    """The AT command port of reader ``at``."""
    baud: Annotated[int, Field(ge=300, le=921_600)] = 115_200
    address: str | None = None
    """``HOST:PORT`` of the adb server, for reader ``android``; 127.0.0.1:5037 where left out."""
    serial: str | None = None
    """The device of that server, where there are several."""
    watches: Name | None = None
    """The bearer whose signal it sees; the first cellular one with an RF path where left out."""
    sentinel: bool = False
    """It is not the terminal's own: what it reads proves the path's attenuation, not the terminal's service."""

    @property
    def place(self) -> str:
        """Where it is."""
        return self.port if self.port is not None else self.address or "127.0.0.1:5037"

    @model_validator(mode="after")
    def _is_somewhere(self) -> Modem:
        if self.reader == "at" and self.port is None:
            raise WrongField("reader at needs it: the modem's AT command port", "port")
        if self.reader == "android" and self.port is not None:
            raise WrongField("reader android has none: write address, or nothing", "port")
        return self


class Attenuator(Part):
    """A programmable attenuator."""

    dialect: str = "mini-circuits"
    resource: str
    safe_db: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    """Where the guard leaves every channel."""
    max_input_dbm: Annotated[float, Field(ge=-50, le=60)] | None = None
    """The greatest power that its input bears, by its data sheet."""
    settings: dict[str, Any] = {}
    """The dialect's own."""


class RfPath(Part):
    """An RF path: which channels of which attenuator, and what else lies on it."""

    attenuator: Name
    channel: Annotated[int, Field(ge=1)] | None = None
    channels: tuple[Annotated[int, Field(ge=1)], ...] = ()
    """Several that are always set alike, such as those of the main and the diversity antenna."""
    frequency_mhz: Annotated[float, Field(gt=0, le=100_000)] | None = None
    loss_db: dict[Annotated[float, Field(gt=0)], Annotated[float, Field(ge=0, le=200)]] = {}
    """Fixed loss of cables, pads and splitters in dB by frequency in MHz; between two it is interpolated."""
    pad_db: Annotated[float, Field(ge=0, le=100)] = 0.0
    """The pad between the terminal and the attenuator: what protects its input. Part of ``loss_db``, not beside it."""
    terminal_power_dbm: Annotated[float, Field(ge=-50, le=60)] | None = None
    """The greatest power that the terminal transmits into the path: LTE 23 ± 2, GSM-900 33 dBm."""
    source_dbm: Annotated[float, Field(ge=-140, le=60)] | None = None
    """What the cell puts into the far end, in the terms of who reads: RSRP, RSCP or RXLEV. Assumed, never measured."""

    @property
    def all_channels(self) -> tuple[int, ...]:
        """Every channel of it, however it is written."""
        return self.channels or ((self.channel,) if self.channel is not None else ())

    @model_validator(mode="after")
    def _has_channels(self) -> RfPath:
        if (self.channel is None) == (not self.channels):
            raise WrongField("write channel: 1, or channels: [1, 2] for antennas that are attenuated alike", "channel")
        if len(set(self.channels)) != len(self.channels):
            raise WrongField("names one twice", "channels")
        return self


class Power(Part):
    """A relay. The bench's ``power`` switches the terminal's supply."""

    driver: Literal["numato"] = "numato"
    port: str
    channel: Annotated[int, Field(ge=0, le=63)] = 0


class Switch(Part):
    """A managed switch, whose ports the bench can take down or deprive of power (PoE)."""

    driver: Literal["snmp", "http"] = "snmp"
    address: str
    """``HOST`` or ``HOST:PORT``; for ``http`` a URL."""
    settings: dict[str, Any] = {}
    """The driver's own, such as ``community``."""

    @model_validator(mode="after")
    def _driver_takes_its_settings(self) -> Switch:
        try:
            check_settings(self.driver, self.settings)
        except CallerMistake as error:
            raise WrongField(f"{error.what}; {error.cure}", "settings") from error
        return self


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
