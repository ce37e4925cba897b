"""netem for pyroute2, complete and absolute; takes the place of pyroute2's own netem plugin in this process.

The plugin of pyroute2 0.9 cannot set a rate (it packs it a second time as TCA_RATE: ERANGE or TypeError), drops
keywords that it does not know without a word, and sends only what is not zero, while the kernel keeps on ``replace``
every attribute that is not sent. Here one typed value is sent whole, the delay's table included: the kernel keeps
that too, and has no message to take it away.

Two things the kernel does not tell as they were set:

- **Which table** varies the delay. So the queue's limit says it: a few packets more or less do not matter there, and
  its last two bits number the distribution. Limit and table go in one message, which the kernel takes whole or not at
  all; so the limit that reads back vouches for the table that came with it, whatever process asks. That the values
  of the table are the right ones cannot be read back, only measured.
- **Whether the seed was asked for**: from Linux 6.6 on the one in use is always told, also where the kernel chose it.
  The limit's third bit says that it was, and only then it reads back. An older kernel ignores the attribute and has
  none to tell: it reads back as ``None``.

Plain chance needs no word where a loss model was before: without one the kernel goes back to it.

Facts: ``linux/pkt_sched.h`` (TCA_NETEM_*), ``net/sched/sch_netem.c`` (``netem_change``, ``netem_dump``).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from pyroute2.netlink.rtnl import TC_H_ROOT
from pyroute2.netlink.rtnl.tcmsg import plugins

from rig.bearers.distributions import packed
from rig.bearers.impairment import Overhead
from rig.bearers.netem.layout import CHANCE, CORRELATIONS, MODEL, RATE, SLOT, options
from rig.bearers.netem.settings import ALWAYS, NetemSettings
from rig.errors import CallerMistake, DeviceNonsense

__all__ = ["decode", "encode", "options", "packed", "register"]

parent = TC_H_ROOT
"""Where pyroute2 attaches a netem whose parent is not told."""

_TICK_SHIFT = 6  # the old fields count in 64 ns (PSCHED_SHIFT)
_CHANGE_KEYS = {"kind", "index", "handle", "parent", "settings"}


def encode(settings: NetemSettings) -> dict[str, Any]:
    """The options as pyroute2 packs them: all of them, whatever was before."""
    overhead = settings.overhead
    rate = min(settings.rate, ALWAYS), overhead.packet_bytes, overhead.cell_bytes, overhead.cell_overhead_bytes
    told: list[list[Any]] = [
        ["TCA_NETEM_CORR", CORRELATIONS.pack(0, 0, 0)],
        ["TCA_NETEM_DELAY_DIST", packed(settings.distribution)],
        ["TCA_NETEM_REORDER", CHANCE.pack(settings.reorder, 0)],
        ["TCA_NETEM_CORRUPT", CHANCE.pack(settings.corrupt, 0)],
        ["TCA_NETEM_RATE", RATE.pack(*rate)],
        ["TCA_NETEM_ECN", 0],
        ["TCA_NETEM_LATENCY64", settings.delay_ns],
        ["TCA_NETEM_JITTER64", settings.jitter_ns],
        ["TCA_NETEM_SLOT", SLOT.pack(0, 0, 0, 0, 0, 0)],
    ]
    if settings.rate > ALWAYS:
        told.append(["TCA_NETEM_RATE64", settings.rate])
    if settings.burst_loss is not None:
        told.append(["TCA_NETEM_LOSS", {"attrs": [["NETEM_LOSS_GE", MODEL.pack(*settings.burst_loss)]]}])
    if settings.seed is not None:
        told.append(["TCA_NETEM_PRNG_SEED", settings.seed])
    return {
        "delay": min(ALWAYS, settings.delay_ns >> _TICK_SHIFT),
        "limit": settings.limit,
        "loss": settings.loss,
        "gap": 1 if settings.reorder else 0,  # netem reorders only where there is a gap; 1: any packet may go first
        "duplicate": settings.duplicate,
        "jitter": min(ALWAYS, settings.jitter_ns >> _TICK_SHIFT),
        "attrs": told,
    }


def decode(message: Any) -> NetemSettings:
    """The settings of a netem in a kernel's answer.

    Raises:
        DeviceNonsense: the kernel left out what every kernel since 4.16 tells, or a stranger's loss model is there.
    """
    told = message.get_attr("TCA_OPTIONS")
    rate = told.get_attr("TCA_NETEM_RATE")
    latency, jitter = told.get_attr("TCA_NETEM_LATENCY64"), told.get_attr("TCA_NETEM_JITTER64")
    if rate is None or latency is None or jitter is None:
        raise DeviceNonsense("netem", "the kernel told neither rate nor times", "is it older than 4.16?")
    model = told.get_attr("TCA_NETEM_LOSS")
    chain = None if model is None else model.get_attr("NETEM_LOSS_GE")
    if model is not None and chain is None:
        raise DeviceNonsense("netem", "holds a loss model of four states, which the rig never sets", "who sets it?")
    bytes_per_s, *overhead = RATE.unpack(rate)
    return NetemSettings(
        latency,
        jitter,
        told["loss"],
        told.get_attr("TCA_NETEM_RATE64") or bytes_per_s,
        told["limit"],
        None if chain is None else MODEL.unpack(chain),
        told["duplicate"],
        _chance(told, "TCA_NETEM_CORRUPT"),
        _chance(told, "TCA_NETEM_REORDER") if told["gap"] else 0,
        _overhead(overhead),
        told.get_attr("TCA_NETEM_PRNG_SEED"),
    )


def _chance(told: Any, name: str) -> int:
    """A probability; the kernel is silent about one of zero."""
    found = told.get_attr(name)
    return 0 if found is None else int(CHANCE.unpack(found)[0])


def _overhead(told: list[int]) -> Overhead:
    try:
        return Overhead(*told)
    except CallerMistake as error:
        raise DeviceNonsense("netem", f"holds what the rig never sets: {error}", "who else sets it?") from error


def register() -> None:
    """Let pyroute2 speak netem through this module, in this process."""
    plugins["netem"] = sys.modules[__name__]


def get_parameters(context: Mapping[str, Any]) -> dict[str, Any]:
    """Called by pyroute2: the options of a ``tc(…, "netem", settings=NetemSettings(…))``.

    Raises:
        CallerMistake: a keyword that would have been ignored.
    """
    if unknown := sorted(set(context) - _CHANGE_KEYS):
        raise CallerMistake("netem", f"unknown {', '.join(unknown)}", "give settings=NetemSettings(…) alone")
    return encode(context["settings"])


def fix_request(context: dict[str, Any]) -> None:
    """Called by pyroute2 before it packs the request: what is ours is in the options already."""
    context.pop("settings", None)
