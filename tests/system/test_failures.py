"""Named failures through the whole bench: felt or undecided, given up with the run, and an impostor's catch told."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from rig.bearers.netspace import can_isolate
from rig.bearers.nft import nft_available
from tests.system.rigs import Rig, kill
from tests.system.test_endings import wait_until_clean

CASE = """
import pytest
from rig.verdict import Verdict

@pytest.mark.needs("addresses on wifi", "network failures")
@pytest.mark.requires(Verdict.COMPLETED)
def test_it(bench):
    bench.fail("wifi", {failure!r})
    bench.sale(19_51, "visa-credit")
"""


@pytest.fixture(autouse=True)
def _nftables() -> None:
    if can_isolate().way == "root" and not (probe := nft_available()):  # else it can be had inside the bench alone
        pytest.skip(f"nftables cannot be used here: {probe.reason}")


def run(rig: Rig, failure: str) -> tuple[int, dict[str, Any]]:
    suite = rig.folder / "test_it.py"
    suite.write_text(CASE.format(failure=failure))
    where = ("--bench", str(rig.bench), "--reports", str(rig.reports), "--suite", str(suite))
    done = rig.call("run", *where, "--json")
    return done.returncode, json.loads(done.stdout)


def test_a_failure_that_was_never_felt_is_undecided(rig: Rig) -> None:
    code, summary = run(rig, "dhcp-none")  # the terminal has its address already, and asks for none
    assert (code, summary["verdicts"]["undecided"]) == (2, 1)
    assert "fault dhcp-none on wifi (between sales) was never proven" in summary["others"][0]["why"]


def test_a_terminal_that_believes_an_impostor_is_told(tmp_path: Path) -> None:
    rig = Rig.make(tmp_path, defects=["trusts-any-certificate"])
    code, summary = rig.run("impostor and evil")
    assert (code, summary["verdicts"]["unsafe"]) == (1, 1)
    (entry,) = summary["unsafe"]
    assert (entry["invariant"], "an impostor (evil-twin)" in entry["why"]) == ("M16", True)


def test_killed_during_a_failure_the_servers_are_right_again(rig: Rig) -> None:
    started = rig.start("test_name_not_resolved and timeout")
    rig.wait_for("network_failure")
    kill(started.pid)
    killed = time.monotonic()
    started.wait()
    wait_until_clean(rig, killed)
    (restored,) = [event.data for event in rig.history().of("restored") if event.data["device"] == "services"]
    assert restored["clean"]
    assert restored["read_back"] == {"wifi": "no rule, no impostor", "cellular": "no rule, no impostor"}
