"""From the data objects of a finished reading to what the sale needs of it."""

from __future__ import annotations

from rig.virtual.terminal.emv.card import CardData, Cvm, Decision, EntryMode, Finish
from rig.virtual.terminal.emv.cvm import pin_block
from rig.virtual.terminal.emv.facts import Facts
from rig.virtual.terminal.emv.objects import Objects, for_host, sequence, track2
from rig.virtual.terminal.emv.schemes import Scheme


def card_data(
    mode: EntryMode,
    scheme: Scheme,
    objects: Objects,
    facts: Facts,
    cvm: Cvm,
    decision: Decision = Decision.ONLINE,
    finish: Finish | None = None,
) -> CardData:
    """What one reading gave; ``objects`` are the card's and the terminal's, 84 and 95 included.

    Raises:
        Malformed: 57 or 5F34 cannot be read, or 57 and 5A are of different cards.
    """
    pan, expiry, track = track2(objects)
    pin = pin_block(facts, pan) if cvm is Cvm.ONLINE_PIN else None
    return CardData(
        mode, pan, expiry, track, sequence(objects), scheme.label, scheme.type_code, for_host(objects), cvm, decision,
        finish, pin,
    )  # fmt: skip
