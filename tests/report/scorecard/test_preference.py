"""What decides between two bearers, and what must not."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.report.scorecard import Scorecard, Statement, Traffic
from rig.report.scorecard.conclusion import conclude
from rig.report.scorecard.figures import (
    Cost,
    Month,
    Portability,
    Recovery,
    Security,
    Stability,
    Times,
    Volume,
)
from rig.report.scorecard.html import page
from rig.report.scorecard.model import BearerCard
from rig.report.scorecard.preference import FELT_MS, MATERIAL, difference, preferred
from rig.report.scorecard.statistics import Interval, wilson
from tests.report.scorecard.made import Story

NONE = Recovery(0, 0, None, None)


def ideal(completed: int, sales: int, middle: float) -> Stability:
    """So many completed sales around a median that is known to within a hundredth."""
    times = Times(
        completed, middle * 0.98, Interval(middle, middle * 0.99, middle * 1.01), middle, middle, middle * 1.02
    )
    return Stability("ideal", 1, sales, completed, wilson(completed, sales), times, 0, 0, 0, NONE)


def bearer(name: str, cost: Cost) -> BearerCard:
    """One that no time and no share tells from another."""
    moved = Portability(False, None, None, None, None, 0, 0, NONE, 0, ())
    return BearerCard(name, "wifi", (ideal(20, 20, 300),), cost, Security(True, masked_packets=0), moved)


def month(money: str | None, currency: str = "EUR") -> Month:
    """A month whose price is exactly known."""
    return Month("ideal", 1.0, None, money, money, money, currency if money else "")


def sized(size: float, money: str | None = None) -> Cost:
    """Sales of one size, known to within a thousandth."""
    a_sale = Interval(size, size * 0.999, size * 1.001)
    return Cost((Volume("ideal", 20, 20, {}, 0, 0, a_sale, 0, 0),), (), month(money))


def first(card: Scorecard) -> Statement:
    """The recommendation."""
    return next(each for each in card.conclusion if each.about == "recommendation")


def card_of(*found: BearerCard, note: str = "") -> Scorecard:
    """Their scorecard."""
    return conclude(Scorecard("run", "made", "1", "link", (), "", {}, Traffic(), "made.yaml", note, found))


def test_time_does_not_decide_for_who_lost_more_sales() -> None:
    fast, slow = ideal(16, 20, 300), ideal(20, 20, 900)
    assert difference(fast, slow) is None, "of its sales only the quick ones may have come through"
    assert difference(slow, fast) is None
    told = difference(ideal(20, 20, 300), slow)
    assert told is not None
    assert (told.of, told.first) == ("time", True)


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        (sized(3_458), sized(3_504), ""),  # a hundredth: the intervals do not meet, and nobody pays it
        (sized(3_000), sized(3_504), "bytes"),
        (sized(3_000, "1.00"), sized(3_504), ""),  # what only one of them costs compares with nothing
        (Cost(month=month("3.00")), Cost(month=month("3.20")), ""),
        (Cost(month=month("2.00")), Cost(month=month("3.20")), "money"),
        (Cost(month=month("2.00")), Cost(month=month("3.20", "USD")), ""),
        (Cost(month=month("0.00")), Cost(month=month("0.00")), ""),
    ],
)
def test_cost_decides_by_a_tenth_and_like_by_like(one: Cost, other: Cost, why: str) -> None:
    assert preferred(bearer("a", one), bearer("b", other)) == why
    assert preferred(bearer("b", other), bearer("a", one)) == ""


def test_a_price_that_decides_carries_what_its_file_says_of_it() -> None:
    cheap, dear = bearer("a", Cost(month=month("2.00"))), bearer("b", Cost(month=month("9.00")))
    said = first(card_of(cheap, dear, note="invented prices"))
    assert said.better == ("a",)
    assert "cheaper by the tariff file (invented prices)" in said.en
    assert "按资费文件更便宜（invented prices）" in said.zh


def test_where_nothing_matters_it_says_how_little_that_is() -> None:
    said = first(card_of(bearer("a", Cost()), bearer("b", Cost())))
    assert said.better == ("a", "b")
    assert f"no difference that matters was measured (less than {FELT_MS:g} ms or {100 * MATERIAL:g} %" in said.en
    assert f"未测出有实际意义的差别（小于 {FELT_MS:g} ms 或 {100 * MATERIAL:g}%" in said.zh


def test_of_one_bearer_no_difference_is_denied() -> None:
    for each in card_of(bearer("a", Cost())).conclusion:
        assert "difference" not in each.en
        assert "差别" not in each.zh


@pytest.mark.parametrize(("count", "told"), [(2, False), (3, True)])
def test_of_fewer_than_three_sales_there_is_no_median(tmp_path: Path, count: int, told: bool) -> None:
    story = Story("wifi")
    with story.on("wifi", "ideal") as case:
        story.sells(case, "wifi", count, 0.2)
    card = story.card(tmp_path / "run")
    said = next(each for each in card.conclusion if each.condition == "ideal")
    assert ("Median time: wifi" in said.en) is told
    html = page(card)
    assert ("Time of completed sales: p50" in html) is told, "the chart"
    cells = html.split("Overview")[1].split("<td")[1:]
    assert ("–" not in cells[1]) is told, "p50 ideal"
