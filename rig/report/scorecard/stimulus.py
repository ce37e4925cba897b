"""What was really done to a bearer when its first sale began, as the history tells it.

One name of a condition is not one stimulus: a weak signal is a lossy link where nothing attenuates the radio, a level
where something does, and noise on a telephone line. Whoever reads a difference under such a name must see what it is a
difference of.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rig.history import Event
from rig.report.scorecard import chinese
from rig.report.scorecard.cells import Case, number, text
from rig.report.scorecard.links import Link
from rig.report.scorecard.model import COUNTED
from rig.report.scorecard.recovery import is_disturbed

Words = tuple[str, str]
"""The same in English and in Chinese."""

NOTHING: Words = ("nothing", "无")
CUT: Words = ("cut", "切断")
NO_CARRIER: Words = ("no carrier", "无载波")
LOSS: Words = ("loss", "丢包")
LOSS_IN_BURSTS: Words = ("loss in bursts", "突发丢包")

_LEVELS = {"LTE": "RSRP", "UTRAN": "RSCP", "GSM": "RXLEV"}
"""What the level of each technology is called."""


def stimulus_of(condition: str, cases: Iterable[Case], link: Link) -> tuple[Words, ...]:
    """What a condition was on this bearer, each way once; empty where its sales are meant to fail anyway."""
    if condition not in COUNTED:
        return ()
    return tuple(dict.fromkeys(_at_the_first_sale(case, link) for case in cases if case.sales))


def _at_the_first_sale(case: Case, link: Link) -> Words:
    before = [event for event in case.events if event.t <= case.sales[0].begun_t]
    found = [*_shaped(before, link), *_attenuated(before, link), *_failing(before, link)]
    return ("; ".join(en for en, _ in found), "；".join(zh for _, zh in found)) if found else NOTHING


def _shaped(events: Iterable[Event], link: Link) -> Iterator[Words]:
    """What is in force on the link itself."""
    told = [e for e in events if e.kind == "impairment" and text(e.data, "link") == link.name]
    if not told or not is_disturbed(told[-1]):
        return
    if told[-1].data.get("carrier") is False:
        yield NO_CARRIER
        return
    ways = [(arrow, told[-1].data.get(name)) for arrow, name in (("↑", "up"), ("↓", "down"))]
    said = [(arrow, list(_way(way))) for arrow, way in ways if isinstance(way, Mapping)]
    yield (
        " ".join(f"{arrow} {', '.join(en for en, _ in parts)}" for arrow, parts in said if parts),
        " ".join(f"{arrow} {'、'.join(zh for _, zh in parts)}" for arrow, parts in said if parts),
    )


def _way(way: Mapping[str, Any]) -> Iterator[Words]:
    if way.get("cut"):
        yield CUT
    if delay := number(way, "delay_ms"):
        jitter = number(way, "jitter_ms")
        told = f"{delay:g} ms" + (f" ± {jitter:g} ms" if jitter else "")
        yield told, told
    if rate := number(way, "rate_kbit"):
        yield f"{rate:g} kbit/s", f"{rate:g} kbit/s"
    if loss := number(way, "loss_percent"):
        yield f"{loss:g} % {LOSS[0]}", f"{loss:g} % {LOSS[1]}"
    if way.get("burst_loss"):
        yield LOSS_IN_BURSTS


def _attenuated(events: Iterable[Event], link: Link) -> Iterator[Words]:
    """The loss of its path, with the level that was asked of the attenuator, if one was."""
    told = [e for e in events if link.path is not None and e.kind == "attenuation" and e.data.get("path") == link.path]
    loss = number(told[-1].data, "read_back") if told else None
    if not loss:
        return
    level = _level(e for e in events if e.kind == "signal_set" and e.t >= told[-1].t)
    said = f"{level} (+{loss:g} dB)" if level else f"+{loss:g} dB"
    yield said, said


def _level(settings: Iterable[Event]) -> str:
    for event in reversed(list(settings)):
        after = event.data.get("after")
        if isinstance(after, Mapping) and (dbm := number(after, "level")) is not None:
            return f"{_LEVELS.get(text(after, 'technology'), '')} {dbm:g} dBm".replace("-", "−").strip()
    return ""


def _failing(events: Iterable[Event], link: Link) -> Iterator[Words]:
    """The named failures in force."""
    active: dict[str, Words] = {}
    for event in events:
        if event.kind != "network_failure" or text(event.data, "bearer") != link.name:
            continue
        name, options = text(event.data, "failure"), event.data.get("options")
        chosen = ", ".join(f"{key} {value}" for key, value in options.items()) if isinstance(options, Mapping) else ""
        if event.data.get("active") is True:
            more = f" ({chosen})" if chosen else ""
            active[name] = f"{name}{more}", f"{chinese.failure(name)}{more}"
        else:
            active.pop(name, None)
    yield from active.values()
