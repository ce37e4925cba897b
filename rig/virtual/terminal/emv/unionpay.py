"""Contactless kernel 7, UnionPay's qPBOC: kernel 3's flow, with electronic cash.

Source: EMV Contactless Book C-7. Electronic cash is a balance on the card (9F79): where the terminal may approve
offline it says so (9F7A), and the card pays with a TC, which is checked by fDDA like any other.
"""

from __future__ import annotations

from rig.virtual.terminal.emv.card import CardData
from rig.virtual.terminal.emv.kernel import Selected
from rig.virtual.terminal.emv.visa import run_quick

_ELECTRONIC_CASH = 0x9F7A


def run(selected: Selected) -> CardData:
    """One purchase with a UnionPay application; a :data:`~rig.virtual.terminal.emv.kernel.Kernel`."""
    facts = selected.facts
    wallet = facts.offline_capable and 0 < selected.purchase.amount <= facts.limits.floor
    return run_quick(selected, {_ELECTRONIC_CASH: bytes([wallet])})
