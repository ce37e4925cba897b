"""M7 and M14: late answers, and the time to idle."""

import pytest

from rig.verdict import Verdict
from tests.verdict.build import IDLE_LIMIT_S, RESPONSE_TIMEOUT_S, Run, broken


@pytest.mark.parametrize(("past_timeout", "expected"), [(0.4, set()), (1.0, {"M7"})])
def test_a_late_answer_is_discarded(past_timeout: float, expected: set[str]) -> None:
    run = Run()
    with run.case() as case:
        sale = case.sale()
        key = case.request(sale)
        run.waits(RESPONSE_TIMEOUT_S + past_timeout)
        case.answer(key)
        case.ends(sale, "approved", 1234)
    assert broken(run.judge()) == expected


def test_a_late_answer_behind_the_reversal_fails_safely() -> None:
    run = Run()
    with run.case() as case:
        sale = case.sale()
        key = case.request(sale)
        run.waits(RESPONSE_TIMEOUT_S)
        case.reversal(key)
        run.waits(1)
        case.answer(key)
        case.ends(sale, "declined")
    assert run.judge().verdict is Verdict.FAILED_SAFELY


def test_an_answer_after_a_repeated_request_is_measured_from_the_repeat() -> None:
    run = Run()
    with run.case() as case:
        sale = case.sale()
        key = case.request(sale)
        run.waits(RESPONSE_TIMEOUT_S)
        case.repeats(key)
        run.waits(1)
        case.answer(key)
        case.ends(sale, "approved", 1234)
    assert run.judge().verdict is Verdict.COMPLETED


def test_an_approval_behind_the_own_reversal_is_unsafe() -> None:
    run = Run()
    with run.case() as case:
        sale = case.sale()
        key = case.request(sale)
        case.reversal(key)
        run.rows[key]["state"] = "approved"
        case.answer(key)
        case.ends(sale, "approved", 1234)
    verdict = run.judge()
    assert broken(verdict) == {"M7"}
    assert "was reversed before" in verdict.why


@pytest.mark.parametrize(("idle_ms", "expected"), [(IDLE_LIMIT_S * 1000, set()), (IDLE_LIMIT_S * 1000 + 1, {"M14"})])
def test_the_terminal_is_idle_again_in_time(idle_ms: float, expected: set[str]) -> None:
    run = Run()
    with run.case() as case:
        case.approved_sale()
        case.settle(idle_ms=idle_ms)
    assert broken(run.judge()) == expected


def test_a_terminal_that_never_becomes_idle_is_unsafe() -> None:
    run = Run()
    with run.case() as case:
        case.approved_sale()
        case.settle(quiet=False, waiting_for="terminal idle")
    verdict = run.judge()
    assert broken(verdict) == {"M14"}
    assert set(verdict.not_judged) == {"M1", "M2", "M3", "M4"}


def test_whatever_else_is_waited_for_leaves_the_case_undecided() -> None:
    run = Run()
    with run.case() as case:
        case.unanswered_sale(reverses=False)
        case.settle(quiet=False, waiting_for="host")
    verdict = run.judge()
    assert verdict.verdict is Verdict.UNDECIDED
    assert verdict.why == "the case did not come to rest, it was waiting for host"
