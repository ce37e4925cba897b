"""What the conclusion says of faults, cost, secrecy and portability."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rig.report.scorecard import words
from rig.report.scorecard.figures import Hostile, Portability
from rig.report.scorecard.model import BearerCard, Scorecard, Statement
from rig.report.scorecard.preference import MATERIAL
from rig.report.scorecard.prices import kept, month_price, unpriced


def faults(card: Scorecard) -> Iterator[Statement]:
    """Unsafe and undecided cases, and the bench's own faults."""
    totals = {"unsafe": 0, "undecided": 0, "bench_faults": 0}
    for each in (found for bearer in card.bearers for found in bearer.stability):
        totals["unsafe"] += each.unsafe
        totals["undecided"] += each.undecided
        totals["bench_faults"] += each.bench_faults
    cases = sum(each.cases for bearer in card.bearers for each in bearer.stability)
    yield Statement(
        "stability",
        f"Of {cases} cases, {totals['unsafe']} were unsafe, {totals['undecided']} undecided, "
        f"{totals['bench_faults']} spoilt by the bench.",
        f"共 {cases} 个用例：不安全 {totals['unsafe']} 个，无法判定 {totals['undecided']} 个，"
        f"台架故障 {totals['bench_faults']} 个。",
    )


def cost(card: Scorecard) -> Iterator[Statement]:
    """Bytes or calls a sale, and money a month."""
    sizes = [(each.name, v) for each in card.bearers for v in each.cost.volumes if v.condition == "ideal" and v.a_sale]
    if sizes:
        said = ", ".join(f"{name} {words.count(v.a_sale.value)}" for name, v in sizes if v.a_sale is not None)
        yield Statement(
            "cost",
            f"Bytes on the wire for one undisturbed sale (IPv4, both ways, handshakes included): {said}.",
            f"无干扰时每笔交易的线上字节（IPv4，双向，含握手）：{said}。",
        )
    yield from _storms(card)
    yield from _money(card)


def _storms(card: Scorecard) -> Iterator[Statement]:
    """Where a bad network makes a sale much dearer: what is repeated, and what fails."""
    grown = []
    for bearer in card.bearers:
        ideal = next((v.a_sale for v in bearer.cost.volumes if v.condition == "ideal"), None)
        for volume in bearer.cost.volumes:
            if ideal is None or volume.a_sale is None or volume.sales == 0:
                continue
            if ideal.below(volume.a_sale) and volume.a_sale.value >= (1 + MATERIAL) * ideal.value:
                grown.append((bearer.name, volume.condition, volume.a_sale.value / ideal.value))
    if grown:
        en = ", ".join(f"{name} ×{by:.1f} under “{where}”" for name, where, by in grown)
        zh = "、".join(f"{name} 在{words.condition_zh(where)}下 ×{by:.1f}" for name, where, by in grown)
        yield Statement("cost", f"A sale took more bytes than undisturbed: {en}.", f"每笔交易字节多于无干扰时：{zh}。")


def _money(card: Scorecard) -> Iterator[Statement]:
    priced = [(each.name, price) for each in card.bearers if (price := month_price(each.cost.month)) is not None]
    if not priced:
        return
    said, said_zh = (", ".join(f"{name} {price[place]}" for name, price in priced) for place in (0, 1))
    if without := unpriced(card):
        said, said_zh = (
            f"{said}; no price for {words.listed(without)}",
            f"{said_zh}；{words.listed_zh(without)} 没有价格",
        )
    sales, note = card.traffic.sales_a_day, f": {card.tariff_note}" if card.tariff_note else ""
    more, more_zh = kept(card.traffic)
    yield Statement(
        "cost",
        f"A month of {card.traffic.days} days with {sales} sales a day{more}, by {card.tariff}{note}: {said}.",
        f"每月 {card.traffic.days} 天、每天 {sales} 笔交易{more_zh}，按资费文件 {card.tariff}{note}：{said_zh}。",
    )


def security(card: Scorecard) -> Iterator[Statement]:
    """Card data in clear, names in clear, false hosts."""
    captured = [each for each in card.bearers if each.security.captured]
    clear = [each.name for each in card.bearers if each.security.card_data_in_clear]
    known = [each for each in captured if each.security.masked_packets is not None]
    hidden = [each.name for each in known if not each.security.card_data_in_clear]
    if clear:
        yield Statement(
            "security",
            f"Card data crossed {words.listed(clear)} without TLS: whoever listens there reads it.",
            f"卡数据在 {words.listed_zh(clear)} 上未经 TLS 传输：在该处窃听者可以读取。",
            worse=tuple(clear),
        )
    if hidden:
        named = sorted({name for each in captured for name in (*each.security.server_names, *each.security.dns_names)})
        seen = f"; the host's name could be read ({', '.join(named)})" if named else ""
        seen_zh = f"；可读到主机名（{'、'.join(named)}）" if named else ""
        yield Statement(
            "security",
            f"No card data in clear was seen in the packets of {words.listed(hidden)}; addresses, sizes and times of "
            f"every sale could be{seen}.",
            f"在 {words.listed_zh(hidden)} 的数据包中未见明文卡数据；每笔交易的地址、大小和时间可见{seen_zh}。",
        )
    yield from _fronts(card)


