"""What was measured with what, and what was not measured at all."""

from __future__ import annotations

from collections.abc import Iterator

from rig.report.scorecard import chinese, words
from rig.report.scorecard.model import COUNTED, BearerCard, Scorecard, Statement
from rig.report.scorecard.security import HOSTILE

RADIO_MODEL = "rig.virtual.radio_model, docs/radio-model.md"

_BY_AIR = ("wifi", "cellular", "bluetooth")
"""Kinds that end where their radio does. A private line may be a cable."""

_Pair = tuple[str, str]


def measured(card: Scorecard) -> Statement:
    """The run, the bench, the conditions, the network backend and the radio model."""
    sales = sum(each.sales for bearer in card.bearers for each in bearer.stability)
    names = [each.name for each in card.bearers]
    en = (
        f"Measured on bench {card.bench or '?'}: {sales} sales over {words.listed(names)}, under "
        f"{words.listed(f'“{name}”' for name in card.conditions)}. Network backend: {card.backend}."
    )
    zh = (
        f"在台架 {card.bench or '?'} 上测量：经 {words.listed_zh(names)} 共 {sales} 笔交易，"
        f"条件：{words.listed_zh(words.condition_zh(name) for name in card.conditions)}。"
        f"网络后端：{chinese.backend(card.backend)}。"
    )
    if card.radio:
        en += f" The radio was a model ({card.radio}), not a real cell."
        zh += f"无线部分是模型（{card.radio}），不是真实小区。"
    if card.simulated:
        en += f" Simulated: {words.listed(card.simulated)}."
        zh += f"以下为模拟：{words.listed_zh(chinese.simulated(each) for each in card.simulated)}。"
    return Statement("measured", en, zh)


def limits(card: Scorecard) -> Iterator[Statement]:
    """What nobody may read out of this run."""
    missing = [*_not_of_the_network(card), *_not_of_the_radio(card), *_not_of_the_bench(card)]
    yield Statement(
        "limits",
        f"Not measured: {'; '.join(en for en, _ in missing)}.",
        f"未测量：{'；'.join(zh for _, zh in missing)}。",
    )
    yield from _conditions(card)
    yield from _spoilt(card)
    yield from _few(card)
    for doubt in card.doubts:
        yield Statement("limits", f"Doubt: {doubt}.", f"疑点：{chinese.doubt(doubt)}。")
    yield from _secrecy(card)


def _not_of_the_network(card: Scorecard) -> Iterator[_Pair]:
    kinds = {each.kind for each in card.bearers}
    yield "real coverage and the load of real networks", "真实覆盖与真实网络负载"
    if kinds & {"cellular", "private"}:
        yield (
            "the operator's encryption over the air and what the operator can read",
            ("运营商的空口加密以及运营商能读到什么"),
        )
    if "wifi" in kinds:
        yield "whether the access point's own encryption hides anything", "接入点自身的加密是否有效"
    if "bluetooth" in kinds:
        yield "Bluetooth's own encryption", "蓝牙自身的加密"


def _not_of_the_radio(card: Scorecard) -> Iterator[_Pair]:
    still = [each.name for each in card.bearers if each.kind in _BY_AIR and not each.portability.attenuated]
    if still:
        yield (
            f"how far {words.listed(still)} carries and how long it takes to find its network and associate: no radio "
            "path of it was attenuated",
            f"{words.listed_zh(still)} 的覆盖距离以及搜网、关联所需时间：没有可衰减的射频通路",
        )
    if card.haste != 1:
        yield (
            f"how soon a network is lost and found: the radio model does it {card.haste:g} times quicker, and what is "
            "told of coming back is shorter for it",
            f"网络丢失与恢复的真实耗时：无线模型快 {card.haste:g} 倍，所示的恢复时间因此偏短",
        )


def _not_of_the_bench(card: Scorecard) -> Iterator[_Pair]:
    if "telephone" in card.simulated:
        yield "how long real modems dial and train", "真实调制解调器拨号与训练所需时间"
    if card.tariff:
        yield "real tariffs: prices are those of the tariff file", "真实资费：价格仅来自资费文件"
    else:
        yield "prices: there is no tariff file", "价格：没有资费文件"
    if card.simulated:
        yield "a real terminal on these figures: a simulated one stood in its place", "真实终端：此处为模拟终端"


