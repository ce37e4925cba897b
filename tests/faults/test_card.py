"""Faults of the card say what they do, where, and what they need of a presenter."""

from __future__ import annotations

import pytest

from rig.cards.faults import At, BadBlocks, CardFault, Late, Misbehaviour, Spoil, Tear, WaitStorm
from rig.cards.presenter import Capability
from rig.cards.spoil import Flipped, Status, Without
from rig.errors import CallerMistake
from rig.faults import (
    Fault,
    Moment,
    answer_late,
    bad_blocks,
    corrupt_signature,
    extend_waiting,
    refuse_command,
    spoil_card,
    tear_card,
)

GPO = At("GPO")


@pytest.mark.parametrize(
    ("fault", "plain", "name", "needs"),
    [
        (tear_card("GPO"), Tear(GPO), "tear before GPO", Capability.TEAR),
        (
            tear_card("READ RECORD", "inside", number=2, comes_back=True),
            Tear(At("READ RECORD", 2), "inside", comes_back=True),
            "tear inside READ RECORD 2, and back again",
            Capability.TEAR,
        ),
        (
            extend_waiting("GPO", 30),
            WaitStorm(GPO, 30),
            "30 waiting time extensions at GPO",
            Capability.PROTOCOL_FAULTS,
        ),
        (answer_late("GPO", 0.2), Late(GPO, 0.2), "answer to GPO late by 0.2 s", Capability.PROTOCOL_FAULTS),
        (bad_blocks("GPO", "lost", 2), BadBlocks(GPO, "lost", 2), "2 blocks lost at GPO", Capability.PROTOCOL_FAULTS),
        (spoil_card("GPO", Without(0x57)), Spoil(GPO, Without(0x57)), "no 57 in GPO", Capability.RESPONSES),
        (refuse_command("GPO", 0x6985), Spoil(GPO, Status(0x6985)), "status 6985 in GPO", Capability.RESPONSES),
        (
            corrupt_signature("GENERATE AC"),
            Spoil(At("GENERATE AC"), Flipped(0x9F4B)),
            "corrupt 9F4B in GENERATE AC",
            Capability.RESPONSES,
        ),
    ],
)
def test_a_fault_is_plain_data_with_a_name_and_a_need(
    fault: Fault, plain: CardFault, name: str, needs: Capability
) -> None:
    assert (plain.name, plain.needs) == (name, needs)
    assert (fault.action, fault.target, fault.moment) == (name, "card", Moment.CARD_COMMAND)


def test_faults_come_at_their_command_in_their_order_and_once() -> None:
    second, first = Tear(At("READ RECORD", 2)), Spoil(GPO, Without(0x57))
    storm = WaitStorm(GPO, 3)
    card = Misbehaviour((second, first, storm))
    assert card.due("SELECT AID") == []
    assert card.due("GPO") == [first, storm]
    assert card.due("GPO") == []
    assert card.due("READ RECORD") == []
    assert card.due("READ RECORD") == [second]
    assert card.due("READ RECORD") == []


def test_commands_are_counted_from_one() -> None:
    with pytest.raises(CallerMistake, match="count from 1"):
        At("GPO", 0)
