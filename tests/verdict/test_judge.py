"""The judge: the order of verdicts, what a case requires, what cannot be told, and how it is written down."""

import json
from pathlib import Path

import pytest

from rig.errors import CallerMistake
from rig.history import History, Journal, Redactor, read_history
from rig.verdict import CaseVerdict, RunVerdict, Verdict, explain, judge, judge_case
from tests.verdict.build import RESPONSE_TIMEOUT_S, Run, broken

# The four defects that the virtual terminal can be given


def test_a_terminal_that_declines_everything_is_not_as_required() -> None:
    run = Run()
    with run.case("clean", "completed") as case:
        case.ends(case.sale(), "declined")
    verdict = judge(run.history())
    assert verdict.cases[0].verdict is Verdict.NOT_AS_REQUIRED
    assert verdict.cases[0].why == (
        "failed safely where completed was required: sale i1: outcome declined (6C) without a host decline"
    )
    assert verdict.exit_code == 1


def test_a_terminal_that_never_reverses_breaks_m3() -> None:
    run = Run()
    with run.case("silent host", "failed safely") as case:
        case.unanswered_sale(reverses=False)
    assert broken(run.judge()) == {"M2", "M3"}


def test_a_terminal_that_approves_a_late_answer_breaks_m7() -> None:
    run = Run()
    with run.case("late answer", "failed safely") as case:
        sale = case.sale()
        key = case.request(sale)
        run.waits(RESPONSE_TIMEOUT_S + 1)
        case.answer(key)
        case.ends(sale, "approved", 1234)
    assert broken(run.judge()) == {"M7"}


def test_a_terminal_that_loses_its_reversal_at_a_power_cut_breaks_m4() -> None:
    run = Run()
    with run.case("power cut", "failed safely") as case:
        sale = case.sale()
        key = case.request(sale)
        case.fault("cut power of")
        case.answer(key)
        case.ends(sale, "unknown")
        case.resolves(sale, "failed")
    verdict = run.judge()
    assert broken(verdict) == {"M2", "M4"}


# What a case requires


def test_the_worst_of_a_cases_intents_counts() -> None:
    run = Run()
    with run.case("two", "completed") as case:
        case.approved_sale()
        case.unanswered_sale()
    assert run.judge().verdict is Verdict.NOT_AS_REQUIRED


def test_completing_where_a_safe_failure_was_required_is_not_as_required() -> None:
    run = Run()
    with run.case("cut", "failed safely") as case:
        case.approved_sale()
    assert run.judge().why == "completed where failed safely was required: sale i1 was approved"


@pytest.mark.parametrize(("agreed", "expected"), [(True, Verdict.COMPLETED), (False, Verdict.NOT_AS_REQUIRED)])
def test_an_end_of_day_completes_where_the_host_agreed(agreed: bool, expected: Verdict) -> None:
    run = Run()
    with run.case("end of day", "completed") as case:
        end = case.end_of_day()
        case.settlement(agreed)
        case.ends(end, "approved")
    assert run.judge().verdict is expected


def test_an_expectation_that_does_not_hold_is_not_as_required() -> None:
    run = Run()
    with run.case() as case:
        case.approved_sale()
        run.note("expectation_failed", what="the receipt names the card")
    verdict = run.judge()
    assert (verdict.verdict, verdict.why) == (
        Verdict.NOT_AS_REQUIRED, "the case expects otherwise: the receipt names the card"
    )  # fmt: skip


def test_a_case_that_requires_nonsense_is_undecided() -> None:
    run = Run()
    with run.case("typo", "complted") as case:
        case.approved_sale()
    verdict = run.judge()
    assert verdict.verdict is Verdict.UNDECIDED
    assert "'complted' is no verdict" in verdict.why


# What the rig cannot tell


@pytest.mark.parametrize("proven", [False, None])
def test_a_fault_without_proof_leaves_the_case_undecided(proven: bool | None) -> None:
    run = Run()
    with run.case() as case:
        case.fault("cut", proven=proven)
        case.unanswered_sale()
    verdict = run.judge()
    assert (verdict.verdict, verdict.why) == (Verdict.UNDECIDED, "fault cut was never proven")
    assert (verdict.counts["faults"], verdict.counts["faults_proven"]) == (1, 0)


