"""A test card as a file: what it is, which bank issued it, how it behaves. YAML, checked as a whole.

Example::

    name: visa-credit
    scheme: visa                  # visa or unionpay: whose application and cryptogram
    kind: credit                  # credit, debit or prepaid
    aid: "A0000000031010"
    kernel: 3                     # 9F2A, the contactless kernel that the card asks for
    label: VISA TEST
    pan: "4761739001010010"       # a test PAN, digits in quotes
    psn: "01"
    expiry: "3112"                # YYMM
    bank: north-bank              # the issuer: its keys, its accounts
    account: {limit: 5000000, currency: EUR}   # what the issuer knows: limit (credit) or balance, minor units
    behaviour: {decision: decline}             # optional, see Behaviour
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from rig.errors import CallerMistake
from rig.units import CURRENCY_NUMERIC
from rig.wire.cryptogram import Scheme

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,40}$")]
Digits2 = Annotated[str, StringConstraints(pattern=r"^[0-9]{2}$")]
MinorUnits = Annotated[int, Field(ge=0)]


class _Part(BaseModel):
    # The input never appears in a message: it may be a PAN.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Account(_Part):
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


class Behaviour(_Part):
    """How the card differs from the plain one."""

    decision: Literal["online", "decline"] = "online"
    """Ask the issuer (an ARQC), or decline by itself (an AAC)."""
    with_records: bool = False
    """Leave expiry and country to a record that the terminal must read (94 and READ RECORD)."""
    frame_waiting_integer: Annotated[int, Field(ge=0, le=14)] = 10
    """FWI: the reader waits 302 µs × 2^FWI for an answer; 10 is 309 ms."""


class CardProfile(_Part):
    """One test card. The PAN leaves this object for the wire and the keys alone; `repr` hides it."""

    name: Name
    scheme: Scheme
    kind: Literal["credit", "debit", "prepaid"]
    aid: Annotated[str, StringConstraints(pattern=r"^([0-9A-F]{2}){5,16}$")]
    kernel: Annotated[int, Field(ge=1, le=63)]
    label: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9 ]{1,16}$")]
    pan: Annotated[str, StringConstraints(pattern=r"^[0-9]{13,19}$")] = Field(repr=False)
    psn: Digits2 = "00"
    expiry: Annotated[str, StringConstraints(pattern=r"^[0-9]{2}(0[1-9]|1[0-2])$")]
    bank: Name
    account: Account
    behaviour: Behaviour = Behaviour()


def load_card(card: str | Path, folder: Path | None = None) -> CardProfile:
    """A card profile from a file, or by its name from `folder`.

    Raises:
        CallerMistake: there is no such card, or a field of it is wrong; the message names file and field, never
            the value.
    """
    path = folder / f"{card}.yaml" if folder is not None and not str(card).endswith(".yaml") else Path(card)
    try:
        return CardProfile.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError) as error:
        known = ", ".join(sorted(each.stem for each in path.parent.glob("*.yaml"))) or "none"
        raise CallerMistake(str(path), "there is no such card", f"known here: {known}") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        raise CallerMistake(str(path), f"this is no YAML{where}", "see the example in rig.cards.profile") from None
    except ValidationError as error:
        raise CallerMistake(str(path), _complaints(error), "see the example in rig.cards.profile") from None


def load_cards(folder: Path) -> dict[str, CardProfile]:
    """Every card in a folder by its name. Raises CallerMistake as `load_card` does, or when a name repeats."""
    cards: dict[str, CardProfile] = {}
    for path in sorted(folder.glob("*.yaml")):
        card = load_card(path)
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
