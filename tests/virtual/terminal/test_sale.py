"""Sales over the real wires: ZVT on loopback, a card on PN532 chips, ISO 8583 over TLS."""

from __future__ import annotations

import threading

import pytest

from rig.wire.iso8583 import Message
from rig.wire.tlv import as_mapping
from rig.wire.zvt import POSITIVE, Apdu, Bmp, Command, encode_fields, encode_with_password, negative
from tests.virtual.terminal.card_in_field import PAN, UNIONPAY_AID, PlainCard
from tests.virtual.terminal.scripted_ecr import PASSWORD, payment, willing
from tests.virtual.terminal.scripted_host import Reply, approval
from tests.virtual.terminal.terminal_process import Bench


def test_an_approved_sale_is_told_printed_and_committed(bench: Bench) -> None:
    till = bench.registered()
    ended = till.sale(1234)
    assert ended.approved
    assert ended.statuses() == [0x0A, 0x04]
    status = ended.status
    assert status[Bmp.AMOUNT] == 1234
    assert status[Bmp.PAN] == "476173EEEEEE0010"
    assert status[Bmp.AUTHORISATION] == b"A12345  "
    assert (status[Bmp.TRACE], status[Bmp.RECEIPT], status[Bmp.CURRENCY]) == (1, 1, 978)
    assert "APPROVED" in ended.printed()
    assert PAN not in "".join(ended.printed())
    assert bench.host.mtis() == ["0200"]


def test_the_request_says_what_the_card_and_the_till_said(bench: Bench) -> None:
    bench.registered().sale(1016)
    request = bench.host.next()
    assert (request.mti, request.text(2), request.text(4), request.text(3)) == ("0200", PAN, "000000001016", "000000")
    assert request.text(35).startswith(f"{PAN}=3112201")
    assert (request.text(22), request.text(23), request.text(25), request.text(60)) == ("071", "001", "00", "000001")
    assert (request.text(41), request.text(42), request.text(49)) == ("10000042", "TEST MERCHANT 1", "978")
    chip = as_mapping(request.data(55))
    assert chip[0x9F02] == bytes.fromhex("000000001016")
    assert (chip[0x9F26], chip[0x9F36]) == (bytes.fromhex("1122334455667788"), bytes.fromhex("0042"))
    assert 0x57 not in chip


def test_a_unionpay_card_is_named_as_one(bench: Bench) -> None:
    till = bench.registered()
    bench.card.present(PlainCard(UNIONPAY_AID))
    assert till.sale(500).status[Bmp.CARD_NAME] == "UNIONPAY"


def test_a_decline_is_shown_and_not_reversed(bench: Bench) -> None:
    bench.host.script = lambda request: lambda: approval(request, "51")
    till = bench.registered()
    ended = till.sale(1234)
    assert ended.aborted == 51
    assert ended.status[Bmp.RESULT] == 51
    assert "NOT APPROVED" in ended.printed()
    assert "APPROVED" not in ended.printed()
    assert till.repeat_receipt().status == ended.status
    assert bench.host.mtis() == ["0200"]


def test_a_repeated_receipt_is_the_same_receipt(bench: Bench) -> None:
    till = bench.registered()
    sold = till.sale(777)
    again = till.repeat_receipt()
    assert again.approved
    assert again.status == sold.status
    assert again.printed() == sold.printed()


def test_a_till_may_ask_for_the_last_result_without_the_receipt(bench: Bench) -> None:
    till = bench.registered()
    sold = till.sale(777)
    data = encode_with_password(PASSWORD, encode_fields({Bmp.SERVICE_BYTE: 0x03}))
    asked = till.run(Apdu(Command.REPEAT_RECEIPT, data))
    assert (asked.status, asked.printed()) == (sold.status, [])


def test_commands_that_cannot_be_are_refused(bench: Bench) -> None:
    till = bench.till()
    assert till.command(payment(100)) == negative(0x6B)  # not registered
    till.register()
    assert till.command(Apdu(Command.AUTHORISATION)) == negative(0x9A)  # no amount
    assert till.command(payment(0)) == negative(0x83)
    dollars = encode_fields({Bmp.AMOUNT: 100, Bmp.CURRENCY: 840})
    assert till.command(Apdu(Command.AUTHORISATION, dollars)) == negative(0x6E)
    assert till.command(Apdu(Command.REFUND)) == negative(0x83)
    assert till.run(Apdu(Command.STATUS_ENQUIRY, bytes(3))).last.command == Command.COMPLETION
    assert till.command(Apdu(Command.LOG_OFF)).positive


def test_statuses_come_only_when_asked_for(bench: Bench) -> None:
    till = bench.registered()
    till.register(configuration=0)
    ended = till.sale(100)
    assert ended.approved
    assert ended.statuses() == []


def test_a_second_command_waits_and_an_abort_ends_the_wait_for_the_card(bench: Bench) -> None:
    bench.card.remove()
    till = bench.till()
    till.register(configuration=0)
    assert till.command(payment(100)).positive
    assert till.command(payment(200)) == negative(0x9C)
    assert till.command(Apdu(Command.ECR_ABORT)).positive
    ended = till.follow()
    assert ended.aborted == 0x6C
    assert bench.host.mtis() == []
    bench.card.present(PlainCard())
    assert till.sale(300).approved


