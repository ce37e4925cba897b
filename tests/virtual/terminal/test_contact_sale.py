"""Sales with a chip card in the slot: the terminal's own process, the rig's own cards over the slot's socket."""

import pytest

from rig.cards.faults import At, Tear
from rig.cards.keys import IssuerKeys
from rig.virtual.terminal.transaction import State
from rig.wire.cryptogram import script_command, script_template, version_of
from rig.wire.iso8583 import Message
from rig.wire.tlv import as_mapping
from rig.wire.zvt import Bmp
from tests.virtual.terminal.scripted_ecr import Silent
from tests.virtual.terminal.slot_bench import SlotBench, profile

READ = ["SELECT PSE", "READ RECORD", "READ RECORD", "SELECT AID", "GPO"]


def test_an_online_sale_ends_with_the_cards_certificate(slots: SlotBench) -> None:
    card = profile("visa-credit")
    slots.answer_sales(lambda request: slots.sign(request, card))
    till = slots.till()
    slots.slot.arm(card)
    ended = till.sale(1250)
    assert ended.approved
    request = slots.host.next()
    chip = as_mapping(request.data(55))
    assert (request.mti, request.text(22), request.text(23), request.text(35)[:17]) == (
        "0200", "051", f"{int(card.psn):03d}", f"{card.pan}=",
    )  # fmt: skip
    assert (chip[0x9F27], chip[0x9F02], chip[0x84].hex().upper()) == (b"\x80", bytes.fromhex("000000001250"),
                                                                      card.applications[0].aid)  # fmt: skip
    assert slots.names()[:5] == READ
    assert [name for name in slots.names() if name.endswith(("AC", "AUTHENTICATE"))] == [
        "GENERATE AC", "EXTERNAL AUTHENTICATE", "GENERATE AC",
    ]  # fmt: skip
    assert "VISA CHIP" in ended.printed()
    assert f"AID {card.applications[0].aid}" in ended.printed()
    assert slots.host.mtis() == ["0200"]


def test_an_online_pin_goes_to_the_host_enciphered(slots: SlotBench) -> None:
    card = profile("visa-credit")
    slots.settings["pin_key"] = "0123456789ABCDEFFEDCBA9876543210"
    slots.answer_sales(lambda request: slots.sign(request, card))
    till = slots.till()
    slots.slot.arm(card)
    assert till.sale(1250).approved
    assert len(slots.host.next().data(52)) == 8


def test_a_card_that_turns_the_hosts_approval_down_makes_a_reversal(slots: SlotBench) -> None:
    card = profile("second-declines")
    slots.answer_sales(lambda request: slots.sign(request, card))
    till = slots.till()
    slots.slot.arm(card)
    ended = till.sale(1250)
    assert (ended.approved, ended.aborted) == (False, 0x78)
    messages = [slots.host.next(), slots.host.next()]
    assert [each.mti for each in messages] == ["0200", "0400"]
    assert messages[1].text(39) == "06"


def test_a_wrong_arpc_makes_a_reversal(slots: SlotBench) -> None:
    card = profile("visa-credit")

    def forge(request: Message) -> Message:
        answer = slots.sign(request, card)
        proof = bytearray(answer.data(55))
        proof[3] ^= 0xFF
        return Message(answer.mti, {**answer.fields, 55: bytes(proof)})

    slots.answer_sales(forge)
    till = slots.till()
    slots.slot.arm(card)
    ended = till.sale(1250)
    assert not ended.approved
    assert [slots.host.next().mti, slots.host.next().mti] == ["0200", "0400"]
    assert slots.bench.log("terminal_issuer_not_authenticated")


def test_a_decline_of_the_host_is_told_to_the_card(slots: SlotBench) -> None:
    card = profile("visa-credit")
    slots.answer_sales(lambda request: slots.sign(request, card, "51"))
    till = slots.till()
    slots.slot.arm(card)
    assert till.sale(1250).aborted == 51
    assert slots.names()[-1] == "GENERATE AC"
    assert slots.host.mtis() == ["0200"]