def _fronts(card: Scorecard) -> Iterator[Statement]:
    tried = [(bearer.name, front) for bearer in card.bearers for front in bearer.security.hostile]
    harmed = [(name, front) for name, front in tried if front.harmed]
    if harmed:
        en = ", ".join(f"{front.front} on {name}" for name, front in harmed)
        zh = "、".join(f"{name} 上的 {front.front}" for name, front in harmed)
        yield Statement("security", f"False hosts were given data: {en}.", f"假主机得到了数据：{zh}。",
                        worse=tuple(dict.fromkeys(name for name, _ in harmed)))  # fmt: skip
    yield from _refused(tried)
    if never := [f"{front.front} ({name})" for name, front in tried if not front.met]:
        yield Statement("security", f"Never met by the terminal, so not tested: {', '.join(never)}.",
                        f"终端从未遇到，因此未测试：{'、'.join(never)}。")  # fmt: skip


def _refused(tried: Sequence[tuple[str, Hostile]]) -> Iterator[Statement]:
    """Whoever yielded to one form did not refuse every time, whatever became of the others."""
    yielded = {name for name, front in tried if front.harmed or front.refused < front.met}
    refused = [(name, front) for name, front in tried if front.met and name not in yielded]
    if not refused:
        return
    names = list(dict.fromkeys(name for name, _ in refused))
    fronts = list(dict.fromkeys(front.front for _, front in refused))
    total = sum(front.refused for _, front in refused)
    yield Statement(
        "security",
        f"False hosts were refused every time that the terminal met them ({total} times; {words.listed(fronts)}) on "
        f"{words.listed(names)}.",
        f"终端在 {words.listed_zh(names)} 上每次遇到假主机都拒绝了（共 {total} 次；{words.listed_zh(fronts)}）。",
    )


def portability(card: Scorecard) -> Iterator[Statement]:
    """How far each bearer carried, and how soon it was back."""
    for (way, way_zh), attenuated in (("Carried away", "移出覆盖范围"), True), (("Switched off", "断开链路"), False):
        moved = [e for e in card.bearers if e.portability.sales and e.portability.attenuated is attenuated]
        if said := words.grouped((_reach(each), each.name) for each in moved):
            yield Statement(
                "portability",
                f"{way}: " + "; ".join(f"{words.listed(names)} {en}" for (en, _), names in said) + ".",
                f"{way_zh}：" + "；".join(f"{words.listed_zh(names)} {zh}" for (_, zh), names in said) + "。",
            )
    if over := [each for each in card.bearers if each.portability.failover]:
        said_over = [(each.name, each.portability) for each in over]
        yield Statement(
            "portability",
            "Sales that completed over another bearer: "
            + ", ".join(f"{p.failover} of {name} over {words.listed(p.failover_to)}" for name, p in said_over) + ".",
            "经其他承载完成的交易："
            + "、".join(f"{name} {p.failover} 笔走 {words.listed_zh(p.failover_to)}" for name, p in said_over) + "。",
        )  # fmt: skip


def _reach(bearer: BearerCard) -> tuple[str, str]:
    found = bearer.portability
    back = words.milliseconds(found.back.median_ms)
    en, zh = _ends(found)
    if found.back.recovered:
        en, zh = f"{en}, of use again after {back}", f"{zh}，恢复后 {back} 可用"
    return en, zh


def _ends(found: Portability) -> tuple[str, str]:
    if not found.attenuated:
        if found.completed == found.sales:
            return "failed nowhere", "未失败"
        return "failed once the link was gone", "链路断开后失败"
    if found.failed_db is None:
        reached = words.plain(found.completed_db, "dB")
        return f"still completed at {reached}, the greatest loss tried", f"在所试最大衰减 {reached} 时仍能完成"
    failed = words.plain(found.failed_db, "dB")
    level = f" ({words.plain(found.failed_dbm, 'dBm')})" if found.failed_dbm is not None else ""
    if found.completed_db is None:
        return f"failed at {failed}{level}, the least loss tried", f"在所试最小衰减 {failed}{level} 时已失败"
    last = words.plain(found.completed_db, "dB")
    return f"completed up to {last} and failed at {failed}{level}", f"直到 {last} 仍能完成，{failed}{level} 时失败"
