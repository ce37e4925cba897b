"""What a service can be told to do wrong. A rule is one JSON object: ``{"answer": "…", …}``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from rig.errors import CallerMistake

Wrong = Literal["timeout", "servfail", "nxdomain", "address", "nak", "pool-empty", "short-lease", "offset"]

_OF_SERVICE: dict[str, tuple[Wrong, ...]] = {
    "dns": ("timeout", "servfail", "nxdomain", "address"),
    "dhcp": ("timeout", "nak", "pool-empty", "short-lease"),
    "ntp": ("timeout", "offset"),
}


@dataclass(frozen=True)
class Rule:
    """One way to be wrong.

    Attributes:
        answer: the way.
        address: of ``address``: the answer to every question.
        seconds: of ``short-lease``: how long; of ``offset``: how far ahead of the true time, negative for behind.
    """

    answer: Wrong
    address: str = ""
    seconds: float = 0.0

    @classmethod
    def read(cls, service: str, raw: Mapping[str, Any]) -> Rule:
        """Check a rule for one of the services.

        Raises:
            CallerMistake: the service knows no such way, or a value is missing.
        """
        known = _OF_SERVICE[service]
        answer = raw.get("answer")
        if answer not in known or answer not in get_args(Wrong):
            raise CallerMistake(f"{service} rule", f"no answer {answer!r}", f"use one of {', '.join(known)}")
        try:
            rule = cls(**raw)
        except TypeError as error:
            raise CallerMistake(f"{service} rule", str(error)) from error
        if (rule.answer == "address") != bool(rule.address) or (rule.answer == "short-lease" and rule.seconds < 1):
            raise CallerMistake(f"{service} rule", f"{raw} lacks a value, or has one too many")
        return rule


@dataclass
class Counts:
    """What a service was asked since its last rule was set, and how often the rule decided."""

    asked: int = 0
    misled: int = 0
