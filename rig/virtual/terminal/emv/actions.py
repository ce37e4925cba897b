"""Terminal action analysis (EMV Book 3, 10.7): what the terminal asks the card for, given what it found wrong."""

from __future__ import annotations

from enum import IntEnum

from rig.virtual.terminal.emv.facts import Facts
from rig.virtual.terminal.emv.objects import Objects
from rig.virtual.terminal.emv.tvr import Tvr


class Cryptogram(IntEnum):
    """The cryptograms; the value is bits 8 and 7 of 9F27 and of P1 of GENERATE AC."""

    AAC = 0x00
    TC = 0x40
    ARQC = 0x80


def decide(objects: Objects, tvr: Tvr, facts: Facts) -> Cryptogram:
    """The first cryptogram: an AAC where an action code denies, an ARQC where one wants the issuer, else a TC."""
    if _matches(tvr, facts.action_codes.denial, objects.get(0x9F0E, bytes(5))):
        return Cryptogram.AAC
    if not facts.offline_capable or _matches(tvr, facts.action_codes.online, objects.get(0x9F0F, b"\xff" * 5)):
        return Cryptogram.ARQC
    return Cryptogram.TC


def without_host(objects: Objects, tvr: Tvr, facts: Facts) -> Cryptogram:
    """The last cryptogram where the issuer could not be asked (the default action codes)."""
    if not facts.offline_capable or _matches(tvr, facts.action_codes.default, objects.get(0x9F0D, b"\xff" * 5)):
        return Cryptogram.AAC
    return Cryptogram.TC


def kind_of(information: bytes) -> Cryptogram | None:
    """Which cryptogram 9F27 names; ``None``: the value 11, which is reserved."""
    try:
        return Cryptogram(information[0] & 0xC0)
    except (ValueError, IndexError):
        return None


def _matches(tvr: Tvr, terminal: str, issuer: bytes) -> bool:
    return bool(int(tvr) & (int(terminal, 16) | int.from_bytes(issuer, "big")))
