"""The tables of the page."""

from __future__ import annotations

from collections.abc import Iterator

from rig.report.scorecard import words
from rig.report.scorecard.figures import Hostile, Stability, Volume
from rig.report.scorecard.markup import cell, heads, note, row, table
from rig.report.scorecard.model import COUNTED, BearerCard, Scorecard
from rig.report.scorecard.preference import obstacles, recommended
from rig.report.scorecard.prices import month_price

_NONE = "–"
_ENOUGH = 3
"""Of two values Student's interval is wider than anybody wants to read."""


def overview(card: Scorecard) -> str:
    """One row a bearer: the answer to the everyday question."""
    best = [each.name for each in recommended(card.bearers)]
    counted = [name for name in card.conditions if name in COUNTED]
    head = heads(
        [
            ("Bearer", "承载"), *((f"Completed: {name}", f"完成：{words.condition_zh(name)}") for name in counted),
            ("p50 ideal", "理想 p50"), ("Unsafe", "不安全"), ("Bytes a sale", "每笔字节"), ("A month", "每月费用"),
            ("Card data in clear", "明文卡数据"), ("False hosts", "假主机"),
            ("Carried to", "可移至"), ("Back after", "恢复用时"),
        ]
    )  # fmt: skip
    rows = (_overview_row(each, counted, best) for each in card.bearers)
    return table(head, rows, ("Overview", "概览")) + note(
        "“Back after” is the larger of two medians: of the outages, and of the return from moving. Of fewer than three "
        "sales there is no p50.",
        "“恢复用时”取断网与移出覆盖范围两个中位数中较大者；不足三笔交易不给 p50。",
    )


def _overview_row(bearer: BearerCard, counted: list[str], best: list[str]) -> str:
    ideal = bearer.under("ideal")
    unsafe = sum(each.unsafe for each in bearer.stability)
    times = ideal.times if ideal is not None else None
    cells = [
        *(_share_cell(bearer.under(name)) for name in counted),
        cell(words.p50(times)),
        cell(str(unsafe), "bad" if unsafe else "good"),
        _size_cell(bearer),
        _money_cell(bearer),
        _clear_cell(bearer),
        _hostile_cell(bearer.security.hostile),
        _reach_cell(bearer),
        cell(words.milliseconds(_back(bearer))),
    ]
    mark = "★ " if bearer.name in best else "✗ " if obstacles(bearer) else ""
    return row(mark + bearer.name, cells, " · ".join(dict.fromkeys(words.kind_of(bearer))))


def _share_cell(each: Stability | None) -> str:
    if each is None:
        return cell(_NONE)
    if each.share is None:
        return cell("spoilt", "doubt", "台架故障")
    tone = "good" if each.completed == each.sales else "bad" if not each.completed else "doubt"
    return cell(f"{each.completed}/{each.sales}", tone, f"{words.spread(each.share, scale=100)} %")


def _size_cell(bearer: BearerCard) -> str:
    volume = next((v for v in bearer.cost.volumes if v.condition == "ideal" and v.a_sale is not None), None)
    if volume is not None and volume.a_sale is not None:
        return cell(words.count(volume.a_sale.value))
    calls = next((each for each in bearer.cost.calls if each.condition == "ideal" and each.sales), None)
    if calls is None:
        return cell(_NONE)
    return cell(words.count((calls.up + calls.down) / calls.sales), more="octets 线上字节")


def _money_cell(bearer: BearerCard) -> str:
    month = bearer.cost.month
    if month is None:
        return cell(_NONE)
    size = f"{month.calls} calls 拨号" if month.calls is not None else f"{month.megabytes:.1f} MB"
    price = month_price(month)
    if price is None:
        return cell("no price", "doubt", f"没有价格 · {size}")
    more = "或更多 · " if month.is_open else ""
    return cell(price[0], more=more + size)


