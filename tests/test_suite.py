"""The hooks of a run, as far as they need no bench."""

from __future__ import annotations

import contextlib
from types import SimpleNamespace
from typing import Any, cast

import pytest

import rig.report
from rig import suite
from rig.verdict import Verdict


@pytest.mark.parametrize(
    ("verdict", "raised"), [(Verdict.COMPLETED, None), (Verdict.UNSAFE, suite.Unsafe)], ids=["completed", "unsafe"]
)
def test_evidence_that_cannot_be_attached_changes_no_verdict(
    verdict: Verdict, raised: type[Exception] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(rig.report, "attach_case", broken)
    told: list[str] = []
    item = SimpleNamespace(
        stash=pytest.Stash(), add_report_section=lambda *words: told.append(words[-1]), warn=lambda _: None
    )
    judged = SimpleNamespace(verdict=verdict, why="charged twice")
    bench = SimpleNamespace(end_case=lambda: (judged, []), broken="", run=None)
    with pytest.raises(raised) if raised is not None else contextlib.nullcontext():
        suite._end_case(cast(Any, item), cast(Any, bench))
    assert told == ["the evidence could not be attached: OSError: no space left on device"]
