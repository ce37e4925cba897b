"""The rig's own words in Chinese that a run's history holds in English: simulated parts, backends, doubts."""

from __future__ import annotations

import re

_SIMULATED = {
    "terminal": "终端",
    "adb": "adb 服务器",
    "attenuator": "衰减器",
    "bluetooth-base": "蓝牙基座",
    "field": "非接触射频场",
    "physical-cards": "实体卡",
    "radio": "无线电",
    "relay-board": "继电器板",
    "switch": "交换机",
    "telephone": "电话线",
}
_FAILURES = {"line-noise": "线路噪声", "slow-line": "线路低速"}
_BACKENDS = {"user-space link": "用户态链路", "netem": "netem", "telephone line": "电话线", "unknown": "未知"}
_DOUBTS = (
    (r"there is no capture: bytes and what was visible are not known", r"没有抓包：字节数与可见内容未知"),
    (
        r"(\d+) packets are larger than (\d+) bytes: the kernel joined them, headers are missing",
        r"\1 个数据包大于 \2 字节：已被内核合并，缺少报头",
    ),
    (r"(\d+) events stand in it twice", r"有 \1 个事件重复出现"),
    (r"its events are out of order", r"事件顺序错乱"),
    (r"it holds (\d+) beginnings of a run, where one belongs", r"有 \1 个运行开始事件，本应只有一个"),
    (
        r"it spans (\d+) boots of the machine, whose clocks do not compare",
        r"跨越了机器的 \1 次启动，其时钟无法相互比较",
    ),
    (r"(\S+): the last line is torn", r"\1：最后一行残缺"),
    (r"(.+): event (\d+) follows event (\d+)", r"\1：事件 \2 紧接在事件 \3 之后"),
)


def simulated(name: str) -> str:
    """A simulated part; a name of somebody else's stays as it is."""
    return _SIMULATED.get(name, name)


def failure(name: str) -> str:
    """A named failure that a condition of the compare suite is made of."""
    return _FAILURES.get(name, name)


def backend(name: str) -> str:
    """Who degraded the network."""
    return _BACKENDS.get(name, name)


def doubt(told: str) -> str:
    """A doubt about the history; one that is not known here stays as it is."""
    for pattern, zh in _DOUBTS:
        if found := re.fullmatch(pattern, told):
            return found.expand(zh)
    return told
