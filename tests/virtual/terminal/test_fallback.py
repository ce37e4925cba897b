"""Which interface a card is taken from, and when its stripe counts instead of its chip."""

from __future__ import annotations

import threading
from collections.abc import Callable

from rig.cards.emv.apdu import PSE
from rig.wire.zvt import POSITIVE, Apdu, Command
from tests.virtual.terminal.card_in_field import PlainCard
from tests.virtual.terminal.card_in_slot import CardInSlot
from tests.virtual.terminal.scripted_ecr import Answer
from tests.virtual.terminal.slot_bench import SlotBench, profile

INSERT, NOT_READABLE, AGAIN = 0x0A, 0x0C, 0xC7
CHIP_CARD, STRIPE_CARD = profile("visa-credit"), profile("stripe-only")


def at(status: int, number: int, act: Callable[[], object]) -> Answer:
    """Acknowledge everything, and act at the n-th intermediate status of this code."""
    seen: list[int] = []

    def answer(message: Apdu) -> Apdu:
        if message.command == Command.INTERMEDIATE_STATUS and message.data[0] == status:
            seen.append(status)
            if len(seen) == number:
                threading.Thread(target=act).start()
        return POSITIVE

    return answer


def test_a_stripe_without_a_chip_is_taken_as_it_is(slots: SlotBench) -> None:
    till = slots.till()
    slots.stripe.arm(STRIPE_CARD)
    ended = till.sale(100)
    assert ended.approved
    request = slots.host.next()
    assert (request.text(22), request.text(35)) == ("021", f"{STRIPE_CARD.pan}=311210100000")
    assert {23, 52, 55}.isdisjoint(request.fields)
    assert "VISA SWIPED" in ended.printed()
    receipt = till.void(1)
    assert receipt.approved
    assert slots.host.next().text(22) == "021"


def test_a_stripe_that_is_swiped_while_the_terminal_waits(slots: SlotBench) -> None:
    till = slots.till()
    ended = till.sale(100, at(INSERT, 1, lambda: slots.stripe.arm(STRIPE_CARD)))
    assert ended.approved
    assert slots.host.next().text(22) == "021"


def test_a_swipe_that_a_sale_did_not_need_is_not_charged_by_the_next(slots: SlotBench) -> None:
    slots.settings["card_timeout_s"] = 1.0
    slots.answer_sales(lambda request: slots.sign(request, CHIP_CARD))
    till = slots.till()
    slots.slot.arm(CHIP_CARD)

    def swipe_while_the_host_is_asked(message: Apdu) -> Apdu:
        if (message.command, message.data[:1]) == (Command.INTERMEDIATE_STATUS, b"\x04"):
            slots.stripe.arm(STRIPE_CARD)
        return POSITIVE

    assert till.sale(100, swipe_while_the_host_is_asked).approved
    slots.slot.remove()
    assert till.sale(200).aborted == 0x6C
    assert slots.host.mtis() == ["0200"]


def test_the_stripe_of_a_chip_card_asks_for_its_chip(slots: SlotBench) -> None:
    slots.answer_sales(lambda request: slots.sign(request, CHIP_CARD))
    till = slots.till()
    slots.stripe.arm(CHIP_CARD)
    ended = till.sale(100, at(INSERT, 2, lambda: slots.slot.arm(CHIP_CARD)))
    assert ended.approved
    assert ended.statuses()[:2] == [INSERT, INSERT]
    assert slots.host.next().text(22) == "051"


def test_without_its_chip_a_swiped_chip_card_pays_nothing(slots: SlotBench) -> None:
    slots.settings["card_timeout_s"] = 0.3
    till = slots.till()
    slots.stripe.arm(CHIP_CARD)
    assert till.sale(100).aborted == 0x64
    assert slots.host.mtis() == []


def test_a_swipe_that_was_taken_back_pays_nothing(slots: SlotBench) -> None:
    slots.settings["card_timeout_s"] = 0.3
    till = slots.till()
    slots.stripe.arm(STRIPE_CARD)
    slots.stripe.remove()
    assert till.sale(100).aborted == 0x6C
    assert slots.host.mtis() == []


