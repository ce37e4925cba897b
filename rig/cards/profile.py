"""A test card as a file: what it is, which bank issued it, how it behaves. YAML, checked as a whole.

Example::

    name: visa-credit
    kind: credit                  # credit, debit or prepaid
    pan: "4761739001010010"       # a test PAN, digits in quotes
    psn: "01"
    expiry: "3112"                # YYMM
    bank: north-bank              # the issuer: its keys, its accounts
    account: {limit: 5000000, currency: EUR}   # what the issuer knows: limit (credit) or balance, minor units
    applications:                 # one or more, see `rig.cards.application.Application`
      - {scheme: visa, label: VISA TEST}
    behaviour: {decision: decline}             # optional, see Behaviour
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field, StringConstraints, ValidationError, model_validator

from rig.cards.application import Application, Digits2, MinorUnits, Part
from rig.errors import CallerMistake
from rig.units import CURRENCY_NUMERIC
from rig.wire.cryptogram import Scheme

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,40}$")]
YearMonth = Annotated[str, StringConstraints(pattern=r"^[0-9]{2}(0[1-9]|1[0-2])$")]
Allows = Callable[[str], bool]
"""Says of a PAN whether it is a test PAN of the bench, as `rig.history.Redactor.allows` does."""


class Interface(StrEnum):
    """How a card meets a terminal."""

    CONTACTLESS = "contactless"
    CONTACT = "contact"
    STRIPE = "stripe"


class Account(Part):
    """What the issuer knows of the cardholder: a credit `limit` or a `balance`, in minor units of `currency`.

    With `decline` the issuer refuses everything with that response code.
    """

    limit: MinorUnits | None = None
    balance: MinorUnits | None = None
    currency: str = "EUR"
    decline: Annotated[str, StringConstraints(pattern=r"^[0-9A-Z]{2}$")] | None = None

    @model_validator(mode="after")
    def _one_amount(self) -> Account:
        if (self.limit is None) == (self.balance is None):
            raise ValueError("exactly one of limit and balance is needed")
        if self.currency not in CURRENCY_NUMERIC:
            raise ValueError(f"the currency is unknown; use one of {', '.join(CURRENCY_NUMERIC)}")
        return self


class Behaviour(Part):
    """How the card differs from the plain one."""

    decision: Literal["online", "decline", "offline"] = "online"
    """The first cryptogram: ask the issuer (an ARQC), decline by itself (an AAC), or approve by itself (a TC) where the
    terminal lets it."""
    second: Literal["as-told", "decline"] = "as-told"
    """The second cryptogram of a contact card: what the terminal asks for, or an AAC whatever the issuer said."""
    signature: Literal["sound", "corrupt", "foreign-authority"] = "sound"
    """Offline data authentication: a static or dynamic signature that is right, one that is not, or a chain of
    certificates that ends at an authority which nobody knows."""
    command_ms: Annotated[int, Field(ge=0, le=60_000)] = 0
    """How long the card thinks about each command; it asks for more time as often as it needs."""
    frame_waiting_integer: Annotated[int, Field(ge=0, le=14)] = 10
    """FWI: the reader waits 302 µs × 2^FWI for an answer; 10 is 309 ms."""
    start_up_guard_integer: Annotated[int, Field(ge=0, le=14)] = 0
    """SFGI: after its answer to select the card wants 302 µs × 2^SFGI of rest; 0 is none."""
    frame_size_integer: Annotated[int, Field(ge=0, le=12)] = 8
    """FSCI: the longest frame that the card takes; 0 is 16 bytes, 8 is 256."""
    cid: bool = True
    """Whether the card understands card identifiers (CID)."""
    historical: Annotated[str, StringConstraints(pattern=r"^([0-9A-F]{2}){0,15}$")] = ""
    """Historical bytes of the answer to select."""


class CardProfile(Part):
    """One test card. The PAN leaves this object for the wire and the keys alone; `repr` hides it."""

    name: Name
    kind: Literal["credit", "debit", "prepaid"]
    pan: Annotated[str, StringConstraints(pattern=r"^[0-9]{13,19}$")] = Field(repr=False)
    psn: Digits2 = "00"
    expiry: YearMonth
    effective: YearMonth = "2001"
    service_code: Annotated[str, StringConstraints(pattern=r"^[0-9]{3}$")] = "201"
    """Of the magnetic stripe and track 2 (ISO/IEC 7813): 2 begins a chip card, 1 one without a chip."""
    cardholder: Annotated[str, StringConstraints(pattern=r"^[A-Z /]{2,26}$")] = "TEST/RIG"
    bank: Name
    account: Account
    funding: Name | None = None
    """A token, as a phone's wallet has it: the card whose account pays. `account` then repeats that one's."""
    device: Literal["card", "phone"] = "card"
    interfaces: tuple[Interface, ...] = Field(
        (Interface.CONTACTLESS, Interface.CONTACT, Interface.STRIPE), min_length=1
    )
    """What it can be presented by; the first that a bench can do is used unless a case asks for another."""
    applications: tuple[Application, ...] = Field(min_length=1, max_length=5)
    """What the chip offers; PPSE tells of five, however long their names, in an answer of 256 bytes. They share the
    card's number."""
    behaviour: Behaviour = Behaviour()

    @model_validator(mode="after")
    def _consistent(self) -> CardProfile:
        if self.effective > self.expiry:
            raise ValueError("tag 5F25 (effective) is after tag 5F24 (expiry)")
        names = [application.aid for application in self.applications]
        if len(set(names)) != len(names):
            raise ValueError("tag 4F: two applications have the same AID")
        if self.device != "phone" and any("device" in (each.cvm or ()) for each in self.applications):
            raise ValueError("tag 8E: only a phone knows its owner by itself; say device: phone")
        if (self.account.limit is None) == (self.kind == "credit"):
            raise ValueError("account: a credit card has a limit, every other one a balance")
        return self

    @property
    def scheme(self) -> Scheme:
        """The scheme of the application that the card likes best."""
        return min(self.applications, key=lambda each: each.priority or 16).scheme


