"""M10, and the bench's own trouble: what the card gave is what the host received, and it was the card armed."""

from __future__ import annotations

from typing import Any

import pytest

from rig.verdict import CaseVerdict, Verdict, explain, judge
from tests.verdict.build import TID, Case, Run, broken


def _sale(case: Case, armed: dict[str, Any] | None = None, sent: dict[str, Any] | None = None) -> tuple[str, str]:
    """An approved sale with what the card gave, or something else."""
    sale = case.sale()
    case.arms(**(armed or {}))
    told = case.gives(token=(armed or {}).get("token", "t"))
    key = case.request(sale, **told | (sent or {}))
    case.answer(key)
    case.ends(sale, "approved", 1234)
    return sale, key


def _judged(armed: dict[str, Any] | None = None, sent: dict[str, Any] | None = None) -> CaseVerdict:
    run = Run()
    with run.case() as case:
        _sale(case, armed, sent)
    return run.judge()


def test_what_the_card_gave_is_what_the_host_received() -> None:
    verdict = _judged(sent={"cryptogram": "ab"})
    assert (verdict.verdict, verdict.not_judged) == (Verdict.COMPLETED, {})


@pytest.mark.parametrize("sent", [{"cryptogram": "AC"}, {"atc": 2}])
def test_a_cryptogram_that_the_card_never_gave_is_unsafe(sent: dict[str, Any]) -> None:
    verdict = _judged(sent=sent)
    assert broken(verdict) == {"M10"}
    assert "the card never gave" in verdict.why
    assert [ref.kind for ref in verdict.breaches[0].evidence] == ["card_armed", "card_cryptogram", "request_received"]


def test_the_cards_cryptogram_under_another_number_is_unsafe() -> None:
    verdict = _judged(sent={"token": "u"})
    assert broken(verdict) == {"M10"}
    assert "number of another card" in verdict.why


def test_another_card_than_the_armed_one_is_a_bench_fault() -> None:
    verdict = _judged(sent={"token": "u", "cryptogram": "CD", "atc": 77})
    assert verdict.verdict is Verdict.BENCH_FAULT
    assert "another card than the armed one answered" in verdict.why
    assert "476173******t" in verdict.why


def test_what_follows_from_another_card_is_not_held_against_the_terminal() -> None:
    run = Run()
    with run.case() as case:
        _, key = _sale(case, sent={"token": "u", "cryptogram": "CD"})
        run.rows[key]["state"] = "declined"
    assert run.judge().verdict is Verdict.BENCH_FAULT


def test_what_was_proven_before_stays_unsafe() -> None:
    run = Run()
    with run.case() as case:
        _, key = case.approved_sale()
        case.reversal(key)
        run.waits(1)
        _sale(case, sent={"token": "u", "cryptogram": "CD"})
    assert "M6" in broken(run.judge())


def test_a_card_of_plastic_is_known_by_its_number_alone() -> None:
    assert _judged({"physical": True}, {"cryptogram": "CD", "atc": 9}).verdict is Verdict.COMPLETED
    assert _judged({"physical": True}, {"token": "u", "cryptogram": "CD"}).verdict is Verdict.BENCH_FAULT


def test_a_stripe_is_known_by_its_number_alone() -> None:
    stripe = {"entry_mode": "801", "atc": None, "cryptogram": None}
    assert _judged(sent=stripe).verdict is Verdict.COMPLETED
    assert _judged(sent=stripe | {"token": "u"}).verdict is Verdict.BENCH_FAULT


def test_a_terminal_may_be_quicker_than_the_presenter_tells() -> None:
    run = Run()
    with run.case() as case:
        sale = case.sale()
        case.arms()
        key = case.request(sale, token="t", atc=1, cryptogram="AB", entry_mode="071")
        case.gives()
        case.answer(key)
        case.ends(sale, "approved", 1234)
    assert run.judge().verdict is Verdict.COMPLETED


def test_the_second_of_two_cards_is_a_card_of_the_bench() -> None:
    run = Run()
    with run.case() as case:
        sale = case.sale()
        case.arms()
        case.arms("u")
        key = case.request(sale, **case.gives("u"))
        case.answer(key)
        case.ends(sale, "approved", 1234)
    assert run.judge().verdict is Verdict.COMPLETED


def test_a_second_tap_counts_as_well_as_the_first() -> None:
    run = Run()
    with run.case() as case:
        sale = case.sale()
        case.arms()
        case.gives(atc=1)
        run.note("card_fault", fault="tear inside GPO", command="GPO", what="half an answer")
        run.note("card_removed", why="torn")
        case.arms()
        key = case.request(sale, **case.gives(atc=2, cryptogram="EF"))
        case.answer(key)
        case.ends(sale, "approved", 1234)
    assert run.judge().verdict is Verdict.COMPLETED


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("9F26 flipped in GPO", set()),
        ("tear after GPO", {"M10"}),
        ("3 waiting time extensions at GPO", {"M10"}),
        ("answer to GPO late by 0.2 s", {"M10"}),
        ("2 blocks bad-crc at GPO", {"M10"}),
    ],
)
def test_an_answer_that_the_bench_spoiled_is_not_the_terminals(fault: str, expected: set[str]) -> None:
    run = Run()
    with run.case() as case:
        sale = case.sale()
        case.arms()
        told = case.gives()
        run.note("card_fault", fault=fault, command="GPO", what="as asked")
        case.answer(case.request(sale, **told | {"cryptogram": "00"}))
        case.ends(sale, "approved", 1234)
    assert broken(run.judge()) == expected


