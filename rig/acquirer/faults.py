"""Faults of the host, by rule: an answer held, late, missing, wrong, broken off, or a decline.

A rule is armed over the control socket, is used up to ``count`` times on the requests that it matches, and then gone::

    {"action": "hold", "match": "sale", "count": 1, "ms": 20000}   # until released, or 20 s
    {"action": "late", "match": "sale", "ms": 1500}
    {"action": "silent", "match": "reversal", "count": 2}
    {"action": "silent", "booked": false}                           # the request is lost before the host has it
    {"action": "decline", "match": "any", "rc": "91", "count": null} # maintenance; with ms: after a wait
    {"action": "twice"}                                             # the same answer two times
    {"action": "other"}                                             # the answer of another transaction (DE11)
    {"action": "wrong_mac"}
    {"action": "malformed"}                                         # a whole frame that is no message
    {"action": "truncated", "bytes": 9}                             # the frame's first bytes, and then nothing
    {"action": "trickle", "ms": 200}                                # a byte, a pause, a byte
    {"action": "close", "at": "before"}                             # before, in (after bytes) or after the answer
    {"action": "reset", "at": "in", "bytes": 9}                     # likewise, with a TCP reset
    {"action": "lose"}                                              # books, and falls over before the answer leaves
    {"action": "change_keys"}                                       # session keys change once the answer is sent
    {"action": "unequal", "match": "settlement"}                    # the totals never agree
    {"action": "wrong_arpc"}                                        # tag 91 of the answer is not the issuer's
    {"action": "no_arpc"}                                           # the answer has no tag 91
    {"action": "script", "script": "application-block"}             # the answer has an issuer script (72)

All but ``decline``, and what says ``booked: false``, act after the ledger's commit: what the host booked, it booked.
The last three meet sales by chip alone. The first rule that matches counts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from rig.acquirer.profiles import ResponseCode
from rig.acquirer.request import Kind
from rig.errors import CallerMistake

DEFAULT_HOLD_MS = 60_000
_OF_CHIP = ("wrong_arpc", "no_arpc", "script")
_NEED_MS = ("late", "trickle")
_MAY_LOSE = ("silent", "close", "reset")
_BREAK_OFF = ("close", "reset")

Action = Literal[
    "hold", "late", "silent", "decline", "twice", "other", "wrong_mac", "malformed", "truncated", "trickle", "close",
    "reset", "lose", "change_keys", "unequal", "wrong_arpc", "no_arpc", "script",
]  # fmt: skip
Milliseconds = Annotated[int, Field(ge=1, le=3_600_000)]
Release = Literal["released", "deadline", "connection closed"]


class Rule(BaseModel):
    """One rule.

    ``ms`` is how late an answer or a decline goes, how long an answer is held at most, or the pause between two bytes;
    ``bytes`` how many of the frame's bytes still leave; ``count`` None is without end.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    action: Action
    match: Kind | Literal["any"] = "any"
    count: Annotated[int, Field(ge=1)] | None = 1
    ms: Milliseconds | None = None
    rc: ResponseCode | None = None
    at: Literal["before", "in", "after"] | None = None
    bytes: Annotated[int, Field(ge=1, le=4096)] | None = None
    booked: bool = True
    script: Literal["application-block", "application-unblock", "card-block"] | None = None

    @model_validator(mode="after")
    def _complete(self) -> Rule:
        if (self.rc is None) == (self.action == "decline"):
            raise ValueError("rc belongs to decline, and decline needs it")
        if self.action in _NEED_MS and self.ms is None:
            raise ValueError(f"{self.action} needs ms")
        if (self.script is None) == (self.action == "script"):
            raise ValueError("script belongs to the action script, which needs it")
        if (self.at is None) == (self.action in _BREAK_OFF):
            raise ValueError("at belongs to close and reset, which need it")
        if (self.bytes is None) == (self.action == "truncated" or self.at == "in"):
            raise ValueError("bytes belongs to truncated, and to close and reset in the answer, which need it")
        if not self.booked and (self.action not in _MAY_LOSE or self.at not in (None, "before")):
            raise ValueError("only a request that is never answered can be lost before it is booked")
        if self.action == "unequal" and self.match not in ("settlement", "any"):
            raise ValueError("unequal is for settlements")
        return self

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Rule:
        """Read a rule as it comes over the control socket. Raises CallerMistake that names the field."""
        try:
            return cls.model_validate(raw)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "rule"
            raise CallerMistake(where, first["msg"], "see rig.acquirer.faults") from None

    def matches(self, kind: Kind, chip: bool) -> bool:
        """Whether a request of this kind, with chip data or without, is meant."""
        if self.action in _OF_CHIP and not (kind == "sale" and chip):
            return False
        if self.action == "unequal":
            return kind == "settlement"
        return self.match in (kind, "any")


@dataclass(frozen=True)
class Taken:
    """A rule that is applied now, and its number."""

    number: int
    rule: Rule


class FaultRules:
    """The rules that are armed, oldest first."""

    def __init__(self) -> None:
        self._armed: dict[int, tuple[Rule, int | None]] = {}
        self._last = 0

    def arm(self, rule: Rule) -> int:
        """Add a rule; returns its number."""
        self._last += 1
        self._armed[self._last] = (rule, rule.count)
        return self._last

    def take(self, kind: Kind, chip: bool = False) -> Taken | None:
        """The rule for this request, used once more; None where nothing is wrong with the host."""
        for number, (rule, left) in self._armed.items():
            if rule.matches(kind, chip):
                if left == 1:
                    del self._armed[number]
                elif left is not None:
                    self._armed[number] = (rule, left - 1)
                return Taken(number, rule)
        return None

    def clear(self) -> None:
        """Disarm all."""
        self._armed.clear()

    def state(self) -> list[dict[str, Any]]:
        """What is armed, with ``left``: how often it will still be applied (None: without end)."""
        return [{"number": n, "left": left, **rule.model_dump()} for n, (rule, left) in self._armed.items()]


@dataclass(eq=False)
class HeldAnswer:
    """An answer that waits: its request's ``TID/STAN`` and type, and since when (monotonic ns)."""

    key: str
    mti: str
    since_t: int
    _go: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    def release(self) -> None:
        """Let it go."""
        self._go.set()

    async def wait(self, ms: int, closed: asyncio.Event) -> Release:
        """Until it is released, the deadline is over, or its connection ended."""
        waiters = {asyncio.create_task(self._go.wait()), asyncio.create_task(closed.wait())}
        try:
            await asyncio.wait(waiters, timeout=ms / 1000, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for waiter in waiters:
                waiter.cancel()
        if closed.is_set():
            return "connection closed"
        return "released" if self._go.is_set() else "deadline"
