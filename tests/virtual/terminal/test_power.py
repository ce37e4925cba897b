"""Power cuts (SIGKILL) at the points that matter, and what the terminal finds when it boots again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rig.virtual.terminal.transaction import State
from rig.wire.iso8583 import Message
from rig.wire.zvt import POSITIVE, Apdu, Bmp, Command
from tests.virtual.terminal.card_in_field import PAN
from tests.virtual.terminal.scripted_ecr import ScriptedEcr, Silent, payment
from tests.virtual.terminal.scripted_host import Reply
from tests.virtual.terminal.terminal_process import Bench


def cut_when_the_till_hears(bench: Bench, command: Command) -> Callable[[Apdu], Apdu]:
    """Power goes instead of the acknowledgement of a message."""

    def answer(message: Apdu) -> Apdu:
        if message.command == command:
            bench.cut_power()
            raise Silent("power is gone")
        return POSITIVE

    return answer


def sell_until(bench: Bench, till: ScriptedEcr, command: Command) -> None:
    with pytest.raises(Silent):
        till.sale(100, cut_when_the_till_hears(bench, command))


def test_before_the_request_nothing_is_pending(bench: Bench) -> None:
    till = bench.till()
    till.register()
    bench.card.remove()
    assert till.command(payment(100)).positive
    assert till.cable.receive(5).command == Command.INTERMEDIATE_STATUS
    bench.cut_power()
    assert bench.registered().repeat_receipt().status[Bmp.RESULT] == 0xFF
    assert bench.host.mtis() == []


def test_while_the_host_has_the_request_it_is_reversed_at_boot(bench: Bench) -> None:
    def cut(request: Message) -> Reply:
        bench.cut_power()
        return lambda: None

    till = bench.registered()
    bench.host.script = cut
    with pytest.raises(Silent):
        till.sale(100)
    assert bench.host.next().mti == "0200"
    bench.host.script = lambda request: None
    bench.boot()
    reversal = bench.host.next()
    assert (reversal.mti, reversal.text(39), reversal.text(2), reversal.text(11)) == ("0400", "98", PAN, "000001")
    assert bench.till().repeat_receipt().status[Bmp.RESULT] == 0xA1


@pytest.mark.parametrize("command", [Command.STATUS_INFO, Command.PRINT_LINE], ids=["04 0F", "06 D1"])
def test_before_the_till_has_everything_it_is_reversed_at_boot(bench: Bench, command: Command) -> None:
    sell_until(bench, bench.registered(), command)
    bench.boot()
    messages = [bench.host.next(), bench.host.next()]
    assert [m.mti for m in messages] == ["0200", "0400"]
    assert messages[1].text(39) == "06"
    assert bench.till().repeat_receipt().status[Bmp.RESULT] == 0xFF


def test_after_the_commit_the_sale_stands(bench: Bench) -> None:
    sell_until(bench, bench.registered(), Command.COMPLETION)
    till = bench.registered()
    assert till.repeat_receipt().approved
    second = till.sale(200)
    assert (second.status[Bmp.TRACE], second.status[Bmp.RECEIPT]) == (2, 2)
    assert bench.host.mtis() == ["0200", "0200"]


def test_a_pending_reversal_survives_power_cuts_and_repeats(bench: Bench) -> None:
    bench.host.script = lambda request: lambda: None
    bench.registered().sale(100)
    assert [bench.host.next().mti, bench.host.next().mti] == ["0200", "0400"]
    for _ in range(2):
        bench.cut_power()
        bench.boot()
        while bench.host.requests.qsize():
            bench.host.next()
        assert bench.host.next().mti == "0401"
    bench.host.script = lambda request: None
    assert bench.till().diagnosis().last.command == Command.COMPLETION
    bench.cut_power()
    assert bench.store().pending_reversals() == []


def test_the_terminal_ends_cleanly_when_told(bench: Bench) -> None:
    bench.registered().sale(100)
    assert bench.stop() == 0
    assert bench.log("ended") == [{}]
    assert [t.state for t in bench.store().transactions.values()] == [State.COMMITTED]


def test_no_card_secret_is_on_the_disk_or_in_the_log(bench: Bench) -> None:
    bench.host.script = lambda request: (lambda: None) if request.mti == "0200" else None
    till = bench.registered()
    till.sale(100)
    bench.cut_power()
    files = [path for folder in (bench.disk, bench.folder / "journals") for path in folder.iterdir()]
    assert {path.name for path in bench.disk.iterdir()} == {"journal.jsonl", "card.key"}
    packed = bytes.fromhex(PAN)
    for path in files:
        content = path.read_bytes()
        assert PAN.encode() not in content, path.name
        assert packed not in content, path.name
    assert all(path.stat().st_mode & 0o077 == 0 for path in files)
