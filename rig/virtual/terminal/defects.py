"""Defects that the terminal can be given, to prove that the judge sees them.

Each is a single switch at the place where a real terminal of that kind is wrong. A bench file names them.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from rig.errors import CallerMistake


class Defect(StrEnum):
    """What can be wrong with the terminal."""

    DECLINES_EVERYTHING = "declines-everything"
    """Refuses every card before it goes online: always safe, never of use."""

    NEVER_REVERSES = "never-reverses"
    """Shows "declined" or "aborted", and leaves what the host approved."""

    APPROVES_LATE_ANSWER = "approves-late-answer"
    """Keeps listening after its response timer has run out, and believes what comes, though the reversal is out."""

    REVERSAL_LOST_AT_POWER_CUT = "reversal-lost-at-power-cut"
    """Keeps its reversal queue in memory alone: after a reboot nobody knows what was pending."""

    TRUSTS_ANY_CERTIFICATE = "trusts-any-certificate"
    """Does not look at the host's certificate: whoever answers in the host's place gets the card's data."""


def parse_defects(names: Iterable[str]) -> frozenset[Defect]:
    """The defects of these names.

    Raises:
        CallerMistake: a name is unknown.
    """
    known = {defect.value: defect for defect in Defect}
    for name in names:
        if name not in known:
            raise CallerMistake("terminal defects", f"{name!r} is unknown", f"use one of {', '.join(known)}")
    return frozenset(known[name] for name in names)
