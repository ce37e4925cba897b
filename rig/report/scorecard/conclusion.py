"""The conclusion in sentences: nothing but what the figures say, and what nobody measured.

Every sentence that prefers a bearer names those it is preferred to, and follows from :mod:`preference` alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rig.report.scorecard import words
from rig.report.scorecard.figures import Stability
from rig.report.scorecard.limits import limits, measured
from rig.report.scorecard.model import COUNTED, BearerCard, Scorecard, Statement
from rig.report.scorecard.preference import (
    Difference,
    beaten,
    difference,
    obstacles,
    preferred,
    recommended,
    rests_on,
    told_apart,
    unlike,
)
from rig.report.scorecard.sentences import cost, faults, portability, security


def conclude(card: Scorecard) -> Scorecard:
    """The same scorecard with its conclusion."""
    said = [measured(card)]
    if card.bearers:
        said += [_recommendation(card), *_obstacles(card), *faults(card)]
        said += [*_by_condition(card), *_everyday(card), *cost(card), *security(card), *portability(card)]
    return replace(card, conclusion=(*said, *limits(card)))


def _recommendation(card: Scorecard) -> Statement:
    best = recommended(card.bearers)
    sound = [each for each in card.bearers if not obstacles(each)]
    if not best:
        why = ("every one had an obstacle", "每种承载都存在障碍") if not sound else ("none stands out", "没有突出者")
        return Statement(
            "recommendation",
            f"No bearer is recommended from this run: {why[0]}.",
            f"本次测试不推荐任何承载：{why[1]}。",
        )
    worse = [each for each in sound if each not in best]
    names = words.names(best)
    if not worse and len(best) == 1:
        en = f"Use {names[0]}: the only bearer of this run without an obstacle."
        return Statement("recommendation", en, f"推荐 {names[0]}：它是本次唯一没有障碍的承载。", better=tuple(names))
    among_en, among_zh = _among(best)
    if not worse:
        return Statement("recommendation", f"Use {words.listed(names, 'or')}{among_en}.",
                         f"推荐 {words.listed_zh(names)}{among_zh}。", better=tuple(names))  # fmt: skip
    reasons = words.grouped((tuple(_why(card, best, each)), each.name) for each in worse)
    en = "; ".join(f"before {words.listed(of)}: {words.listed(each for each, _ in why)}" for why, of in reasons)
    zh = "；".join(f"优于 {words.listed_zh(of)}：{words.listed_zh(each for _, each in why)}" for why, of in reasons)
    return Statement(
        "recommendation",
        f"Under the conditions of this run, use {words.listed(names, 'or')} ({en}){among_en}.",
        f"在本次测试的条件下，推荐 {words.listed_zh(names)}（{zh}）{among_zh}。",
        better=tuple(names),
        worse=tuple(words.names(worse)),
    )


def _among(best: tuple[BearerCard, ...]) -> tuple[str, str]:
    """What is to be said of several that are recommended."""
    if len(best) == 1:
        return "", ""
    pairs = ((one, other) for place, one in enumerate(best) for other in best[place + 1 :])
    if any(told_apart(*pair) for pair in pairs):
        return ": which of them is better depends on the condition", "：孰优取决于条件"
    return f": between them {words.NO_DIFFERENCE[0]}", f"：彼此之间{words.NO_DIFFERENCE[1]}"


def _why(card: Scorecard, best: tuple[BearerCard, ...], worse: BearerCard) -> Iterator[tuple[str, str]]:
    """Why others are preferred to it, as far as it is the best who are."""
    rivals = {each.name: why for each in best if (why := preferred(each, worse))}
    for reason in dict.fromkeys(rivals.values()) if rivals else ("other",):
        en, zh = words.REASON[reason]
        if reason == "money" and card.tariff_note:
            en, zh = f"{en} ({card.tariff_note})", f"{zh}（{card.tariff_note}）"
        by_it = [each for each in best if rivals.get(each.name) == reason]
        if only := _only_typical(by_it, worse):
            where, where_zh = words.listed(f"“{name}”" for name in only), words.listed_zh(map(words.condition_zh, only))
            en += f", though only under {where}, where not the same was done to them"
            zh += f"，但仅在{where_zh}下，而各承载在其中所受的激励并不相同"
        yield en, zh


def _only_typical(rivals: Sequence[BearerCard], worse: BearerCard) -> tuple[str, ...]:
    """The conditions that a preference rests on, if each was something else for the one than for the other."""
    pairs = [(each, rests_on(each, worse)) for each in rivals]
    if not all(found and all(unlike(each, worse, name) for name in found) for each, found in pairs):
        return ()
    return tuple(dict.fromkeys(name for _, found in pairs for name in found))


def _obstacles(card: Scorecard) -> Iterator[Statement]:
    for found, names in words.grouped((obstacles(each), each.name) for each in card.bearers):
        if found:
            yield Statement(
                "recommendation",
                f"Not recommended: {words.listed(names)}, because {words.listed(words.OBSTACLE[o][0] for o in found)}.",
                f"不推荐 {words.listed_zh(names)}：{words.listed_zh(words.OBSTACLE[o][1] for o in found)}。",
                worse=names,
            )


def _by_condition(card: Scorecard) -> Iterator[Statement]:
    """Who completed how much, and how fast, where a sale should come through."""
    for condition in (each for each in card.conditions if each in COUNTED):
        entries = [(b.name, found) for b in card.bearers if (found := b.under(condition)) is not None and found.sales]
        if not entries:
            continue
        alike = words.grouped((words.share(each), bearer) for bearer, each in entries)
        shares = "; ".join(f"{words.listed(names)} {share}" for share, names in alike)
        shares_zh = "；".join(f"{words.listed_zh(names)} {share}" for share, names in alike)
        times = ", ".join(f"{name} {words.p50(each.times)}" for name, each in entries if words.has_median(each.times))
        en = f"Under “{condition}”, sales completed: {shares}. Median time: {times or 'none'}. "
        zh = f"{words.condition_zh(condition)}下完成的交易：{shares_zh}。时间中位数：{times or '无'}。"
        won = beaten(entries)
        ranks = words.grouped((rivals, winner) for winner, rivals in won.items())
        if ranks:
            en += f"Better: {'; '.join(f'{words.listed(who)} than {words.listed(whom)}' for whom, who in ranks)}."
            zh += f"优劣：{'；'.join(f'{words.listed_zh(who)} 优于 {words.listed_zh(whom)}' for whom, who in ranks)}。"
        elif len(entries) > 1:
            en += f"{words.NO_DIFFERENCE[0].capitalize()}."
            zh += f"{words.NO_DIFFERENCE[1]}。"
        lost = {rival for rivals in won.values() for rival in rivals}
        better = tuple(winner for winner in won if winner not in lost)
        yield Statement("stability", en.strip(), zh, better, tuple(n for n, _ in entries if n in lost), condition)


def _everyday(card: Scorecard) -> Iterator[Statement]:
    """Wi-Fi or a SIM card, where one of the two has a bad day and the other does not."""
    alike: list[tuple[str, str]] = []
    for one in (each for each in card.bearers if each.kind == "wifi"):
        for other in (each for each in card.bearers if each.kind == "cellular"):
            for bad in ("weak signal", "busy network"):
                for suffers, well in ((one, other), (other, one)):
                    worse, good = suffers.under(bad), well.under("ideal")
                    if worse is None or good is None or not worse.sales or not good.sales:
                        continue
                    found = difference(good, worse)
                    if found is None or obstacles(suffers) or obstacles(well):
                        zh = f"{suffers.name}（{words.condition_zh(bad)}）与 {well.name}"
                        alike.append((f"{suffers.name} under “{bad}” and {well.name}", zh))
                    else:
                        yield _bad_day((suffers, worse), (well, good), found)
    if alike:
        yield Statement(
            "choice",
            f"No preference, the second undisturbed: {'; '.join(en for en, _ in alike)}.",
            f"无法区分优劣（后者不受干扰）：{'；'.join(zh for _, zh in alike)}。",
        )


def _bad_day(suffers: tuple[BearerCard, Stability], well: tuple[BearerCard, Stability], of: Difference) -> Statement:
    (bad, worse), (fine, good) = suffers, well
    winner, loser = (fine, bad) if of.first else (bad, fine)
    figures = f"{words.completed(bad.name, worse)}, {words.completed(fine.name, good)}"
    if words.has_median(worse.times) or words.has_median(good.times):
        figures += f"; p50 {words.p50(worse.times)} / {words.p50(good.times)}"
    reason = words.REASON[of.of]
    return Statement(
        "choice",
        f"{bad.name} under “{worse.condition}” against {fine.name} undisturbed: "
        f"{winner.name}, {reason[0]} ({figures}).",
        f"{bad.name} 处于{words.condition_zh(worse.condition)}，而 {fine.name} 不受干扰时：选 {winner.name}，"
        f"{reason[1]}（{figures}）。",
        (winner.name,),
        (loser.name,),
        worse.condition,
    )