def _conditions(card: Scorecard) -> Iterator[Statement]:
    """What a name of a condition does not promise, and what a loss is not."""
    if unlike := [name for name in card.conditions if name in COUNTED and _is_unlike(card, name)]:
        yield Statement(
            "limits",
            f"Conditions typical of each kind of bearer, and not one stimulus for all: "
            f"{words.listed(f'“{name}”' for name in unlike)}. A difference there is a difference of those.",
            f"{words.listed_zh(words.condition_zh(name) for name in unlike)}是各类承载各自的典型条件，"
            "并非对所有承载施加同一种激励；其中的差别就是这些条件的差别。",
        )
    if any(each.portability.attenuated for each in card.bearers):
        yield Statement(
            "limits",
            "A loss in dB starts from the level of its own path: losses are no distances, and those of two bearers do "
            "not compare.",
            "以 dB 表示的衰减从各通路自身的电平算起：衰减不是距离，不同承载之间不可比较。",
        )


def _is_unlike(card: Scorecard, condition: str) -> bool:
    found = [each.stimulus for bearer in card.bearers if (each := bearer.under(condition)) is not None and each.sales]
    return len(set(found)) > 1


def _spoilt(card: Scorecard) -> Iterator[Statement]:
    spoilt = words.grouped(
        (found.condition, bearer.name) for bearer in card.bearers for found in bearer.stability if found.bench_faults
    )
    for condition, names in spoilt:
        yield Statement(
            "limits",
            f"Spoilt by the bench under “{condition}”, and left out there: cases of {words.listed(names)}.",
            f"{words.condition_zh(condition)}下因台架故障而排除的用例：{words.listed_zh(names)}。",
        )


def _few(card: Scorecard) -> Iterator[Statement]:
    """Under which conditions a median has no interval, by condition: many sales elsewhere are no help there."""
    for conditions, names in words.grouped((_without_interval(each), each.name) for each in card.bearers):
        if conditions:
            yield Statement(
                "limits",
                f"Too few completed sales for an interval of the median under "
                f"{words.listed(f'“{name}”' for name in conditions)}: {words.listed(names)}.",
                f"{words.listed_zh(words.condition_zh(name) for name in conditions)}下完成的交易太少，"
                f"无法给出中位数区间：{words.listed_zh(names)}。",
            )


def _without_interval(bearer: BearerCard) -> tuple[str, ...]:
    found = [each for name in COUNTED if (each := bearer.under(name)) is not None and each.sales]
    return tuple(each.condition for each in found if each.times is None or each.times.median.low is None)


def _secrecy(card: Scorecard) -> Iterator[Statement]:
    unknown = [each.name for each in card.bearers if each.security.captured and each.security.masked_packets is None]
    if unknown:
        yield Statement(
            "limits",
            f"Whether the packets of {words.listed(unknown)} held card data in clear is not known: the history does "
            "not tell what the capture masked.",
            f"{words.listed_zh(unknown)} 的数据包中是否有明文卡数据未知：历史记录未说明抓包时屏蔽了什么。",
        )
    for fronts, names in words.grouped((_untried(each), each.name) for each in card.bearers):
        if fronts:
            yield Statement(
                "limits",
                f"Ways to play the host or to listen that were not tried on {words.listed(names)}: "
                f"{words.listed(fronts)}.",
                f"在 {words.listed_zh(names)} 上未尝试的冒充或窃听方式：{words.listed_zh(fronts)}。",
            )
    untested = ((why, bearer.name) for bearer in card.bearers for why in bearer.security.not_tested)
    for (why_en, why_zh), names in words.grouped(untested):
        yield Statement("limits", f"{words.listed(names)}: {why_en}.", f"{words.listed_zh(names)}：{why_zh}。")


def _untried(bearer: BearerCard) -> tuple[str, ...]:
    """The hostile fronts left, on a bearer on which one was tried; where none was, that is said apart."""
    tried = {each.front.partition(" ")[0] for each in bearer.security.hostile}
    return tuple(each for each in HOSTILE if each not in tried) if tried else ()
