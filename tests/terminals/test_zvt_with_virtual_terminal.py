"""The driver and the virtual terminal, a process of its own: what their two authors understood alike."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.terminals.base import Outcome
from rig.terminals.zvt import ZvtTerminal
from rig.units import Money
from rig.wire.iso8583 import Message
from tests.terminals.conftest import Witness
from tests.virtual.terminal.card_in_field import PlainCard
from tests.virtual.terminal.scripted_host import Authority, Reply, approval, make_authority, serving
from tests.virtual.terminal.terminal_process import Bench, Field, running_field

AMOUNT = Money(1016)  # a DLE in its digits


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    with running_field(tmp_path_factory.mktemp("field")) as running:
        yield running


@pytest.fixture
def bench(tmp_path: Path, authority: Authority, field: Field) -> Iterator[Bench]:
    with serving(authority) as host:
        bench = Bench(tmp_path, host, authority, field)
        try:
            yield bench
        finally:
            bench.close()


def driver(bench: Bench, witness: Witness) -> ZvtTerminal:
    bench.boot()
    line: dict[str, object] = {"serial": {"port": bench.where}}
    if "/" not in bench.where:
        host, _, port = bench.where.rpartition(":")
        line = {"tcp": {"host": host, "port": int(port)}}
    terminal = ZvtTerminal.from_settings("till", line, witness.observe, witness.moment)
    terminal.wait_until_up(5)
    bench.card.present(PlainCard())
    return terminal


@pytest.mark.parametrize("ecr", [{"tcp": ["127.0.0.1", 0]}, {"serial": "ecr.tty"}], ids=["tcp", "serial"])
def test_a_day_at_the_till(bench: Bench, witness: Witness, ecr: dict[str, object]) -> None:
    bench.settings["ecr"] = ecr
    terminal = driver(bench, witness)
    sale = terminal.sale(AMOUNT)
    assert (sale.outcome, sale.amount, sale.terminal_id) == (Outcome.APPROVED, 1016, "10000042")
    assert sale.print_lines
    assert sale.masked_pan is not None
    assert "*" in sale.masked_pan
    assert sale.receipt is not None
    assert terminal.idle(3)
    assert terminal.void(sale.receipt, AMOUNT).outcome is Outcome.APPROVED
    assert terminal.void(sale.receipt, AMOUNT).outcome is Outcome.DECLINED
    assert terminal.flush(5)
    terminal.close()
    moments = {name for name, _ in witness.moments}
    assert moments >= {"ecr_command_sent", "intermediate_status", "status_information", "print_line", "completion"}


def test_a_refusal_of_the_host_is_declined(bench: Bench, witness: Witness) -> None:
    def refuse(request: Message) -> Reply:
        return lambda: approval(request, rc="51")

    bench.host.script = refuse
    terminal = driver(bench, witness)
    assert terminal.sale(AMOUNT).outcome is Outcome.DECLINED
    terminal.close()


def test_a_line_cut_before_the_acknowledgement_is_settled_as_declined(bench: Bench, witness: Witness) -> None:
    terminal = driver(bench, witness)
    assert terminal.sale(AMOUNT).outcome is Outcome.APPROVED
    witness.on_moment["status_information"] = terminal.close  # the acknowledgement never leaves
    bench.card.present(PlainCard())
    result = terminal.sale(AMOUNT)
    assert result.outcome is Outcome.UNKNOWN
    witness.on_moment.clear()
    resolution = terminal.resolve(result.before, AMOUNT)
    assert resolution.outcome is Outcome.DECLINED
    assert terminal.flush(5)
    assert bench.host.mtis().count("0400") == 1
    assert witness.names("ecr_tx").count("authorisation") == 2
    terminal.close()


def test_power_lost_at_a_printed_line_is_settled_after_the_reboot(bench: Bench, witness: Witness) -> None:
    bench.settings["ecr"] = {"tcp": ["127.0.0.1", 0]}
    terminal = driver(bench, witness)
    witness.on_moment["print_line"] = bench.cut_power
    result = terminal.sale(AMOUNT)
    assert result.outcome is Outcome.UNKNOWN
    witness.on_moment.clear()
    bench.settings["ecr"] = {"tcp": ["127.0.0.1", int(bench.where.rpartition(":")[2])]}
    bench.boot()
    terminal.wait_until_up(5)
    assert terminal.resolve(result.before, AMOUNT).outcome is Outcome.DECLINED
    assert terminal.flush(5)
    assert bench.host.mtis() == ["0200", "0400", *bench.host.mtis()[2:]]
    terminal.close()