def test_without_a_card_the_sale_times_out(bench: Bench) -> None:
    bench.settings["card_timeout_s"] = 0.3
    bench.card.remove()
    till = bench.till()
    till.register()
    ended = till.sale(100)
    assert (ended.aborted, ended.status[Bmp.RESULT]) == (0x6C, 0x6C)


def test_a_card_that_leaves_too_early_is_asked_for_again(bench: Bench) -> None:
    till = bench.registered()
    bench.card.present(PlainCard(), leave_before=0xA8, times=1)
    ended = till.sale(100)
    assert ended.approved
    assert 0xC7 in ended.statuses()
    assert len(bench.host.seen) == 1


def test_a_card_that_always_leaves_too_early_is_unreadable(bench: Bench) -> None:
    bench.settings["card_timeout_s"] = 1.0
    till = bench.registered()
    bench.card.present(PlainCard(), leave_before=0xA8)
    assert till.sale(100).aborted == 0x64
    assert bench.host.mtis() == []


def test_a_card_may_leave_after_its_cryptogram(bench: Bench) -> None:
    def take_the_card_first(request: Message) -> Reply:
        def reply() -> Message:
            bench.card.remove()
            return approval(request)

        return reply

    bench.settings["host"]["response_timeout_s"] = 3
    bench.host.script = take_the_card_first
    assert bench.registered().sale(100).approved
    assert bench.host.mtis() == ["0200"]


@pytest.mark.parametrize(
    ("card", "code"),
    [(PlainCard(cid=0x00), 0x78), (PlainCard(aid=bytes.fromhex("A0000000041010")), 0x78)],
    ids=["the card declines", "no application in common"],
)
def test_a_card_that_cannot_be_used_ends_the_sale(bench: Bench, card: PlainCard, code: int) -> None:
    till = bench.registered()
    bench.card.present(card)
    assert till.sale(100).aborted == code
    assert bench.host.mtis() == []


def test_a_till_that_asks_to_wait_is_told_again(bench: Bench) -> None:
    waited = threading.Event()

    def busy_once(message: Apdu) -> Apdu:
        if message.command == Command.STATUS_INFO and not waited.is_set():
            waited.set()
            return negative(0x9C)
        return POSITIVE

    ended = bench.registered().sale(100, busy_once)
    assert ended.approved
    assert ended.names().count("status info") == 2


def test_a_void_undoes_a_sale_once(bench: Bench) -> None:
    till = bench.registered()
    sold = till.sale(4321)
    bench.host.next()
    receipt = sold.status[Bmp.RECEIPT]
    assert isinstance(receipt, int)
    voided = till.void(receipt)
    assert voided.approved
    assert voided.status[Bmp.ORIGINAL_TRACE] == sold.status[Bmp.TRACE]
    request = bench.host.next()
    assert (request.mti, request.text(3), request.text(4)) == ("0200", "200000", "000000004321")
    assert (request.text(2), request.text(37), request.text(90)[:10]) == (PAN, "000000000001", "0200000001")
    assert till.void(receipt).aborted == 0xB4
    assert till.void(99).aborted == 0xB5
    assert bench.host.mtis() == ["0200", "0200"]


def test_end_of_day_settles_what_was_sold_and_voided(bench: Bench) -> None:
    till = bench.registered()
    till.sale(1000)
    till.sale(250)
    till.void(2)
    ended = till.end_of_day()
    assert ended.approved
    assert ended.status[Bmp.AMOUNT] == 1000
    settlement = bench.host.seen[-1]
    assert (settlement.mti, settlement.text(48), settlement.text(60)) == (
        "0500", "0002" "000000001250" "0001" "000000000250", "000001",
    )  # fmt: skip
    till.sale(10)
    assert bench.host.seen[-1].text(60) == "000002"
    assert till.void(1).aborted == 0xB5  # its batch is closed


def test_unequal_totals_leave_the_batch_open(bench: Bench) -> None:
    bench.host.script = lambda request: (lambda: approval(request, "95")) if request.mti == "0500" else None
    till = bench.registered()
    assert till.end_of_day().aborted == 95
    till.sale(10)
    assert bench.host.seen[-1].text(60) == "000001"


def test_a_settlement_without_an_answer_is_repeated_before_anything_is_sold(bench: Bench) -> None:
    bench.host.script = lambda request: (lambda: None) if request.mti[:2] == "05" else None
    till = bench.registered()
    till.sale(1000)
    assert till.end_of_day().aborted == 0xA1
    assert till.command(payment(100)) == negative(0xF0)
    bench.cut_power()
    bench.host.script = lambda request: None
    till = bench.till()
    assert till.sale(100).approved
    first, *repeats, sale = bench.host.seen[1:]
    assert [m.mti for m in (first, *repeats, sale)] == ["0500", "0501", "0501", "0200"]
    assert all(m.text(n) == first.text(n) for m in repeats for n in (11, 12, 13, 48, 60))
    assert sale.text(60) == "000002"


def test_diagnosis_asks_the_host(bench: Bench) -> None:
    till = bench.registered()
    assert till.diagnosis().last.command == Command.COMPLETION
    assert (bench.host.next().mti, bench.host.seen[-1].text(70)) == ("0800", "301")
    bench.host.script = lambda request: lambda: None
    assert till.diagnosis().aborted == 0xA1


def test_a_new_connection_replaces_an_old_one(bench: Bench) -> None:
    old = bench.registered()
    new = bench.till()
    assert new.sale(100, willing).approved
    with pytest.raises(AssertionError):
        old.command(Apdu(Command.STATUS_ENQUIRY, bytes(3)))