@pytest.mark.parametrize("proofs", [(True, False), (False, True), (True, None)], ids=str)
def test_a_proof_counts_for_one_fault_alone(proofs: tuple[bool | None, bool | None]) -> None:
    """The same fault in two sales of a case: the proof of one says nothing of the other."""
    run = Run()
    with run.case() as case:
        for proven in proofs:
            case.fault("cut", proven=proven)
            case.approved_sale()
    verdict = run.judge()
    assert (verdict.verdict, verdict.why) == (Verdict.UNDECIDED, "fault cut was never proven")
    assert verdict.counts["faults_proven"] == 1


@pytest.mark.parametrize("shown", [True, False])
def test_an_impairment_that_met_no_packet_leaves_the_case_undecided(shown: bool) -> None:
    run = Run()
    with run.case() as case:
        run.note("stimulus", link="wifi", shown=shown, by="nothing", evidence={})
        case.approved_sale()
    verdict = run.judge()
    if shown:
        assert verdict.verdict is Verdict.COMPLETED
    else:
        assert verdict.verdict is Verdict.UNDECIDED
        assert verdict.why == "no packet was seen to meet what was done to wifi"


def test_a_skipped_case_is_no_pass() -> None:
    run = Run()
    with run.case() as case:
        case.run.note("case_skipped", why="no modem here")
    verdict = run.judge()
    assert (verdict.verdict, verdict.why) == (Verdict.UNDECIDED, "it was skipped: no modem here")


def test_a_bench_fault_is_never_the_terminals() -> None:
    run = Run()
    with run.case("host dies", "completed") as case:
        sale = case.sale()
        case.request(sale)
        case.trouble()
        case.ends(sale, "declined")
    verdict = judge(run.history())
    assert verdict.cases[0].verdict is Verdict.BENCH_FAULT
    assert verdict.cases[0].why == "acquirer: gone (start it)"
    assert verdict.exit_code == 2


def test_what_was_proven_before_the_bench_fault_stays_unsafe() -> None:
    run = Run()
    with run.case() as case:
        _, key = case.approved_sale()
        case.reversal(key)
        case.trouble()
    assert broken(run.judge()) == {"M6"}


def test_a_bench_fault_between_cases_is_the_runs() -> None:
    run = Run()
    with run.case() as case:
        case.approved_sale()
    case.trouble()
    verdict = judge(run.history())
    assert verdict.cases[0].verdict is Verdict.COMPLETED
    assert verdict.bench_faults == ("acquirer: gone (start it)",)
    assert (verdict.worst, verdict.exit_code) == (Verdict.BENCH_FAULT, 2)


def test_what_the_bench_does_between_cases_changes_no_case() -> None:
    run = Run()
    with run.case() as case:
        case.approved_sale()
    case.fault("cut power of", proven=None)
    case.settle(quiet=False, waiting_for="host")
    assert run.judge().verdict is Verdict.COMPLETED


def test_a_torn_case_is_undecided_and_so_is_what_never_ran() -> None:
    run = Run(planned=("torn", "later"))
    with run.case("torn", settles=False, ends=False) as case:
        case.unanswered_sale()
    verdict = judge(run.history())
    assert [(case.case, case.verdict, case.why) for case in verdict.cases] == [
        ("torn", Verdict.UNDECIDED, "the case never ended: its process was stopped; the case was never settled"),
        ("later", Verdict.UNDECIDED, "not run"),
    ]
    assert verdict.exit_code == 2


def test_a_missing_view_is_named_with_what_it_hides() -> None:
    run = Run(views=("ecr",))
    with run.case() as case:
        case.ends(case.sale(), "approved", 1234)
    verdict = run.judge()
    assert verdict.verdict is Verdict.COMPLETED
    assert set(verdict.not_judged) == {"M1", "M2", "M3", "M4", "M5", "M6", "M7", "M10", "M16"}
    assert verdict.not_judged["M1"] == "the bench has no view of: host ledger"


def test_nothing_ran_is_not_green() -> None:
    assert (judge(Run().history()).worst, judge(Run().history()).exit_code) == (Verdict.UNDECIDED, 2)


def test_the_terminals_failure_outweighs_what_could_not_be_told() -> None:
    run = Run(planned=("bad", "later"))
    with run.case("bad", "completed") as case:
        case.unanswered_sale()
    verdict = judge(run.history())
    assert (verdict.worst, verdict.exit_code) == (Verdict.UNDECIDED, 1)


