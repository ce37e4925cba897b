"""Faults of the card: what it does wrong at one command of the terminal, each with its proof.

A command goes by its name in the history, and by its number where a transaction has several of it::

    tear_card("READ RECORD", number=2, place="inside", comes_back=True)
    spoil_card("GPO", Without(0x57))

Which presenter can do which fault: docs/card-faults.md. A bench's capabilities say so (``card: tear``), and a case that
needs more is skipped by name.
"""

from __future__ import annotations

from rig.cards.faults import At, BadBlocks, BlockFault, CardFault, Late, Place, Spoil, Tear, WaitStorm
from rig.cards.profile import Interface
from rig.cards.spoil import Flipped, Spoiling, Status
from rig.faults.actions import Action, Fault
from rig.faults.moments import Moment


def card_fault(fault: CardFault) -> Fault:
    """Any fault of :mod:`rig.cards.faults`."""
    return Fault(fault.name, "card", Moment.CARD_COMMAND, arm=lambda stage: stage.arm_card(fault))


def tear_card(command: str, place: Place = "before", *, number: int = 1, comes_back: bool = False) -> Fault:
    """The card leaves before, inside or after its answer to a command, perhaps to be presented once more."""
    return card_fault(Tear(At(command, number), place, comes_back))


def extend_waiting(command: str, times: int, *, number: int = 1) -> Fault:
    """The card asks for more time so many times before it answers."""
    return card_fault(WaitStorm(At(command, number), times))


def answer_late(command: str, by_s: float, *, number: int = 1) -> Fault:
    """The card answers so long after its time was over."""
    return card_fault(Late(At(command, number), by_s))


def bad_blocks(command: str, kind: BlockFault, times: int = 1, *, number: int = 1) -> Fault:
    """Blocks on the way of an answer are wrong, then the right one comes."""
    return card_fault(BadBlocks(At(command, number), kind, times))


def spoil_card(command: str, how: Spoiling, *, number: int = 1) -> Fault:
    """The content of an answer is wrong, in one of the ways of :mod:`rig.cards.spoil`."""
    return card_fault(Spoil(At(command, number), how))


def refuse_command(command: str, status: int, *, number: int = 1) -> Fault:
    """The card answers with nothing but a status word."""
    return spoil_card(command, Status(status), number=number)


def corrupt_signature(command: str, tag: int = 0x9F4B, *, number: int = 1) -> Fault:
    """A signature or certificate in an answer is wrong by one bit."""
    return spoil_card(command, Flipped(tag), number=number)


def put_second_card(card: str) -> Action:
    """A second card lies in the field beside the one of the sale."""
    return Action("put a second card", card, lambda stage: stage.put_second_card(card))


def present_by(card: str, interface: Interface) -> Action:
    """The cardholder presents a card in another way, such as its stripe after the chip could not be read."""
    return Action(f"present by {interface}", card, lambda stage: stage.present(card, interface))


def wrong_response_cryptogram() -> Fault:
    """The host approves, and its proof for the card (the ARPC in tag 91) is wrong; a contact card notices."""
    return Fault("wrong response cryptogram of", "host", Moment.REQUEST_RECEIVED, host_rule=("wrong_arpc", {}))


def no_response_cryptogram() -> Fault:
    """The host approves without a proof for the card."""
    return Fault("no response cryptogram of", "host", Moment.REQUEST_RECEIVED, host_rule=("no_arpc", {}))
