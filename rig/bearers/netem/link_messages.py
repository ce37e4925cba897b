"""The few messages about network interfaces that impairing one takes, as whole bytes.

Facts: ``rtnetlink(7)``, ``linux/if_link.h``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg

from rig.bearers.netem.rtnetlink import NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL, NLM_F_REQUEST

_NEW_LINK, _DEL_LINK, _GET_LINK = 16, 17, 18
_IFF_UP = 1
_WITHOUT_STATISTICS = 8  # RTEXT_FILTER_SKIP_STATS


@dataclass(frozen=True)
class Interface:
    """One network interface, as the kernel tells it.

    Attributes:
        index: its number.
        name: its name.
        kind: of a virtual one, such as ``ifb``; empty otherwise.
        alias: what somebody wrote at it.
    """

    index: int
    name: str
    kind: str
    alias: str


def make_ifb(name: str) -> bytes:
    """Make an intermediate functional block; refused where the name is taken."""
    kind = ["IFLA_LINKINFO", {"attrs": [["IFLA_INFO_KIND", "ifb"]]}]
    return _message(_NEW_LINK, NLM_F_CREATE | NLM_F_EXCL, [["IFLA_IFNAME", name], kind])


def start(name: str, alias: str) -> bytes:
    """Bring an interface up, and write at it what it is for."""
    return _message(_NEW_LINK, 0, [["IFLA_IFNAME", name], ["IFLA_IFALIAS", alias]], up=True)


def remove_interface(index: int) -> bytes:
    """Take a virtual interface away, with its queueing disciplines."""
    return _message(_DEL_LINK, 0, [], index)


def ask_interface(name: str) -> bytes:
    """Ask for one interface by its name."""
    return _message(_GET_LINK, 0, [["IFLA_IFNAME", name], ["IFLA_EXT_MASK", _WITHOUT_STATISTICS]])


def dump_interfaces() -> bytes:
    """Ask for all interfaces."""
    return _message(_GET_LINK, NLM_F_DUMP, [["IFLA_EXT_MASK", _WITHOUT_STATISTICS]])


def decode(message: bytes) -> Interface:
    """An interface in a kernel's answer."""
    told: Any = ifinfmsg(message)  # type: ignore[no-untyped-call]
    told.decode()
    info = told.get_attr("IFLA_LINKINFO")
    kind = "" if info is None else info.get_attr("IFLA_INFO_KIND")
    return Interface(told["index"], told.get_attr("IFLA_IFNAME"), kind or "", told.get_attr("IFLA_IFALIAS") or "")


def _message(what: int, flags: int, attributes: list[list[Any]], index: int = 0, up: bool = False) -> bytes:
    request: Any = ifinfmsg()  # type: ignore[no-untyped-call]
    wanted = NLM_F_REQUEST | flags | (0 if flags == NLM_F_DUMP else NLM_F_ACK)
    request["header"] = {"type": what, "flags": wanted, "sequence_number": 0, "pid": 0}
    request["index"] = index
    request["flags"] = request["change"] = _IFF_UP if up else 0
    request["attrs"] = attributes
    request.encode()
    return bytes(request.data)
