"""netem's options, byte by byte, against the layout of ``linux/pkt_sched.h`` written out by hand."""

from __future__ import annotations

import math
import struct
from typing import Any

import pytest
from hypothesis import given
from pyroute2.netlink.rtnl.tcmsg import plugins

from rig.bearers.distributions import packed
from rig.bearers.impairment import CLEAN, CUT, Distribution, Impairment, Overhead
from rig.bearers.link import ReadBack
from rig.bearers.loss import GilbertElliott
from rig.bearers.netem import encoder as netem_encoder
from rig.bearers.netem import tc_messages as tc
from rig.bearers.netem.encoder import decode, get_parameters
from rig.bearers.netem.settings import ORDER_KEEPING_RATE, NetemSettings
from rig.errors import CallerMistake, DeviceNonsense
from tests.bearers.test_impairment import IMPAIRMENTS

TEN_GBIT = struct.pack("<IiIi", 1_250_000_000, 0, 0, 0)
HALF, TENTH, ALWAYS = 0x8000_0000, 429_496_730, 0xFFFF_FFFF


def attribute(kind: int, payload: bytes) -> bytes:
    return (struct.pack("<HH", len(payload) + 4, kind) + payload).ljust((len(payload) + 7) & ~3, b"\0")


def options(
    times: tuple[int, int] = (0, 0),
    limit: int = 1000,
    chances: tuple[int, int, int] = (0, 0, 0),  # loss, gap, duplicate
    distribution: Distribution = Distribution.UNIFORM,
    reorder: int = 0,
    corrupt: int = 0,
    rate: bytes = TEN_GBIT,
    behind: bytes = b"",
) -> bytes:
    """TCA_OPTIONS whole: struct tc_netem_qopt (times in 64 ns), then every attribute."""
    delay, jitter = times
    return (
        struct.pack("<6I", delay >> 6, limit, *chances, jitter >> 6)
        + attribute(1, struct.pack("<3I", 0, 0, 0))  # TCA_NETEM_CORR
        + attribute(2, packed(distribution))  # TCA_NETEM_DELAY_DIST
        + attribute(3, struct.pack("<2I", reorder, 0))  # TCA_NETEM_REORDER
        + attribute(4, struct.pack("<2I", corrupt, 0))  # TCA_NETEM_CORRUPT
        + attribute(6, rate)  # TCA_NETEM_RATE
        + attribute(7, struct.pack("<I", 0))  # TCA_NETEM_ECN
        + attribute(10, struct.pack("<q", delay))  # TCA_NETEM_LATENCY64
        + attribute(11, struct.pack("<q", jitter))  # TCA_NETEM_JITTER64
        + attribute(12, struct.pack("<qqiiqq", 0, 0, 0, 0, 0, 0))  # TCA_NETEM_SLOT
        + behind
    )


def gemodel(p: int, r: int, h: int, k1: int) -> bytes:
    return attribute(0x8005, attribute(2, struct.pack("<4I", p, r, h, k1)))  # TCA_NETEM_LOSS, nested; NETEM_LOSS_GE


CASES = {
    "clean": (CLEAN, options()),
    "cut": (CUT, options(chances=(ALWAYS, 0, 0))),
    "delay": (Impairment(delay_ms=20), options((20_000_000, 0), 3000)),
    "jitter": (Impairment(delay_ms=20, jitter_ms=5), options((20_000_000, 5_000_000), 3504)),
    "normal": (
        Impairment(20, 5, distribution=Distribution.NORMAL),
        options((20_000_000, 5_000_000), 5001, distribution=Distribution.NORMAL),
    ),
    "pareto": (
        Impairment(20, 5, distribution=Distribution.PARETO),
        options((20_000_000, 5_000_000), 5002, distribution=Distribution.PARETO),
    ),
    "paretonormal": (
        Impairment(20, 5, distribution=Distribution.PARETO_NORMAL),
        options((20_000_000, 5_000_000), 5003, distribution=Distribution.PARETO_NORMAL),
    ),
    "random loss": (Impairment(loss_percent=10), options(chances=(TENTH, 0, 0))),
    "loss in bursts": (
        Impairment(burst_loss=GilbertElliott(10, 50, 100, 0)),
        options(behind=gemodel(TENTH, HALF, 0, 0)),
    ),
    "some loss while good or bad": (
        Impairment(burst_loss=GilbertElliott(10, 50, 90, 10)),
        options(behind=gemodel(TENTH, HALF, ALWAYS - 3_865_470_566, TENTH)),
    ),
    "duplicate": (Impairment(duplicate_percent=10), options(chances=(0, 0, TENTH))),
    "corrupt": (Impairment(corrupt_percent=10), options(corrupt=TENTH)),
    "reorder": (
        Impairment(delay_ms=10, reorder_percent=50),
        options((10_000_000, 0), 2000, (0, 1, 0), reorder=HALF),
    ),
    "rate": (Impairment(rate_kbit=9.6), options(rate=struct.pack("<IiIi", 1200, 0, 0, 0))),
    "rate with overhead": (
        Impairment(rate_kbit=9.6, overhead=Overhead(-14, 48, 5)),
        options(rate=struct.pack("<IiIi", 1200, -14, 48, 5)),
    ),
    "seed": (Impairment(seed=2**63 + 7), options(limit=1004, behind=attribute(14, struct.pack("<Q", 2**63 + 7)))),
}


