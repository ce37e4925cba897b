"""M16: application data behind a front that must not be believed, or given to an impostor."""

from __future__ import annotations

import pytest

from rig.verdict import Verdict
from tests.verdict.build import Case, Run, broken


def _meets(run: Run, front: str = "expired", given: int = 0, **more: object) -> None:
    run.host("front_met", front=front, peer="10.64.1.2", completed=given > 0, application_bytes=given, **more)


def _refused(case: Case) -> None:
    case.ends(case.sale(), "failed")


def test_a_terminal_that_gives_nothing_fails_safely() -> None:
    run = Run()
    with run.case() as case:
        _meets(run)
        _refused(case)
    assert run.judge().verdict is Verdict.FAILED_SAFELY


def test_a_handshake_that_was_finished_is_no_breach_by_itself() -> None:
    run = Run()
    with run.case() as case:
        run.host("front_met", front="not-yet-valid", peer="10.64.1.2", completed=True, application_bytes=0)
        _refused(case)
    assert run.judge().verdict is Verdict.FAILED_SAFELY


def test_one_byte_behind_a_front_is_unsafe_and_all_of_them_are_one_breach() -> None:
    run = Run()
    with run.case() as case:
        _meets(run, given=1)
        _meets(run, given=300)
        _meets(run)
        _refused(case)
    verdict = run.judge()
    assert verdict.verdict is Verdict.UNSAFE
    (breach,) = verdict.breaches
    assert (breach.invariant, len(breach.evidence)) == ("M16", 2)
    assert "gave 301 bytes of application data to the front 'expired'" in breach.why


def test_it_is_unsafe_however_well_the_sale_went() -> None:
    run = Run()
    with run.case() as case:
        _meets(run, "self-signed", given=200)
        case.approved_sale()
    assert broken(run.judge()) == {"M16"}


def test_what_the_front_tells_after_the_cases_end_belongs_to_the_case() -> None:
    run = Run()
    with run.case() as case:
        _refused(case)
    _meets(run, given=200)
    assert broken(run.judge()) == {"M16"}


@pytest.mark.parametrize(
    ("active", "detail", "expected"),
    [
        (False, {"hellos": 1, "application_bytes": 432, "clear_bytes": 0}, {"M16"}),
        (False, {"hellos": 1, "application_bytes": 0, "clear_bytes": 20}, set()),
        (True, {"application_bytes": 432}, set()),
        (False, None, set()),
        (False, {"application_bytes": "many"}, set()),
    ],
    ids=["given", "in clear", "not over yet", "no detail", "no number"],
)
def test_an_impostor_on_the_way_is_a_false_host_too(active: bool, detail: object, expected: set[str]) -> None:
    run = Run()
    with run.case() as case:
        run.note("network_failure", bearer="wifi", failure="evil-twin", active=active, hits=1, detail=detail)
        case.approved_sale()
    assert broken(run.judge()) == expected


def test_given_before_the_bench_fell_over_it_stays_unsafe_and_after_it_nothing_is_held_against_anyone() -> None:
    for trouble_first, verdict in ((False, Verdict.UNSAFE), (True, Verdict.BENCH_FAULT)):
        run = Run()
        with run.case() as case:
            if trouble_first:
                case.trouble()
            _meets(run, given=200)
            if not trouble_first:
                case.trouble()
            _refused(case)
        assert run.judge().verdict is verdict


def test_a_bench_that_sees_neither_host_nor_bearer_does_not_judge_it() -> None:
    run = Run(views=("ecr",))
    with run.case() as case:
        _refused(case)
    assert run.judge().not_judged["M16"] == "the bench has no view of: host ledger or network failures"
