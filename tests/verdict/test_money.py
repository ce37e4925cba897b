"""M1 and M2: what stands at the host is what the terminal says, once."""

import pytest

from rig.verdict import Verdict
from tests.verdict.build import TID, Run, broken


def test_an_approved_sale_that_stands_is_completed() -> None:
    run = Run()
    with run.case() as case:
        case.approved_sale()
    verdict = run.judge()
    assert (verdict.verdict, verdict.why) == (Verdict.COMPLETED, "sale i1 was approved")
    assert verdict.counts["ledger_approved"] == 1
    assert verdict.not_judged == {}


def test_two_sales_of_the_same_amount_are_two_charges() -> None:
    run = Run()
    with run.case() as case:
        case.approved_sale()
        case.approved_sale()
    assert run.judge().verdict is Verdict.COMPLETED


def test_a_silent_retry_under_a_new_stan_is_a_double_charge() -> None:
    run = Run()
    with run.case() as case:
        sale = case.sale()
        case.request(sale)
        again = case.request(sale)
        case.answer(again)
        case.ends(sale, "approved", 1234)
    verdict = run.judge()
    assert verdict.verdict is Verdict.UNSAFE
    assert broken(verdict) == {"M1"}
    assert "stands 2 times" in verdict.why


def test_a_retry_is_sound_where_the_first_attempt_was_reversed() -> None:
    run = Run()
    with run.case() as case:
        sale = case.sale()
        first = case.request(sale)
        run.waits(3)
        case.reversal(first)
        second = case.request(sale)
        case.answer(second)
        case.ends(sale, "approved", 1234)
    assert run.judge().verdict is Verdict.COMPLETED


def test_a_repeated_request_with_the_stored_answer_is_one_charge() -> None:
    run = Run()
    with run.case() as case:
        sale = case.sale()
        key = case.request(sale)
        case.repeats(key)
        case.answer(key)
        case.ends(sale, "approved", 1234)
    assert run.judge().verdict is Verdict.COMPLETED


def test_an_approval_that_does_not_stand_is_lost() -> None:
    run = Run()
    with run.case() as case:
        _, key = case.approved_sale()
        run.rows[key]["state"] = "declined"
    verdict = run.judge()
    assert broken(verdict) == {"M2"}
    assert "lost approval" in verdict.why


def test_an_approval_without_any_request_is_lost() -> None:
    run = Run()
    with run.case() as case:
        case.ends(case.sale(), "approved", 1234)
    assert broken(run.judge()) == {"M2"}


@pytest.mark.parametrize("change", [{"amount": 1235}, {"currency": "840"}])
def test_another_sum_or_currency_is_not_that_amount(change: dict[str, object]) -> None:
    run = Run()
    with run.case() as case:
        _, key = case.approved_sale()
        run.rows[key] |= change
    verdict = run.judge()
    assert broken(verdict) == {"M2"}
    assert "another sum" in verdict.why


def test_a_decline_that_stands_is_a_phantom_charge() -> None:
    run = Run()
    with run.case() as case:
        sale = case.sale()
        key = case.request(sale)
        case.answer(key)
        case.reversal(key)
        run.rows[key]["state"] = "approved"
        case.ends(sale, "declined")
    verdict = run.judge()
    assert broken(verdict) == {"M2"}
    assert "phantom charge" in verdict.why


def test_a_request_that_nobody_asked_for_is_a_phantom_charge() -> None:
    run = Run()
    with run.case() as case:
        key = f"{TID}/000077"
        run.rows[key] = {"key": key, "operation": "sale", "amount": 1, "currency": "978", "state": "approved"}
        run.host("request_received", key=key, mti="0200", tid=TID, stan="000077", amount=1)
        case.approved_sale()
    verdict = run.judge()
    assert broken(verdict) == {"M2"}
    assert "never asked for it" in verdict.why


def test_a_late_repeat_of_an_earlier_case_is_no_phantom() -> None:
    run = Run()
    with run.case("first") as case:
        _, key = case.approved_sale()
    with run.case("second") as case:
        case.repeats(key)
        case.approved_sale()
    assert run.judge().verdict is Verdict.COMPLETED


