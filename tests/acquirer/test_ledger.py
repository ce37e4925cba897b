"""The ledger's file: all or nothing, kept over openings, and refused where it is none."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from rig.acquirer.ledger import Ledger
from rig.acquirer.row import Row
from rig.errors import CallerMistake
from rig.wire.iso8583 import Original, Totals

ROW = Row(
    unique_key="t/m/0131/000001/000001/02", key="t/000001", tid="t", mid="m", stan="000001", mti="0200",
    time="0131235959", date="0131", operation="sale", amount=100, requested=100, sealed=b"sealed",
    currency="978", batch="000001", received_t=5, token="abc",
    masked="476173******0000", atc=7, rrn="600000000001", auth="A00001", rc="00", state="approved",
)  # fmt: skip


def test_a_row_comes_back_as_it_was(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    reversal = {"mti": "0400", "reason": "98"}
    with ledger.transaction():
        ledger.add(ROW)
        changed = ledger.change(ROW, state="reversed", reversal=reversal, reversed_t=9)
    assert ledger.row(ROW.unique_key) == changed == ROW._replace(state="reversed", reversal=reversal, reversed_t=9)
    assert ledger.by_original("t", Original("0200", "000001", "0131235959")) == changed
    assert ledger.by_rrn("t", "600000000001") == ledger.by_counter("abc", 7) == changed
    assert ledger.by_rrn("another", "600000000001") is None
    assert ledger.rows(since_t=6) == []
    assert (tmp_path / "ledger.sqlite").stat().st_mode & 0o777 == 0o600


def test_what_fails_leaves_nothing(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")

    def fail_half_way() -> None:
        with ledger.transaction():
            ledger.add(ROW)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert ledger.rows() == []


def test_a_new_opening_keeps_rows_and_fills_accounts(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    with ledger.transaction():
        ledger.add(ROW)
        first = ledger.next_reference
    assert ledger.spent(["abc"]) == 100
    ledger.close()
    again = Ledger(tmp_path / "ledger.sqlite")
    assert again.rows() == [ROW]
    assert again.totals("t", "000001") == Totals(sales=1, sales_sum=100)
    assert again.spent(["abc"]) == 0
    with again.transaction():
        assert again.next_reference == first


def test_what_is_no_ledger_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("not a database, and long enough to be looked at" * 100)
    with pytest.raises(CallerMistake, match="no ledger"):
        Ledger(tmp_path / "text")
    with sqlite3.connect(tmp_path / "newer") as newer:
        newer.execute("PRAGMA user_version=99")
    with pytest.raises(CallerMistake, match="version 99"):
        Ledger(tmp_path / "newer")
