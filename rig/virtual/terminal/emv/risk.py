"""Processing restrictions and terminal risk management: what the card's dates, uses and the amount say (TVR bits).

Source: EMV Book 3, 10.4 and 10.6. Random selection and velocity checking are for terminals that go offline; the first
is left out (a bench wants the same twice), the second is :func:`velocity`.
"""

from __future__ import annotations

from datetime import date

from rig.virtual.terminal.emv.card import Purchase
from rig.virtual.terminal.emv.facts import Facts
from rig.virtual.terminal.emv.objects import Malformed, Objects
from rig.virtual.terminal.emv.tvr import NOTHING_WRONG, Tvr

_CENTURY_TURNS = 50
_NOT_ONLY_AT_ATM = 0x01
_DOMESTIC, _INTERNATIONAL = 0x20 | 0x08, 0x10 | 0x04
_DOMESTIC_CASHBACK, _INTERNATIONAL_CASHBACK = 0x80, 0x40


def restrictions(objects: Objects, terminal: Objects, purchase: Purchase, facts: Facts) -> Tvr:
    """Versions (9F08 against the terminal's 9F09), usage control (9F07), effective (5F25) and expiry date (5F24).

    Raises:
        Malformed: a date is none.
    """
    found = NOTHING_WRONG
    if 0x9F08 in objects and objects[0x9F08] != terminal.get(0x9F09):
        found |= Tvr.VERSIONS_DIFFER
    if not usable(objects, purchase, facts):
        found |= Tvr.SERVICE_NOT_ALLOWED
    if not_yet_effective(objects, purchase):
        found |= Tvr.NOT_YET_EFFECTIVE
    if expired(objects, purchase):
        found |= Tvr.EXPIRED
    return found


def expired(objects: Objects, purchase: Purchase) -> bool:
    """Whether the last day of the application (5F24) is over. Raises Malformed."""
    return 0x5F24 in objects and _date(objects[0x5F24]) < purchase.when.date()


def not_yet_effective(objects: Objects, purchase: Purchase) -> bool:
    """Whether the first day of the application (5F25) is to come. Raises Malformed."""
    return 0x5F25 in objects and _date(objects[0x5F25]) > purchase.when.date()


def usable(objects: Objects, purchase: Purchase, facts: Facts) -> bool:
    """Whether usage control (9F07) lets the card buy goods or services here; without one it does."""
    control = objects.get(0x9F07)
    if control is None:
        return True
    if not control[0] & _NOT_ONLY_AT_ATM:
        return False
    if 0x5F28 not in objects:
        return True
    at_home = objects[0x5F28] == bytes.fromhex(facts.country)
    if not control[0] & (_DOMESTIC if at_home else _INTERNATIONAL):
        return False
    return not purchase.cashback or bool(control[1] & (_DOMESTIC_CASHBACK if at_home else _INTERNATIONAL_CASHBACK))


def floor_limit(purchase: Purchase, facts: Facts) -> Tvr:
    """Whether the amount is above the floor limit."""
    return Tvr.FLOOR_LIMIT_EXCEEDED if purchase.amount > facts.limits.floor else NOTHING_WRONG


def velocity(objects: Objects, counter: int | None, last_online: int | None) -> Tvr:
    """Velocity checking (10.6.3) of a contact card: its limits 9F14 and 9F23 against its counters 9F36 and 9F13.

    The counters are what GET DATA told; None where it told nothing, which counts as both limits exceeded.
    """
    if 0x9F14 not in objects or 0x9F23 not in objects:
        return NOTHING_WRONG
    lower, upper = objects[0x9F14][0], objects[0x9F23][0]
    if counter is None or last_online is None or counter <= last_online:
        return Tvr.LOWER_OFFLINE_LIMIT_EXCEEDED | Tvr.UPPER_OFFLINE_LIMIT_EXCEEDED
    found = Tvr.NEW_CARD if last_online == 0 else NOTHING_WRONG
    if counter - last_online > lower:
        found |= Tvr.LOWER_OFFLINE_LIMIT_EXCEEDED
    if counter - last_online > upper:
        found |= Tvr.UPPER_OFFLINE_LIMIT_EXCEEDED
    return found


def _date(value: bytes) -> date:
    """A date YYMMDD; years from 50 on are of the last century (Book 4, 6.7.3)."""
    try:
        year, month, day = (int(f"{each:02x}") for each in value)
        return date(year + (1900 if year >= _CENTURY_TURNS else 2000), month, day)
    except ValueError:
        raise Malformed("a date of the card is none") from None
