"""Offline approvals: what the host is told of them, when, and what undoes them."""

import pytest

from rig.virtual.terminal.transaction import State
from rig.wire.iso8583 import Message, Totals, parse_de90
from rig.wire.tlv import as_mapping
from rig.wire.zvt import Apdu, Bmp, Command, negative
from tests.virtual.terminal.scripted_ecr import ScriptedEcr, Silent, unless
from tests.virtual.terminal.scripted_host import Reply, approval
from tests.virtual.terminal.slot_bench import SlotBench, profile
from tests.virtual.terminal.test_power import cut_when_the_till_hears

OFFLINE = profile("contact-dda", behaviour={"decision": "offline"})


@pytest.fixture
def slots(slots: SlotBench) -> SlotBench:
    """Where a card may approve by itself up to 50.00."""
    slots.settings["floor_limit"] = 5000
    return slots


def ready(slots: SlotBench) -> ScriptedEcr:
    """A till, and a card that approves by itself."""
    till = slots.till()
    slots.slot.arm(OFFLINE)
    return till


def test_an_offline_approval_is_told_after_the_sale(slots: SlotBench) -> None:
    ended = ready(slots).sale(1250)
    assert ended.approved
    assert 0x04 not in ended.statuses()  # nobody waited for the host
    assert "APPROVED OFFLINE Y1" in ended.printed()
    advice = slots.host.next()
    chip = as_mapping(advice.data(55))
    assert (advice.mti, advice.text(3), advice.text(4), advice.text(11), advice.text(22), advice.text(39)) == (
        "0220", "000000", "000000001250", "000001", "051", "Y1",
    )  # fmt: skip
    assert (advice.text(2), advice.text(23), advice.text(35)[:16]) == (OFFLINE.pan, "001", OFFLINE.pan)
    assert (chip[0x9F27], len(chip[0x9F26]), chip[0x9F34].hex()) == (b"\x40", 8, "410302")
    assert slots.bench.till().diagnosis().last.command == Command.COMPLETION
    assert slots.host.mtis() == ["0220", "0800"]


def test_above_the_floor_limit_the_host_is_asked(slots: SlotBench) -> None:
    slots.answer_sales(lambda request: slots.sign(request, OFFLINE))
    assert ready(slots).sale(5001).approved
    assert slots.host.mtis() == ["0200"]


def test_an_advice_is_repeated_until_it_is_answered(slots: SlotBench) -> None:
    codes = iter(["", "96", "00"])

    def script(request: Message) -> Reply | None:
        code = next(codes) if request.mti.startswith("022") else None
        return None if code is None else lambda: approval(request, code) if code else None

    slots.host.script = script
    till = ready(slots)
    assert till.sale(1250).approved
    advices = [slots.host.next() for _ in range(3)]
    assert [each.mti for each in advices] == ["0220", "0221", "0221"]
    assert len({tuple(each.fields.items()) for each in advices}) == 1
    assert till.diagnosis().last.command == Command.COMPLETION
    assert slots.host.mtis()[3:] == ["0800"]


def test_an_advice_goes_before_the_next_request(slots: SlotBench) -> None:
    slots.settings["reversal_retry_s"] = 60
    slots.host.script = lambda request: lambda: None
    till = ready(slots)
    assert till.sale(1250).approved
    assert slots.host.next().mti == "0220"
    assert till.sale(9999).aborted == 0xA1  # its advice before it is unanswered: nothing new leaves
    assert slots.host.mtis() == ["0220", "0221"]
    slots.host.script = lambda request: None
    slots.answer_sales(lambda request: slots.sign(request, OFFLINE))
    assert till.sale(9999).approved
    assert slots.host.mtis() == ["0220", "0221", "0221", "0200"]


def test_an_advice_survives_power_cuts(slots: SlotBench) -> None:
    slots.host.script = lambda request: lambda: None
    with pytest.raises(Silent):
        ready(slots).sale(1250, cut_when_the_till_hears(slots.bench, Command.COMPLETION))
    slots.host.script = lambda request: None
    slots.bench.boot()
    while not slots.host.requests.get(timeout=5).mti.startswith("022"):
        pass
    till = slots.bench.till()
    assert till.repeat_receipt().approved
    assert till.diagnosis().last.command == Command.COMPLETION
    slots.bench.cut_power()
    assert slots.bench.store().pending_advices() == []


