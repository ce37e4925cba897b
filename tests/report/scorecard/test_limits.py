"""What nobody may read out of a run is said, in both languages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rig.report.scorecard import Scorecard, Traffic, chinese, scorecard_of
from rig.report.scorecard.html import page
from rig.report.scorecard.security import HOSTILE
from tests.report.scorecard.made import TARIFFS, Story


def said(card: Scorecard, about: str = "limits") -> tuple[str, str]:
    """All sentences about something, English and Chinese."""
    found = [each for each in card.conclusion if each.about == about]
    return " ".join(each.en for each in found), " ".join(each.zh for each in found)


def moved() -> Story:
    """One is carried away by an attenuator, the other is switched off."""
    story = Story("wifi", "lte")
    with story.on("lte", "moving") as case:
        for loss in (10, 60):
            story.note("attenuation", path="lte-main", asked=loss, read_back=loss)
            story.sells(case, "lte", 1) if loss < 60 else story.fails(case)
    with story.on("wifi", "moving") as case:
        story.note("impairment", link="wifi", up={}, down={}, carrier=False)
        story.fails(case)
    return story


def test_what_was_switched_off_was_not_carried_away(tmp_path: Path) -> None:
    en, zh = said(moved().card(tmp_path / "run"), "portability")
    assert en.startswith("Carried away: lte completed up to 10 dB")
    assert "Switched off: wifi failed once the link was gone." in en
    assert zh.startswith("移出覆盖范围：lte")
    assert "断开链路：wifi 链路断开后失败" in zh


def test_the_page_tells_in_both_languages_where_sales_failed_and_what_was_switched_off(tmp_path: Path) -> None:
    story = moved()
    with story.on("lte", "ideal") as case:
        story.sells(case, "lte", 1)
    html = page(story.card(tmp_path / "run"))
    assert "failed 失败 60 dB" in html, "the overview"
    assert ">failed 失败</text>" in html, "the picture, where no modem told a level"
    assert "switched off 断开链路" in html
    assert ">1/1</text>" in html
    assert "larger of two medians" in html
    assert "两个中位数中较大者" in html


def test_a_radio_that_nothing_attenuates_and_losses_that_are_no_distances_are_named(tmp_path: Path) -> None:
    en, zh = said(moved().card(tmp_path / "run"))
    assert "how far wifi carries and how long it takes to find its network and associate" in en
    assert "wifi 的覆盖距离以及搜网、关联所需时间" in zh
    assert "losses are no distances" in en
    assert "衰减不是距离" in zh


def test_few_sales_are_told_by_condition(tmp_path: Path) -> None:
    story = Story("wifi")
    for condition, count in (("ideal", 20), ("busy network", 5)):
        with story.on("wifi", condition) as case:
            story.sells(case, "wifi", count, 0.2)
    en, zh = said(story.card(tmp_path / "run"))
    assert "Too few completed sales for an interval of the median under “busy network”: wifi." in en
    assert "网络繁忙下完成的交易太少，无法给出中位数区间：wifi。" in zh
    assert "“ideal”" not in en


def fronts(*harmed: bool) -> Story:
    """One false host after the other, in two forms."""
    story = Story("wifi")
    for number, gives in enumerate(harmed):
        failure: dict[str, Any] = {"bearer": "wifi", "failure": "evil-twin", "options": {"self_signed": bool(number)}}
        with story.on("wifi", "hostile network") as case:
            story.note("network_failure", **failure, active=True, evidence={})
            story.fails(case)
            story.note(
                "network_failure", **failure, active=False, hits=1, detail={"application_bytes": 432 if gives else 0}
            )
    return story


def test_the_false_hosts_that_were_refused_are_named_and_the_others_too(tmp_path: Path) -> None:
    card = fronts(False, False).card(tmp_path / "run")
    en, zh = said(card, "security")
    assert "every time that the terminal met them (2 times; evil-twin and evil-twin self-signed) on wifi." in en
    assert "共 2 次；evil-twin、evil-twin self-signed" in zh
    limits = " ".join(said(card))
    assert "not tried on wifi: " in limits
    for front in HOSTILE:
        assert (front in limits) is (front != "evil-twin"), front


def test_who_yielded_to_one_form_did_not_refuse_every_time(tmp_path: Path) -> None:
    en, _ = said(fronts(False, True).card(tmp_path / "run"), "security")
    assert "every time" not in en
    assert "False hosts were given data: evil-twin self-signed on wifi." in en


def test_no_card_data_was_seen_only_where_the_capture_tells_what_it_masked(tmp_path: Path) -> None:
    for told in (True, False):
        story = Story("wifi")
        with story.on("wifi", "ideal") as case:
            story.sells(case, "wifi", 1)
        if told:
            story.note("ended", masked={"wifi": 0})
        card = story.card(tmp_path / str(told))
        assert ("No card data in clear was seen" in said(card, "security")[0]) is told
        assert ("held card data in clear is not known" in said(card)[0]) is not told
        assert ("是否有明文卡数据未知" in said(card)[1]) is not told


def test_doubts_and_simulated_parts_are_told_in_chinese_too(tmp_path: Path) -> None:
    run = moved().write(tmp_path / "run")
    (run / "wire.pcapng").unlink()
    card = scorecard_of(run, TARIFFS, Traffic())
    assert "疑点：没有抓包：字节数与可见内容未知。" in said(card)[1]
    assert "以下为模拟：终端、无线电。" in said(card, "measured")[1]
    assert chinese.doubt("3 packets are larger than 1500 bytes: the kernel joined them, headers are missing") == (
        "3 个数据包大于 1500 字节：已被内核合并，缺少报头"
    )
    assert chinese.doubt("rig-7.jsonl line 3: no JSON") == "rig-7.jsonl line 3: no JSON"
