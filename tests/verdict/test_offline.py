"""Sales that card and terminal approved offline: nothing to reverse, one advice, booked once."""

from __future__ import annotations

from typing import Any

import pytest

from rig.verdict import Verdict, explain, judge
from tests.verdict.build import RESPONSE_TIMEOUT_S, Case, Run, broken


def _approved_offline(case: Case, atc: int = 1, minor: int = 1234) -> tuple[str, dict[str, Any]]:
    sale = case.sale(minor)
    case.arms()
    told = case.gives(atc=atc)
    case.ends(sale, "approved", minor)
    return sale, told


def test_an_advice_is_the_sales_request() -> None:
    run = Run()
    with run.case() as case:
        sale, told = _approved_offline(case)
        case.answer(case.advice(sale, **told), mti="0230")
    verdict = run.judge()
    assert (verdict.verdict, verdict.not_judged) == (Verdict.COMPLETED, {})
    assert (verdict.counts["requests"], verdict.counts["answers"]) == (1, 1)
    assert "the host received the advice" in "".join(explain(run.history())).lower()


def test_an_advice_that_never_comes_is_a_lost_approval() -> None:
    run = Run()
    with run.case() as case:
        _approved_offline(case)
    assert broken(run.judge()) == {"M2"}


def test_while_it_may_still_come_nothing_is_said() -> None:
    run = Run()
    with run.case() as case:
        _approved_offline(case)
        case.settle(quiet=False, waiting_for="reversal queue drained")
    assert run.judge().verdict is Verdict.UNDECIDED


def test_it_may_come_during_a_later_sale_and_belongs_to_its_own() -> None:
    run = Run()
    with run.case() as case:
        first, told = _approved_offline(case)
        second = case.sale(500)
        case.arms()
        also = case.gives(atc=2, cryptogram="CD")
        case.answer(case.advice(first, **told), mti="0230")
        case.answer(case.request(second, **also))
        case.ends(second, "approved", 500)
    assert run.judge().verdict is Verdict.COMPLETED


def test_without_a_view_of_the_card_the_sum_tells() -> None:
    run = Run(views=("host ledger", "ecr"))
    with run.case() as case:
        first = case.sale()
        case.ends(first, "approved", 1234)
        second = case.sale(500)
        case.answer(case.advice(first), mti="0230")
        case.answer(case.request(second))
        case.ends(second, "approved", 500)
    assert run.judge().verdict is Verdict.COMPLETED


def test_uploaded_twice_under_new_numbers_is_a_double_charge() -> None:
    run = Run()
    with run.case() as case:
        sale, told = _approved_offline(case)
        case.advice(sale, **told)
        run.waits(1)
        case.advice(sale, **told)
    assert broken(run.judge()) == {"M1"}


def test_an_offline_approval_that_was_asked_online_too_is_a_double_charge() -> None:
    run = Run()
    with run.case() as case:
        sale = case.sale()
        case.arms()
        told = case.gives()
        case.answer(case.request(sale, **told))
        case.ends(sale, "approved", 1234)
        case.answer(case.advice(sale, **told), mti="0230")
    assert "M1" in broken(run.judge())


def test_its_repeat_is_no_second_charge() -> None:
    run = Run()
    with run.case() as case:
        sale, told = _approved_offline(case)
        key = case.advice(sale, **told)
        case.repeats(key)
        case.answer(key, mti="0230")
    assert run.judge().verdict is Verdict.COMPLETED


def test_another_sum_in_the_advice_is_unsafe() -> None:
    run = Run()
    with run.case() as case:
        sale, told = _approved_offline(case)
        case.answer(case.advice(sale, minor=1235, **told), mti="0230")
    assert broken(run.judge()) == {"M2"}


def test_an_advice_that_the_host_refuses_is_the_merchants_risk() -> None:
    run = Run()
    with run.case() as case:
        sale, told = _approved_offline(case)
        case.answer(case.advice(sale, **told), rc="05", mti="0230")
    assert run.judge().verdict is Verdict.COMPLETED


@pytest.mark.parametrize("rc", ["91", "96"])
def test_an_advice_that_is_dropped_when_the_host_puts_it_off_is_a_lost_approval(rc: str) -> None:
    run = Run()
    with run.case() as case:
        sale, told = _approved_offline(case)
        case.answer(case.advice(sale, **told), rc=rc, mti="0230")
    assert broken(run.judge()) == {"M2"}


def test_an_advice_of_what_the_terminal_declined_is_a_phantom_charge() -> None:
    run = Run()
    with run.case() as case:
        sale = case.sale()
        case.arms()
        told = case.gives()
        case.ends(sale, "declined")
        case.answer(case.advice(sale, **told), mti="0230")
    assert broken(run.judge()) == {"M2"}


def test_an_advice_is_never_late_and_never_owed_a_reversal() -> None:
    run = Run()
    with run.case() as case:
        sale, told = _approved_offline(case)
        key = case.advice(sale, **told)
        run.waits(RESPONSE_TIMEOUT_S + 2)
        case.answer(key, mti="0230")
    assert run.judge().verdict is Verdict.COMPLETED


def test_a_reversal_of_an_advice_undoes_what_was_committed() -> None:
    run = Run()
    with run.case() as case:
        sale, told = _approved_offline(case)
        key = case.advice(sale, **told)
        case.answer(key, mti="0230")
        case.reversal(key, original={"mti": "0220", "stan": key.split("/")[1], "time": "0101120000"})
    assert "M6" in broken(run.judge())


def test_what_the_host_never_answered_is_reversed_and_told_as_an_advice() -> None:
    """A contact card approves by itself after the host's silence (Y3): the same counter, one charge."""
    run = Run()
    with run.case() as case:
        sale = case.sale()
        case.arms()
        asked = case.gives(cryptogram="AA") | {"entry_mode": "051"}
        key = case.request(sale, **asked)
        case.withhold(key)
        run.waits(RESPONSE_TIMEOUT_S)
        told = case.gives(cryptogram="BB") | {"entry_mode": "051"}
        case.ends(sale, "approved", 1234)
        case.reversal(key)
        case.answer(case.advice(sale, **told), mti="0230")
    assert run.judge().verdict is Verdict.COMPLETED


@pytest.mark.parametrize("views", [("host ledger", "ecr", "card"), ("host ledger", "ecr")])
def test_the_advice_of_an_earlier_case_is_no_phantom(views: tuple[str, ...]) -> None:
    run = Run(views=views)
    with run.case("first") as case:
        sale, told = _approved_offline(case)
        case.settle(quiet=False, waiting_for="reversal queue drained")
    with run.case("second") as later:
        later.answer(later.advice(sale, **told), mti="0230")
        later.approved_sale()
    first, second = judge(run.history()).cases
    assert (first.verdict, second.verdict) == (Verdict.UNDECIDED, Verdict.COMPLETED)


def test_an_advice_of_what_no_card_approved_is_a_phantom_charge() -> None:
    run = Run()
    with run.case("first") as case:
        sale, _ = case.approved_sale()
    with run.case("second") as later:
        later.advice(sale, atc=9)
        later.approved_sale()
    assert broken(run.judge()) == {"M2"}


def test_an_advice_may_go_out_before_an_owed_reversal() -> None:
    run = Run()
    with run.case() as case:
        first, told = _approved_offline(case)
        sale, key = case.unanswered_sale(reverses=False)
        case.answer(case.advice(first, **told), mti="0230")
        case.reversal(key)
        del sale
    assert run.judge().verdict is Verdict.FAILED_SAFELY
