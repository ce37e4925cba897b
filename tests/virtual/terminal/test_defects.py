"""Each defect shows on the wire as it would in a real terminal."""

from __future__ import annotations

import time

import pytest

from rig.errors import CallerMistake
from rig.virtual.terminal.defects import Defect, parse_defects
from rig.wire.iso8583 import Message
from rig.wire.zvt import Command
from tests.virtual.terminal.scripted_ecr import unless
from tests.virtual.terminal.scripted_host import Reply, approval
from tests.virtual.terminal.terminal_process import Bench


def silent_for_sales(request: Message) -> Reply | None:
    return (lambda: None) if request.mti == "0200" else None


def test_declines_everything(bench: Bench) -> None:
    bench.settings["defects"] = ["declines-everything"]
    assert bench.registered().sale(100).aborted == 0x66
    assert bench.host.mtis() == []


def test_never_reverses(bench: Bench) -> None:
    bench.settings["defects"] = ["never-reverses"]
    till = bench.registered()
    assert till.sale(100, unless(Command.STATUS_INFO, None)).aborted == 0x9A
    bench.host.script = silent_for_sales
    assert till.sale(100).aborted == 0xA1
    bench.cut_power()
    assert bench.registered().diagnosis().last.command == Command.COMPLETION
    assert bench.host.mtis() == ["0200", "0200", "0800"]


def test_approves_a_late_answer_though_the_reversal_is_out(bench: Bench) -> None:
    def late(request: Message) -> Reply | None:
        def reply() -> Message:
            while "0400" not in bench.host.mtis():
                time.sleep(0.01)
            return approval(request)

        return reply if request.mti == "0200" else None

    bench.settings["defects"] = ["approves-late-answer"]
    bench.host.script = late
    till = bench.registered()
    assert till.sale(100).approved
    assert till.repeat_receipt().approved
    assert bench.host.mtis() == ["0200", "0400"]


def test_loses_its_reversals_at_a_power_cut(bench: Bench) -> None:
    bench.settings["defects"] = ["reversal-lost-at-power-cut"]
    bench.host.script = lambda request: lambda: None
    assert bench.registered().sale(100).aborted == 0xA1
    assert [bench.host.next().mti, bench.host.next().mti] == ["0200", "0400"]
    bench.cut_power()
    bench.host.script = lambda request: None
    asked = len(bench.host.seen)
    till = bench.registered()
    assert till.diagnosis().last.command == Command.COMPLETION
    assert bench.host.mtis()[asked:] == ["0800"]


def test_an_unknown_defect_is_the_callers_mistake() -> None:
    with pytest.raises(CallerMistake, match="'explodes' is unknown"):
        parse_defects(["never-reverses", "explodes"])
    assert parse_defects(["never-reverses"]) == {Defect.NEVER_REVERSES}
