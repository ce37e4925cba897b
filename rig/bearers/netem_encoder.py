"""netem for pyroute2, complete and absolute; takes the place of pyroute2's own netem plugin in this process.

The plugin of pyroute2 0.9 cannot set a rate (it packs it a second time as TCA_RATE: ERANGE or TypeError), drops
keywords that it does not know without a word, and sends only what is not zero, while the kernel keeps on ``replace``
every attribute that is not sent. Here one typed value is sent whole.

Facts: ``linux/pkt_sched.h`` (TCA_NETEM_*), ``net/sched/sch_netem.c`` (``netem_change``, ``netem_enqueue``).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyroute2.netlink import nla
from pyroute2.netlink.rtnl import TC_H_ROOT
from pyroute2.netlink.rtnl.tcmsg import plugins

from rig.bearers.impairment import CUT, Impairment
from rig.errors import CallerMistake, DeviceNonsense

parent = TC_H_ROOT
"""Where pyroute2 attaches a netem whose parent is not told."""

ORDER_KEEPING_RATE = 1_250_000_000
"""10 Gbit/s in bytes per second, where no rate is asked: netem keeps packets in order only where it has a rate."""

_ALWAYS = 0xFFFF_FFFF
_TICK_SHIFT = 6  # the old fields count in 64 ns (PSCHED_SHIFT)
_CHANGE_KEYS = {"kind", "index", "handle", "parent", "settings"}


@dataclass(frozen=True, slots=True)
class NetemSettings:
    """What this rig sets of a netem, in the kernel's units.

    Attributes:
        delay_ns: one way.
        jitter_ns: evenly to either side.
        loss: probability × (2**32 - 1).
        rate: bytes per second.
        limit: packets that may wait.
    """

    delay_ns: int
    jitter_ns: int
    loss: int
    rate: int
    limit: int

    @classmethod
    def of(cls, impairment: Impairment) -> NetemSettings:
        """An impairment in the kernel's units."""
        if impairment.cut:
            return cls(0, 0, _ALWAYS, ORDER_KEEPING_RATE, CUT.queue_limit)
        # Rounded up, so that the slowest rate that may be asked for is not below itself when it reads back.
        rate = ORDER_KEEPING_RATE if impairment.rate_kbit is None else math.ceil(impairment.rate_kbit * 125)
        return cls(
            round(impairment.delay_ms * 1e6),
            round(impairment.jitter_ms * 1e6),
            round(impairment.loss_percent / 100 * _ALWAYS),
            rate,
            impairment.queue_limit,
        )

    def impairment(self, cut: bool) -> Impairment:
        """The same in people's units; ``cut`` where it stands for one.

        Raises:
            DeviceNonsense: somebody else's hand is on it: these are no values that this rig sets.
        """
        if cut:
            return CUT
        rate = None if self.rate == ORDER_KEEPING_RATE else self.rate / 125
        try:
            return Impairment(self.delay_ns / 1e6, self.jitter_ns / 1e6, self.loss * 100 / _ALWAYS, rate)
        except CallerMistake as error:
            raise DeviceNonsense("netem", f"holds what the rig never sets: {error}", "who else sets it?") from error


def get_parameters(context: Mapping[str, Any]) -> dict[str, Any]:
    """Called by pyroute2: the options of a ``tc(…, "netem", settings=NetemSettings(…))``.

    Raises:
        CallerMistake: a keyword that would have been ignored.
    """
    if unknown := sorted(set(context) - _CHANGE_KEYS):
        raise CallerMistake("netem", f"unknown {', '.join(unknown)}", "give settings=NetemSettings(…) alone")
    settings: NetemSettings = context["settings"]
    return {
        "delay": min(_ALWAYS, settings.delay_ns >> _TICK_SHIFT),
        "limit": settings.limit,
        "loss": settings.loss,
        "gap": 0,
        "duplicate": 0,
        "jitter": min(_ALWAYS, settings.jitter_ns >> _TICK_SHIFT),
        # Loss model and delay table need no word: without the first the kernel goes back to plain chance, and the
        # second can only come from a foreign hand on our own handle.
        "attrs": [
            ["TCA_NETEM_CORR", {"delay_corr": 0, "loss_corr": 0, "dup_corr": 0}],
            ["TCA_NETEM_REORDER", {"prob_reorder": 0, "corr_reorder": 0}],
            ["TCA_NETEM_CORRUPT", {"prob_corrupt": 0, "corr_corrupt": 0}],
            ["TCA_NETEM_RATE", {"rate": settings.rate, "packet_overhead": 0, "cell_size": 0, "cell_overhead": 0}],
            ["TCA_NETEM_ECN", 0],
            ["TCA_NETEM_LATENCY64", settings.delay_ns],
            ["TCA_NETEM_JITTER64", settings.jitter_ns],
            ["TCA_NETEM_SLOT", dict.fromkeys(_SLOT_FIELDS, 0)],
        ],
    }


