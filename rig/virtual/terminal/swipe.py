"""A purchase by magnetic stripe: the track, and how the cardholder is known (ISO/IEC 7813, service code)."""

from __future__ import annotations

from rig.virtual.terminal.emv.card import CardData, Cvm, EntryMode
from rig.virtual.terminal.emv.cvm import pin_block
from rig.virtual.terminal.emv.facts import Facts
from rig.virtual.terminal.stripe import Track

_ISSUERS = {"4": ("VISA", 10), "5": ("MASTERCARD", 6), "2": ("MASTERCARD", 6), "62": ("UNIONPAY", 82)}
"""First digits of a PAN (ISO/IEC 7812): the name on the receipt, and the ZVT card type."""
_UNKNOWN = ("CARD", 255)


def card_of(track: Track, entry_mode: EntryMode, facts: Facts) -> CardData:
    """What one swipe gives; the issuer is always asked."""
    found = [known for first, known in _ISSUERS.items() if track.pan.startswith(first)]
    label, type_code = found[0] if found else _UNKNOWN
    block = pin_block(facts, track.pan) if track.wants_pin and facts.online_pin else None
    return CardData(
        entry_mode=entry_mode,
        pan=track.pan,
        expiry=track.expiry,
        track2=track.text,
        sequence=0,
        label=label,
        type_code=type_code,
        cvm=Cvm.SIGNATURE if block is None else Cvm.ONLINE_PIN,
        pin_block=block,
    )
