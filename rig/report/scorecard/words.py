"""How the scorecard says names and figures, in English and in Chinese."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import TypeVar

from rig.report.scorecard.figures import Stability, Times
from rig.report.scorecard.model import BearerCard
from rig.report.scorecard.preference import FELT_MS, MATERIAL
from rig.report.scorecard.statistics import Interval

Key = TypeVar("Key", bound=Hashable)

CONDITION_ZH = {
    "ideal": "理想条件",
    "weak signal": "弱信号",
    "busy network": "网络繁忙",
    "moving": "移出覆盖范围",
    "outage": "断网",
    "hostile network": "恶意网络",
}
KIND = {
    "wifi": ("Wi-Fi", "Wi-Fi"),
    "ethernet": ("wired Ethernet", "有线以太网"),
    "cellular": ("cellular", "蜂窝网络"),
    "private": ("private line or APN", "专线或专用 APN"),
    "dial-up": ("telephone line", "电话拨号"),
    "bluetooth": ("Bluetooth", "蓝牙"),
}
SHARE_ZH = {
    "requests and answers": "请求与应答",
    "handshakes": "握手",
    "TCP ACKs": "确认",
    "closing": "关闭连接",
    "retransmissions": "重传",
    "keep-alive": "保活",
    "failed connections": "失败的连接",
    "reversals and repeats": "冲正与重发",
    "names, addresses, time": "域名、地址、时间",
    "other": "其他",
}
OBSTACLE = {
    "unsafe": ("money went wrong in a case", "有用例出现资金错误"),
    "undecided": ("a case could not be decided", "有用例无法判定"),
    "deceived": ("a false host was given data", "曾向假主机泄露数据"),
    "clear": ("card data could be read on the way", "途中可读到明文卡数据"),
    "unproven": ("no sale completed where one should have", "应当完成的交易一笔也没有完成"),
}
REASON = {
    "share": ("more sales completed", "完成的交易更多"),
    "time": ("sales were faster", "交易更快"),
    "money": ("cheaper by the tariff file", "按资费文件更便宜"),
    "other": ("another one is preferred to it", "另有更优者"),
    "bytes": ("fewer bytes a sale", "每笔交易字节更少"),
}
_CLOSE = f"{FELT_MS:g} ms", f"{100 * MATERIAL:g}"
NO_DIFFERENCE = (
    f"no difference that matters was measured (less than {_CLOSE[0]} or {_CLOSE[1]} %, intervals that meet, or the "
    "faster one completed fewer sales)",
    f"未测出有实际意义的差别（小于 {_CLOSE[0]} 或 {_CLOSE[1]}%，区间相交，或较快者完成的交易更少）",
)
"""Said of two at least: of one alone there is nothing to tell apart."""

ENOUGH = 3
"""Of fewer values the one in the middle is no median."""


def percent(share: float | None) -> str:
    """A share as whole percents."""
    return "–" if share is None else f"{100 * share:.0f} %"


def spread(interval: Interval, digits: int = 0, scale: float = 1.0) -> str:
    """The ends of an interval, such as ``61–100``."""
    if interval.low is None or interval.high is None:
        return "?"
    return f"{interval.low * scale:.{digits}f}–{interval.high * scale:.{digits}f}"


def milliseconds(value: float | None) -> str:
    """A duration: ``840 ms``, ``12.3 s``."""
    if value is None:
        return "–"
    return f"{value:.0f} ms" if value < 1000 else f"{value / 1000:.1f} s"


def p50(times: Times | None) -> str:
    """The median of some durations, a dash where there are too few for one."""
    return milliseconds(times.median.value if times is not None and has_median(times) else None)


def has_median(times: Times | None) -> bool:
    """Whether there are enough durations to speak of the one in the middle."""
    return times is not None and times.count >= ENOUGH


def count(number: float | None) -> str:
    """A number with its thousands apart."""
    return "–" if number is None else f"{number:,.0f}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def plain(number: float | None, unit: str) -> str:
    """A level or a loss: ``−112 dBm``."""
    return "–" if number is None else f"{number:g} {unit}".replace("-", "−")


def listed(names: Iterable[str], joint: str = "and") -> str:
    """Names in English: ``a, b and c``."""
    *most, last = list(names) or ["none"]
    return f"{', '.join(most)} {joint} {last}" if most else last


def listed_zh(names: Iterable[str]) -> str:
    """Names in Chinese."""
    return "、".join(names) or "无"


def grouped(pairs: Iterable[tuple[Key, str]]) -> list[tuple[Key, tuple[str, ...]]]:
    """What names have in common, each once, with these names; in order of first appearance."""
    found: dict[Key, list[str]] = {}
    for key, name in pairs:
        found.setdefault(key, []).append(name)
    return [(key, tuple(names)) for key, names in found.items()]


def condition_zh(name: str) -> str:
    """A condition in Chinese."""
    return CONDITION_ZH.get(name, name)


def kind_of(bearer: BearerCard) -> tuple[str, str]:
    """The kind of a bearer in both languages."""
    return KIND.get(bearer.kind, (bearer.kind, bearer.kind))


def share(each: Stability) -> str:
    """Completed sales and their interval, such as ``6/6 (61–100 %)``."""
    return f"{each.completed}/{each.sales} ({spread(each.share, scale=100)} %)" if each.share else "0/0"


def completed(name: str, each: Stability) -> str:
    """The same with the bearer's name."""
    return f"{name} {share(each)}"


def names(bearers: Sequence[BearerCard]) -> list[str]:
    """Their names."""
    return [each.name for each in bearers]
