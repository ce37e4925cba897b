"""Every traffic-control message that the rig sends, as whole bytes ready for :class:`rig.bearers.netem.rtnetlink.Port`.

pyroute2 lays them out, netem's and flower's options by our own classes, for it has no whole netem and no flower.
Numbers (sequence, port) are left at zero: the port fills them in.

Facts: ``rtnetlink(7)``, ``linux/rtnetlink.h``, ``linux/pkt_sched.h``, ``linux/pkt_cls.h``.
"""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

from pyroute2.netlink import nla
from pyroute2.netlink.rtnl.tcmsg import plugins, tcmsg
from pyroute2.netlink.rtnl.tcmsg.common_act import get_tca_action, tca_act_prio

from rig.bearers.netem.encoder import encode, register
from rig.bearers.netem.rtnetlink import (
    NLM_F_ACK,
    NLM_F_CREATE,
    NLM_F_DUMP,
    NLM_F_ECHO,
    NLM_F_EXCL,
    NLM_F_REPLACE,
    NLM_F_REQUEST,
)
from rig.bearers.netem.settings import NetemSettings

ROOT, INGRESS, INGRESS_HANDLE = 0xFFFF_FFFF, 0xFFFF_FFF1, 0xFFFF_0000
CHANGE, ADD, REPLACE = 0, NLM_F_CREATE | NLM_F_EXCL, NLM_F_CREATE | NLM_F_REPLACE
"""What a message may do: change what is there; make what is not; make, in the place of what is."""

_NEW_QDISC, _DEL_QDISC, _GET_QDISC = 36, 37, 38
_NEW_CLASS, _DEL_CLASS, _GET_CLASS = 40, 41, 42
_NEW_FILTER, _DEL_FILTER, _GET_FILTER = 44, 45, 46
_ALL_PROTOCOLS = 0x0300  # ETH_P_ALL in network order: ARP and EAPOL too
_SKIP_HARDWARE = 1
_FASTEST = 0xFFFF_FFFF  # bytes per second, 34 Gbit/s: a class that never holds anything up
_ONE_SECOND = 15_625_000  # in ticks of 64 ns
_QUANTUM = 60_000
_DIRECT_PACKETS = 1000
_ETHERNET = 1
_FLAGS_PLACE = 6  # of struct nlmsghdr


class _FlowerOptions(nla):
    """What the rig uses of flower's attributes."""

    nla_map: Any = (
        (1, "TCA_FLOWER_CLASSID", "uint32"),
        (3, "TCA_FLOWER_ACT", "tca_act_prio"),
        (4, "TCA_FLOWER_KEY_ETH_DST", "l2addr"),
        (5, "TCA_FLOWER_KEY_ETH_DST_MASK", "l2addr"),
        (6, "TCA_FLOWER_KEY_ETH_SRC", "l2addr"),
        (7, "TCA_FLOWER_KEY_ETH_SRC_MASK", "l2addr"),
        (22, "TCA_FLOWER_FLAGS", "uint32"),
    )
    tca_act_prio = tca_act_prio


_flower: Any = SimpleNamespace(options=_FlowerOptions)
plugins.setdefault("flower", _flower)
register()


def netem(doing: int, index: int, parent: int, handle: int, settings: NetemSettings) -> bytes:
    """A netem with all its options. ``doing`` is CHANGE, ADD or REPLACE."""
    return _message(_NEW_QDISC, doing, index, parent, handle, "netem", encode(settings))


def doing(message: bytes, what: int) -> bytes:
    """The same message, as CHANGE, ADD or REPLACE."""
    flags = (NLM_F_REQUEST | NLM_F_ACK | what).to_bytes(2, sys.byteorder)
    return message[:_FLAGS_PLACE] + flags + message[_FLAGS_PLACE + 2 :]


def ingress(index: int) -> bytes:
    """Make the place where filters meet what comes in; refused where there is one."""
    return _message(_NEW_QDISC, ADD, index, INGRESS, INGRESS_HANDLE, "ingress")


def htb(index: int, handle: int) -> bytes:
    """Make a root with classes; what no filter leads into a class passes as without it."""
    options = {"version": 3, "rate2quantum": 10, "defcls": 0, "debug": 0, "direct_pkts": 0}
    told = {"attrs": [["TCA_HTB_INIT", options], ["TCA_HTB_DIRECT_QLEN", _DIRECT_PACKETS]]}
    return _message(_NEW_QDISC, ADD, index, ROOT, handle, "htb", told)


