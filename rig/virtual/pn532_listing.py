"""How a simulated PN532 lists the cards in its field (InListPassiveTarget, NXP UM0701-02, 7.3.5).

Several cards in the field are seen by a host as with the real chip, whose anticollision loop separates them by UID.
InListPassiveTarget with MaxTg 1 (what nfcpy asks for) activates one of them and says nothing of the others; with
MaxTg 2 (``chipset.command(0x4A, bytearray([2, 0]), 1.0)``: nfcpy's own method ignores its argument) the answer is
``02`` and both targets, or ``01`` and the one that is alone; the one listed last is then selected, and the blocks
that follow go to it. That, before a transaction begins, is how a terminal notices a second card. Cards with the same
UID cannot be told apart: ``00``, and the collision flag of register 6336 (CIU_Error). A card that comes when another
is selected already goes unnoticed until the next poll.
"""

from __future__ import annotations

from rig.virtual.air import Air, Antenna


def list_targets(air: Air, reader: Antenna, most: int) -> bytes:
    """The chip's answer: how many targets, at most `most`, and each of them; the last is selected.

    Raises:
        UnresolvedCollision: two cards cannot be told apart.
    """
    found = air.resolve()[:most]
    air.select(reader, found[-1])
    return bytes([len(found)]) + b"".join(_target_data(at, card) for at, card in enumerate(found, 1))


def _target_data(number: int, card: Antenna) -> bytes:
    """One target as InListPassiveTarget lists it: number, SENS_RES, SEL_RES, UID with its length."""
    identity = card.identity
    if identity is None:
        return b""
    head = bytes([number]) + identity.sens_res[::-1] + bytes([identity.sel_res, len(identity.uid)])
    return head + identity.uid
