"""M3 to M6: reversals that are owed, in their place, true to their originals, and never of what is committed."""

import pytest

from rig.verdict import Verdict
from tests.verdict.build import TID, Case, Run, broken


def test_a_silent_host_and_a_reversal_fail_safely() -> None:
    run = Run()
    with run.case() as case:
        case.unanswered_sale()
    verdict = run.judge()
    assert (verdict.verdict, verdict.why) == (Verdict.FAILED_SAFELY, "sale i1: outcome declined (6C), and reversed")


def test_no_reversal_is_unsafe() -> None:
    run = Run()
    with run.case() as case:
        case.unanswered_sale(reverses=False)
    verdict = run.judge()
    assert verdict.verdict is Verdict.UNSAFE
    assert broken(verdict) == {"M2", "M3"}


def test_an_approved_answer_that_the_terminal_refused_is_reversed() -> None:
    run = Run()
    with run.case() as case:
        sale = case.sale()
        case.answer(case.request(sale))
        case.ends(sale, "declined")
    assert "M3" in broken(run.judge())


def test_a_decline_that_was_lost_is_reversed() -> None:
    run = Run()
    with run.case() as case:
        sale = case.sale()
        key = case.request(sale)
        run.rows[key]["state"] = "declined"
        run.host("answer_lost", key=key, why="connection closed")
        case.ends(sale, "failed")
    assert broken(run.judge()) == {"M3"}


def test_a_request_that_never_arrived_owes_nothing_and_may_be_reversed() -> None:
    run = Run()
    with run.case() as case:
        sale = case.sale()
        case.reversal(f"{TID}/000001")
        case.ends(sale, "failed")
    assert run.judge().verdict is Verdict.FAILED_SAFELY


def test_a_reversal_may_overtake_its_original() -> None:
    run = Run()
    with run.case() as case:
        sale = case.sale()
        case.reversal(f"{TID}/000055")
        key = case.request(sale, key=f"{TID}/000055")
        run.rows[key]["state"] = "declined"
        case.withhold(key)
        case.ends(sale, "declined")
    assert run.judge().verdict is Verdict.FAILED_SAFELY


def test_an_unanswered_void_is_reversed_and_the_sale_stands() -> None:
    run = Run()
    with run.case() as case:
        sale, key = case.approved_sale()
        void = case.void(sale)
        void_key = case.void_request(void, key)
        case.reversal(void_key, processing="200000")
        run.rows[void_key]["state"], run.rows[key]["state"] = "reversed", "approved"
        case.ends(void, "declined")
    assert run.judge().verdict is Verdict.FAILED_SAFELY


def test_an_unanswered_void_without_reversal_is_unsafe() -> None:
    run = Run()
    with run.case() as case:
        sale, key = case.approved_sale()
        void = case.void(sale)
        case.void_request(void, key)
        case.ends(void, "declined")
    assert broken(run.judge()) == {"M2", "M3"}


def _card_leaves(case: Case, outcome: str) -> None:
    sale = case.sale()
    case.fault("pull card")
    case.card_leaves()
    key = case.request(sale)
    case.answer(key)
    if outcome == "declined":
        case.reversal(key)
    case.ends(sale, outcome, 1234)


def test_a_card_that_leaves_after_its_cryptogram_is_no_reason_to_reverse() -> None:
    run = Run()
    with run.case() as case:
        _card_leaves(case, "declined")
    verdict = run.judge()
    assert broken(verdict) == {"M3"}
    assert "only the card had left" in verdict.why


def test_a_card_that_leaves_after_its_cryptogram_lets_the_sale_complete() -> None:
    run = Run()
    with run.case() as case:
        _card_leaves(case, "approved")
    assert run.judge().verdict is Verdict.COMPLETED


def test_a_card_that_leaves_while_the_bearer_suffers_too_proves_nothing() -> None:
    run = Run()
    with run.case() as case:
        run.note("impairment", link="wifi", up={"loss": 0.3}, down={}, read_back=True, backend="netem")
        _card_leaves(case, "declined")
    assert run.judge().verdict is Verdict.FAILED_SAFELY


def _power_cut(case: Case, reverses: bool) -> None:
    sale = case.sale()
    key = case.request(sale)
    case.fault("cut power of")
    case.power(on=False)
    case.answer(key)
    case.ends(sale, "unknown")
    case.power(on=True)
    if reverses:
        case.reversal(key)


def test_a_reversal_after_the_reboot_fails_safely() -> None:
    run = Run()
    with run.case() as case:
        _power_cut(case, reverses=True)
    verdict = run.judge()
    assert (verdict.verdict, verdict.why) == (Verdict.FAILED_SAFELY, "sale i1: outcome unknown, and reversed")


def test_a_reversal_lost_at_a_power_cut_is_unsafe() -> None:
    run = Run()
    with run.case() as case:
        _power_cut(case, reverses=False)
    verdict = run.judge()
    assert verdict.verdict is Verdict.UNSAFE
    assert broken(verdict) == {"M4"}
    assert "did not survive the power cut" in verdict.why