def test_a_host_decline_that_the_terminal_shows_is_completed() -> None:
    run = Run()
    with run.case("decline", "completed") as case:
        sale = case.sale()
        case.answer(case.request(sale), rc="51")
        case.ends(sale, "declined", code="51")
    verdict = run.judge()
    assert (verdict.verdict, verdict.why) == (Verdict.COMPLETED, "sale i1 was declined by the host (51)")


def test_a_void_nets_to_zero() -> None:
    run = Run()
    with run.case() as case:
        sale, key = case.approved_sale()
        void = case.void(sale)
        case.answer(case.void_request(void, key))
        case.ends(void, "approved")
    verdict = run.judge()
    assert verdict.verdict is Verdict.COMPLETED
    assert verdict.counts["ledger_approved"] == 0


def test_an_approved_void_whose_sale_stands_is_unsafe() -> None:
    run = Run()
    with run.case() as case:
        sale, key = case.approved_sale()
        void = case.void(sale)
        case.answer(case.void_request(void, key))
        case.ends(void, "approved")
        run.rows[key]["state"] = "approved"
    verdict = run.judge()
    assert broken(verdict) == {"M2"}
    assert "voided" in verdict.why


def test_a_declined_void_leaves_the_sale_standing() -> None:
    run = Run()
    with run.case() as case:
        sale, key = case.approved_sale()
        void = case.void(sale)
        case.answer(case.void_request(void, key), rc="12")
        run.rows[key]["state"] = "approved"
        case.ends(void, "declined")
    verdict = run.judge()
    assert (verdict.verdict, verdict.why) == (Verdict.FAILED_SAFELY, "void i2: outcome declined (6C) by the host")


def test_a_declined_void_that_voided_all_the_same_loses_the_sale() -> None:
    run = Run()
    with run.case() as case:
        sale, key = case.approved_sale()
        void = case.void(sale)
        case.answer(case.void_request(void, key), rc="12")
        case.ends(void, "declined")
    assert broken(run.judge()) == {"M2"}


@pytest.mark.parametrize(
    ("said", "state", "expected"),
    [
        ("approved", "voided", set()),
        ("approved", "approved", {"M2"}),
        ("declined", "voided", {"M2"}),
        ("declined", "declined", set()),
    ],
)
def test_a_void_of_an_earlier_case_is_known_by_its_original(said: str, state: str, expected: set[str]) -> None:
    run = Run()
    with run.case("first") as case:
        sale, key = case.approved_sale()
    with run.case("second") as case:
        void = case.void(sale)
        case.answer(case.void_request(void, key), rc="00" if said == "approved" else "12")
        run.rows[key]["state"] = state
        case.ends(void, said)
    assert broken(run.judge()) == expected


def test_an_unresolved_unknown_is_undecided() -> None:
    run = Run()
    with run.case() as case:
        sale = case.sale()
        case.answer(case.request(sale))
        case.ends(sale, "unknown")
    verdict = run.judge()
    assert verdict.verdict is Verdict.UNDECIDED
    assert verdict.why == "the outcome of sale i1 is unknown, and nothing resolved it"


def test_an_unresolved_unknown_that_stands_twice_is_unsafe() -> None:
    run = Run()
    with run.case() as case:
        sale = case.sale()
        case.answer(case.request(sale))
        case.answer(case.request(sale))
        case.ends(sale, "unknown")
    assert broken(run.judge()) == {"M1"}


@pytest.mark.parametrize(("resolved", "expected"), [("approved", set()), ("declined", {"M2", "M3"})])
def test_a_resolution_is_the_terminals_word(resolved: str, expected: set[str]) -> None:
    run = Run()
    with run.case() as case:
        sale = case.sale()
        case.answer(case.request(sale))
        case.ends(sale, "unknown")
        case.resolves(sale, resolved)
        case.resolves(sale, "unknown")
    assert broken(run.judge()) == expected


def test_an_approval_without_a_ledger_row_is_undecided() -> None:
    run = Run()
    with run.case() as case:
        case.approved_sale()
        run.rows.clear()
    verdict = run.judge()
    assert verdict.verdict is Verdict.UNDECIDED
    assert "no row of its ledger" in verdict.why