def load_card(card: str | Path, folder: Path | None = None, allows: Allows | None = None) -> CardProfile:
    """A card profile from a file, or by its name from `folder`.

    Args:
        card: a name, or the path of a file.
        folder: where names are looked up.
        allows: the test ranges of the bench; without it any PAN that the form allows is taken.

    Raises:
        CallerMistake: there is no such card, a field of it is wrong, or its PAN is no test PAN; the message names file
            and field, never the value.
    """
    path = folder / f"{card}.yaml" if folder is not None and not str(card).endswith(".yaml") else Path(card)
    try:
        profile = CardProfile.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError) as error:
        known = ", ".join(sorted(each.stem for each in path.parent.glob("*.yaml"))) or "none"
        raise CallerMistake(str(path), "there is no such card", f"known here: {known}") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        raise CallerMistake(str(path), f"this is no YAML{where}", "see the example in rig.cards.profile") from None
    except ValidationError as error:
        raise CallerMistake(str(path), _complaints(error), "see the example in rig.cards.profile") from None
    if allows is not None and not allows(profile.pan):
        raise CallerMistake(
            str(path), "field pan: this is no test PAN of this bench", "use a range listed under test_pans"
        )
    return profile


def load_cards(folder: Path, allows: Allows | None = None) -> dict[str, CardProfile]:
    """Every card in a folder by its name. Raises CallerMistake as `load_card` does, or when a name repeats."""
    cards: dict[str, CardProfile] = {}
    for path in sorted(folder.glob("*.yaml")):
        card = load_card(path, allows=allows)
        if card.name in cards:
            raise CallerMistake(str(path), f"field name: there are two cards {card.name}", "give each its own name")
        cards[card.name] = card
    return cards


def _complaints(error: ValidationError) -> str:
    told = []
    for problem in error.errors(include_input=False, include_context=False):
        field = ".".join(str(part) for part in problem["loc"]) or "the file"
        told.append(f"field {field}: {problem['msg']}")
    return "; ".join(told)
