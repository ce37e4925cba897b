"""Cases, sales and recoveries as a history tells them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rig.report.scorecard import Scorecard
from rig.report.scorecard.figures import Stability
from rig.report.scorecard.stability_table import stability
from tests.report.scorecard.made import ADDRESSES, Story

CLEAN: dict[str, Any] = {"up": {"delay_ms": 0, "cut": False}, "down": {"delay_ms": 0, "cut": False}, "carrier": True}
CUT: dict[str, Any] = {"up": {"delay_ms": 0, "cut": True}, "down": {"delay_ms": 0, "cut": True}, "carrier": True}


def under(card: Scorecard, condition: str, bearer: str = "wifi") -> Stability:
    """One bearer under one condition."""
    found = next(each for each in card.bearers if each.name == bearer).under(condition)
    assert found is not None
    return found


def test_sales_are_counted_by_bearer_and_condition(tmp_path: Path) -> None:
    story = Story()
    with story.on("wifi", "ideal") as case:
        story.sells(case, "wifi", 8, 0.2)
    with story.on("lte", "busy network") as case:
        story.sells(case, "lte", 3, 1)
        story.fails(case, 2)
    card = story.card(tmp_path / "run")
    ideal, busy = under(card, "ideal"), under(card, "busy network", "lte")
    assert (ideal.sales, ideal.completed, ideal.unsafe, ideal.undecided, ideal.bench_faults) == (8, 8, 0, 0, 0)
    assert ideal.times is not None
    assert ideal.times.median.value == pytest.approx(234), "the fourth of eight: 204 ms and three events of 10 ms"
    assert (busy.sales, busy.completed) == (5, 3)
    assert busy.share is not None
    assert busy.share.value == 0.6
    assert card.conditions == ("ideal", "busy network")
    assert [bearer.name for bearer in card.bearers] == ["wifi", "lte"]


def test_a_case_without_a_condition_is_no_part_of_a_comparison(tmp_path: Path) -> None:
    story = Story()
    with story.case("regression") as case:
        case.approved_sale()
    assert story.card(tmp_path / "run").bearers == ()


def test_a_sale_that_another_bearer_saved_did_not_complete_over_this_one(tmp_path: Path) -> None:
    story = Story()
    with story.on("wifi", "outage") as case:
        sale = case.sale()
        case.answer(case.request(sale, peer=ADDRESSES["lte"]))
        case.ends(sale, "approved", 1234)
    card = story.card(tmp_path / "run")
    assert under(card, "outage").completed == 0
    assert (card.bearers[0].portability.failover, card.bearers[0].portability.failover_to) == (1, ("lte",))


def test_an_address_that_is_nobodys_is_the_benchs_end_of_the_telephone_line(tmp_path: Path) -> None:
    story = Story("wifi", "dialup")
    with story.on("wifi", "outage") as case:
        sale = case.sale()
        case.answer(case.request(sale, peer="127.0.0.1"))
        case.ends(sale, "approved", 1234)
    assert story.card(tmp_path / "run").bearers[0].portability.failover_to == ("dialup",)


def test_unsafe_cases_are_counted_and_what_the_bench_spoilt_is_left_out(tmp_path: Path) -> None:
    story = Story()
    with story.on("wifi", "ideal") as case:
        case.unanswered_sale(reverses=False)
    with story.on("wifi", "ideal") as case:
        story.sells(case, "wifi", 4)
        case.trouble()
    found = under(story.card(tmp_path / "run"), "ideal")
    assert (found.cases, found.unsafe, found.bench_faults) == (2, 1, 1)
    assert (found.sales, found.completed) == (1, 0), "those of the spoilt case say nothing of the bearer"


def test_recovery_is_from_the_end_of_a_disturbance_to_the_next_sale_that_completes(tmp_path: Path) -> None:
    story = Story()
    with story.on("wifi", "outage") as case:
        story.note("impairment", link="wifi", **CUT)
        story.fails(case)
        story.waits(5)
        story.note("impairment", link="wifi", **CLEAN)
        story.sells(case, "wifi", 1, 0.5)
        story.note("impairment", link="wifi", **CUT)
        case.settle()
        story.note("impairment", link="wifi", **CLEAN)
    found = under(story.card(tmp_path / "run"), "outage").recovery
    assert (found.disturbances, found.recovered) == (1, 1), "after the second one nothing was tried"
    assert found.median_ms == pytest.approx(540), "500 ms and four events"


def test_what_comes_through_while_the_bench_settles_is_no_recovery(tmp_path: Path) -> None:
    story = Story()
    with story.on("wifi", "outage") as case:
        story.note("impairment", link="wifi", **CUT)
        story.fails(case)
        story.note("impairment", link="wifi", **CLEAN)
        story.fails(case)
        case.settle()
        story.host("answer_sent", key="0", mti="0400", rc="00")  # the bench made the terminal ask
    found = under(story.card(tmp_path / "run"), "outage").recovery
    assert (found.disturbances, found.recovered, found.longest_ms) == (1, 0, None)


@pytest.mark.parametrize(("times", "told"), [(2, False), (3, True)])
def test_of_fewer_than_three_recoveries_the_table_tells_no_median(tmp_path: Path, times: int, told: bool) -> None:
    story = Story("wifi")
    with story.on("wifi", "outage") as case:
        for _ in range(times):
            story.note("impairment", link="wifi", **CUT)
            story.fails(case)
            story.note("impairment", link="wifi", **CLEAN)
            story.sells(case, "wifi", 1, 0.7)
    card = story.card(tmp_path / "run")
    *_, recovered, middle, longest = stability(card).split("<td>")
    assert recovered.startswith(f"{times}/{times}<")
    assert middle.startswith("–") is not told
    assert longest.startswith("7")


def test_a_path_and_a_named_failure_disturb_too(tmp_path: Path) -> None:
    story = Story()
    with story.on("lte", "moving") as case:
        for loss in (0, 40, 60):
            story.note("attenuation", path="lte-main", asked=loss, read_back=loss)
        story.fails(case)
        story.note("attenuation", path="lte-main", asked=0, read_back=0)
        story.sells(case, "lte", 1)
    with story.on("lte", "outage", "port") as case:
        story.note("port", bearer="lte", up=False)
        story.fails(case)
        story.note("port", bearer="lte", up=True)
        story.fails(case)
    with story.on("lte", "outage", "failure") as case:
        story.note("network_failure", bearer="lte", failure="silent-drop", active=True)
        story.fails(case)
        story.note("network_failure", bearer="lte", failure="silent-drop", active=False)
        story.fails(case)
    card = story.card(tmp_path / "run")
    assert under(card, "moving", "lte").recovery.recovered == 1
    lost = under(card, "outage", "lte").recovery
    assert (lost.disturbances, lost.recovered, lost.median_ms) == (2, 0, None)
