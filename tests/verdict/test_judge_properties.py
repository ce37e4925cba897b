"""Whatever a history holds, the judge does not raise, and says the same again."""

from functools import partial
from operator import is_
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rig.history import Event, History
from rig.verdict import Verdict, explain, judge
from tests.verdict.build import Run


def _sound_run() -> Run:
    """A bit of everything: approved, voided, silent host, power cut, host decline, end of day."""
    run = Run()
    with run.case("void") as case:
        sale, key = case.approved_sale()
        void = case.void(sale)
        case.answer(case.void_request(void, key))
        case.ends(void, "approved")
    with run.case("power") as case:
        sale = case.sale()
        key = case.request(sale)
        case.fault("cut power of")
        case.power(on=False)
        case.answer(key)
        case.ends(sale, "unknown")
        case.power(on=True)
        case.reversal(key)
        case.resolves(sale, "failed")
    with run.case("silent") as case:
        case.unanswered_sale()
        case.approved_sale()
    with run.case("end of day") as case:
        sale = case.sale()
        case.answer(case.request(sale), rc="51")
        case.ends(sale, "declined", code="51")
        end = case.end_of_day()
        case.settlement()
        case.ends(end, "approved")
    return run


SOUND = _sound_run().history()
EVENTS = st.sampled_from(SOUND.events)
VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.lists(st.none(), max_size=2)


def test_the_sound_run_is_sound() -> None:
    assert [case.verdict for case in judge(SOUND).cases] == [
        Verdict.COMPLETED, Verdict.FAILED_SAFELY, Verdict.FAILED_SAFELY, Verdict.COMPLETED
    ]  # fmt: skip


@given(st.lists(EVENTS, max_size=120))
def test_any_selection_in_any_order_is_judged(events: list[Event]) -> None:
    history = History(tuple(events))
    verdict = judge(history)
    assert verdict.to_json() == judge(history).to_json()
    assert verdict.exit_code == 2
    assert len(list(explain(history))) <= len(verdict.cases)


@given(st.permutations(SOUND.events))
def test_the_order_of_reading_changes_nothing_but_the_doubt(events: list[Event]) -> None:
    verdicts = {case.verdict for case in judge(History(tuple(events))).cases}
    assert verdicts == ({Verdict.UNDECIDED} if tuple(events) != SOUND.events else set(Verdict) & verdicts)


@given(st.sets(st.integers(0, len(SOUND) - 1)))
def test_events_that_were_never_written_leave_a_judgement(dropped: set[int]) -> None:
    run = _sound_run()
    gone = {id(run.events[place]) for place in dropped}
    judge(run.history(without=lambda event: id(event) in gone))


@given(st.data())
def test_fields_of_the_wrong_type_are_judged(data: st.DataObject) -> None:
    run = _sound_run()
    for event in data.draw(st.lists(st.sampled_from(run.events), max_size=20)):
        if event.data:
            name = data.draw(st.sampled_from(sorted(event.data)))
            wrong: Any = data.draw(VALUES)
            event.data[name] = wrong
    judge(run.history()).to_json()
    list(explain(run.history()))


@given(st.integers(1, 5), st.booleans())
def test_a_reversal_that_never_came_is_always_unsafe(sales: int, sound_ones_first: bool) -> None:
    run = Run()
    with run.case() as case:
        for _ in range(sales if sound_ones_first else 0):
            case.approved_sale()
        _, key = case.unanswered_sale()
        run.rows[key]["state"] = "approved"
        for _ in range(0 if sound_ones_first else sales):
            case.approved_sale()
    history = run.history(without=lambda event: event.data.get("mti") in ("0400", "0410"))
    (verdict,) = judge(history).cases
    assert verdict.verdict is Verdict.UNSAFE
    assert {"M2", "M3"} == {breach.invariant for breach in verdict.breaches}


def test_each_reversal_of_the_sound_run_is_needed() -> None:
    run = _sound_run()
    reversals = [event for event in run.events if event.data.get("mti") == "0400"]
    for reversal in reversals:
        lost = f"{reversal.data['tid']}/{reversal.data['original']['stan']}"
        mutilated = run.history(without=partial(is_, reversal))
        for event in mutilated.of("ledger_row"):
            if event.data["key"] == lost:
                event.data["state"] = "approved"
        assert Verdict.UNSAFE in {case.verdict for case in judge(mutilated).cases}
