"""Reading an event's data without trusting it: a history may be torn, foreign, or years old."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rig.history.events import Event
from rig.units import CURRENCY_NUMERIC

SECOND = 1_000_000_000
"""Nanoseconds."""

APPROVING = "00"
"""The response code (DE39) that approves; ISO 8583:1987."""

PUT_OFF = frozenset({"91", "96"})
"""The response codes by which a host could not take a message now: an advice goes out again."""

_ALPHABETIC = {numeric: name for name, numeric in CURRENCY_NUMERIC.items()}


def text(data: Mapping[str, Any], name: str) -> str:
    """A field as text; empty where it is absent or of another type."""
    value = data.get(name)
    return value.strip() if isinstance(value, str) else ""


def number(data: Mapping[str, Any], name: str) -> float | None:
    """A field as a number; ``None`` where it is absent or of another type."""
    value = data.get(name)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def amount(data: Mapping[str, Any]) -> int | None:
    """The field ``amount`` in minor units; ``None`` where there is none."""
    value = data.get("amount")
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def names(data: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """A field that is a list of texts; empty where it is absent or of another type."""
    value = data.get(name)
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list | tuple) else ()


def part(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A field that holds fields; empty where it is absent or of another type."""
    value = data.get(name)
    return value if isinstance(value, Mapping) else {}


def currency(data: Mapping[str, Any]) -> str:
    """The currency's three letters, whether the event says ``EUR`` or ``978``; what it says where it is unknown."""
    said = text(data, "currency")
    return _ALPHABETIC.get(said, said)


def key_of(tid: str, stan: str) -> str:
    """How the host knows a request: terminal and system trace audit number (DE41, DE11), six digits."""
    return f"{tid.strip()}/{stan.strip().zfill(6)}"


def request_key(event: Event) -> str:
    """The key of a request, an answer or a ledger row."""
    tid, _, stan = text(event.data, "key").rpartition("/")
    return key_of(tid, stan)


def card_key(data: Mapping[str, Any]) -> str:
    """One transaction of one card, by its token and counter, as a key that no request has; empty where unknown."""
    token, atc = text(data, "token"), number(data, "atc")
    return f"card {token} {atc:.0f}" if token and atc is not None else ""


def original_key(event: Event) -> str:
    """The key of the original that a reversal or a void names; its own where it names none."""
    stan = text(part(event.data, "original"), "stan")
    tid = text(event.data, "tid") or text(event.data, "key").rpartition("/")[0]
    return key_of(tid, stan) if stan else request_key(event)


def is_online_request(mti: str) -> bool:
    """Authorisations and financial requests (x100, x200 and their repeats), and their answers; advices are not."""
    return len(mti) == 4 and mti[1] in "12" and mti[2] in "01"


def is_advice(mti: str) -> bool:
    """Advices of sales that were approved offline (x120, x220 and their repeats), and their answers."""
    return len(mti) == 4 and mti[1] in "12" and mti[2] in "23"


def is_reversal(mti: str) -> bool:
    """Reversals and their answers (x400, x401, x410)."""
    return len(mti) == 4 and mti[1] == "4"
