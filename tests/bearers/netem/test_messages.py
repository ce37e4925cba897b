"""Every other message of impairing an interface, byte by byte, against the kernel's headers written out by hand."""

from __future__ import annotations

import struct

import pytest

from rig.bearers.netem import link_messages as links
from rig.bearers.netem import tc_messages as tc

STATION = "02:00:00:00:01:00"
MAC, MASK = bytes.fromhex("020000000100"), b"\xff" * 6
NEW_QDISC, DEL_QDISC, GET_QDISC, NEW_CLASS, DEL_CLASS, GET_CLASS = 36, 37, 38, 40, 41, 42
NEW_FILTER, DEL_FILTER, GET_FILTER, NEW_LINK, DEL_LINK, GET_LINK = 44, 45, 46, 16, 17, 18
ACK, ECHO, DUMP, CREATE_EXCL = 0x1 | 0x4, 0x8, 0x1 | 0x300, 0x600
SHARED, CLASS, INGRESS, INGRESS_HANDLE = 0x7C12_0000, 0x7C12_0003, 0xFFFF_FFF1, 0xFFFF_0000


def attribute(kind: int, payload: bytes) -> bytes:
    return (struct.pack("<HH", len(payload) + 4, kind) + payload).ljust((len(payload) + 7) & ~3, b"\0")


def number(kind: int, value: int) -> bytes:
    return attribute(kind, struct.pack("<I", value))


def whole(what: int, flags: int, body: bytes) -> bytes:
    return struct.pack("<IHHII", 16 + len(body), what, flags, 0, 0) + body


def tcmsg(index: int, handle: int, parent: int, info: int = 0) -> bytes:
    return struct.pack("<BBHiIII", 0, 0, 0, index, handle, parent, info)


def ifinfomsg(index: int = 0, flags: int = 0) -> bytes:
    return struct.pack("<BBHiII", 0, 0, 0, index, flags, flags)


def info(preference: int) -> int:
    return preference << 16 | 0x0300  # ETH_P_ALL in network order


def mirred(mirror: int) -> bytes:
    """One action: mirred, TC_ACT_STOLEN, TCA_EGRESS_REDIR."""
    parameters = struct.pack("<IIiiiiI", 0, 0, 4, 0, 0, 1, mirror)
    options = attribute(0x8002, attribute(2, parameters))  # TCA_ACT_OPTIONS, nested: TCA_MIRRED_PARMS
    return attribute(1, attribute(1, b"mirred\0") + options)  # the first action: TCA_ACT_KIND, options


def ratespec() -> bytes:
    """34 Gbit/s; the link layer is Ethernet. pyroute2 fills in cell_log and cell_align, as tc does."""
    return struct.pack("<BBHhHI", 3, 1, 0, -1, 0, 0xFFFF_FFFF)


HTB_CLASS = ratespec() + ratespec() + struct.pack("<5I", 15_625_000, 15_625_000, 60_000, 0, 0)
HTB_ROOT = attribute(2, struct.pack("<5I", 3, 10, 0, 0, 0)) + number(5, 1000)  # TCA_HTB_INIT, TCA_HTB_DIRECT_QLEN
FLOWER_CLASS = number(1, CLASS) + attribute(4, MAC) + attribute(5, MASK) + number(22, 1)
FLOWER_REDIRECT = attribute(3, mirred(9)) + attribute(6, MAC) + attribute(7, MASK) + number(22, 1)
FLOWER_INFO, MATCHALL_INFO = info(0x7C11), info(0x7C10)