@pytest.mark.parametrize(("impairment", "expected"), CASES.values(), ids=CASES.keys())
def test_every_option_is_sent_every_time(impairment: Impairment, expected: bytes) -> None:
    body = struct.pack("<BBHiIII", 0, 0, 0, 7, 0x7C10_0000, 0xFFFF_FFFF, 0)
    body += attribute(1, b"netem\0") + attribute(2, expected)
    settings = NetemSettings.of(impairment)
    for doing, flags in ((tc.CHANGE, 0x005), (tc.ADD, 0x605), (tc.REPLACE, 0x505)):
        header = struct.pack("<IHHII", 16 + len(body), 36, flags, 0, 0)  # RTM_NEWQDISC
        assert tc.netem(doing, 7, tc.ROOT, 0x7C10_0000, settings) == header + body


def test_a_rate_above_32_bits_goes_in_the_wide_attribute_too() -> None:
    sent = netem_options(NetemSettings(0, 0, 0, 5_000_000_000, 1000))
    rate = struct.pack("<IiIi", ALWAYS, 0, 0, 0)
    assert sent == options(rate=rate, behind=attribute(8, struct.pack("<Q", 5_000_000_000)))
    assert decode(told(sent)).rate == 5_000_000_000


def netem_options(settings: NetemSettings) -> bytes:
    return tc.netem(tc.CHANGE, 7, tc.ROOT, 0x7C10_0000, settings)[16 + 20 + 12 + 4 :]


def told(sent: bytes) -> Any:
    """The options as if the kernel told them."""
    body = struct.pack("<BBHiIII", 0, 0, 0, 7, 0x7C10_0000, 0xFFFF_FFFF, 0)
    body += attribute(1, b"netem\0") + attribute(2, sent)
    return tc.decode(struct.pack("<IHHII", 16 + len(body), 36, 0, 0, 0) + body)


@given(IMPAIRMENTS)
def test_what_was_asked_reads_back(impairment: Impairment) -> None:
    got = decode(told(netem_options(NetemSettings.of(impairment)))).impairment(cut=impairment.cut)
    ReadBack(got, CLEAN, True).require("wifi", impairment, CLEAN)
    assert impairment.cut or got.seed == impairment.seed


@pytest.mark.parametrize("case", sorted(set(CASES) - {"cut"}))
def test_each_field_reads_back(case: str) -> None:
    impairment, sent = CASES[case]
    got = decode(told(sent)).impairment(cut=False)
    ReadBack(CLEAN, got, True).require("wifi", CLEAN, impairment)
    assert got.distribution is impairment.distribution
    assert got.seed == impairment.seed


@given(IMPAIRMENTS)
def test_the_queue_is_never_shallower_than_it_must_be(impairment: Impairment) -> None:
    settings = NetemSettings.of(impairment)
    assert 0 <= settings.limit - (CUT if impairment.cut else impairment).queue_limit < 16
    assert impairment.cut or settings.distribution is impairment.distribution


def test_a_seed_that_the_kernel_chose_is_not_told_as_asked_for() -> None:
    chosen = decode(told(options(behind=attribute(14, struct.pack("<Q", 99)))))
    assert chosen.seed == 99
    assert chosen.impairment(cut=False) == CLEAN


def test_a_rate_keeps_the_order_even_where_none_is_asked() -> None:
    assert NetemSettings.of(Impairment(delay_ms=50, jitter_ms=40)).rate == ORDER_KEEPING_RATE
    assert NetemSettings.of(Impairment(rate_kbit=0.1)).rate == math.ceil(12.5)
    assert NetemSettings.of(Impairment(rate_kbit=0.1)).impairment(cut=False).rate_kbit == pytest.approx(0.1, abs=0.01)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        (NetemSettings(0, 5_000_000, 0, 1200, 1000), "never sets: jitter_ms"),
        (NetemSettings(0, 0, 9, 1200, 1000, burst_loss=(1, 5_000_000, 0, 0)), "never sets: "),
        (NetemSettings(0, 0, 0, 1200, 1000, burst_loss=(1, 0, 0, 0)), "never sets: burst_loss.to_good_percent"),
    ],
)
def test_a_strangers_values_are_nonsense_and_not_the_callers_mistake(settings: NetemSettings, complaint: str) -> None:
    with pytest.raises(DeviceNonsense, match=complaint):
        settings.impairment(cut=False)


def test_a_strangers_loss_model_is_nonsense() -> None:
    four_states = attribute(0x8005, attribute(1, struct.pack("<5I", 1, 2, 3, 4, 5)))
    with pytest.raises(DeviceNonsense, match="four states"):
        decode(told(options(behind=four_states)))


def test_a_strangers_overhead_is_nonsense() -> None:
    with pytest.raises(DeviceNonsense, match="packet_bytes"):
        decode(told(options(rate=struct.pack("<IiIi", 1200, -100_000, 0, 0))))


def test_a_kernel_that_tells_too_little_is_named() -> None:
    with pytest.raises(DeviceNonsense, match="neither rate nor times"):
        decode(told(struct.pack("<6I", 0, 1000, 0, 0, 0, 0)))


def test_a_keyword_that_pyroute2_would_ignore_is_refused() -> None:
    with pytest.raises(CallerMistake, match="unknown gemodel"):
        get_parameters({"kind": "netem", "index": 1, "gemodel": (5, 30)})


def test_pyroute2_speaks_through_this_module() -> None:
    netem_encoder.register()
    assert plugins["netem"] is netem_encoder
    settings = NetemSettings.of(CUT)
    assert get_parameters({"kind": "netem", "settings": settings}) == netem_encoder.encode(settings)
