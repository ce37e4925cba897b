"""The named failures that a bench's bearers suffer now, and what they met."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

from rig.bearers.failures import Failure, Hits, Site, make_failure
from rig.bench.devices import Observe
from rig.errors import BenchTrouble, RigError
from rig.faults import Facts, LateProof, Proof, Stage, fail


class Begun:
    """One failure that a case begins by itself, between sales, and can ask what it has met.

    Raises:
        CallerMistake: no such failure, or an option out of range.
    """

    def __init__(self, bearer: str, failure: str, options: Facts) -> None:
        self._asked = fail(bearer, failure, **options)
        self._proofs: list[LateProof] = []
        self.action = replace(self._asked, run=self._run)

    def proof(self) -> Proof:
        """What it has met until now.

        Raises:
            BenchTrouble: it never began, which the history says too.
        """
        if not self._proofs:
            raise BenchTrouble(f"bearer {self._asked.target}", f"{self._asked.action} it did not begin")
        return self._proofs[0]()

    def _run(self, stage: Stage) -> Proof | LateProof:
        proof = self._asked.run(stage)
        if callable(proof):
            self._proofs.append(proof)
        return proof


class _Active:
    """A failure in force, or one that was; what it met at its end it has met for good."""

    def __init__(self, failure: Failure, what: dict[str, Any], evidence: dict[str, Any]) -> None:
        self.what = what
        self._failure, self._evidence = failure, evidence
        self._last: Hits | None = None

    def conclude(self) -> dict[str, Any]:
        """What it has met until now stays its proof; returns that, as its last event has it."""
        self._last = self._failure.hits()
        return {**self.what, "active": False, "hits": self._last.count, "detail": self._last.detail}

    def stop(self) -> None:
        """End it."""
        self._failure.stop()

    def prove(self) -> Proof:
        """Whether it was felt."""
        hits = self._last if self._last is not None else self._failure.hits()
        return Proof(hits.count > 0, {**self.what, **self._evidence, "hits": hits.count, **hits.detail})


class BearerFailures:
    """Started one by one, and all stopped at once, the last one first. May be used from several threads."""

    def __init__(self, observe: Observe) -> None:
        self._observe = observe
        self._lock = threading.Lock()
        self._active: list[_Active] = []

    def start(self, site: Site, name: str, options: Facts) -> LateProof:
        """Begin a failure; writes a ``network_failure`` event, and returns what proves it when the case is over.

        Raises:
            CallerMistake: no such failure, or an option out of range.
            BenchTrouble: the bench lacks what it needs.
        """
        failure = make_failure(name, options)
        what = {"bearer": site.bearer, "failure": name, "options": dict(options), "sees": failure.sees}
        try:
            evidence = failure.start(site)
        except BaseException:
            failure.stop()
            raise
        active = _Active(failure, what, evidence)
        with self._lock:
            self._active.append(active)
        self._observe("network_failure", {**what, "active": True, "evidence": evidence})
        return active.prove

    def clear(self, bearer: str | None = None) -> None:
        """End all of them, or those of one bearer; what they met until then stays their proof.

        Raises:
            RigError: the first that could not be ended; the others are, all the same.
        """
        with self._lock:
            ending = [each for each in self._active if bearer in (None, each.what["bearer"])]
            self._active = [each for each in self._active if each not in ending]
        trouble: RigError | None = None
        for active in reversed(ending):
            try:
                self._observe("network_failure", active.conclude())
            except RigError as error:
                trouble = trouble or error
            try:
                active.stop()
            except RigError as error:
                trouble = trouble or error
        if trouble is not None:
            raise trouble
