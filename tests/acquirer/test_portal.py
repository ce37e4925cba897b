"""Ledgers as CSV: ours over and back, a portal's by its format, and what is said of a line that cannot be read."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from rig.acquirer.opening import read_rows
from rig.acquirer.portal import COLUMNS, PortalFormat, export, read, write
from rig.errors import CallerMistake
from tests.acquirer.till import TID, HostProcess, key, reversal, sale

FORMAT = """
delimiter: ";"
columns: {tid: Terminal, stan: Trace, amount: Betrag, operation: Typ, state: Status, rc: Code}
amounts: {unit: major, decimal: ","}
operations: {Kauf: sale, Storno: void}
states: {Gebucht: approved, Storniert: reversed}
constant: {currency: EUR}
"""
HEAD = "Datum;Terminal;Trace;Betrag;Typ;Status;Code\n"


def test_a_ledger_goes_over_and_back(host: HostProcess, tmp_path: Path) -> None:
    first, second = sale(host.cards["credit"], 1234), sale(host.cards["credit"], 99)
    with host.till() as till:
        till.ask(first)
        till.ask(second)
        till.ask(reversal(second))
    rows = read_rows(host.root / "ledger.sqlite")  # while the host has it open
    text = export(rows)
    assert host.cards["credit"].pan not in text
    (tmp_path / "ours.csv").write_text(text)
    back = {row["key"]: row for row in read(tmp_path / "ours.csv")}
    for request, state in ((first, "approved"), (second, "reversed")):
        told, row = back[key(request)], host.row(key(request))
        assert (told["state"], told["operation"]) == (state, "sale")
        assert {name: told[name] for name in ("amount", "currency", "rc", "rrn", "auth", "masked", "atc")} == {
            name: row[name] for name in ("amount", "currency", "rc", "rrn", "auth", "masked", "atc")
        }
        assert told["reversals"] == row["counts"]["reversals"]
    (tmp_path / "again.csv").write_text(write(back.values()))
    assert list(read(tmp_path / "again.csv")) == list(back.values())
    assert next(csv.reader(io.StringIO(text))) == list(COLUMNS)


def _portal(folder: Path, lines: str, form: str = FORMAT) -> list[dict[str, object]]:
    (folder / "format.yaml").write_text(form)
    (folder / "portal.csv").write_text(lines)
    return read(folder / "portal.csv", PortalFormat.load(folder / "format.yaml"))


def test_a_portals_export_is_read_by_its_format(tmp_path: Path) -> None:
    rows = _portal(tmp_path, HEAD + f"2026-11-23;{TID};42;1.234,56;Kauf;Gebucht;00\n;{TID};43;0,99;Storno;Storniert;\n")
    assert rows == [
        {"tid": TID, "stan": "000042", "amount": 123456, "operation": "sale", "state": "approved", "rc": "00",
         "currency": "978", "key": f"{TID}/000042"},
        {"tid": TID, "stan": "000043", "amount": 99, "operation": "void", "state": "reversed", "currency": "978",
         "key": f"{TID}/000043"},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (f"x;{TID};42;12,345;Kauf;Gebucht;00\n", "line 2.*'12,345' is no amount"),
        (f"x;{TID};42;zwölf;Kauf;Gebucht;00\n", "no amount"),
        (f"x;{TID};42;1,00;Leasing;Gebucht;00\n", "operation 'Leasing' is unknown"),
        (f"x;{TID};42;1,00;Kauf;Vielleicht;00\n", "state 'Vielleicht' is unknown"),
        (f"x;{TID};;1,00;Kauf;Gebucht;00\n", "stan is empty"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(tmp_path: Path, lines: str, why: str) -> None:
    with pytest.raises(CallerMistake, match=why):
        _portal(tmp_path, HEAD + lines)


@pytest.mark.parametrize(
    ("form", "why"),
    [
        ("columns: {tid: T}", "nothing says amount"),
        ("columns: {tid: T, colour: C}", "no column colour"),
        ("colour: red", "colour"),
        ("columns: [", "YAML"),
        (FORMAT.replace("Trace", "Spur"), "no column 'Spur'"),
    ],
)
def test_a_format_that_cannot_be_is_refused(tmp_path: Path, form: str, why: str) -> None:
    with pytest.raises(CallerMistake, match=why):
        _portal(tmp_path, HEAD, form)


def test_what_is_no_ledger_is_not_exported(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no ledger" * 1000)
    with pytest.raises(CallerMistake, match="no ledger"):
        read_rows(tmp_path / "text")
    with pytest.raises(CallerMistake, match="no ledger"):
        read_rows(tmp_path / "absent")