def htb_class(index: int, parent: int, handle: int) -> bytes:
    """Make a class that holds nothing up by itself; refused where there is one."""
    speed: dict[str, int] = {}
    for name in ("rate", "ceil"):
        # The link layer is said, so that the kernel asks for no table of transmission times.
        speed |= {name: _FASTEST, f"{name}___reserved": _ETHERNET}
    parameters = {**speed, "buffer": _ONE_SECOND, "cbuffer": _ONE_SECOND, "quantum": _QUANTUM, "prio": 0, "level": 0}
    return _message(_NEW_CLASS, ADD, index, parent, handle, "htb", {"attrs": [["TCA_HTB_PARMS", parameters]]})


def station_class_filter(index: int, parent: int, preference: int, station: str, class_handle: int) -> bytes:
    """Lead what goes to a MAC address into a class."""
    told = {"attrs": [["TCA_FLOWER_CLASSID", class_handle], *_address("DST", station), _SKIP]}
    return _message(_NEW_FILTER, ADD, index, parent, 0, "flower", told, _info(preference))


def station_redirect(index: int, preference: int, station: str, mirror: int) -> bytes:
    """Lead what comes in from a MAC address to the egress of another interface."""
    told = {"attrs": [["TCA_FLOWER_ACT", _redirection(mirror)], *_address("SRC", station), _SKIP]}
    return _message(_NEW_FILTER, ADD, index, INGRESS_HANDLE, 0, "flower", told, _info(preference))


def redirect(index: int, preference: int, mirror: int) -> bytes:
    """Lead all that comes in to the egress of another interface."""
    told = {"attrs": [["TCA_MATCHALL_ACT", _redirection(mirror)]]}
    return _message(_NEW_FILTER, ADD, index, INGRESS_HANDLE, 0, "matchall", told, _info(preference))


def remove_queue(index: int, parent: int, handle: int) -> bytes:
    """Take a queueing discipline away; refused where it is another."""
    return _message(_DEL_QDISC, 0, index, parent, handle)


def remove_class(index: int, handle: int) -> bytes:
    """Take a class away, with what hangs in it; refused while a filter leads there."""
    return _message(_DEL_CLASS, 0, index, 0, handle)


def remove_filter(index: int, parent: int, preference: int, handle: int, kind: str) -> bytes:
    """Take one filter away."""
    return _message(_DEL_FILTER, 0, index, parent, handle, kind, None, _info(preference))


def ask_queue(index: int, parent: int) -> bytes:
    """Ask for the queueing discipline in a place; a default one is not told, or bears no handle."""
    return _message(_GET_QDISC, NLM_F_ECHO, index, parent, 0)


def dump_classes(index: int) -> bytes:
    """Ask for all classes of an interface."""
    return _message(_GET_CLASS, NLM_F_DUMP, index, 0, 0)


def dump_filters(index: int, parent: int) -> bytes:
    """Ask for all filters in a place."""
    return _message(_GET_FILTER, NLM_F_DUMP, index, parent, 0)


def decode(message: bytes) -> Any:
    """A traffic-control message of the kernel as pyroute2's ``tcmsg``."""
    told: Any = tcmsg(message)  # type: ignore[no-untyped-call]
    told.decode()
    return told


_SKIP = ["TCA_FLOWER_FLAGS", _SKIP_HARDWARE]


def _address(side: str, station: str) -> list[list[str]]:
    key = f"TCA_FLOWER_KEY_ETH_{side}"
    return [[key, station], [f"{key}_MASK", "ff:ff:ff:ff:ff:ff"]]


def _redirection(mirror: int) -> Any:
    action = {"kind": "mirred", "direction": "egress", "action": "redirect", "ifindex": mirror}
    return get_tca_action({"action": action})  # type: ignore[no-untyped-call]


def _info(preference: int) -> int:
    return preference << 16 | _ALL_PROTOCOLS


def _message(
    what: int, flags: int, index: int, parent: int, handle: int, kind: str = "", options: Any = None, info: int = 0
) -> bytes:
    request: Any = tcmsg()  # type: ignore[no-untyped-call]
    # A dump ends with its own word; everything else is acknowledged.
    wanted = NLM_F_REQUEST | flags | (0 if flags == NLM_F_DUMP else NLM_F_ACK)
    request["header"] = {"type": what, "flags": wanted, "sequence_number": 0, "pid": 0}
    request["index"], request["parent"], request["handle"], request["info"] = index, parent, handle, info
    request["attrs"] = [["TCA_KIND", kind]] if kind else []
    if options is not None:
        request["attrs"].append(["TCA_OPTIONS", options])
    request.encode()
    return bytes(request.data)