def _clear_cell(bearer: BearerCard) -> str:
    if bearer.security.card_data_in_clear:
        return cell("yes", "bad", "是")
    known = bearer.security.captured and bearer.security.masked_packets is not None
    return cell("none seen", "good", "未见") if known else cell("not known", "doubt", "未知")


def _hostile_cell(fronts: tuple[Hostile, ...]) -> str:
    met, refused = sum(each.met for each in fronts), sum(each.refused for each in fronts)
    if not met:
        return cell("not tested", "doubt", "未测")
    return cell(f"{refused}/{met} refused", "good" if refused == met else "bad", "拒绝")


def _reach_cell(bearer: BearerCard) -> str:
    found = bearer.portability
    if not found.attenuated:
        return cell(_NONE)
    if found.failed_db is None:
        return cell(f"≥ {words.plain(found.completed_db, 'dB')}")
    return cell(words.plain(found.completed_db, "dB"), more=f"failed 失败 {words.plain(found.failed_db, 'dB')}")


def _back(bearer: BearerCard) -> float | None:
    found = [each.recovery.median_ms for each in bearer.stability if each.condition in ("outage", "moving")]
    return max((each for each in found if each is not None), default=None)


def cost(card: Scorecard) -> str:
    """Bytes a sale by what they were for, and calls."""
    volumes = [(bearer, each) for name in card.conditions for bearer in card.bearers for each in bearer.cost.volumes
               if each.condition == name and each.sales]  # fmt: skip
    shares = [share for share in words.SHARE_ZH if any(v.bytes.get(share) for _, v in volumes)]
    head = heads(
        [("Condition, bearer", "条件、承载"), ("Sales", "交易"), ("A sale", "每笔"),
         *((share, words.SHARE_ZH[share]) for share in shares), ("All", "合计"), ("Probes apart", "探测另计")]
    )  # fmt: skip
    told = table(head, (_cost_row(*each, shares) for each in volumes), ("Bytes on the wire", "线上字节"))
    return (told if volumes else "") + _calls(card) + note(
        "IPv4 total lengths at the bench's interface, of what began between a sale's beginning and the next one's; the "
        "rig's own probes are apart and charged to nobody. A connection that brought no request is a failed one, "
        "whatever it carried.",
        "以台架接口处的 IPv4 总长度计，取每笔交易开始至下一笔开始之间发起的连接与数据包；"
        "台架自身的探测另计，不计入费用。",
    )  # fmt: skip


def _cost_row(bearer: BearerCard, volume: Volume, shares: list[str]) -> str:
    a_sale = volume.a_sale
    cells = [
        cell(f"{volume.completed}/{volume.sales}"),
        cell(words.count(a_sale.value if a_sale else None), more=_byte_ends(volume)),
        *(cell(words.count(volume.bytes.get(share, 0))) for share in shares),
        cell(words.count(volume.total)),
        cell(words.count(volume.probes)),
    ]
    return row(f"{volume.condition}: {bearer.name}", cells, words.condition_zh(volume.condition))


def _byte_ends(volume: Volume) -> str:
    if volume.sales < _ENOUGH or volume.a_sale is None or volume.a_sale.low is None or volume.a_sale.high is None:
        return ""
    return f"{words.count(volume.a_sale.low)} – {words.count(volume.a_sale.high)}"


def _calls(card: Scorecard) -> str:
    calls = [(bearer, each) for bearer in card.bearers for each in bearer.cost.calls if each.sales]
    if not calls:
        return ""
    head = heads([("Condition, bearer", "条件、承载"), ("Sales", "交易"), ("Calls", "拨号连接"),
                  ("Seconds a call", "每次连接秒数"),
                  ("Octets up", "上行字节"), ("Octets down", "下行字节")])  # fmt: skip
    rows = (
        row(
            f"{each.condition}: {bearer.name}",
            [
                cell(f"{each.completed}/{each.sales}"),
                cell(str(each.calls)),
                cell(f"{each.seconds.value:.1f}" if each.seconds else _NONE),
                cell(words.count(each.up)),
                cell(words.count(each.down)),
            ],
            words.condition_zh(each.condition),
        )
        for bearer, each in calls
    )
    return table(head, rows, ("Calls on the telephone line", "电话线上的拨号连接"))


