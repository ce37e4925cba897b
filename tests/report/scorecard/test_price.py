"""What calls and a month cost: counted, priced by a tariff, and told from their least to their most."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.report.scorecard.html import page
from tests.report.scorecard.made import TARIFFS, Story, Talk


def test_calls_are_counted_with_their_octets_and_seconds(tmp_path: Path) -> None:
    story = Story("dialup")
    with story.on("dialup", "ideal") as case:
        for number in (1, 2):
            sale = case.sale()
            story.note("call_begin", call=number, rate=2400)
            story.note("line_octets", call=number, up=120, down=0)
            story.waits(9)
            case.answer(case.request(sale, peer="10.64.0.10"))
            story.note("line_octets", call=number, up=120, down=90)
            story.note("call_end", call=number, why="the caller hung up")
            case.ends(sale, "approved", 1234)
    card = story.card(tmp_path / "run", sales_a_day=10)
    calls = card.bearers[0].cost.calls[0]
    assert (calls.calls, calls.sales, calls.completed, calls.up, calls.down) == (2, 2, 2, 240, 180)
    assert calls.seconds is not None
    assert calls.seconds.value == pytest.approx(9.05)
    month = card.bearers[0].cost.month
    assert month is not None
    assert (month.calls, month.money, month.currency) == (300, "33.90", "EUR"), "9.90 + 300 × (0.06 + 0.02)"
    assert (month.low, month.high) == ("33.90", "33.90"), "no call was shared, and each was seen to its end"
    assert not month.is_open


def test_a_call_that_is_shared_and_not_over_lasts_until_the_settling(tmp_path: Path) -> None:
    story = Story("dialup")
    _dials(story, sales=4, idle_s=None)
    cost = story.card(tmp_path / "run", sales_a_day=10).bearers[0].cost
    (calls,) = cost.calls
    assert calls.seconds is not None
    assert calls.seconds.value == pytest.approx(20.16)
    assert cost.month is not None
    assert cost.month.calls == 300, "sales of a day lie too far apart to share one"
    assert cost.month.money == "33.90"
    assert cost.month.low == "15.90", "75 calls, shared as in the run"
    assert calls.lone_s == pytest.approx(5.04)
    assert (calls.idle_s, cost.month.high) == (None, None), "the terminal was never seen to hang up"


def _dials(story: Story, sales: int, idle_s: float | None) -> None:
    """Sales of five seconds that share a call; after so long the terminal hangs up."""
    with story.on("dialup", "ideal") as case:
        for number in range(sales):
            sale = case.sale()
            if not number:
                story.note("call_begin", call=1, rate=2400)
            story.waits(5)
            case.answer(case.request(sale, peer="10.64.0.10"))
            case.ends(sale, "approved", 1234)
        if idle_s is not None:
            story.waits(idle_s)
            story.note("call_end", call=1, why="the caller hung up, or the carrier was lost")


def test_a_call_of_its_own_lasts_set_up_sale_and_idle_and_both_ends_are_told(tmp_path: Path) -> None:
    story = Story("dialup")
    _dials(story, 4, idle_s=70)
    card = story.card(tmp_path / "run", sales_a_day=10)
    month = card.bearers[0].cost.month
    assert month is not None
    # 9.90 + 75 calls of 90 s, or 300 of 75 s, each 0.06 + 2 × 0.02.
    assert (month.low, month.money, month.high) == ("17.40", "39.90", "39.90")
    html = page(card)
    assert "<td>17.40–39.90 EUR<small>" in html
    assert "to one for each sale of 75.1 s: set-up, the sale, and 70.0 s that the line idled after it" in html
    assert any("dialup 17.40–39.90 EUR." in each.en for each in card.conclusion)


def test_a_price_whose_end_was_not_seen_is_told_as_at_least(tmp_path: Path) -> None:
    story = Story("dialup")
    _dials(story, 4, idle_s=None)
    card = story.card(tmp_path / "run", sales_a_day=10)
    assert any("dialup 15.90–33.90 EUR or more." in each.en for each in card.conclusion)
    assert any("dialup 15.90–33.90 EUR 或更多。" in each.zh for each in card.conclusion)
    assert "how long the line idles after it was not seen" in page(card)


def test_without_a_sale_that_set_its_call_up_a_lone_call_is_not_priced(tmp_path: Path) -> None:
    story = Story("dialup")
    with story.on("dialup", "ideal") as case:
        sale = case.sale()
        story.note("call_begin", call=1, rate=2400)
        story.waits(5)
        case.ends(sale, "declined")
    card = story.card(tmp_path / "run", sales_a_day=10)
    month = card.bearers[0].cost.month
    assert month is not None
    assert (month.low, month.high) == ("33.90", None)
    assert "33.90 EUR or more" in page(card)
    assert "how long a call for one sale lasts was not seen" in page(card)


def test_the_note_of_the_prices_and_the_traffic_stand_beneath_the_overview(tmp_path: Path) -> None:
    story = Story("wifi", "lte")
    for bearer in story.bearers:
        with story.on(bearer, "ideal") as case:
            talk = Talk(story, bearer)
            story.now_ms += 1
            sale = case.sale()
            talk.t = story.now_ns
            talk.opens()
            story.now_ms = talk.t // 1_000_000
            case.ends(sale, "declined")
    card = story.card(tmp_path / "run", sales_a_day=7)
    overview, _, rest = page(card).partition("</table></div>")[2].partition("<svg")
    assert rest
    for said in ("30 days of 7 sales a day", "Prices by made.yaml: invented.", "No price for wifi."):
        assert said in overview
    assert any(each.en.endswith("; no price for wifi.") for each in card.conclusion)


def test_a_month_is_the_measured_sale_times_the_traffic(tmp_path: Path) -> None:
    story = Story("lte")
    with story.on("lte", "ideal") as case:
        for number in range(3):
            sale = case.sale()
            talk = Talk(story, "lte", port=40_000 + number)
            size = talk.opens() + talk.says([(False, b"q" * 2000)]) + talk.closes()
            story.now_ms = talk.t // 1_000_000 - 2
            case.answer(case.request(sale, peer="10.64.2.2"))
            case.ends(sale, "approved", 1234)
    card = story.card(tmp_path / "run", sales_a_day=300, keepalive_s=60)
    month = card.bearers[0].cost.month
    said = (
        "with 300 sales a day and, beside the sales, which open their own connections, as measured, one that is kept "
        "by a keep-alive every 60 s, by made.yaml"
    )
    assert any(said in each.en for each in card.conclusion)
    assert month is not None
    kept = 30 * 1440
    assert month.megabytes == pytest.approx((size * 9000 + kept * 104) / 1e6)
    tariff = TARIFFS.of("lte", "cellular")
    assert tariff is not None
    assert month.money == f"{tariff.of_bytes(9000, size, kept, 104):.2f}"
