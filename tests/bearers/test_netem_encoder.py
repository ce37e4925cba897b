"""The bytes that go to the kernel, against the layout of ``linux/pkt_sched.h`` written out by hand."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given
from pyroute2.netlink.rtnl.tcmsg import plugins, tcmsg

from rig.bearers import netem_encoder
from rig.bearers.impairment import CLEAN, CUT, Impairment
from rig.bearers.link import ReadBack
from rig.bearers.netem_encoder import ORDER_KEEPING_RATE, NetemSettings, decode, get_parameters
from rig.errors import CallerMistake, DeviceNonsense
from tests.bearers.test_impairment import IMPAIRMENTS


def message(settings: NetemSettings) -> Any:
    """What pyroute2 would send, taken apart again as what the kernel tells."""
    netem_encoder.register()
    request: Any = tcmsg()  # type: ignore[no-untyped-call]
    request["attrs"] = [["TCA_KIND", "netem"], ["TCA_OPTIONS", get_parameters({"kind": "netem", "settings": settings})]]
    request.encode()
    answer: Any = tcmsg(bytes(request.data))  # type: ignore[no-untyped-call]
    answer.decode()
    return answer


def attribute(kind: int, payload: bytes) -> bytes:
    return struct.pack("<HH", len(payload) + 4, kind) + payload


def test_every_attribute_is_sent_every_time() -> None:
    settings = NetemSettings(delay_ns=20_000_000, jitter_ns=64_000, loss=42_949_673, rate=1200, limit=1001)
    sent = bytes(message(settings).data)
    options = (
        struct.pack("<6I", 312_500, 1001, 42_949_673, 0, 0, 1000)
        + attribute(1, struct.pack("<3I", 0, 0, 0))
        + attribute(3, struct.pack("<2I", 0, 0))
        + attribute(4, struct.pack("<2I", 0, 0))
        + attribute(6, struct.pack("<IiIi", 1200, 0, 0, 0))
        + attribute(7, struct.pack("<I", 0))
        + attribute(10, struct.pack("<q", 20_000_000))
        + attribute(11, struct.pack("<q", 64_000))
        + attribute(12, struct.pack("<qqiiqq", 0, 0, 0, 0, 0, 0))
    )
    assert attribute(2, options) in sent


@given(IMPAIRMENTS)
def test_what_was_asked_reads_back(impairment: Impairment) -> None:
    got = decode(message(NetemSettings.of(impairment))).impairment(cut=impairment.cut)
    ReadBack(got, CLEAN, True).require("wifi", impairment, CLEAN)


def test_a_rate_keeps_the_order_even_where_none_is_asked() -> None:
    assert NetemSettings.of(Impairment(delay_ms=50, jitter_ms=40)).rate == ORDER_KEEPING_RATE
    assert NetemSettings.of(Impairment(rate_kbit=9.6)).rate == 1200
    assert NetemSettings.of(Impairment(rate_kbit=0.1)).impairment(cut=False).rate_kbit == pytest.approx(0.1, abs=0.01)


def test_a_strangers_values_are_nonsense_and_not_the_callers_mistake() -> None:
    with pytest.raises(DeviceNonsense, match="never sets: jitter_ms"):
        NetemSettings(delay_ns=0, jitter_ns=5_000_000, loss=0, rate=1200, limit=1000).impairment(cut=False)


def test_a_cut_loses_every_packet() -> None:
    assert NetemSettings.of(CUT).loss == 0xFFFF_FFFF
    assert NetemSettings.of(Impairment(delay_ms=9, cut=True)) == NetemSettings.of(CUT)


def test_a_keyword_that_pyroute2_would_ignore_is_refused() -> None:
    with pytest.raises(CallerMistake, match="unknown gemodel"):
        get_parameters({"kind": "netem", "index": 1, "gemodel": (5, 30)})


def test_pyroute2_speaks_through_this_module() -> None:
    netem_encoder.register()
    assert plugins["netem"] is netem_encoder