def security(card: Scorecard) -> str:
    """What somebody who listens sees, and what false hosts got."""
    head = heads([("Bearer", "承载"), ("TLS", "TLS"), ("Without TLS", "无 TLS"), ("Card data in clear", "明文卡数据"),
                  ("Certificate readable", "证书可读"),
                  ("Names in clear", "明文名称"), ("Talked to", "通信对象")])  # fmt: skip
    rows = (_security_row(each) for each in card.bearers)
    return table(head, rows, ("What an eavesdropper on the bearer sees", "该承载上的窃听者所见")) + _fronts(card)


def _security_row(bearer: BearerCard) -> str:
    found = bearer.security
    kinds = ", ".join(f"{name} ×{count}" for name, count in found.tls.items()) or str(found.encrypted)
    named = sorted({*found.server_names, *found.dns_names})
    cells = [
        cell(kinds),
        cell(str(found.clear), "bad" if found.clear else ""),
        _clear_cell(bearer),
        cell(str(found.certificates_visible) if found.captured else _NONE),
        cell(", ".join(named) or _NONE),
        cell(", ".join(found.peers) or _NONE),
    ]
    return row(bearer.name, cells, "" if found.captured else "no packets: the host's own events 无数据包，据主机事件")


def _fronts(card: Scorecard) -> str:
    rows = [
        row(
            f"{bearer.name}: {front.front}",
            [
                cell(str(front.attempts)),
                cell(str(front.met), "" if front.met else "doubt"),
                cell(str(front.refused), "good" if front.met and front.refused == front.met else ""),
                cell(str(front.harmed), "bad" if front.harmed else ""),
            ],
        )
        for bearer in card.bearers
        for front in bearer.security.hostile
    ]
    if not rows:
        return ""
    head = heads(
        [("False host", "假主机"), ("Tried", "尝试"), ("Met", "遇到"), ("Refused", "拒绝"), ("Given data", "泄露数据")]
    )
    return table(head, rows, ("Those who played the host", "冒充主机者"))


def portability(card: Scorecard) -> str:
    """How far each bearer carried."""
    head = heads([("Bearer", "承载"), ("Completed up to", "最大可完成衰减"), ("Level then", "当时电平"),
                  ("Failed from", "开始失败"),
                  ("Level then", "当时电平"), ("Sales on the way", "途中交易"), ("Back in use", "恢复可用"),
                  ("Over another bearer", "改走其他承载")])  # fmt: skip
    return table(
        head, _portability_rows(card), ("Carried away or switched off, and back", "移出覆盖范围或断开链路，再恢复")
    ) + note(
        "Loss is what the attenuator read back; a level is what the modem reported, where there is one.",
        "衰减为衰减器回读值；电平为调制解调器所报（若有）。",
    )


def _portability_rows(card: Scorecard) -> Iterator[str]:
    for bearer in card.bearers:
        found = bearer.portability
        if not (found.sales or found.failover):
            continue
        over = f"{found.failover} → {', '.join(found.failover_to)}" if found.failover else "0"
        way = "" if found.attenuated or not found.sales else "switched off 断开链路"
        yield row(
            bearer.name,
            [
                cell(words.plain(found.completed_db, "dB")),
                cell(words.plain(found.completed_dbm, "dBm")),
                cell(words.plain(found.failed_db, "dB")),
                cell(words.plain(found.failed_dbm, "dBm") if found.failed_dbm is not None else _NONE),
                cell(f"{found.completed}/{found.sales}"),
                cell(words.milliseconds(found.back.median_ms)),
                cell(over),
            ],
            way,
        )
