"""A run judged by somebody else's books: the same where they say the same, and worse where they say worse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rig.acquirer.portal import read, write
from rig.errors import CallerMistake
from rig.history import History
from rig.verdict import Verdict, judge
from rig.verdict.other_ledger import with_ledger
from tests.verdict.build import Run


def _run() -> tuple[Run, str]:
    run = Run()
    with run.case() as case:
        _, key = case.approved_sale()
    return run, key


def _books(history: History, **changes: Any) -> list[dict[str, Any]]:
    return [{"tid": "70000001", "stan": "000001", **event.data, **changes} for event in history.of("ledger_row")]


def _verdict(run: Run, books: list[dict[str, Any]]) -> Verdict:
    verdict = judge(with_ledger(run.history(), books))
    assert verdict.doubts == ()
    return verdict.cases[-1].verdict


def test_books_that_agree_give_the_same_verdict(tmp_path: Path) -> None:
    run, _ = _run()
    books = _books(run.history())
    (tmp_path / "books.csv").write_text(write(books))
    assert _verdict(run, read(tmp_path / "books.csv")) is Verdict.COMPLETED


@pytest.mark.parametrize("changes", [{"state": "reversed"}, {"state": "declined"}, {"amount": 999}])
def test_books_that_say_otherwise_are_believed(changes: dict[str, Any]) -> None:
    run, _ = _run()
    assert _verdict(run, _books(run.history(), **changes)) is Verdict.UNSAFE


def test_a_sale_that_the_books_do_not_know_cannot_be_told() -> None:
    run, _ = _run()
    assert _verdict(run, []) is Verdict.UNDECIDED


def test_a_charge_that_only_the_books_know_is_found() -> None:
    run = Run()
    with run.case() as case:
        sale = case.sale()
        key = case.request(sale)
        case.withhold(key)
        case.reversal(key)
        case.ends(sale, "declined")
    books = [{"key": key, "operation": "sale", "amount": 1234, "currency": "978", "state": "approved"}]
    assert run.judge().verdict is Verdict.FAILED_SAFELY
    assert _verdict(run, books) is Verdict.UNSAFE
    without_own = run.history(without=lambda event: event.kind == "ledger_row")
    assert judge(with_ledger(without_own, books)).cases[-1].verdict is Verdict.UNSAFE


def test_rows_of_another_day_are_left_out_and_two_of_one_key_refused() -> None:
    run, _ = _run()
    books = _books(run.history())
    other = {**books[0], "key": "70000001/999999"}
    assert _verdict(run, [*books, other]) is Verdict.COMPLETED
    with pytest.raises(CallerMistake, match="two rows"):
        with_ledger(run.history(), [*books, dict(books[0])])
