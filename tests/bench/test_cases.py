"""The verdict at the end of a case is the one that the files give later."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rig.bench.cases import Cases
from rig.history import Journal, Redactor, TestRange, read_history
from rig.verdict import Verdict, judge

SALE: dict[str, Any] = {"key": "70000001/000001", "mti": "0200", "tid": "70000001", "amount": 100, "currency": "978"}
REVERSAL: dict[str, Any] = SALE | {
    "key": "70000001/000002",
    "mti": "0400",
    "original": {"mti": "0200", "stan": "000001"},
}


def test_a_reversal_of_an_earlier_case_is_known_as_that(tmp_path: Path) -> None:
    """A committed sale that is reversed in the next case: M6, at once and from the files."""
    redactor = Redactor.with_new_key([TestRange("476173")])
    rig, host = (Journal.open(tmp_path, name, redactor) for name in ("rig", "acquirer"))
    cases = Cases(rig, tmp_path)
    cases.begin_run(rig.write("run_begin", planned=["one", "two"], capabilities=["ecr", "host ledger"], terminal={}))
    live = []
    for case in ("one", "two"):
        cases.begin(case, case, [Verdict.COMPLETED], "wifi")
        if case == "one":
            rig.write("intent", intent="sale-1", operation="sale", amount=100, currency="EUR")
            host.write("request_received", **SALE)
            host.write("answer_sent", key=SALE["key"], mti="0210", rc="00")
            rig.write("outcome", intent="sale-1", outcome="approved", amount=100)
            rig.write("ledger_row", key=SALE["key"], operation="sale", amount=100, currency="978", state="approved")
        else:
            host.write("request_received", **REVERSAL)
        rig.write("settled", quiet=True, waiting_for="", idle_ms=1)
        live.append(cases.end()[0])
    rig.write("run_end")
    assert [verdict.verdict for verdict in live] == [Verdict.COMPLETED, Verdict.UNSAFE]
    assert tuple(live) == judge(read_history(tmp_path)).cases
