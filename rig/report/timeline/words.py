"""The words of the picture: short, and the same in every lane."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rig.errors import CallerMistake
from rig.units import CURRENCY_NUMERIC, Money

_ALPHABETIC = {numeric: name for name, numeric in CURRENCY_NUMERIC.items()}
_LONGEST = 44
_TRANSACTIONS = {"02": "sale", "04": "reversal", "05": "settlement", "08": "network"}
_UNITS = {"ms": "ms", "percent": "%", "pct": "%", "kbit": "kbit/s", "bit": "bit/s", "s": "s", "bps": "bit/s"}


def short(text: object) -> str:
    """A text that fits beneath a mark."""
    words = " ".join(str(text).split())
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1].rstrip() + "…"


def money(data: Mapping[str, Any]) -> str:
    """The amount of an event, or nothing where it has none."""
    amount, currency = data.get("amount"), str(data.get("currency", "EUR"))
    if not isinstance(amount, int):
        return ""
    try:
        return str(Money(amount, _ALPHABETIC.get(currency, currency)))
    except CallerMistake:
        return f"{amount} ({currency})"


def request(data: Mapping[str, Any]) -> str:
    """A request as the host saw it: ``0200 sale 12.34 EUR``."""
    mti = str(data.get("mti", "?"))
    what = "void" if str(data.get("processing", "")).startswith("20") else _TRANSACTIONS.get(mti[:2], "")
    return short(" ".join(filter(None, (mti, what, money(data) if mti[:2] == "02" else ""))))


def answer(data: Mapping[str, Any]) -> str:
    """An answer of the host: ``0210 rc 00``, and whether it was late; the event names the request's type."""
    return short(f"{str(data.get('mti', ''))[:2]}10 rc {data.get('rc', '?')}" + (" late" if data.get("late") else ""))


def apdu(data: Mapping[str, Any]) -> str:
    """A card command; the status word where it is not 9000."""
    name, status = str(data.get("name", "")), str(data.get("response", ""))[-4:].upper()
    return short(name if status in ("9000", "") else f"{name} → {status}")


def impairment(data: Mapping[str, Any]) -> str:
    """What a link suffers: ``wifi: delay 200 ms, loss 5 %``; nothing where it suffers nothing."""
    up, down = _direction(data.get("up")), _direction(data.get("down"))
    if up == down:
        return short(f"{data.get('link', 'link')}: {up}") if up else ""
    parts = [f"{way} {what}" for way, what in (("up", up), ("down", down)) if what]
    return short(f"{data.get('link', 'link')}: {'; '.join(parts)}")


def _direction(said: object) -> str:
    if isinstance(said, Mapping):
        idle = {"seed"} if said.get("jitter_ms") else {"seed", "distribution"}  # they shape what is not there
        told = (_setting(str(key), value) for key, value in said.items() if key not in idle)
        return ", ".join(filter(None, told))
    return "" if said in (None, False, "", "clean", "none") else str(said)


def _setting(key: str, value: object) -> str:
    name = key.replace("_", " ")
    if isinstance(value, Mapping):
        inner = ", ".join(filter(None, (_setting(str(part), figure) for part, figure in value.items())))
        return f"{name} ({inner})" if inner else ""
    if value in (None, False, 0, 0.0, ""):
        return ""
    if value is True:
        return name
    stem, _, unit = key.rpartition("_")
    figure = f"{value:g}" if isinstance(value, int | float) else str(value)
    return f"{stem.replace('_', ' ')} {figure} {_UNITS[unit]}" if stem and unit in _UNITS else f"{name} {figure}"