@pytest.mark.parametrize("number", [1, 2])
def test_a_card_pulled_at_its_cryptogram(slots: SlotBench, number: int) -> None:
    card = profile("visa-credit")
    slots.settings["card_timeout_s"] = 0.5
    slots.answer_sales(lambda request: slots.sign(request, card))
    till = slots.till()
    slots.slot.arm(card, [Tear(At("GENERATE AC", number))])
    ended = till.sale(1250)
    assert ended.aborted == (0x64 if number == 1 else 0x78)
    if number == 1:
        assert 0xC7 in ended.statuses()
        assert slots.host.mtis() == []
    else:
        assert [slots.host.next().mti, slots.host.next().mti] == ["0200", "0400"]
    assert till.repeat_receipt().status[Bmp.RESULT] != 0


def test_a_card_that_comes_back_is_read_again(slots: SlotBench) -> None:
    card = profile("visa-credit")
    slots.answer_sales(lambda request: slots.sign(request, card))
    till = slots.till()
    slots.slot.arm(card, [Tear(At("GPO"), comes_back=True)])
    ended = till.sale(1250)
    assert ended.approved
    assert 0xC7 in ended.statuses()
    assert slots.host.mtis() == ["0200"]


def test_a_card_pulled_after_its_last_word_changes_nothing(slots: SlotBench) -> None:
    card = profile("visa-credit")
    slots.answer_sales(lambda request: slots.sign(request, card))
    till = slots.till()
    slots.slot.arm(card, [Tear(At("GENERATE AC", 2), "after")])
    assert till.sale(1250).approved
    assert slots.host.mtis() == ["0200"]


def test_an_issuer_script_is_carried_out(slots: SlotBench) -> None:
    card = profile("visa-credit")

    def with_script(request: Message) -> Message:
        tags = as_mapping(request.data(55))
        key = IssuerKeys.load_or_create(slots.state, [card.bank]).of(card.bank).mk_smi
        version = version_of(card.scheme, tags[0x9F10])
        block = script_command(
            version, key, card.pan, card.psn, tags[0x9F36], tags[0x9F26], "application-block"
        )  # fmt: skip
        return slots.sign(request, card, more=script_template([block]))

    slots.answer_sales(with_script)
    till = slots.till()
    slots.slot.arm(card)
    assert till.sale(1250).approved
    assert slots.names()[-2:] == ["GENERATE AC", "APPLICATION BLOCK"]
    assert [each["ok"] for each in slots.bench.log("terminal_script")] == [True]
    ended = till.sale(1250)
    assert ended.aborted == 0x78  # its application is blocked: no fallback
    assert slots.host.mtis() == ["0200"]


def test_a_mute_host_is_reversed_and_the_card_told_to_decline(slots: SlotBench) -> None:
    slots.answer_sales(lambda request: None)
    till = slots.till()
    slots.slot.arm(profile("visa-credit"))
    assert till.sale(1250).aborted == 0xA1
    assert [slots.host.next().mti, slots.host.next().mti] == ["0200", "0400"]
    assert slots.names().count("GENERATE AC") == 2


def test_power_lost_between_answer_and_last_word_is_reversed(slots: SlotBench) -> None:
    card = profile("visa-credit")
    slots.answer_sales(lambda request: slots.sign(request, card))
    till = slots.till()
    slots.after_command = lambda name: slots.bench.cut_power() if name == "EXTERNAL AUTHENTICATE" else None
    slots.slot.arm(card)
    with pytest.raises(Silent):
        till.sale(1250)
    slots.bench.boot()
    assert [slots.host.next().mti, slots.host.next().mti] == ["0200", "0400"]
    slots.bench.cut_power()
    assert [each.state for each in slots.bench.store().transactions.values()] == [State.FAILED]


def test_a_card_that_stays_is_used_for_the_next_sale_too(slots: SlotBench) -> None:
    card = profile("mastercard-credit")
    slots.answer_sales(lambda request: slots.sign(request, card))
    till = slots.till()
    slots.slot.arm(card)
    assert till.sale(100).approved
    assert till.sale(200).approved
    assert slots.slot.remove()["card"] == card.name
    assert slots.host.mtis() == ["0200", "0200"]
