"""Runs a fault when its moment comes, writes that it was asked for, that the moment came, and what proves it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from rig.errors import RigError
from rig.faults.actions import Fault, LateProof, Proof, Stage
from rig.faults.moments import Moment

Observe = Callable[[str, dict[str, Any]], None]


class HoldingHost(Protocol):
    """A host that can hold its answer to the next sale request."""

    def arm_hold(self) -> None:
        """The next sale request is answered only after :meth:`release`."""
        ...

    def release(self, key: str) -> None:
        """Let a held answer go; returns when it has left, or cannot leave any more."""
        ...


class Injector:
    """The faults of the sale that is under way. Moments may be reached on any thread."""

    def __init__(self, stage: Stage, host: HoldingHost | None, observe: Observe) -> None:
        self._stage = stage
        self._host = host
        self._observe = observe
        self._lock = threading.RLock()
        self._armed: list[Fault] = []
        self._rules: list[tuple[Fault, int]] = []
        self._late: list[tuple[Fault, LateProof]] = []
        self._lasting: list[tuple[Fault, LateProof]] = []

    def arm(self, *faults: Fault) -> None:
        """Make faults wait for their moments. One at :attr:`Moment.BETWEEN_SALES` happens now."""
        for fault in faults:
            self._observe(
                "fault_asked",
                {"fault": fault.name, "action": fault.action, "target": fault.target, "moment": str(fault.moment)},
            )
            if fault.host_rule is not None:
                behaviour, options = fault.host_rule
                self._rules.append((fault, self._stage.arm_host(behaviour, options)))
            elif fault.arm is not None:
                proof = fault.arm(self._stage)
                with self._lock:
                    self._late.append((fault, proof))
            else:
                with self._lock:
                    self._armed.append(fault)
        if self._host is not None and any(f.moment.at_host and f.host_rule is None for f in faults):
            self._host.arm_hold()
        self.reached(Moment.BETWEEN_SALES)

    def reached(self, moment: Moment, **data: Any) -> None:
        """A moment has come: run what waits for it, on this thread, before the transaction goes on."""
        with self._lock:
            due = [fault for fault in self._armed if fault.moment is moment]
            self._armed = [fault for fault in self._armed if fault.moment is not moment]
        if due or moment is not Moment.BETWEEN_SALES:
            self._observe("moment", {"name": str(moment), **data})
        for fault in due:
            self._run(fault)

    def held_at_host(self, key: str) -> None:
        """The host holds its answer to the request ``key``; it goes when the faults of this moment have run."""
        try:
            self.reached(Moment.REQUEST_RECEIVED, key=key)
        finally:
            if self._host is not None:
                self._host.release(key)

    def answered_by_host(self, key: str) -> None:
        """An answer has left the host."""
        self.reached(Moment.ANSWER_SENT, key=key)

    def finish(self) -> None:
        """The case is over: prove what lasts until its end, by what it met in all of the case."""
        self.end_sale()
        with self._lock:
            lasting, self._lasting = self._lasting, []
        for fault, prove in lasting:
            self._prove(fault, prove)

    def end_sale(self) -> None:
        """A sale is over: prove what was armed for it. What never met its moment stays without proof."""
        with self._lock:
            late, self._late = self._late, []
        for fault, rule in self._rules:
            self._prove(fault, partial(self._stage.host_proof, rule))
        for fault, prove in late:
            self._prove(fault, prove)
        with self._lock:
            missed, self._armed, self._rules = self._armed, [], []
        for fault in missed:
            self._observe(
                "fault_proof", {"fault": fault.name, "proven": False, "evidence": {"why": "its moment never came"}}
            )

    def _run(self, fault: Fault) -> None:
        run = fault.run
        if run is not None:
            self._prove(fault, partial(run, self._stage))

    def _prove(self, fault: Fault, prove: Callable[[], Proof | LateProof]) -> None:
        try:
            proof = prove()
        except RigError as error:
            self._observe("bench_fault", {"device": error.device, "what": error.what, "cure": error.cure})
            proof = Proof(False, {"why": str(error)})
        except Exception as error:  # noqa: BLE001 - on a device's thread nobody else would ever hear of it
            self._observe("bench_fault", {"device": fault.name, "what": f"{type(error).__name__}: {error}", "cure": ""})
            proof = Proof(False, {"why": str(error)})
        if callable(proof):
            with self._lock:
                self._lasting.append((fault, proof))
            return
        self._observe("fault_proof", {"fault": fault.name, "proven": proof.proven, "evidence": proof.evidence})