def _sound() -> History:
    run = Run()
    with run.case() as case:
        case.approved_sale()
    return run.history()


@pytest.mark.parametrize(
    ("history", "doubt"),
    [
        (History(_sound().events, damage=("rig-1.jsonl line 3: no",)), "rig-1.jsonl line 3: no"),
        (History(_sound().events, torn=("rig-100.jsonl",)), "rig-100.jsonl: the last line is torn"),
        (History(_sound().events[::-1]), "its events are out of order"),
        (History(_sound().events + _sound().events[-1:]), "1 events stand in it twice"),
        (History(_sound().events[:3] + _sound().events[4:]), "acquirer-200: event 2 follows event 0"),
        (History(_sound().events[1:]), "it holds 0 beginnings of a run, where one belongs"),
    ],
)
def test_a_history_that_is_not_whole_is_never_judged_as_whole(history: History, doubt: str) -> None:
    verdict = judge(history)
    assert any(doubt in found for found in verdict.doubts)
    assert verdict.cases[0].verdict is Verdict.UNDECIDED
    assert verdict.cases[0].why.startswith("the history is not whole: ")
    assert verdict.exit_code == 2


def test_the_torn_last_line_of_a_device_is_harmless() -> None:
    assert judge(History(_sound().events, torn=("terminal-7.jsonl",))).worst is Verdict.COMPLETED


# How it is written down


def test_a_verdict_survives_being_written() -> None:
    run = Run(planned=("later",))
    with run.case() as case:
        case.unanswered_sale(reverses=False)
    verdict = judge(run.history())
    written = verdict.to_json()
    assert RunVerdict.from_json(written) == verdict
    assert RunVerdict.from_json(written).to_json() == written
    assert json.loads(written)["verdicts"]["unsafe"] == 1
    evidence = [str(ref) for ref in verdict.cases[0].breaches[1].evidence]
    assert evidence == ["acquirer-200#1 request_received", "rig-100#4 outcome", "rig-100#7 settled"]


@pytest.mark.parametrize("written", ["", "[]", "{}", '{"format": 99}', '{"format": 1, "cases": [1]}'])
def test_what_is_no_verdict_is_refused(written: str) -> None:
    with pytest.raises(CallerMistake, match="not a written verdict"):
        RunVerdict.from_json(written)


def test_a_run_judged_from_its_files_gives_the_same_verdict(tmp_path: Path) -> None:
    run = Run()
    with run.case() as case:
        case.unanswered_sale(reverses=False)
    journals = {name: Journal.open(tmp_path, name, Redactor(bytes(32), ())) for name in ("rig", "acquirer")}
    for event in run.events:
        journals[event.process].write(event.kind, **event.data)
    verdict = judge(read_history(tmp_path))
    assert broken(verdict.cases[0]) == {"M2", "M3"}
    assert judge(read_history(tmp_path)).to_json() == verdict.to_json()


def test_a_case_judged_while_the_run_goes_on_gives_the_same_verdict() -> None:
    run = Run()
    with run.case() as case:
        case.unanswered_sale(reverses=False)
    history = run.history()
    live = judge_case(history.events)
    assert live == judge(history).cases[0]
    assert judge_case(history.events[1:], history.events[0]) == live


def test_there_is_no_case_without_a_beginning() -> None:
    with pytest.raises(CallerMistake, match="no case begins"):
        judge_case([])


def test_the_story_of_a_case() -> None:
    run = Run()
    with run.case("silent host") as case:
        case.fault("silence")
        case.unanswered_sale()
    (story,) = explain(run.history())
    assert story == (
        "Silent host over wifi. Sale i1 over 1234 minor units EUR with visa began at +0.030 s. "
        "The host received 70000001/000001 at +0.040 s, sent no answer, received its reversal at +3.060 s, "
        "and held it as reversed in the end. The terminal's last word was declined (6C) at +3.080 s. "
        "Fault silence at request_received, proven at +0.020 s. All was quiet at +3.110 s. "
        "Verdict: failed safely, because sale i1: outcome declined (6C), and reversed."
    )


def test_verdicts_are_read_in_words() -> None:
    assert Verdict.named("failed safely") is Verdict.named("failed_safely") is Verdict.FAILED_SAFELY
    assert Verdict.worst(Verdict) is Verdict.UNSAFE
    assert CaseVerdict("c", "c", "", (), Verdict.COMPLETED, "").counts == {}
