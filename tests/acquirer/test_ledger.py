"""The ledger's file: all or nothing, kept over openings, and refused where it is none."""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.acquirer.books import Books
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


STATES = ["approved", "declined", "reversed", "voided", "settled", "completed", "cancelled"]
OPERATIONS = ["sale", "void", "refund", "authorisation", "completion", "cancel"]


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_what_is_kept_in_memory_is_what_the_tables_say(data: st.DataObject) -> None:
    """Whatever is entered, changed, reversed early, settled or rolled back."""
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(Path(folder) / "ledger.sqlite")
        rows: list[Row] = []
        for number in range(data.draw(st.integers(1, 12))):
            fails = data.draw(st.booleans())
            with contextlib.suppress(RuntimeError), ledger.transaction():
                fresh = _drawn(data, number)
                ledger.add(fresh)
                if data.draw(st.booleans()) and rows:
                    changed = ledger.change(rows[0], state=data.draw(st.sampled_from(STATES)))
                    if not fails:
                        rows[0] = changed
                if data.draw(st.booleans()):
                    ledger.add_early_reversal("t", Original("0200", f"{number:06d}", "0131"), {"mti": "0400"}, number)
                if data.draw(st.booleans()):
                    ledger.settle("t", f"{number % 3:06d}", number)
                if fails:
                    raise RuntimeError
                rows.append(fresh)
            rows = [row for each in rows if (row := ledger.row(each.unique_key))]
            told = ledger._books
            assert told == Books.read(ledger._db) or _without_nothing(told) == _without_nothing(Books.read(ledger._db))
        ledger.close()


def _drawn(data: st.DataObject, number: int) -> Row:
    return ROW._replace(
        unique_key=f"u{number}-{data.draw(st.integers(0, 10**9))}",
        stan=f"{number:06d}",
        token=data.draw(st.sampled_from(["a", "b", None])),
        amount=data.draw(st.integers(1, 999)),
        operation=data.draw(st.sampled_from(OPERATIONS)),
        state=data.draw(st.sampled_from(STATES)),
        batch=f"{number % 3:06d}",
    )


def _without_nothing(books: Books) -> Books:
    """An account that holds nothing is as none."""
    return replace(books, held={token: held for token, held in books.held.items() if held})
