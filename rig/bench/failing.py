"""The named failures that a bench's bearers suffer now, and what they met."""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import partial
from typing import Any

from rig.bearers.failures import Failure, Site, make_failure
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


class BearerFailures:
    """Started one by one, and all stopped at once, the last one first. May be used from several threads."""

    def __init__(self, observe: Observe) -> None:
        self._observe = observe
        self._lock = threading.Lock()
        self._active: list[tuple[dict[str, Any], Failure]] = []

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
        with self._lock:
            self._active.append((what, failure))
        self._observe("network_failure", {**what, "active": True, "evidence": evidence})
        return partial(_prove, failure, what, evidence)

    def clear(self) -> None:
        """End all of them.

        Raises:
            RigError: the first that could not be ended; the others are, all the same.
        """
        with self._lock:
            active, self._active = self._active, []
        trouble: RigError | None = None
        for what, failure in reversed(active):
            try:
                hits = failure.hits()
                self._observe("network_failure", {**what, "active": False, "hits": hits.count, "detail": hits.detail})
            except RigError as error:
                trouble = trouble or error
            try:
                failure.stop()
            except RigError as error:
                trouble = trouble or error
        if trouble is not None:
            raise trouble


def _prove(failure: Failure, what: dict[str, Any], evidence: dict[str, Any]) -> Proof:
    hits = failure.hits()
    return Proof(hits.count > 0, {**what, **evidence, "hits": hits.count, **hits.detail})
