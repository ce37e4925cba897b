"""The card profiles of a bench as the issuers see them: which bank, which account.

One YAML file a card in the folder ``cards``; the host reads these fields and leaves the rest to the card itself::

    name: visa-debit
    pan: "4761730000000011" # quoted, or YAML takes it for a number
    psn: "01"
    expiry: "3012"          # YYMM
    bank: first-bank
    kind: debit             # debit and prepaid have a balance, credit has a limit
    applications: [{scheme: visa, cryptogram: visa-10}]   # what its chip computes
    effective: "2001"       # YYMM
    service_code: "201"     # of the magnetic stripe: 2xx and 6xx have a chip, which must be tried first
    funding: visa-credit    # a wallet's token: the card of the same bank whose account pays
    pin: "4711"             # what its issuer compares an online PIN with; without it none is judged
    account: {balance: 100000, currency: EUR}   # minor units; decline: "51" makes the issuer decline with that
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from rig.errors import CallerMistake
from rig.units import CURRENCY_NUMERIC
from rig.wire.cryptogram import CryptogramVersion, Scheme

ResponseCode = Annotated[str, StringConstraints(pattern=r"^[0-9A-Z]{2}$")]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True, hide_input_in_errors=True)


class Account(_Model):
    """What a card can spend, in minor units.

    ``decline`` makes its issuer refuse everything with that code; ``partial``: where the funds do not suffice, it
    approves what is there (DE39 10).
    """

    balance: int | None = Field(None, ge=0)
    limit: int | None = Field(None, ge=0)
    currency: str = "EUR"
    decline: ResponseCode | None = None
    partial: bool = False


class _Application(_Model):
    scheme: Scheme
    cryptogram: CryptogramVersion | None = None


class CardProfile(_Model):
    """One card that the issuers know."""

    name: str
    applications: tuple[_Application, ...] = Field(min_length=1)
    pan: str = Field(pattern=r"^[0-9]{13,19}$", repr=False)
    psn: str = Field("00", pattern=r"^[0-9]{1,2}$")
    expiry: str = Field(pattern=r"^[0-9]{2}(0[1-9]|1[0-2])$")
    effective: str = Field("0001", pattern=r"^[0-9]{2}(0[1-9]|1[0-2])$")
    service_code: str = Field("201", pattern=r"^[0-9]{3}$")
    bank: str
    kind: Literal["debit", "credit", "prepaid"]
    account: Account
    funding: str | None = None
    pin: str | None = Field(None, pattern=r"^[0-9]{4,12}$", repr=False)

    @model_validator(mode="after")
    def _has_funds(self) -> CardProfile:
        wanted = "limit" if self.kind == "credit" else "balance"
        if getattr(self.account, wanted) is None:
            raise ValueError(f"the account of a {self.kind} card needs a {wanted}")
        if self.account.currency not in CURRENCY_NUMERIC:
            raise ValueError(f"the account's currency must be one of {', '.join(CURRENCY_NUMERIC)}")
        return self

    @property
    def scheme(self) -> Scheme:
        """Of its first application."""
        return self.applications[0].scheme

    @property
    def has_chip(self) -> bool:
        """Whether a terminal that can should read the chip (ISO/IEC 7813: service codes 2xx and 6xx)."""
        return self.service_code[0] in "26"

    def computes(self, version: CryptogramVersion) -> bool:
        """Whether one of its applications has this cryptogram version; one that tells none has any of its scheme."""
        return any(
            version == each.cryptogram or (each.cryptogram is None and version.startswith(each.scheme))
            for each in self.applications
        )

    @property
    def funds(self) -> int:
        """What can be spent before the issuer says no, in minor units of the account's currency."""
        return (self.account.limit if self.kind == "credit" else self.account.balance) or 0


def load_profiles(folder: Path) -> list[CardProfile]:
    """Every card of a folder. Raises CallerMistake that names the file and the field, never a card number."""
    return [_load(path) for path in sorted(folder.glob("*.y*ml"))]


def _load(path: Path) -> CardProfile:
    try:
        return CardProfile.model_validate(yaml.safe_load(path.read_text()))
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "card"
        raise CallerMistake(f"{path.name}: {where}", first["msg"], "compare with a card in fixtures/cards") from None
    except (yaml.YAMLError, OSError, UnicodeDecodeError):
        raise CallerMistake(path.name, "cannot be read as YAML", "check it with a YAML linter") from None
