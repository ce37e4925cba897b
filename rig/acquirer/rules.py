"""What card network and issuers do out of the ordinary, as data: a YAML file, or the bench over the control socket.

::

    own_bank: north-bank            # the acquirer's own: its cards need no network
    out: [east-bank]                # issuers that cannot be reached
    stand_in: {limit: 2500}         # who decides for them: up to this amount (minor units) approved, above it 91
    codes:                          # the first that matches counts, before the issuer is asked
      - {rc: "05", amount_ends: "05"}
      - {rc: "51", card: visa-debit, after: 3}     # from the fourth request of this kind on
      - {rc: "55", card: visa-debit, count: 2}     # the first two
      - {rc: "10", amount_ends: "10", approves: 500}  # a part, in minor units
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from rig.acquirer.codes import PARTLY_APPROVED
from rig.acquirer.profiles import ResponseCode
from rig.errors import CallerMistake


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CodeRule(_Model):
    """A response code for the requests that it matches.

    Attributes:
        rc: the response code; 00 approves without asking the issuer.
        flow: which requests; ``any`` is every one that asks for money.
        amount_ends: the last digits of DE4.
        card, bank: the name of a card, or of its bank.
        after: not the first so many that match; ``count``: not more than so many.
        approves: the part that is approved with code 10, in minor units.
    """

    rc: ResponseCode
    flow: Literal["sale", "authorisation", "refund", "advice", "any"] = "any"
    amount_ends: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,12}$")] | None = None
    card: str | None = None
    bank: str | None = None
    after: Annotated[int, Field(ge=0)] = 0
    count: Annotated[int, Field(ge=1)] | None = None
    approves: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _complete(self) -> CodeRule:
        if (self.approves is None) == (self.rc == PARTLY_APPROVED):
            raise ValueError(f"approves belongs to rc {PARTLY_APPROVED}, which needs it")
        return self

    def matches(self, flow: str, amount: int, card: str, bank: str) -> bool:
        """Whether a request is meant, but for how many came before."""
        return (
            self.flow in (flow, "any")
            and f"{amount:012d}".endswith(self.amount_ends or "")
            and self.card in (None, card)
            and self.bank in (None, bank)
        )


class StandIn(_Model):
    """Who decides for an issuer that is out: approves up to ``limit`` minor units."""

    limit: Annotated[int, Field(ge=0)] = 0


class NetworkRules(_Model):
    """All of it."""

    own_bank: str | None = None
    out: tuple[str, ...] = ()
    stand_in: StandIn = StandIn()
    codes: tuple[CodeRule, ...] = ()

    @classmethod
    def read(cls, raw: object, source: str) -> NetworkRules:
        """Check rules. Raises CallerMistake that names the field."""
        try:
            return cls.model_validate(raw or {})
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "rules"
            raise CallerMistake(f"{source}: {where}", first["msg"], "see rig.acquirer.rules") from None

    @classmethod
    def load(cls, path: Path) -> NetworkRules:
        """Read a file of rules. Raises CallerMistake that names file and field."""
        try:
            raw = yaml.safe_load(path.read_text())
        except (yaml.YAMLError, OSError, UnicodeDecodeError):
            raise CallerMistake(str(path), "cannot be read as YAML", "check it with a YAML linter") from None
        return cls.read(raw, str(path))


class CodeCounter:
    """Applies the rules in order, and counts what each has met."""

    def __init__(self, rules: tuple[CodeRule, ...]) -> None:
        self._rules = rules
        self._met = [0] * len(rules)

    def code(self, flow: str, amount: int, card: str, bank: str) -> CodeRule | None:
        """The rule for this request, if there is one; it has met one more then."""
        for place, rule in enumerate(self._rules):
            if rule.matches(flow, amount, card, bank):
                self._met[place] += 1
                number = self._met[place] - rule.after
                if number >= 1 and (rule.count is None or number <= rule.count):
                    return rule
        return None
