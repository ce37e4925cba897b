"""What must not go wrong: an answer that does not come, a till that does not acknowledge, a host that is gone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from rig.wire.iso8583 import Message, parse_de90
from rig.wire.zvt import POSITIVE, Apdu, Bmp, Command, negative
from tests.virtual.terminal.scripted_ecr import Silent, payment, unless
from tests.virtual.terminal.scripted_host import Reply, Script, approval, make_authority
from tests.virtual.terminal.terminal_process import Bench

CASE = Callable[[Message], Reply]


def only_sales(reply: CASE) -> Script:
    """Script the answers to 0200 alone."""
    return lambda request: reply(request) if request.mti == "0200" else None


def silence(_: Message) -> Reply:
    """No answer."""
    return lambda: None


def changed(**fields: str) -> CASE:
    """An approval that is not the answer to this request."""
    wrong = {int(name[2:]): value for name, value in fields.items()}

    def script(request: Message) -> Reply:
        answer = approval(request)
        return lambda: Message(answer.mti, {**answer.fields, **wrong})

    return script


def hang_up(_: Message) -> Reply:
    """Close the connection."""

    def reply() -> Message:
        raise OSError("the host hangs up")

    return reply


@pytest.mark.parametrize(
    "case",
    [silence, hang_up, changed(de11="999999"), changed(de4="000000000001"), changed(de41="99999999")],
    ids=["silence", "hang up", "another STAN", "another amount", "another terminal"],
)
def test_without_a_valid_answer_there_is_exactly_one_reversal(bench: Bench, case: CASE) -> None:
    bench.host.script = only_sales(case)
    ended = bench.registered().sale(1234)
    assert (ended.aborted, ended.status[Bmp.RESULT]) == (0xA1, 0xA1)
    sale, reversal = bench.host.next(), bench.host.next()
    assert (reversal.mti, reversal.text(39)) == ("0400", "98")
    same = (2, 3, 4, 7, 11, 22, 23, 25, 35, 41, 42, 49, 60)
    assert {n: reversal.text(n) for n in same} == {n: sale.text(n) for n in same}
    original = parse_de90(reversal.text(90))
    assert (original.mti, original.stan, original.time) == ("0200", sale.text(11), sale.text(7))
    assert bench.registered().diagnosis().last.command == Command.COMPLETION
    assert bench.host.mtis() == ["0200", "0400", "0800"]


def test_a_reversal_is_repeated_until_it_is_answered(bench: Bench) -> None:
    codes = iter(["", "", "96", "96", "25"])

    def script(request: Message) -> Reply | None:
        if request.mti == "0200":
            return lambda: None
        if request.mti == "0800":
            return None
        code = next(codes)
        return lambda: approval(request, code) if code else None

    bench.host.script = script
    bench.registered().sale(100)
    messages = [bench.host.next() for _ in range(6)]
    assert [m.mti for m in messages] == ["0200", "0400", "0401", "0401", "0401", "0401"]
    assert {m.text(11) for m in messages} == {"000001"}
    assert bench.registered().diagnosis().last.command == Command.COMPLETION
    assert bench.host.mtis()[6:] == ["0800"]


def test_a_pending_reversal_goes_before_the_next_sale(bench: Bench) -> None:
    bench.settings["reversal_retry_s"] = 60
    bench.host.script = silence
    till = bench.registered()
    assert till.sale(100).aborted == 0xA1
    assert [bench.host.next().mti, bench.host.next().mti] == ["0200", "0400"]
    assert till.sale(200).aborted == 0xA1  # its reversal before it is unanswered: nothing new leaves
    assert bench.host.mtis() == ["0200", "0400", "0401"]
    bench.host.script = lambda request: None
    assert till.sale(300).approved
    assert bench.host.mtis() == ["0200", "0400", "0401", "0401", "0200"]


def test_a_late_answer_is_not_believed(bench: Bench) -> None:
    release = threading.Event()

    def held(request: Message) -> Reply:
        def reply() -> Message:
            release.wait(5)
            return approval(request)

        return reply

    bench.host.script = only_sales(held)
    till = bench.registered()
    ended = till.sale(100)
    release.set()
    assert ended.aborted == 0xA1
    assert till.repeat_receipt().status[Bmp.RESULT] == 0xA1
    assert [bench.host.next().mti, bench.host.next().mti] == ["0200", "0400"]


def test_a_partial_approval_is_undone(bench: Bench) -> None:
    bench.host.script = only_sales(lambda request: lambda: approval(request, "10"))
    assert bench.registered().sale(100).aborted == 10
    assert [bench.host.next().mti, bench.host.next().text(39)] == ["0200", "06"]


def test_an_unreachable_host_leaves_nothing_to_undo(bench: Bench) -> None:
    bench.host.close()
    till = bench.registered()
    assert till.sale(100).aborted == 0x9B
    bench.cut_power()
    assert bench.store().pending_reversals() == []


def test_a_host_with_a_foreign_certificate_gets_no_request(bench: Bench, tmp_path: Path) -> None:
    bench.settings["host"]["ca"] = str(make_authority(tmp_path / "other").ca)
    assert bench.registered().sale(100).aborted == 0x9B
    bench.settings["host"]["server_name"] = "another.test"
    assert bench.host.mtis() == []


@pytest.mark.parametrize("command", [Command.STATUS_INFO, Command.PRINT_LINE], ids=["04 0F", "06 D1"])
@pytest.mark.parametrize("reply", [None, negative(0x6C), negative(0x9D)], ids=["silence", "refusal", "partial issue"])
def test_an_unacknowledged_result_is_reversed(bench: Bench, command: Command, reply: Apdu | None) -> None:
    till = bench.registered()
    ended = till.sale(100, unless(command, reply))
    assert ended.aborted == 0x9A
    if reply is not None:
        assert ended.statuses()[-1] == 0x05  # a till that is mute is not told
    assert [bench.host.next().mti, bench.host.next().text(39)] == ["0200", "06"]
    assert till.repeat_receipt().status[Bmp.RESULT] == 0x9A
    assert till.sale(200).approved


def test_84_00_acknowledges_as_well(bench: Bench) -> None:
    assert bench.registered().sale(100, unless(Command.STATUS_INFO, negative(0x00))).approved


def test_a_sale_whose_till_is_gone_is_reversed_and_can_be_asked_about(bench: Bench) -> None:
    till = bench.registered()

    def hang_up_the_till(request: Message) -> Reply:
        def reply() -> Message:
            till.cable.close()
            return approval(request)

        return reply

    bench.host.script = only_sales(hang_up_the_till)
    assert till.command(payment(100)) == POSITIVE
    with pytest.raises(Silent):
        till.follow()
    assert [bench.host.next().mti, bench.host.next().mti] == ["0200", "0400"]
    answer = bench.till().repeat_receipt()
    assert (answer.status[Bmp.RESULT], answer.status[Bmp.TRACE], answer.status[Bmp.AMOUNT]) == (0x9A, 1, 100)
    assert "NOT APPROVED" in answer.printed()