def test_a_dead_chip_leads_to_its_stripe(slots: SlotBench) -> None:
    till = slots.till()
    card = CardInSlot(slots.bench.folder / "slot.sock", atr=b"\x00")
    ended = till.sale(100, at(NOT_READABLE, 1, lambda: slots.stripe.arm(CHIP_CARD)))
    assert ended.approved
    assert slots.host.next().text(22) == "801"
    heard = [card.next() for _ in range(card.heard.qsize())]
    assert heard.count(b"\x04") == 2  # it was tried again, once
    assert "VISA SWIPED (CHIP NOT READABLE)" in ended.printed()


def test_a_chip_that_refuses_every_selection_leads_to_its_stripe(slots: SlotBench) -> None:
    till = slots.till()
    card = CardInSlot(slots.bench.folder / "slot.sock", lambda _: b"\x6f\x00")
    ended = till.sale(100, at(NOT_READABLE, 1, lambda: slots.stripe.arm(CHIP_CARD)))
    assert ended.approved
    assert slots.host.next().text(22) == "801"
    assert [each[5:-1] for each in card.commands].count(PSE) == 2


def test_a_card_without_a_common_application_leads_to_its_stripe(slots: SlotBench) -> None:
    card = profile("unsupported-aid")
    till = slots.till()
    slots.slot.arm(card)
    ended = till.sale(100, at(NOT_READABLE, 1, lambda: slots.stripe.arm(card)))
    assert ended.approved
    assert slots.host.next().text(22) == "801"


def test_a_card_that_declines_or_is_blocked_does_not_fall_back(slots: SlotBench) -> None:
    till = slots.till()
    slots.slot.arm(profile("declines-by-itself"))
    assert till.sale(100).aborted == 0x78
    slots.slot.remove()
    blocked = CardInSlot(slots.bench.folder / "slot.sock", lambda _: b"\x6a\x81")
    assert till.sale(100).aborted == 0x78
    blocked.pull()
    assert slots.host.mtis() == []


def test_an_unfinished_chip_does_not_fall_back(slots: SlotBench) -> None:
    """A card that is pulled is asked for again: that is no failure of its chip."""
    till = slots.till()
    CardInSlot(slots.bench.folder / "slot.sock", lambda _: None)
    slots.answer_sales(lambda request: slots.sign(request, CHIP_CARD))
    slots.stripe.arm(CHIP_CARD)

    ended = till.sale(100, at(AGAIN, 1, lambda: slots.slot.arm(CHIP_CARD)))
    assert ended.approved
    assert slots.host.next().text(22) == "051"


def test_the_contactless_reader_still_serves(slots: SlotBench) -> None:
    till = slots.till()
    slots.bench.card.present(PlainCard())
    assert till.sale(100).approved
    slots.bench.card.remove()
    assert slots.host.next().text(22) == "071"


def test_a_contactless_card_that_wants_another_interface_is_inserted(slots: SlotBench) -> None:
    slots.settings["contactless_limit"] = 5000
    slots.answer_sales(lambda request: slots.sign(request, CHIP_CARD))
    till = slots.till()
    slots.bench.card.present(PlainCard())
    ended = till.sale(6000, at(INSERT, 2, lambda: slots.slot.arm(CHIP_CARD)))
    slots.bench.card.remove()
    assert ended.approved
    assert slots.host.next().text(22) == "051"


def test_the_wait_for_a_card_is_cancelled_at_once(slots: SlotBench) -> None:
    slots.settings |= {"contactless_limit": 5000, "card_timeout_s": 30.0}
    till = slots.till()
    slots.bench.card.present(PlainCard())
    cancel = at(INSERT, 2, lambda: till.cable.send(Apdu(Command.ECR_ABORT)))
    ended = till.sale(6000, lambda message: None if message.answers else cancel(message))
    slots.bench.card.remove()
    assert ended.aborted == 0x6C
    assert slots.host.mtis() == []