def fix_request(context: dict[str, Any]) -> None:
    """Called by pyroute2 before it packs the request: what is ours is in the options already."""
    context.pop("settings", None)


def decode(message: Any) -> NetemSettings:
    """The settings of a netem in a kernel's answer.

    Raises:
        DeviceNonsense: the kernel left out what every kernel since 4.16 tells.
    """
    told = message.get_attr("TCA_OPTIONS")
    rate = told.get_attr("TCA_NETEM_RATE")
    latency, jitter = told.get_attr("TCA_NETEM_LATENCY64"), told.get_attr("TCA_NETEM_JITTER64")
    if rate is None or latency is None or jitter is None:
        raise DeviceNonsense("netem", "the kernel told neither rate nor times", "is it older than 4.16?")
    return NetemSettings(latency, jitter, told["loss"], rate["rate"], told["limit"])


def register() -> None:
    """Let pyroute2 speak netem through this module, in this process."""
    plugins["netem"] = sys.modules[__name__]


_SLOT_FIELDS = ("min_delay", "max_delay", "max_packets", "max_bytes", "dist_delay", "dist_jitter")


class options(nla):  # noqa: N801 - the name that pyroute2 looks for
    """The layout of netem's options. Not derived from pyroute2's: the compiled map is cached on its class."""

    fields: Any = (("delay", "I"), ("limit", "I"), ("loss", "I"), ("gap", "I"), ("duplicate", "I"), ("jitter", "I"))
    nla_map: Any = (
        ("TCA_NETEM_UNSPEC", "none"),
        ("TCA_NETEM_CORR", "corr"),
        ("TCA_NETEM_DELAY_DIST", "cdata"),
        ("TCA_NETEM_REORDER", "reorder"),
        ("TCA_NETEM_CORRUPT", "corrupt"),
        ("TCA_NETEM_LOSS", "hex"),
        ("TCA_NETEM_RATE", "rate"),
        ("TCA_NETEM_ECN", "uint32"),
        ("TCA_NETEM_RATE64", "uint64"),
        ("TCA_NETEM_PAD", "hex"),
        ("TCA_NETEM_LATENCY64", "int64"),
        ("TCA_NETEM_JITTER64", "int64"),
        ("TCA_NETEM_SLOT", "slot"),
        ("TCA_NETEM_SLOT_DIST", "cdata"),
        ("TCA_NETEM_PRNG_SEED", "uint64"),
    )

    class corr(nla):  # noqa: N801
        """struct tc_netem_corr."""

        fields: Any = (("delay_corr", "I"), ("loss_corr", "I"), ("dup_corr", "I"))

    class reorder(nla):  # noqa: N801
        """struct tc_netem_reorder."""

        fields: Any = (("prob_reorder", "I"), ("corr_reorder", "I"))

    class corrupt(nla):  # noqa: N801
        """struct tc_netem_corrupt."""

        fields: Any = (("prob_corrupt", "I"), ("corr_corrupt", "I"))

    class rate(nla):  # noqa: N801
        """struct tc_netem_rate."""

        fields: Any = (("rate", "I"), ("packet_overhead", "i"), ("cell_size", "I"), ("cell_overhead", "i"))

    class slot(nla):  # noqa: N801
        """struct tc_netem_slot."""

        fields: Any = (
            ("min_delay", "q"),
            ("max_delay", "q"),
            ("max_packets", "i"),
            ("max_bytes", "i"),
            ("dist_delay", "q"),
            ("dist_jitter", "q"),
        )
