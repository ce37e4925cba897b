"""netem itself: needs a kernel that has it. Where this one has not, ``python lab/uml.py`` runs these tests."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from rig.bearers.impairment import CLEAN, CUT, Impairment
from rig.bearers.interface import has_carrier
from rig.bearers.netem import NetemLink, reconcile
from rig.bearers.netspace import in_namespace
from rig.errors import BenchTrouble, CallerMistake, DeviceGone
from tests.bearers.netem.bench import Bench, cable, require_netem

pytestmark = pytest.mark.netem


@pytest.fixture(scope="module", autouse=True)
def kernel_with_netem() -> None:
    require_netem()


@pytest.fixture
def bench() -> Iterator[Bench]:
    yield from cable()


def apply(bench: Bench, up: Impairment, down: Impairment) -> None:
    bench.apply(up, down)


@pytest.mark.parametrize("up", [True, False], ids=["up", "down"])
def test_delay(bench: Bench, up: bool) -> None:
    asked = Impairment(delay_ms=60)
    apply(bench, asked if up else CLEAN, CLEAN if up else asked)
    assert bench.probe.median_ms(up, 20) == pytest.approx(60, abs=15)  # a virtual kernel's timer is coarse
    assert bench.probe.median_ms(not up, 20) < 15


def test_jitter_keeps_the_order(bench: Bench) -> None:
    apply(bench, Impairment(delay_ms=50, jitter_ms=40), CLEAN)
    bench.probe.send(True, 300, 0.001)
    assert [number for number, _ in bench.probe.receive(True, 0.5)] == list(range(300))


def test_loss(bench: Bench) -> None:
    apply(bench, Impairment(loss_percent=30), CLEAN)
    bench.probe.send(True, 400, 0.0005, size=20)
    came = len(bench.probe.receive(True, 0.3))
    assert came == pytest.approx(280, abs=45)
    assert bench.inside(bench.link.counters)["up"]["dropped"] == 400 - came


def test_rate(bench: Bench) -> None:
    apply(bench, Impairment(rate_kbit=800), CLEAN)
    bench.probe.send(True, 40, size=1000)
    came = bench.probe.receive(True, 0.5)
    assert len(came) == 40
    assert came[-1][1] / 1000 == pytest.approx(40 * 1042 * 8 / 800_000, rel=0.2)


def test_the_queue_is_as_deep_as_the_delay_needs(bench: Bench) -> None:
    apply(bench, Impairment(delay_ms=500), CLEAN)
    bench.probe.host.settimeout(2)
    bench.probe.send(True, 1500, size=20)
    assert bench.inside(bench.link.counters)["up"]["dropped"] == 0


def test_a_cut_drops_both_ways_and_what_was_on_its_way(bench: Bench) -> None:
    apply(bench, Impairment(delay_ms=400), CLEAN)
    bench.probe.send(True, 5)
    apply(bench, CUT, CUT)
    assert bench.probe.receive(True, 0.6) == []
    assert not bench.probe.passes(True)
    assert not bench.probe.passes(False)
    counted = bench.inside(bench.link.counters)
    assert counted["up"]["dropped"] >= 6
    assert counted["down"]["dropped"] >= 1
    bench.inside(bench.link.clear)
    assert bench.probe.passes(True)
    assert bench.probe.passes(False)


def test_a_replacement_is_absolute_and_read_back(bench: Bench) -> None:
    everything = Impairment(delay_ms=120.5, jitter_ms=30, loss_percent=2.5, rate_kbit=9.6)
    first = bench.inside(lambda: bench.link.apply(everything, CUT))
    first.require("wifi", everything, CUT)
    second = bench.inside(lambda: bench.link.apply(Impairment(delay_ms=5), CLEAN))
    assert (second.up, second.down) == (Impairment(delay_ms=5), CLEAN)
    assert bench.inside(bench.link.read) == second


def test_a_change_keeps_what_is_on_its_way(bench: Bench) -> None:
    apply(bench, Impairment(delay_ms=300), CLEAN)
    bench.probe.send(True, 20)
    apply(bench, CLEAN, CLEAN)
    assert len(bench.probe.receive(True, 0.6)) == 20


def test_clear_leaves_nothing(bench: Bench) -> None:
    before = bench.queues()
    apply(bench, CUT, Impairment(delay_ms=1))
    assert bench.queues() > before
    bench.inside(bench.link.clear)
    assert bench.queues() == before
    assert not bench.kernel(lambda kernel: [x for x in kernel.get_links() if x.get("ifname").startswith("rig-")])
    apply(bench, CLEAN, Impairment(delay_ms=1))
    bench.inside(bench.link.clear)
    assert bench.queues() == before


def test_counters_go_on_over_cut_and_clear(bench: Bench) -> None:
    apply(bench, CLEAN, CLEAN)
    bench.probe.send(True, 5)
    assert len(bench.probe.receive(True, 0.2)) == 5
    apply(bench, CUT, CUT)
    bench.probe.send(True, 3)
    bench.inside(bench.link.clear)
    counted = bench.inside(bench.link.counters)["up"]
    assert counted["packets"] >= 5
    assert counted["dropped"] >= 3


def test_another_process_reads_and_clears_what_is_in_force(bench: Bench) -> None:
    apply(bench, CUT, Impairment(delay_ms=9))
    guard = bench.inside(lambda: NetemLink("wifi", "wifi"))
    read_back = bench.inside(guard.read)
    assert (read_back.up, read_back.down) == (CUT, Impairment(delay_ms=9))
    bench.inside(guard.clear)
    assert bench.probe.passes(True)
    guard.close()


def test_a_foreign_root_is_refused_and_stays(bench: Bench) -> None:
    def put(kernel: Any) -> None:
        kernel.tc("add", "htb", kernel.link_lookup(ifname="wifi")[0], handle=0x10000)

    bench.kernel(put)
    with pytest.raises(BenchTrouble, match=r"wifi: has a htb queueing discipline 1: at its root"):
        apply(bench, CLEAN, Impairment(delay_ms=1))
    bench.inside(bench.link.clear)
    assert ("wifi", "htb") in bench.queues()


def test_a_foreign_root_that_displaced_ours_is_refused_and_stays(bench: Bench) -> None:
    apply(bench, CLEAN, Impairment(delay_ms=1))

    def displace(kernel: Any) -> None:
        kernel.tc("replace", "htb", kernel.link_lookup(ifname="wifi")[0], handle=0x10000)

    bench.kernel(displace)
    with pytest.raises(BenchTrouble, match="htb"):
        apply(bench, CLEAN, Impairment(delay_ms=2))
    assert ("wifi", "htb") in bench.queues()


def test_a_foreign_ingress_is_refused_and_stays(bench: Bench) -> None:
    bench.kernel(lambda kernel: kernel.tc("add", "ingress", kernel.link_lookup(ifname="wifi")[0]))
    with pytest.raises(BenchTrouble, match="ingress"):
        apply(bench, Impairment(delay_ms=1), CLEAN)
    bench.inside(bench.link.clear)
    assert ("wifi", "ingress") in bench.queues()


def test_a_crash_is_reconciled(bench: Bench) -> None:
    before = bench.queues()
    apply(bench, CUT, CUT)
    bench.link.close()
    assert len(bench.inside(reconcile)) >= 2
    assert bench.queues() == before
    assert bench.inside(reconcile) == []
    assert bench.probe.passes(True)


def test_the_terminal_sees_its_carrier_go_and_come(bench: Bench) -> None:
    def seen() -> bool:
        return in_namespace(bench.network.terminal, lambda: has_carrier("wlan0"))

    assert seen()
    assert bench.inside(lambda: bench.link.carrier(False)) is False
    assert not seen()
    assert bench.inside(lambda: bench.link.carrier(True)) is True
    assert seen()


def test_a_link_may_be_used_from_another_thread(bench: Bench) -> None:
    errors: list[BaseException] = []

    def work() -> None:
        try:
            apply(bench, Impairment(delay_ms=3), CLEAN)
        except BaseException as error:  # noqa: BLE001 - shown by the assertion below
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert errors == []


def test_a_misspelt_keyword_is_refused(bench: Bench) -> None:
    with pytest.raises(CallerMistake, match="gemodel"):
        bench.kernel(lambda kernel: kernel.tc("add", "netem", 1, gemodel=(1, 2)))


def test_a_missing_interface_is_named(bench: Bench) -> None:
    with pytest.raises(DeviceGone, match="nowhere0"):
        bench.inside(lambda: NetemLink("wifi", "nowhere0"))