MESSAGES = {
    "ingress": (
        tc.ingress(7),
        whole(NEW_QDISC, ACK | CREATE_EXCL, tcmsg(7, INGRESS_HANDLE, INGRESS) + attribute(1, b"ingress\0")),
    ),
    "htb": (
        tc.htb(7, SHARED),
        whole(
            NEW_QDISC, ACK | CREATE_EXCL, tcmsg(7, SHARED, tc.ROOT) + attribute(1, b"htb\0") + attribute(2, HTB_ROOT)
        ),
    ),
    "htb class": (
        tc.htb_class(7, SHARED, CLASS),
        whole(
            NEW_CLASS,
            ACK | CREATE_EXCL,
            tcmsg(7, CLASS, SHARED) + attribute(1, b"htb\0") + attribute(2, attribute(1, HTB_CLASS)),
        ),
    ),
    "filter into a class": (
        tc.station_class_filter(7, SHARED, 0x7C11, STATION, CLASS),
        whole(
            NEW_FILTER,
            ACK | CREATE_EXCL,
            tcmsg(7, 0, SHARED, FLOWER_INFO) + attribute(1, b"flower\0") + attribute(2, FLOWER_CLASS),
        ),
    ),
    "redirection of a station": (
        tc.station_redirect(7, 0x7C11, STATION, 9),
        whole(
            NEW_FILTER,
            ACK | CREATE_EXCL,
            tcmsg(7, 0, INGRESS_HANDLE, FLOWER_INFO) + attribute(1, b"flower\0") + attribute(2, FLOWER_REDIRECT),
        ),
    ),
    "redirection of all": (
        tc.redirect(7, 0x7C10, 9),
        whole(
            NEW_FILTER,
            ACK | CREATE_EXCL,
            tcmsg(7, 0, INGRESS_HANDLE, MATCHALL_INFO)
            + attribute(1, b"matchall\0")
            + attribute(2, attribute(2, mirred(9))),
        ),
    ),
    "queue removed": (
        tc.remove_queue(7, tc.ROOT, 0x7C10_0000),
        whole(DEL_QDISC, ACK, tcmsg(7, 0x7C10_0000, tc.ROOT)),
    ),
    "class removed": (tc.remove_class(7, CLASS), whole(DEL_CLASS, ACK, tcmsg(7, CLASS, 0))),
    "filter removed": (
        tc.remove_filter(7, SHARED, 0x7C11, 2, "flower"),
        whole(DEL_FILTER, ACK, tcmsg(7, 2, SHARED, FLOWER_INFO) + attribute(1, b"flower\0")),
    ),
    "queue asked for": (tc.ask_queue(7, CLASS), whole(GET_QDISC, ACK | ECHO, tcmsg(7, 0, CLASS))),
    "classes asked for": (tc.dump_classes(7), whole(GET_CLASS, DUMP, tcmsg(7, 0, 0))),
    "filters asked for": (tc.dump_filters(7, SHARED), whole(GET_FILTER, DUMP, tcmsg(7, 0, SHARED))),
    "ifb": (
        links.make_ifb("rig-ifb7"),
        whole(
            NEW_LINK,
            ACK | CREATE_EXCL,
            ifinfomsg() + attribute(3, b"rig-ifb7\0") + attribute(18, attribute(1, b"ifb\0")),
        ),
    ),
    "ifb started": (
        links.start("rig-ifb7", "pos-rig: mine"),
        whole(NEW_LINK, ACK, ifinfomsg(flags=1) + attribute(3, b"rig-ifb7\0") + attribute(20, b"pos-rig: mine\0")),
    ),
    "interface removed": (links.remove_interface(9), whole(DEL_LINK, ACK, ifinfomsg(9))),
    "interface asked for": (
        links.ask_interface("wifi"),
        whole(GET_LINK, ACK, ifinfomsg() + attribute(3, b"wifi\0") + number(29, 8)),
    ),
    "interfaces asked for": (links.dump_interfaces(), whole(GET_LINK, DUMP, ifinfomsg() + number(29, 8))),
}


@pytest.mark.parametrize(("sent", "expected"), MESSAGES.values(), ids=MESSAGES.keys())
def test_bytes(sent: bytes, expected: bytes) -> None:
    assert sent == expected
