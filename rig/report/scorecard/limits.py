"""What was measured with what, and what was not measured at all."""

from __future__ import annotations

from collections.abc import Iterator

from rig.report.scorecard import words
from rig.report.scorecard.model import Scorecard, Statement

RADIO_MODEL = "rig.virtual.radio_model, docs/radio-model.md"


def measured(card: Scorecard) -> Statement:
    """The run, the bench, the conditions, the network backend and the radio model."""
    sales = sum(each.sales for bearer in card.bearers for each in bearer.stability)
    names = [each.name for each in card.bearers]
    en = (
        f"Measured on bench {card.bench or '?'}: {sales} sales over {words.listed(names)}, under "
        f"{words.listed(f'“{name}”' for name in card.conditions)}. Network backend: {card.backend}."
    )
    zh = (
        f"在测试台 {card.bench or '?'} 上测量：经 {words.listed_zh(names)} 共 {sales} 笔交易，"
        f"条件：{words.listed_zh(words.condition_zh(name) for name in card.conditions)}。网络后端：{card.backend}。"
    )
    if card.radio:
        en += f" The radio was a model ({card.radio}), not a real cell."
        zh += f"无线部分是模型（{card.radio}），不是真实小区。"
    if card.simulated:
        en += f" Simulated: {words.listed(card.simulated)}."
        zh += f"以下为模拟：{words.listed_zh(card.simulated)}。"
    return Statement("measured", en, zh)


def limits(card: Scorecard) -> Iterator[Statement]:
    """What nobody may read out of this run."""
    kinds = {each.kind for each in card.bearers}
    en, zh = ["real coverage and the load of real networks"], ["真实覆盖与真实网络负载"]
    if kinds & {"cellular", "private"}:
        en.append("the operator's encryption over the air and what the operator can read")
        zh.append("运营商的空口加密以及运营商能读到什么")
    if card.haste != 1:
        en.append(f"how soon a network is lost and found: the radio model does it {card.haste:g} times quicker")
        zh.append(f"网络丢失与恢复的真实耗时：无线模型快 {card.haste:g} 倍")
    if "wifi" in kinds:
        en.append("whether the access point's own encryption hides anything")
        zh.append("接入点自身的加密是否有效")
    if "bluetooth" in kinds:
        en.append("Bluetooth's own encryption")
        zh.append("蓝牙自身的加密")
    if "telephone" in card.simulated:
        en.append("how long real modems dial and train")
        zh.append("真实调制解调器拨号与训练所需时间")
    en.append("real tariffs: prices are those of the tariff file" if card.tariff else "prices: there is no tariff file")
    zh.append("真实资费：价格仅来自资费文件" if card.tariff else "价格：没有资费文件")
    if card.simulated:
        en.append("a real terminal on these figures: a simulated one stood in its place")
        zh.append("真实终端：此处为模拟终端")
    yield Statement("limits", f"Not measured: {'; '.join(en)}.", f"未测量：{'；'.join(zh)}。")
    spoilt = words.grouped(
        (found.condition, bearer.name) for bearer in card.bearers for found in bearer.stability if found.bench_faults
    )
    for condition, names in spoilt:
        yield Statement(
            "limits",
            f"Spoilt by the bench under “{condition}”, and left out there: cases of {words.listed(names)}.",
            f"{words.condition_zh(condition)}下因测试台故障而排除的案例：{words.listed_zh(names)}。",
        )
    few = [bearer.name for bearer in card.bearers if not any(each.sales >= 6 for each in bearer.stability)]
    if few:
        yield Statement(
            "limits",
            f"Too few sales for an interval of the median: {words.listed(few)}.",
            f"交易太少，无法给出中位数区间：{words.listed_zh(few)}。",
        )
    for doubt in card.doubts:
        yield Statement("limits", f"Doubt: {doubt}.", f"疑点：{doubt}。")
    untested = ((why, bearer.name) for bearer in card.bearers for why in bearer.security.not_tested)
    for (why_en, why_zh), names in words.grouped(untested):
        yield Statement("limits", f"{words.listed(names)}: {why_en}.", f"{words.listed_zh(names)}：{why_zh}。")
