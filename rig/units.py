"""Quantities that must not be mixed: decibels are not dBm, money is an integer of minor units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NewType

from rig.errors import CallerMistake

Decibel = NewType("Decibel", float)
"""A ratio of powers: an attenuation, a loss, a gain."""

Dbm = NewType("Dbm", float)
"""A power relative to one milliwatt: a level, never an attenuation."""

CURRENCY_NUMERIC = {"EUR": "978", "USD": "840", "GBP": "826", "CHF": "756", "CNY": "156", "JPY": "392"}
"""ISO 4217: alphabetic to numeric codes."""

_EXPONENT = {"JPY": 0}


def minor_digits(currency: str) -> int:
    """How many digits the minor unit of a currency takes: 2 for cents."""
    return _EXPONENT.get(currency, 2)


def attenuate(level: Dbm, loss: Decibel) -> Dbm:
    """The level behind a loss."""
    return Dbm(level - loss)


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount as an integer of minor units of its currency (ISO 4217)."""

    minor: int
    currency: str = "EUR"

    def __post_init__(self) -> None:
        if not isinstance(self.minor, int) or isinstance(self.minor, bool):
            raise CallerMistake("amount", f"{self.minor!r} is not an integer of minor units", "write 1234 for 12.34")
        if self.currency not in CURRENCY_NUMERIC:
            raise CallerMistake(
                "currency", f"{self.currency!r} is unknown", f"use one of {', '.join(CURRENCY_NUMERIC)}"
            )

    @property
    def numeric(self) -> str:
        """The currency as its three ISO 4217 digits."""
        return CURRENCY_NUMERIC[self.currency]

    def __str__(self) -> str:
        digits = minor_digits(self.currency)
        if not digits:
            return f"{self.minor} {self.currency}"
        sign, value = ("-" if self.minor < 0 else ""), abs(self.minor)
        return f"{sign}{value // 10**digits}.{value % 10**digits:0{digits}d} {self.currency}"