def test_an_unknown_after_a_power_cut_that_came_behind_the_answer_is_undecided() -> None:
    run = Run()
    with run.case() as case:
        sale = case.sale()
        case.answer(case.request(sale))
        case.power(on=False)
        case.ends(sale, "unknown")
    assert run.judge().verdict is Verdict.UNDECIDED


@pytest.mark.parametrize(("heard", "expected"), [("04FF010A", {"M3"}), ("040F022700", set())])
def test_a_result_that_cannot_have_been_acknowledged_is_reversed(heard: str, expected: set[str]) -> None:
    run = Run()
    with run.case() as case:
        sale = case.sale()
        case.answer(case.request(sale))
        case.hears(heard)
        case.ends(sale, "unknown")
    assert broken(run.judge()) == expected


def test_a_reversal_behind_the_next_sale_is_unsafe() -> None:
    run = Run()
    with run.case() as case:
        first = case.sale()
        key = case.request(first)
        case.ends(first, "declined")
        case.approved_sale()
        case.reversal(key)
    verdict = run.judge()
    assert broken(verdict) == {"M4"}
    assert "went out before the reversal" in verdict.why


def test_a_reversal_before_the_next_sale_is_sound() -> None:
    run = Run()
    with run.case() as case:
        first = case.sale()
        key = case.request(first)
        case.ends(first, "declined")
        case.reversal(key)
        case.approved_sale()
    assert run.judge().verdict is Verdict.FAILED_SAFELY


@pytest.mark.parametrize(("flush_first", "expected"), [(True, set()), (False, {"M4"})])
def test_a_reversal_of_an_earlier_case_goes_first(flush_first: bool, expected: set[str]) -> None:
    run = Run()
    with run.case("first") as case:
        sale = case.sale()
        key = case.request(sale)
        case.ends(sale, "declined")
        case.settle(quiet=False, waiting_for="reversal queue")
    with run.case("second") as case:
        if flush_first:
            case.reversal(key)
        case.approved_sale()
        if not flush_first:
            case.reversal(key)
    assert broken(run.judge()) == expected


def test_a_reversal_repeated_after_the_next_sale_is_sound() -> None:
    run = Run()
    with run.case() as case:
        _, key = case.unanswered_sale()
        case.approved_sale()
        case.reversal(key)
    assert broken(run.judge()) == set()


@pytest.mark.parametrize("when", ["in its own case", "in the case after"])
def test_a_network_may_deliver_a_copy_of_a_reversal_cases_later(when: str) -> None:
    run = Run()
    with run.case("first") as case:
        sale = case.sale()
        key = case.request(sale)
        case.ends(sale, "declined")
        if when == "in its own case":
            case.reversal(key)
        else:
            case.settle(quiet=False, waiting_for="reversal queue")
    with run.case("second") as case:
        if when == "in the case after":
            case.reversal(key)
    with run.case("third") as case:
        case.approved_sale()
        case.reversal(key)
    assert "M4" not in broken(run.judge())


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": 1},
        {"currency": "840"},
        {"processing": "200000"},
        {"mid": "M00000000000002"},
        {"original": {"mti": "0100", "stan": "000001", "time": ""}},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_a_reversal_that_differs_from_its_original_is_unsafe(wrong: dict[str, object]) -> None:
    run = Run()
    with run.case() as case:
        sale = case.sale()
        key = case.request(sale)
        case.reversal(key, **wrong)
        run.rows[key]["state"] = "reversed"
        case.ends(sale, "declined")
    assert broken(run.judge()) == {"M5"}


def test_a_reversal_with_a_wrong_stan_leaves_the_sale_standing() -> None:
    run = Run()
    with run.case() as case:
        sale = case.sale()
        case.request(sale)
        case.reversal(f"{TID}/000999")
        case.ends(sale, "declined")
    assert broken(run.judge()) == {"M2", "M3", "M5"}


def test_a_reversal_of_a_committed_sale_is_unsafe() -> None:
    run = Run()
    with run.case() as case:
        _, key = case.approved_sale()
        case.reversal(key)
        run.rows[key]["state"] = "approved"
    assert broken(run.judge()) == {"M6"}


def test_a_reversal_of_a_sale_that_an_earlier_case_committed_is_unsafe() -> None:
    run = Run()
    with run.case("first") as case:
        _, key = case.approved_sale()
    with run.case("second") as case:
        case.reversal(key)
    assert broken(run.judge()) == {"M6"}


def test_a_reversal_after_the_case_ended_still_belongs_to_it() -> None:
    run = Run()
    with run.case() as case:
        _, key = case.approved_sale()
    case.reversal(key)
    assert broken(run.judge()) == {"M6"}


def test_a_void_carried_out_as_a_reversal_is_no_breach() -> None:
    run = Run()
    with run.case() as case:
        sale, key = case.approved_sale()
        void = case.void(sale)
        case.reversal(key)
        case.ends(void, "approved")
    assert run.judge().verdict is Verdict.COMPLETED
