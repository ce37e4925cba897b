"""What ``tc`` of iproute2 says of what we set, field by field; and the same field out of a dump by our own eyes."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import pytest

from rig.bearers.impairment import CLEAN, CUT, Distribution, Impairment, Overhead
from rig.bearers.link import ReadBack
from rig.bearers.loss import GilbertElliott
from rig.bearers.netem import encoder as netem_encoder
from tests.bearers.netem.bench import Bench, cable, require_netem

pytestmark = pytest.mark.netem


@pytest.fixture(scope="module", autouse=True)
def kernel_with_netem() -> None:
    require_netem()


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    yield from cable()


FIELDS: list[tuple[Impairment, str, dict[str, Any]]] = [
    (CLEAN, "limit 1000 rate 10Gbit", {"limit": 1000, "rate": {"rate": 1_250_000_000}}),
    (CUT, "loss 100%", {"loss-random": {"loss": 1}}),
    (Impairment(delay_ms=20), "limit 3000 delay 20ms", {"delay": {"delay": 0.02, "jitter": 0}}),
    (Impairment(20, 5), "delay 20ms  5ms", {"delay": {"delay": 0.02, "jitter": 0.005}}),
    (Impairment(20, 5, distribution=Distribution.NORMAL), "limit 5001 delay 20ms  5ms", {"limit": 5001}),
    (Impairment(20, 5, distribution=Distribution.PARETO), "limit 5002 delay 20ms  5ms", {"limit": 5002}),
    (Impairment(20, 5, distribution=Distribution.PARETO_NORMAL), "limit 5003 delay 20ms  5ms", {"limit": 5003}),
    (Impairment(loss_percent=2.5), "loss 2.5%", {"loss-random": {"loss": 0.025}}),
    (
        Impairment(burst_loss=GilbertElliott(5, 30, 90, 1)),
        "loss gemodel p 5% r 30% 1-h 90% 1-k 1%",
        {"loss-gemodel": {"p": 0.05, "r": 0.3, "1-h": 0.9, "1-k": 0.01}},
    ),
    (Impairment(duplicate_percent=3), "duplicate 3%", {"duplicate": {"duplicate": 0.03}}),
    (Impairment(corrupt_percent=4), "corrupt 4%", {"corrupt": {"corrupt": 0.04}}),
    (Impairment(delay_ms=10, reorder_percent=25), "reorder 25%", {"reorder": {"reorder": 0.25}, "gap": 1}),
    (Impairment(rate_kbit=9.6), "rate 9600bit", {"rate": {"rate": 1200}}),
    (
        Impairment(rate_kbit=800, overhead=Overhead(-14, 48, 5)),
        "rate 800Kbit packetoverhead -14 cellsize 48 celloverhead 5",
        {"rate": {"rate": 100_000, "packetoverhead": -14, "cellsize": 48, "celloverhead": 5}},
    ),
    (Impairment(loss_percent=1, seed=42), "limit 1004 loss 1%", {"loss-random": {"loss": 0.01}}),
]


@pytest.mark.parametrize(("asked", "text", "values"), FIELDS, ids=[str(asked) for asked, _, _ in FIELDS])
def test_each_field(bench: Bench, asked: Impairment, text: str, values: dict[str, Any]) -> None:
    bench.apply(CLEAN, asked)
    said = bench.tc("-s", "-d", "qdisc", "show", "dev", "wifi", "root")
    assert f"qdisc netem {'7c11' if asked.cut else '7c10'}: root" in said
    assert text in said
    options = bench.tc_json("qdisc", "show", "dev", "wifi", "root")[0]["options"]
    for name, value in values.items():
        assert options[name] == _close(value), name
    read_back = bench.inside(bench.link.read)
    ReadBack(CLEAN, read_back.down, True).require("wifi", CLEAN, asked)
    assert read_back.down.seed in (None, asked.seed)  # None before Linux 6.6
    if not asked.cut:
        assert read_back.down.distribution is asked.distribution


def _close(value: Any) -> Any:
    if isinstance(value, dict):
        return Subset({name: _close(each) for name, each in value.items()})
    return pytest.approx(value, rel=1e-6)


class Subset(dict[str, Any]):
    """Equal to a mapping that has these entries, and perhaps more."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, dict) and all(other.get(name) == value for name, value in self.items())

    __hash__ = None


def test_nothing_of_one_impairment_stays_in_the_next(bench: Bench) -> None:
    everything = Impairment(
        delay_ms=20,
        jitter_ms=5,
        distribution=Distribution.PARETO,
        burst_loss=GilbertElliott(5, 30),
        duplicate_percent=1,
        corrupt_percent=1,
        reorder_percent=1,
        rate_kbit=900,
        overhead=Overhead(4, 48, 5),
        seed=7,
    )
    bench.apply(everything, everything)
    bench.apply(CLEAN, CLEAN)
    for interface in ("wifi", "rig-ifb1000"):
        said = bench.tc("-d", "qdisc", "show", "dev", interface, "root")
        assert said.split("refcnt ")[1].split(" ", 1)[1].strip().split(" seed")[0] == "limit 1000 rate 10Gbit"


def test_a_table_that_was_set_is_taken_back_by_the_next_uniform_one(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel keeps a table for ever: one that is always four jitters late would be seen."""
    always_late = struct.pack("=h", 32_767) * 4096
    monkeypatch.setattr(netem_encoder, "packed", lambda _distribution: always_late)
    bench.apply(Impairment(40, 30, distribution=Distribution.NORMAL), CLEAN)
    assert bench.probe.median_ms(True, 5) > 140
    monkeypatch.undo()
    bench.apply(Impairment(40, 30), CLEAN)
    assert bench.probe.median_ms(True, 9) < 90


def test_the_redirection(bench: Bench) -> None:
    bench.apply(Impairment(delay_ms=1), CLEAN)
    said = bench.tc("filter", "show", "dev", "wifi", "ingress")
    assert "protocol all pref 31760 matchall" in said
    assert "mirred (Egress Redirect to device rig-ifb1000) stolen" in said
    assert "qdisc ingress ffff: parent ffff:fff1" in bench.tc("qdisc", "show", "dev", "wifi")
    assert "delay 1ms" in bench.tc("qdisc", "show", "dev", "rig-ifb1000")
