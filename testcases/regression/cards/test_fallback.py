"""The chip cannot be read: its stripe is taken, once it may be, and the host is told so."""

from __future__ import annotations

import pytest

from rig.bench import Bench
from rig.cards.profile import Interface
from rig.faults import Moment, present_by, refuse_command
from rig.verdict import Verdict

pytestmark = [
    pytest.mark.needs("contact card: responses", "striped card"),
    pytest.mark.parametrize("bearer", ["wifi"], indirect=True),
]


@pytest.mark.requires(Verdict.COMPLETED)
def test_swiped_after_a_broken_chip(bench: Bench, bearer: str) -> None:
    """The chip refuses both of the terminal's tries: the card is swiped, and the sale completes."""
    broken = [refuse_command("SELECT AID", 0x6F00, number=number) for number in (1, 2)]
    swipe = present_by("visa-credit", Interface.STRIPE).at(Moment.CARD_NOT_READ)
    sale = bench.sale(7_10, "visa-credit", *broken, swipe, interface=Interface.CONTACT)
    assert sale.approved
