"""What is armed on the wires of a bench: proven by its counts, in place of the last one, and gone when asked."""

from __future__ import annotations

from typing import Any

import pytest

from rig.bearers.wire_cut import Cut, CutCounts, Effect
from rig.bearers.wire_trigger import Payload, TlsRecord
from rig.bench import wire as wire_module
from rig.bench.carding import Carding
from rig.bench.description import BenchFile
from rig.bench.devices import Devices
from rig.bench.plan import Places
from rig.bench.stage import BenchStage
from rig.bench.wire import WireFaults
from rig.errors import BenchTrouble, CallerMistake


class FakeCut:
    """The rules of one interface; the counts are the test's."""

    made: list[FakeCut] = []
    trouble: BenchTrouble | None = None

    def __init__(self, interface: str) -> None:
        self.interface = interface
        self.armed: list[Cut | None] = []
        self.closed = False
        self.counted = CutCounts()
        self.made.append(self)

    def arm(self, cut: Cut) -> None:
        self.armed.append(cut)

    def disarm(self) -> None:
        self.armed.append(None)
        if self.trouble is not None:
            raise self.trouble

    def counts(self) -> CutCounts:
        return self.counted

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> tuple[WireFaults, list[tuple[str, dict[str, Any]]]]:
    monkeypatch.setattr(FakeCut, "made", [])
    monkeypatch.setattr(FakeCut, "trouble", None)
    monkeypatch.setattr(wire_module, "WireCut", FakeCut)
    history: list[tuple[str, dict[str, Any]]] = []
    return WireFaults(lambda kind, data: history.append((kind, data))), history


@pytest.mark.parametrize(
    ("effect", "counts", "proven"),
    [
        (Effect.ANSWER_LOST, CutCounts(hits=1), True),
        (Effect.ANSWER_LOST, CutCounts(hits=1, answers_lost=7), True),
        (Effect.REQUEST_LOST, CutCounts(hits=1, requests_lost=2), True),
        (Effect.ANSWER_RESET, CutCounts(hits=1, resets=1), True),
        (Effect.ANSWER_RESET, CutCounts(hits=1, answers_lost=1), False),
    ],
)
def test_the_counts_are_the_proof(faults: Any, effect: Effect, counts: CutCounts, proven: bool) -> None:
    wire, history = faults
    prove = wire.arm("wifi", "wlan0", Cut(effect, TlsRecord(2), 5000))
    assert history[0][0] == "wire_armed"
    assert history[0][1]["trigger"] == {"kind": "TLS record", "at_least_bytes": 150, "number": 2}
    FakeCut.made[0].counted = counts
    proof = prove()
    assert proof.proven is proven
    assert proof.evidence["counts"] == counts.to_dict()
    assert proof.evidence["bearer"] == "wifi"


@pytest.mark.parametrize("lost", [0, 1])
def test_an_answer_that_came_after_the_wire_had_healed_was_not_lost(faults: Any, lost: int) -> None:
    wire, _ = faults
    prove = wire.arm("wifi", "wlan0", Cut(Effect.ANSWER_LOST, TlsRecord(), 5000, heals_after_s=0.001))
    FakeCut.made[0].counted = CutCounts(hits=1, answers_lost=lost, others_lost=1)
    assert prove().proven is bool(lost)


def test_no_hit_is_trouble_of_the_bench(faults: Any) -> None:
    wire, _ = faults
    prove = wire.arm("wifi", "wlan0", Cut(Effect.ANSWER_LOST, TlsRecord(), 5000))
    with pytest.raises(BenchTrouble, match="no packet of the terminal"):
        prove()


def test_a_fault_that_was_replaced_is_not_proven_by_the_next_one(faults: Any) -> None:
    wire, _ = faults
    cut = Cut(Effect.ANSWER_LOST, TlsRecord(), 5000)
    first, second, elsewhere = (wire.arm("x", interface, cut) for interface in ("wlan0", "wlan0", "wwan0"))
    for made in FakeCut.made:
        made.counted = CutCounts(hits=1)
    assert [prove().proven for prove in (first, second, elsewhere)] == [False, True, True]


def test_one_session_an_interface(faults: Any) -> None:
    wire, _ = faults
    for interface in ("wlan0", "wwan0", "wlan0"):
        wire.arm("x", interface, Cut(Effect.ANSWER_LOST, TlsRecord(), 5000))
    assert [cut.interface for cut in FakeCut.made] == ["wlan0", "wwan0"]
    wire.clear()
    assert all(cut.armed[-1] is None and not cut.closed for cut in FakeCut.made)
    wire.close()
    wire.close()
    assert all(cut.closed for cut in FakeCut.made)


def test_a_wire_that_cannot_be_cleared_loses_its_session(faults: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    wire, _ = faults
    wire.arm("wifi", "wlan0", Cut(Effect.ANSWER_LOST, TlsRecord(), 5000))
    monkeypatch.setattr(FakeCut, "trouble", BenchTrouble("nft", "no answer"))
    with pytest.raises(BenchTrouble):
        wire.clear()
    assert FakeCut.made[0].closed
    wire.clear()


@pytest.mark.parametrize(("tls", "trigger"), [(True, TlsRecord(1)), (False, Payload(7, b"0200"))])
def test_the_bench_file_says_what_a_request_is(
    faults: Any, virtual: BenchFile, places: Places, tls: bool, trigger: TlsRecord | Payload
) -> None:
    bench = virtual.model_copy(update={"acquirer": virtual.acquirer.model_copy(update={"tls": tls, "port": 5001})})
    devices = Devices(bearers={"wifi": object()})  # type: ignore[dict-item]
    stage = BenchStage(bench, devices, Carding(places.run, lambda _: True, devices), places.run, lambda *_: None)
    stage.arm_wire("wifi", Cut(Effect.ANSWER_LOST))
    stage.arm_wire("wifi", Cut(Effect.ANSWER_LOST, TlsRecord(3), 6000))
    armed = FakeCut.made[0].armed
    assert armed == [Cut(Effect.ANSWER_LOST, trigger, 5001), Cut(Effect.ANSWER_LOST, TlsRecord(3), 6000)]
    with pytest.raises(CallerMistake, match="no such bearer"):
        stage.arm_wire("nowhere", Cut(Effect.ANSWER_LOST))
    devices.close()
    assert FakeCut.made[0].closed, "it does not outlive the use of the bench"
