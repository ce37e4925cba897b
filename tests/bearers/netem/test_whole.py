"""A change is taken whole or not at all; steps laid out in advance; offloads come back as they were."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from rig.bearers import interface
from rig.bearers.impairment import CLEAN, CUT, Distribution, Impairment
from rig.bearers.interface import joining_offloads
from rig.bearers.netem import NetemLink, reconcile
from rig.bearers.netem import encoder as netem_encoder
from rig.bearers.netem.settings import NetemSettings
from rig.errors import BenchTrouble, CallerMistake, DeviceClamped, DeviceGone
from tests.bearers.netem.bench import Bench, cable, require_netem

pytestmark = pytest.mark.netem
SLOW = Impairment(delay_ms=40)
LOSSY = Impairment(loss_percent=5)


@pytest.fixture(scope="module", autouse=True)
def kernel_with_netem() -> None:
    require_netem()


@pytest.fixture
def bench() -> Iterator[Bench]:
    yield from cable()


def in_force(bench: Bench) -> tuple[Impairment, Impairment]:
    """What a process that knows nothing reads."""

    def read() -> tuple[Impairment, Impairment]:
        other = NetemLink("wifi", "wifi")
        try:
            read_back = other.read()
        finally:
            other.close()
        return read_back.up, read_back.down

    return bench.inside(read)


def lie_about(monkeypatch: pytest.MonkeyPatch, asked: Impairment, sent: NetemSettings) -> None:
    """Let the kernel be told something else for this impairment, as if it rounded or refused."""
    honest = NetemSettings.of

    def of(impairment: Impairment) -> NetemSettings:
        return sent if impairment == asked else honest(impairment)

    monkeypatch.setattr(NetemSettings, "of", of)


def refuse(monkeypatch: pytest.MonkeyPatch, distribution: Distribution) -> None:
    """Let the kernel be sent a table without values for this distribution, which it refuses."""
    honest = netem_encoder.packed
    monkeypatch.setattr(netem_encoder, "packed", lambda asked: b"" if asked is distribution else honest(asked))


def test_what_reads_back_otherwise_is_an_error_and_taken_back(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.apply(SLOW, LOSSY)
    wrong = Impairment(delay_ms=7)
    lie_about(monkeypatch, wrong, NetemSettings.of(Impairment(delay_ms=8)))
    with pytest.raises(DeviceClamped, match="down was asked for 7 ms and reads back 8 ms"):
        bench.apply(CLEAN, wrong)
    up, down = in_force(bench)
    assert up == SLOW
    assert down.loss_percent == pytest.approx(5)


def test_a_refused_direction_takes_the_other_back(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.apply(SLOW, CLEAN)
    normal = Impairment(9, 3, distribution=Distribution.NORMAL)
    refuse(monkeypatch, Distribution.NORMAL)
    with pytest.raises(BenchTrouble, match="refused"):
        bench.apply(CLEAN, normal)
    assert in_force(bench) == (SLOW, CLEAN)


def test_a_first_change_that_is_refused_leaves_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    before, offloads = bench.queues(), bench.inside(lambda: joining_offloads("wifi"))
    refuse(monkeypatch, Distribution.UNIFORM)
    with pytest.raises(BenchTrouble, match=r"interface .*: the kernel refused"):
        bench.apply(CLEAN, SLOW)
    assert bench.queues() == before
    assert bench.inside(lambda: joining_offloads("wifi")) == offloads
    assert "rig-" not in bench.inside(lambda: subprocess.run(["ip", "link"], capture_output=True, text=True).stdout)


def test_an_interface_that_goes_in_mid_run_is_named(bench: Bench) -> None:
    bench.apply(SLOW, SLOW)
    prepared = bench.inside(lambda: bench.link.prepare([(CLEAN, LOSSY)]))
    bench.kernel(lambda kernel: kernel.link("del", ifname="wifi"))
    for act in (lambda: bench.link.apply(CLEAN, LOSSY), lambda: prepared.put(0), bench.link.read, bench.link.counters):
        with pytest.raises(DeviceGone, match="interface wifi"):
            bench.inside(act)
    assert bench.inside(reconcile) == ["redirection of what came in on wifi"]
    assert bench.inside(reconcile) == []


def test_offloads_come_back_as_they_were(bench: Bench) -> None:
    def turn_on_all_but_one() -> int:
        for set_one in (interface._SET_TX_CHECKSUM, interface._SET_TSO, interface._SET_GSO, interface._SET_GRO):
            interface._ethtool("wifi", set_one, 1)
        everything = joining_offloads("wifi")
        interface.switch_offloads("wifi", everything & -everything, False)
        assert joining_offloads("wifi") == everything & (everything - 1)
        return joining_offloads("wifi")

    before = bench.inside(turn_on_all_but_one)
    assert before
    bench.apply(SLOW, CLEAN)
    assert bench.inside(lambda: joining_offloads("wifi")) == 0
    bench.apply(CUT, CUT)
    bench.inside(bench.link.clear)
    assert bench.inside(lambda: joining_offloads("wifi")) == before
    bench.apply(SLOW, CLEAN)
    bench.link.close()  # as a kill would leave it
    bench.inside(reconcile)
    assert bench.inside(lambda: joining_offloads("wifi")) == before


STEPS = [(SLOW, LOSSY), (CLEAN, SLOW), (CUT, CUT), (CUT, CLEAN), (SLOW, CLEAN), (LOSSY, CUT)]


def test_prepared_steps_do_what_apply_does(bench: Bench) -> None:
    prepared = bench.inside(lambda: bench.link.prepare(STEPS))
    for number in (0, 1, 2, 3, 4, 5, 1, 5, 5, 0):
        bench.inside(lambda n=number: prepared.put(n))  # type: ignore[misc]
        bench.inside(bench.link.read).require("wifi", *STEPS[number])


def test_a_prepared_change_keeps_what_waits_and_a_cut_drops_and_counts_it(bench: Bench) -> None:
    late = Impairment(delay_ms=300)
    prepared = bench.inside(lambda: bench.link.prepare([(late, CLEAN), (CLEAN, CLEAN), (CUT, CUT)]))
    bench.inside(lambda: prepared.put(0))
    bench.probe.send(True, 10)
    bench.inside(lambda: prepared.put(1))
    assert len(bench.probe.receive(True, 0.6)) == 10
    bench.inside(lambda: prepared.put(0))
    bench.probe.send(True, 10)
    before = bench.inside(bench.link.counters)["up"]["dropped"]
    bench.inside(lambda: prepared.put(2))
    assert bench.inside(bench.link.counters)["up"]["dropped"] == before + 10
    bench.inside(lambda: prepared.put(1))
    assert bench.probe.receive(True, 0.4) == []
    assert bench.probe.passes(True)


def test_a_prepared_step_after_a_clear_lays_the_way_anew(bench: Bench) -> None:
    prepared = bench.inside(lambda: bench.link.prepare(STEPS))
    bench.inside(lambda: prepared.put(0))
    bench.inside(bench.link.clear)
    bench.inside(lambda: prepared.put(1))
    bench.inside(bench.link.read).require("wifi", *STEPS[1])


def test_a_prepared_step_after_another_process_cleared(bench: Bench) -> None:
    def guard() -> None:
        other = NetemLink("wifi", "wifi")
        other.clear()
        other.close()

    prepared = bench.inside(lambda: bench.link.prepare(STEPS))
    bench.inside(lambda: prepared.put(0))
    bench.inside(guard)
    bench.inside(bench.link.read).require("wifi", CLEAN, CLEAN)
    bench.inside(lambda: prepared.put(0))
    bench.inside(bench.link.read).require("wifi", *STEPS[0])


def test_a_prepared_step_never_displaces_a_stranger(bench: Bench) -> None:
    prepared = bench.inside(lambda: bench.link.prepare(STEPS))
    bench.inside(lambda: prepared.put(0))
    bench.tc("qdisc", "replace", "dev", "wifi", "root", "handle", "1:", "htb")
    for number in (1, 5):
        with pytest.raises(BenchTrouble, match="has a htb queueing discipline 1: at its root"):
            bench.inside(lambda n=number: prepared.put(n))  # type: ignore[misc]
    assert ("wifi", "htb") in bench.queues()


def test_a_step_that_is_not_there(bench: Bench) -> None:
    prepared = bench.inside(lambda: bench.link.prepare(STEPS))
    for number in (-1, len(STEPS)):
        with pytest.raises(CallerMistake, match="step"):
            bench.inside(lambda n=number: prepared.put(n))  # type: ignore[misc]


@pytest.mark.parametrize("kind", ["ingress", "clsact"])
def test_a_strangers_place_for_what_comes_in_is_refused_and_stays(bench: Bench, kind: str) -> None:
    bench.tc("qdisc", "add", "dev", "wifi", kind)
    with pytest.raises(BenchTrouble, match=f"{kind} queueing discipline ffff: at its ingress"):
        bench.apply(SLOW, CLEAN)
    bench.inside(bench.link.clear)
    assert bench.inside(reconcile) == []
    assert ("wifi", kind) in bench.queues()


def test_a_strangers_filter_in_our_place_stays_with_it(bench: Bench) -> None:
    bench.apply(SLOW, CLEAN)
    bench.tc("filter", "add", "dev", "wifi", "ingress", "pref", "9", "matchall", "action", "mirred", "egress",
             "mirror", "dev", "lo")  # fmt: skip
    bench.inside(bench.link.clear)
    said = bench.tc("filter", "show", "dev", "wifi", "ingress")
    assert "pref 9 " in said
    assert "pref 31760" not in said
    assert bench.probe.passes(True)