def test_one_tap_pays_once() -> None:
    run = Run()
    with run.case() as case:
        _sale(case)
        again = case.sale()
        case.answer(case.request(again, **case.gives()))
        case.ends(again, "approved", 1234)
    verdict = run.judge()
    assert broken(verdict) == {"M10"}
    assert "transaction 1 stands for sale i1 and for sale i2" in verdict.why


def test_a_bench_that_presents_no_cards_says_so() -> None:
    run = Run(views=("host ledger", "ecr"))
    with run.case() as case:
        case.approved_sale()
    assert run.judge().not_judged == {"M10": "the bench has no view of: card or contact card or striped card"}


# Contact cards -------------------------------------------------------------------------------------------------------


def _second_cryptogram(case: Case, reverses: bool) -> None:
    """The host approves, and the card declines by itself, or is pulled before it can say anything."""
    sale = case.sale()
    case.fault("pull card")
    case.arms()
    key = case.request(sale, **case.gives(cryptogram="AA") | {"entry_mode": "051"})
    case.answer(key)
    case.gives(cryptogram="BB")
    run = case.run
    run.note("card_removed", why="pulled")
    if reverses:
        case.reversal(key, reason="06")
        run.rows[key]["state"] = "reversed"
    case.ends(sale, "declined")


def test_a_contact_card_that_declines_after_the_host_approved_is_reversed() -> None:
    run = Run()
    with run.case() as case:
        _second_cryptogram(case, reverses=True)
    verdict = run.judge()
    assert (verdict.verdict, broken(verdict)) == (Verdict.FAILED_SAFELY, set())


def test_without_that_reversal_money_is_gone() -> None:
    run = Run()
    with run.case() as case:
        _second_cryptogram(case, reverses=False)
    assert broken(run.judge()) == {"M2", "M3"}


# What the card refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("information", "expected"), [("00", {"M10"}), ("40", set()), ("80", set()), ("", set())])
def test_what_the_card_declined_is_not_approved_offline(information: str, expected: set[str]) -> None:
    """The host refuses the advice, so that no money moves; but the goods are gone."""
    run = Run()
    with run.case() as case:
        sale = case.sale()
        case.arms()
        told = case.gives(information=information)
        case.ends(sale, "approved", 1234)
        case.answer(case.advice(sale, **told), rc="05", mti="0230")
    assert broken(run.judge()) == expected


def test_a_contact_cards_last_word_counts() -> None:
    run = Run()
    with run.case() as case:
        sale = case.sale()
        case.arms()
        case.answer(case.request(sale, **case.gives(information="80") | {"entry_mode": "051"}))
        case.gives(cryptogram="BB", information="00")
        case.ends(sale, "approved", 1234)
    verdict = run.judge()
    assert broken(verdict) == {"M10"}
    assert "the card itself had declined it" in verdict.why


def test_a_stripe_after_the_chips_refusal_is_the_hosts_to_judge() -> None:
    run = Run()
    with run.case() as case:
        sale = case.sale()
        case.arms()
        told = case.gives(information="00")
        case.answer(case.request(sale, **told | {"entry_mode": "801", "atc": None, "cryptogram": None}))
        case.ends(sale, "approved", 1234)
    assert run.judge().verdict is Verdict.COMPLETED


def test_a_card_that_declined_and_was_asked_again_has_not_declined() -> None:
    run = Run()
    with run.case() as case:
        sale = case.sale()
        case.arms()
        case.gives(information="00")
        case.answer(case.request(sale, **case.gives(atc=2, cryptogram="CD", information="80")))
        case.ends(sale, "approved", 1234)
    assert run.judge().verdict is Verdict.COMPLETED


def test_torn_card_events_never_raise() -> None:
    run = Run()
    with run.case() as case:
        sale = case.sale()
        run.note("card_armed")
        run.note("card_cryptogram", atc="x", cryptogram=7, information=0)
        run.note("card_fault", fault=None)
        case.request(sale, atc=1, cryptogram=None, entry_mode=5)
        case.request(sale, token=None, atc=True, cryptogram="AB", entry_mode="071")
        run.host("request_received", mti="0220", key="/", token="t", atc=1.5)
    assert judge(run.history()).to_json()
    assert list(explain(run.history()))


@pytest.mark.parametrize(("rc", "expected"), [("68", set()), ("00", {"M2"})], ids=["the host refuses it", "it stands"])
def test_a_request_that_arrives_cases_after_its_reversal_is_not_the_later_sales(rc: str, expected: set[str]) -> None:
    run, lost = Run(), f"{TID}/000900"
    with run.case("lost on the wire") as case:
        sale = case.sale()
        case.arms()
        told = case.gives(cryptogram="CD", atc=1)
        case.reversal(lost)
        case.ends(sale, "declined")
    with run.case("another"):
        pass
    with run.case("a later one") as case:
        own, _ = _sale(case)
        case.request(own, lost, **told)
        case.answer(lost, rc)
    assert broken(run.judge()) == expected
