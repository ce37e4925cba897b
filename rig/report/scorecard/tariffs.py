"""Tariff files: what each bearer costs, in whole minor units at the end and exact decimals until then.

A file is YAML::

    currency: EUR
    note: where the prices are from
    bearers:
      cellular: {monthly: 2.50, included_mb: 10, per_mb: 0.40, block_bytes: 1024}
      dial-up: {monthly: 9.90, per_call: 0.06, per_minute: 0.02, minute_step_s: 60}

A key under ``bearers`` is the name of a bearer, or a kind, which serves every bearer of it that has no entry of its
own.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Annotated, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator, model_validator

from rig.bench.parts.base import WrongField, listed
from rig.bench.parts.network import BearerKind
from rig.bench.reading import problems, read_mapping
from rig.errors import CallerMistake
from rig.units import CURRENCY_NUMERIC, Money, minor_digits

_MEGABYTE = 1_000_000
KINDS: tuple[str, ...] = get_args(BearerKind)
"""Under which a file may price all bearers of a kind at once."""

Price = Annotated[Decimal, Field(ge=0, le=1_000_000, max_digits=16, allow_inf_nan=False)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,40}$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Tariff(_Part):
    """What one bearer costs. All prices are in major units, such as 0.40 for forty cents."""

    monthly: Price = Decimal(0)
    included_mb: Price = Decimal(0)
    """Megabytes, of a million bytes, that the monthly price pays for."""
    per_mb: Price = Decimal(0)
    block_bytes: Annotated[int, Field(ge=1, le=10_000_000)] = 1
    """Each sale's bytes, and each keep-alive's, are rounded up to a multiple of it: minutes apart, they are billed as
    traffic of their own."""
    per_call: Price = Decimal(0)
    per_minute: Price = Decimal(0)
    minute_step_s: Annotated[int, Field(ge=1, le=3600)] = 1
    """Each call's length is rounded up to a multiple of it."""

    def of_bytes(self, sales: int, a_sale: int, keepalives: int = 0, a_keepalive: int = 0) -> Decimal:
        """The exact price of a month: so many sales, and so many keep-alives, of so many bytes each."""
        billed = self._billed(a_sale) * sales + self._billed(a_keepalive) * keepalives
        beyond = max(Decimal(0), Decimal(billed) / _MEGABYTE - self.included_mb)
        return self.monthly + beyond * self.per_mb

    def _billed(self, size: int) -> int:
        return -(-size // self.block_bytes) * self.block_bytes

    def of_calls(self, calls: int, seconds: Decimal) -> Decimal:
        """The exact price of a month: so many calls of so many seconds each."""
        steps = math.ceil(seconds / self.minute_step_s)
        minutes = steps * self.minute_step_s / Decimal(60)
        return self.monthly + calls * (self.per_call + minutes * self.per_minute)


class Tariffs(_Part):
    """A tariff file.

    Attributes:
        currency: ISO 4217.
        note: where the prices are from.
        bearers: name or kind → tariff.
        source: the file.
    """

    currency: str
    note: str = ""
    bearers: dict[Name, Tariff] = Field(min_length=1)
    source: str = Field(default="", exclude=True)

    @field_validator("currency")
    @classmethod
    def _is_known(cls, currency: str) -> str:
        if currency not in CURRENCY_NUMERIC:
            raise ValueError(f"unknown currency {currency!r}: use one of {', '.join(CURRENCY_NUMERIC)}")
        return currency

    @model_validator(mode="after")
    def _are_of_the_bench(self, info: ValidationInfo) -> Tariffs:
        """A name misspelt would leave its bearer without a price, which nobody notices."""
        bench: tuple[str, ...] | None = info.context
        if bench is None:
            return self
        for name in self.bearers:
            if name not in (*bench, *KINDS):
                raise WrongField(
                    f"is neither a bearer of the bench ({listed(bench)}) nor a kind ({listed(KINDS)})", "bearers", name
                )
        return self

    def of(self, bearer: str, kind: str) -> Tariff | None:
        """The tariff of a bearer: its own, or its kind's, or none."""
        return self.bearers.get(bearer, self.bearers.get(kind))


def load_tariffs(path: Path, bearers: Iterable[str] | None = None) -> Tariffs:
    """Read a tariff file.

    Args:
        path: the file.
        bearers: of the bench; the file may name these and kinds alone. Not known where None.

    Raises:
        CallerMistake: there is none, or it is wrong; line and field are named.
    """
    begin = "currency: EUR, and bearers: with one entry a bearer or kind"
    raw, node = read_mapping(path, "tariff file", "fixtures/tariffs/example.yaml", begin)
    try:
        read = Tariffs.model_validate(raw, context=None if bearers is None else tuple(bearers))
    except ValidationError as error:
        cure = "prices are numbers such as 0.40; docs/scorecard.md tells the fields"
        raise CallerMistake(str(path), problems(error, node), cure) from error
    return read.model_copy(update={"source": path.name})


def rounded(amount: Decimal, currency: str) -> Money:
    """An exact price as an invoice has it: half a minor unit is rounded up."""
    return Money(int((amount * 10 ** minor_digits(currency)).to_integral_value(ROUND_HALF_UP)), currency)
