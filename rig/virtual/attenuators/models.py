"""The dialects that there are, and how a device's settings make a box of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from rig.errors import CallerMistake
from rig.virtual.attenuators import adaura, mini_circuits
from rig.virtual.attenuators.bank import Bank, Fault
from rig.virtual.attenuators.box import Box
from rig.virtual.attenuators.call_box import CallBox
from rig.virtual.attenuators.jfw import JfwBox
from rig.virtual.attenuators.keysight import KeysightBox
from rig.virtual.attenuators.weinschel import WeinschelBox

SETTINGS = {"dialect", "model", "serial", "channels", "maximum_db", "step_db", "start_db", "faults"}


@dataclass(frozen=True)
class Dialect:
    """One command set.

    Attributes:
        box: what speaks it.
        model: what a box is where the settings name none.
        port: where such a box listens.
        step_db: its step.
        range_of: channels and maximum in dB, from the model's name; or those of a model that does not tell them.
        told: whether the model's name tells them, so that the settings must not say otherwise.
        door: how it is spoken to.
    """

    box: type[Box]
    model: str
    port: int
    step_db: float
    range_of: Callable[[str], tuple[int, float]]
    told: bool = False
    door: Literal["line", "http", "websocket"] = "line"


DIALECTS = {
    "mini-circuits": Dialect(
        mini_circuits.MiniCircuitsBox, "RC4DAT-6G-95", 23, mini_circuits.STEP_DB, mini_circuits.range_of, told=True
    ),
    "mini-circuits-http": Dialect(
        mini_circuits.MiniCircuitsBox,
        "RC4DAT-6G-95",
        80,
        mini_circuits.STEP_DB,
        mini_circuits.range_of,
        told=True,
        door="http",
    ),
    "jfw": Dialect(JfwBox, "50PA-1174-04", 3001, 1.0, lambda _model: (4, 127.0)),
    "weinschel": Dialect(WeinschelBox, "8320-4", 23, 0.5, lambda _model: (4, 95.0)),
    "keysight-11713": Dialect(KeysightBox, "11713C", 5025, 1.0, lambda _model: (2, 121.0)),
    "amarisoft": Dialect(CallBox, "ENB", 9001, 0.1, lambda _model: (2, 200.0), door="websocket"),
    "adaura": Dialect(adaura.AdauraBox, "AD-USB4AR36G95", 23, 0.25, adaura.range_of, told=True),
}


def dialect_of(settings: Mapping[str, Any]) -> Dialect:
    """The dialect that the settings name.

    Raises:
        CallerMistake: there is no such one.
    """
    name = settings.get("dialect", "mini-circuits")
    if name not in DIALECTS:
        raise CallerMistake("attenuator", f"unknown dialect {name!r}", f"use {', '.join(sorted(DIALECTS))}")
    return DIALECTS[name]


def make_box(settings: Mapping[str, Any], on_change: Callable[[int, float], None]) -> Box:
    """The box that the settings describe; ``on_change`` is told (channel, dB).

    Raises:
        CallerMistake: no such dialect, model or fault, or a range that the model does not have.
    """
    dialect = dialect_of(settings)
    model = settings.get("model", dialect.model)
    channels, maximum = dialect.range_of(model)
    wanted = settings.get("channels", channels), settings.get("maximum_db", maximum)
    if dialect.told and wanted != (channels, maximum):
        raise CallerMistake("attenuator", f"{model} has {channels} channels", "mend `channels` or `maximum_db`")
    bank = Bank(*wanted, settings.get("step_db", dialect.step_db), settings.get("start_db"), on_change)
    bank.faults = [Fault(**fault) for fault in settings.get("faults", [])]
    return dialect.box(bank, model, settings.get("serial", "12208010025"))
