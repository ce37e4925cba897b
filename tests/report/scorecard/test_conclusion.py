"""The conclusion follows the conditions, and says nothing that was not measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.report.scorecard import Scorecard, Statement, Traffic
from rig.report.scorecard.conclusion import conclude
from rig.report.scorecard.figures import (
    Cost,
    Hostile,
    Month,
    Portability,
    Recovery,
    Security,
    Stability,
    Times,
)
from rig.report.scorecard.html import page
from rig.report.scorecard.model import COUNTED, BearerCard
from rig.report.scorecard.preference import obstacles, preferred, recommended
from rig.report.scorecard.statistics import Interval, wilson
from tests.report.scorecard.made import Story

NONE = Recovery(0, 0, None, None)


def stories(busy: str, clean: str) -> Story:
    """One bearer suffers, the other does not."""
    story = Story("wifi", "lte")
    for bearer in story.bearers:
        with story.on(bearer, "ideal") as case:
            story.sells(case, bearer, 12, 0.3)
    with story.on(busy, "busy network") as case:
        story.sells(case, busy, 4, 2.5)
        story.fails(case, 8)
    with story.on(clean, "busy network") as case:
        story.sells(case, clean, 12, 0.3)
    return story


def recommendation(card: Scorecard) -> Statement:
    """The first one."""
    return next(each for each in card.conclusion if each.about == "recommendation")


@pytest.mark.parametrize(("busy", "clean"), [("lte", "wifi"), ("wifi", "lte")])
def test_it_flips_with_the_conditions(tmp_path: Path, busy: str, clean: str) -> None:
    card = stories(busy, clean).card(tmp_path / "run")
    said = recommendation(card)
    assert (said.better, said.worse) == ((clean,), (busy,))
    assert f"use {clean} (before {busy}: more sales completed)" in said.en
    assert f"推荐 {clean}（优于 {busy}：完成的交易更多）" in said.zh
    busy_network = next(each for each in card.conclusion if each.condition == "busy network")
    assert f"{busy} 4/12" in busy_network.en
    assert f"{clean} 12/12" in busy_network.en
    (choice,) = [each for each in card.conclusion if each.about == "choice" and busy in each.worse]
    assert choice.better == (clean,)
    assert choice.en.startswith(f"{busy} under “busy network” against {clean} undisturbed: {clean}, more sales")


def test_where_each_is_better_once_it_depends(tmp_path: Path) -> None:
    story = Story("wifi", "lte")
    for better, worse, condition in (("wifi", "lte", "ideal"), ("lte", "wifi", "busy network")):
        with story.on(better, condition) as case:
            story.sells(case, better, 12, 0.2)
        with story.on(worse, condition) as case:
            story.sells(case, worse, 12, 0.6)
    said = recommendation(story.card(tmp_path / "run"))
    assert said.en == "Use wifi or lte: which of them is better depends on the condition."
    assert said.zh == "推荐 wifi、lte：孰优取决于条件。"
    assert (said.better, said.worse) == (("wifi", "lte"), ())


@pytest.mark.parametrize(("count", "told"), [(3, False), (4, True), (5, True)])
def test_a_few_sales_tell_enough_where_every_one_was_shorter(tmp_path: Path, count: int, told: bool) -> None:
    story = Story("wifi", "lte")
    for bearer, seconds in (("wifi", 0.2), ("lte", 0.9)):
        with story.on(bearer, "busy network") as case:
            story.sells(case, bearer, count, seconds)
    said = recommendation(story.card(tmp_path / "run"))
    assert said.better == (("wifi",) if told else ("wifi", "lte"))


def test_what_the_bench_spoilt_is_named(tmp_path: Path) -> None:
    story = stories("lte", "wifi")
    with story.on("wifi", "weak signal") as case:
        case.trouble()
    card = story.card(tmp_path / "run")
    assert "Spoilt by the bench under “weak signal”, and left out there: cases of wifi." in [
        s.en for s in card.conclusion
    ]
    assert "spoilt<small>" in page(card)


def test_it_names_backend_and_model_and_what_was_not_measured(tmp_path: Path) -> None:
    card = stories("lte", "wifi").card(tmp_path / "run")
    measured = card.conclusion[0]
    assert "Network backend: user-space link" in measured.en
    assert "docs/radio-model.md" in measured.en
    assert "not a real cell" in measured.en
    assert "Simulated: terminal and radio." in measured.en
    assert "网络后端：用户态链路" in measured.zh
    limits = " ".join(each.en for each in card.conclusion if each.about == "limits")
    for said in ("operator's encryption", "real coverage", "real tariffs", "no false host was tried"):
        assert said in limits, said
    zh = " ".join(each.zh for each in card.conclusion if each.about == "limits")
    for said in ("运营商的空口加密", "真实覆盖", "真实资费"):
        assert said in zh, said


def test_every_sentence_is_said_in_both_languages(tmp_path: Path) -> None:
    for each in stories("lte", "wifi").card(tmp_path / "run").conclusion:
        assert each.en.endswith(".")
        assert each.zh.endswith("。")


def test_a_run_without_a_comparison_concludes_nothing(tmp_path: Path) -> None:
    story = Story()
    with story.case() as case:
        case.approved_sale()
    card = story.card(tmp_path / "run")
    assert {each.about for each in card.conclusion} == {"measured", "limits"}
    assert "None" not in page(card)


def test_made_again_it_is_the_same_bytes(tmp_path: Path) -> None:
    one, other = (stories("lte", "wifi").card(tmp_path / name / "run") for name in ("a", "b"))
    assert one.to_json() == other.to_json()
    assert page(one) == page(other)


# What must hold of any figures


@st.composite
def bearers(draw: st.DrawFn) -> tuple[BearerCard, ...]:
    """Some bearers with any figures."""
    count = draw(st.integers(1, 5))
    return tuple(_bearer(draw, f"b{number}") for number in range(count))


def _bearer(draw: st.DrawFn, name: str) -> BearerCard:
    security = Security(
        True, clear=draw(st.integers(0, 1)), masked_packets=draw(st.sampled_from([None, 0, 0, 3])),
        hostile=(Hostile("evil-twin", 1, 1, 1 - (harm := draw(st.sampled_from([0, 0, 0, 1]))), harm),),
    )  # fmt: skip
    conditions = draw(st.lists(st.sampled_from([*COUNTED, "outage"]), unique=True))
    money = draw(st.sampled_from([None, "1.00", "2.00"]))
    month = Month("ideal", 1.0, None, money, money, money, "EUR") if money else None
    moved = Portability(False, None, None, None, None, 0, 0, NONE, 0, ())
    stability = tuple(_stability(draw, condition) for condition in conditions)
    kind = draw(st.sampled_from(["wifi", "cellular", "ethernet"]))
    return BearerCard(name, kind, stability, Cost(month=month), security, moved)


def _stability(draw: st.DrawFn, condition: str) -> Stability:
    sales = draw(st.integers(0, 30))
    done = draw(st.integers(0, sales))
    middle = draw(st.floats(10, 5000))
    times = _times(done, middle) if done else None
    bad = st.sampled_from([0, 0, 0, 0, 1])
    return Stability(condition, 1, sales, done, wilson(done, sales), times, draw(bad), draw(bad), 0, NONE)


def _times(count: int, middle: float) -> Times:
    enough = Interval(middle, middle * 0.9, middle * 1.1) if count > 5 else Interval(middle, None, None)
    return Times(count, middle * 0.8, enough, middle * 1.2, middle * 1.3, middle * 1.4)


def _card(found: tuple[BearerCard, ...]) -> Scorecard:
    return conclude(Scorecard("run", "made", "1", "link", (), "", {}, Traffic(), "", "", found))


@given(bearers())
def test_nothing_unsafe_is_ever_recommended(found: tuple[BearerCard, ...]) -> None:
    card = _card(found)
    wrong = {
        each.name
        for each in found
        if any(s.unsafe or s.undecided for s in each.stability)
        or each.security.harmed
        or each.security.card_data_in_clear
    }
    said = [each for each in card.conclusion if each.about in ("recommendation", "choice")]
    assert not wrong & {name for each in said for name in each.better}


@given(bearers())
def test_who_is_recommended_is_beaten_by_nobody_who_may_be(found: tuple[BearerCard, ...]) -> None:
    best = recommended(found)
    for each in best:
        assert not obstacles(each)
        assert not any(preferred(other, each) for other in found if other is not each and not obstacles(other))
    assert set(recommendation(_card(found)).better) == {each.name for each in best}


@given(bearers())
def test_no_two_are_preferred_to_each_other_and_nobody_to_oneself(found: tuple[BearerCard, ...]) -> None:
    for one in found:
        assert not preferred(one, one)
        for other in found:
            assert not (preferred(one, other) and preferred(other, one))


@given(bearers())
def test_the_order_of_the_bearers_decides_nothing(found: tuple[BearerCard, ...]) -> None:
    names = {each.name for each in recommended(found)}
    assert {each.name for each in recommended(tuple(reversed(found)))} == names


@given(bearers())
def test_losing_sales_never_makes_a_bearer_preferred(found: tuple[BearerCard, ...]) -> None:
    for one in found:
        lost = tuple(replace(s, completed=0, share=wilson(0, s.sales), times=None) for s in one.stability)
        worse = replace(one, stability=lost)
        for other in found:
            if other is not one and preferred(worse, other) in ("share", "time"):
                assert preferred(one, other) in ("share", "time")


@given(bearers())
def test_losing_some_sales_and_no_time_never_makes_a_bearer_preferred(found: tuple[BearerCard, ...]) -> None:
    for one in found:
        some = [replace(s, completed=s.completed // 2, share=wilson(s.completed // 2, s.sales)) for s in one.stability]
        worse = replace(one, stability=tuple(some))
        for other in found:
            if other is not one and preferred(worse, other) in ("share", "time"):
                assert preferred(one, other) in ("share", "time")


@given(bearers(), st.text(max_size=20))
def test_the_page_is_well_formed_whatever_is_in_it(found: tuple[BearerCard, ...], name: str) -> None:
    card = replace(_card(found), bench=name, devices={name: "<script>alert(1)</script>"})
    html = page(card)
    assert "<script" not in html
    assert "http" not in html, "nothing is fetched"
    for element in ("table", "section", "svg", "figure", "tbody", "ul"):
        assert html.count(f"<{element}>") + html.count(f"<{element} ") == html.count(f"</{element}>"), element
