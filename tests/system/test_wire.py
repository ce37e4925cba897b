"""Exact moments on the wire through the whole bench: proven, or the bench's fault; and gone with whoever made them."""

from __future__ import annotations

import json
import os
import subprocess
import time

import pytest

from rig.bearers.netspace import can_isolate, in_namespace
from rig.bearers.nft import nft_available
from tests.system.rigs import Rig, kill
from tests.system.test_endings import events_of, wait_until_clean

CUT = "cut_between_request_and_answer and wifi"
NO_HIT = """
import pytest
from rig.faults import TlsRecord, cut_on_wire
from rig.verdict import Verdict

@pytest.mark.parametrize("bearer", ["wifi"], indirect=True)
@pytest.mark.requires(Verdict.COMPLETED, Verdict.FAILED_SAFELY)
def test_it(bench, bearer):
    bench.sale(19_01, "visa-credit", cut_on_wire(bearer, TlsRecord(1, at_least_bytes=16000)))
"""


@pytest.fixture(autouse=True)
def _nftables() -> None:
    if can_isolate().way == "root" and not (probe := nft_available()):  # else it can be had inside the bench alone
        pytest.skip(f"nftables cannot be used here: {probe.reason}")


def tables(namespace: int) -> list[str]:
    """The packet filter tables of a network."""

    def look() -> str:
        return subprocess.run(["nft", "list", "tables"], capture_output=True, text=True, check=True).stdout

    return in_namespace(namespace, look).splitlines()


def test_a_trigger_that_no_packet_met_is_a_bench_fault(rig: Rig) -> None:
    suite = rig.folder / "test_it.py"
    suite.write_text(NO_HIT)
    where = ("--bench", str(rig.bench), "--reports", str(rig.reports), "--suite", str(suite))
    done = rig.call("run", *where, "--json")
    code, summary = done.returncode, json.loads(done.stdout)
    assert (code, summary["verdicts"]["bench_fault"]) == (2, 1)
    assert "no packet of the terminal met the trigger" in summary["others"][0]["why"]


@pytest.mark.skipif(can_isolate().way != "root", reason="namespaces in the test process need root")
def test_killed_during_a_cut_on_the_wire(rig: Rig) -> None:
    """The table goes with the run; a foreign one in the same network stays; the bench is clean."""
    started = rig.start(CUT)
    rig.wait_for("wire_armed")
    rig.wait_for("request_received")
    tester = events_of(rig, "rig")[0].pid
    namespace = os.open(f"/proc/{tester}/ns/net", os.O_RDONLY)
    in_namespace(namespace, lambda: subprocess.run(["nft", "add table inet theirs"], check=True))
    own = f"table netdev pos-rig-{tester}-wire-cut-"
    assert any(table.startswith(own) for table in tables(namespace))
    kill(started.pid)
    killed = time.monotonic()
    started.wait()
    wait_until_clean(rig, killed)
    assert tables(namespace) == ["table inet theirs"]
    os.close(namespace)
