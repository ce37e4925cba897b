"""The terminal under test, the cards that it may meet, and the host that it talks to."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from rig.bench.parts.base import Part, Port, Seconds, WrongField
from rig.units import CURRENCY_NUMERIC


class TestPans(Part):
    """A range of PANs that this bench may meet: everything that begins with ``prefix``."""

    __test__ = False

    prefix: Annotated[str, StringConstraints(pattern=r"^[0-9]{4,12}$")]
    lengths: tuple[int, ...] = (13, 14, 15, 16, 17, 18, 19)


class Tcp(Part):
    """A TCP address."""

    host: str
    port: Port


class Serial(Part):
    """A serial line."""

    port: str
    baud: int = 9600


class Terminal(Part):
    """The terminal under test, and what its maker or its settings say of its timing."""

    protocol: str = "zvt"
    tcp: Tcp | None = None
    serial: Serial | None = None
    terminal_id: Annotated[str, StringConstraints(pattern=r"^[0-9]{8}$")]
    merchant_id: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z ]{15}$")]
    currency: str = "EUR"
    password: Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")] = "000000"
    t3_s: Seconds = 5.0
    t4_s: Seconds = 180.0
    connect_timeout_s: Seconds = 10.0
    """How long the terminal tries to reach its host on one bearer."""
    response_timeout_s: Seconds = 30.0
    """How long the terminal waits for its host before it gives up and reverses."""
    idle_limit_s: Seconds = 60.0
    """After a fault is over, the terminal must be idle again within this time."""
    boot_limit_s: Seconds = 120.0
    flush_limit_s: Seconds = 60.0
    """How long the terminal's reversal queue may take to drain once its network is back."""

    @model_validator(mode="after")
    def _one_line(self) -> Terminal:
        if (self.tcp is None) == (self.serial is None):
            raise ValueError("exactly one of tcp and serial describes the cash-register line")
        if self.currency not in CURRENCY_NUMERIC:
            raise WrongField(f"{self.currency!r} is unknown; use one of {', '.join(CURRENCY_NUMERIC)}", "currency")
        return self


class Gateway(Part):
    """The bench stands between the terminal and a real test host, instead of playing one."""

    mode: Literal["terminate", "pass"] = "terminate"
    """``terminate``: the terminal trusts the bench's authority, messages are seen whole; ``pass``: TLS goes through."""
    address: str
    port: Port
    tls: bool = True
    """Whether the host speaks TLS (terminate)."""
    ca: str | None = None
    """A PEM file with the host's authority, relative to the bench file; the system's own authorities else."""
    server_name: str | None = None
    """The name in the host's certificate; its address else."""


class Acquirer(Part):
    """The host that the terminal's test profile points at."""

    listen: tuple[str, ...] = Field(min_length=1)
    port: Port = 5000
    tls: bool = True
    plain_port: Port | None = None
    """Where it listens without TLS too, for bearers that are ``plain`` and for calls."""
    name: str = "acquirer.bench"
    dialect: str = "ascii-1987"
    """How the terminal writes ISO 8583; ``rig acquirer dialects`` lists what is installed."""
    rules: str | None = None
    """A file of rules for card network and issuers; relative to the bench file."""
    gateway: Gateway | None = None
