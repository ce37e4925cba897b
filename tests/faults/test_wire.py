"""Faults with the very packet: armed before the sale, proven after it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest

from rig.bearers.wire_cut import Cut, Effect
from rig.errors import BenchTrouble, CallerMistake
from rig.faults import (
    Fault,
    Injector,
    LateProof,
    Moment,
    Payload,
    Proof,
    Stage,
    TlsRecord,
    cut_on_wire,
    lose_request_on_wire,
    reset_on_wire,
)


class WireStage:
    """A bench whose wires alone are of interest."""

    def __init__(self, prove: LateProof) -> None:
        self.armed: list[tuple[str, Cut]] = []
        self._prove = prove

    def arm_wire(self, bearer: str, cut: Cut) -> LateProof:
        self.armed.append((bearer, cut))
        return self._prove


def sale(fault: Fault, prove: LateProof) -> tuple[WireStage, list[tuple[str, dict[str, Any]]]]:
    history: list[tuple[str, dict[str, Any]]] = []
    stage = WireStage(prove)
    injector = Injector(cast(Stage, stage), None, lambda kind, data: history.append((kind, data)))
    injector.arm(fault)
    assert stage.armed, "armed before the sale"
    assert [kind for kind, _ in history] == ["fault_asked"]
    injector.finish()
    injector.finish()
    return stage, history


@pytest.mark.parametrize(
    ("make", "cut", "name"),
    [
        (lambda: cut_on_wire("wifi"), Cut(Effect.ANSWER_LOST), "cut wifi (request on the wire)"),
        (
            lambda: lose_request_on_wire("lte", TlsRecord(2), heals_after_s=1.5),
            Cut(Effect.REQUEST_LOST, TlsRecord(2), heals_after_s=1.5),
            "lose the request on lte (request on the wire)",
        ),
        (
            lambda: reset_on_wire("wifi", Payload(7, b"0200"), port=5001, standing_line=True),
            Cut(Effect.ANSWER_RESET, Payload(7, b"0200"), 5001, standing_line=True),
            "reset wifi (request on the wire)",
        ),
    ],
)
def test_what_is_armed_and_proven(make: Callable[[], Fault], cut: Cut, name: str) -> None:
    fault = make()
    assert fault.name == name
    assert fault.moment is Moment.REQUEST_ON_WIRE
    stage, history = sale(fault, lambda: Proof(True, {"counts": {"hits": 1}}))
    assert stage.armed == [(fault.target, cut)]
    assert history[1:] == [("fault_proof", {"fault": name, "proven": True, "evidence": {"counts": {"hits": 1}}})]


def test_no_hit_is_a_bench_fault() -> None:
    def prove() -> Proof:
        raise BenchTrouble("wire of wifi", "no packet of the terminal met the trigger")

    _, history = sale(cut_on_wire("wifi"), prove)
    assert [kind for kind, _ in history] == ["fault_asked", "bench_fault", "fault_proof"]
    assert history[-1][1]["proven"] is False


def test_a_wrong_value_is_refused_before_anything_is_armed() -> None:
    with pytest.raises(CallerMistake):
        cut_on_wire("wifi", heals_after_s=-1)
    with pytest.raises(CallerMistake):
        reset_on_wire("wifi", port=70000)