@pytest.mark.parametrize(
    ("command", "reply"), [(Command.STATUS_INFO, None), (Command.PRINT_LINE, negative(0x6C))], ids=["04 0F", "06 D1"]
)
def test_what_the_till_did_not_acknowledge_is_undone_here(
    slots: SlotBench, command: Command, reply: Apdu | None
) -> None:
    till = ready(slots)
    ended = till.sale(1250, unless(command, reply))
    assert ended.aborted == 0x9A
    assert 0x05 not in ended.statuses()  # there is nothing to reverse
    assert till.repeat_receipt().status[Bmp.RESULT] == 0x9A
    assert till.diagnosis().last.command == Command.COMPLETION
    assert slots.host.mtis() == ["0800"]


def test_power_lost_before_the_till_has_everything_undoes_it(slots: SlotBench) -> None:
    with pytest.raises(Silent):
        ready(slots).sale(1250, cut_when_the_till_hears(slots.bench, Command.PRINT_LINE))
    till = slots.bench.till()
    assert till.repeat_receipt().status[Bmp.RESULT] == 0xFF
    assert till.diagnosis().last.command == Command.COMPLETION
    assert slots.host.mtis() == ["0800"]
    slots.bench.cut_power()
    assert [each.state for each in slots.bench.store().transactions.values()] == [State.FAILED]


def test_a_void_sends_the_advice_first_and_points_at_it(slots: SlotBench) -> None:
    slots.settings["reversal_retry_s"] = 60
    slots.host.script = lambda request: lambda: None
    till = ready(slots)
    sold = till.sale(1250)
    assert slots.host.next().mti == "0220"
    slots.host.script = lambda request: None
    receipt = sold.status[Bmp.RECEIPT]
    assert isinstance(receipt, int)
    assert till.void(receipt).approved
    advice, void = slots.host.next(), slots.host.next()
    assert (advice.mti, void.mti, void.text(3), void.text(22), void.text(37)) == (
        "0221", "0200", "200000", "051", "000000000001",
    )  # fmt: skip
    original = parse_de90(void.text(90))
    assert (original.mti, original.stan, original.time) == ("0220", advice.text(11), advice.text(7))
    assert 55 not in void.fields


def test_a_void_waits_until_the_host_knows_the_sale(slots: SlotBench) -> None:
    slots.settings["reversal_retry_s"] = 60
    unanswered = iter([True, True])  # after the sale, and for the first void
    slots.host.script = lambda request: (lambda: None) if next(unanswered, False) else None
    till = ready(slots)
    receipt = till.sale(1250).status[Bmp.RECEIPT]
    assert isinstance(receipt, int)
    assert slots.host.next().mti == "0220"
    assert till.void(receipt).aborted == 0xA1
    assert slots.host.mtis() == ["0220", "0221"]  # and no void that points at nothing
    assert till.void(receipt).approved
    assert slots.host.mtis() == ["0220", "0221", "0221", "0200"]


def test_the_end_of_day_sends_advices_first_and_counts_them(slots: SlotBench) -> None:
    slots.settings["reversal_retry_s"] = 60
    slots.host.script = lambda request: lambda: None
    till = ready(slots)
    assert till.sale(1250).approved
    assert slots.host.next().mti == "0220"
    assert till.end_of_day().aborted == 0xA1
    assert slots.host.mtis() == ["0220", "0221"]
    slots.host.script = lambda request: None
    assert till.end_of_day().approved
    settlement = slots.host.seen[-1]
    assert slots.host.mtis() == ["0220", "0221", "0221", "0500"]
    assert Totals.decode(settlement.text(48)) == Totals(1, 1250)


def test_without_the_host_the_default_action_codes_decide(slots: SlotBench) -> None:
    asks = profile("contact-dda")  # wants the host, and approves where there is none
    slots.host.close()
    till = slots.till()
    slots.slot.arm(asks)
    ended = till.sale(1250)
    assert ended.approved
    assert "APPROVED OFFLINE Y3" in ended.printed()
    slots.bench.cut_power()
    (due,) = slots.bench.store().pending_advices()
    assert (due.rc, due.public[22]) == ("Y3", "051")


def test_without_the_host_an_amount_above_the_floor_limit_is_declined(slots: SlotBench) -> None:
    slots.settings["action_codes"] = {"default": "0000008000"}  # a floor limit that was exceeded
    slots.host.close()
    till = slots.till()
    slots.slot.arm(profile("contact-dda"))
    assert till.sale(5001).aborted == 0x9B
    slots.bench.cut_power()
    assert slots.bench.store().pending_advices() == []


def test_no_card_secret_of_an_advice_is_on_the_disk(slots: SlotBench) -> None:
    slots.host.script = lambda request: lambda: None
    assert ready(slots).sale(1250).approved
    slots.bench.cut_power()
    for path in slots.bench.disk.iterdir():
        assert OFFLINE.pan.encode() not in path.read_bytes()
        assert bytes.fromhex(OFFLINE.pan) not in path.read_bytes()
