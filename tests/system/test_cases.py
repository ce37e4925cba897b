"""Cases that do not run as they were meant to: none of them is a pass, whatever raised it, and the files say so too."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.system.rigs import Rig

HEAD = """
import pytest

@pytest.fixture
def broken():
    raise ValueError("the fixture broke")

@pytest.fixture
def ends_badly():
    yield
    raise ValueError("its end broke")
"""


def run(rig: Rig, case: str) -> tuple[int, dict[str, Any]]:
    """Run one case of its own, and judge it again from its files."""
    suite = rig.folder / "test_it.py"
    suite.write_text(HEAD + case)
    bench, reports = ("--bench", str(rig.bench)), ("--reports", str(rig.reports))
    done = rig.call("run", *bench, *reports, "--json", "--suite", str(suite))
    newest = rig.newest_run()
    assert newest is not None
    again = rig.call("judge", str(newest), "--json")
    summary: dict[str, Any] = json.loads(done.stdout)
    assert json.loads(again.stdout)["verdicts"] == summary["verdicts"]
    return done.returncode, summary


@pytest.mark.parametrize(
    ("case", "code", "verdict", "why"),
    [
        ("def test_it(bench): pytest.fail('wrong receipt')", 1, "not_as_required", "wrong receipt"),
        ("def test_it(bench):\n with pytest.raises(ValueError): pass", 1, "not_as_required", "DID NOT RAISE"),
        ("def test_it(bench): pytest.skip('not today')", 2, "undecided", "skipped: not today"),
        ("@pytest.mark.skip(reason='not here')\ndef test_it(bench): ...", 2, "undecided", "skipped: not here"),
        ("def test_it(bench, broken): ...", 2, "bench_fault", "the fixture broke"),
    ],
)  # fmt: skip
def test_what_was_not_run_to_its_end_is_no_pass(rig: Rig, case: str, code: int, verdict: str, why: str) -> None:
    exit_code, summary = run(rig, case)
    assert (exit_code, summary["verdicts"][verdict]) == (code, 1)
    assert why in summary["others"][0]["why"]


def test_a_fixture_that_ends_badly_is_a_bench_fault_of_the_run(rig: Rig) -> None:
    exit_code, summary = run(rig, "def test_it(bench, ends_badly): ...")
    assert (exit_code, summary["verdicts"]["completed"]) == (2, 1)
    assert "its end broke" in summary["bench_faults"][0]


def test_a_failed_test_that_is_no_case_keeps_the_run_from_being_a_success(rig: Rig) -> None:
    exit_code, summary = run(rig, "def test_it(bench): ...\ndef test_plain(): assert False")
    assert (exit_code, summary["exit_code"], summary["verdicts"]["completed"]) == (2, 2, 1)


LEAVES_A_CUT = """
import pytest, rig.bench.session
from rig.errors import DeviceMute

@pytest.mark.parametrize("bearer", ["wifi"], indirect=True)
def test_one(bench, bearer, monkeypatch):
    def fails(*_):
        monkeypatch.undo()
        raise DeviceMute("link wifi", "no answer this once")
    monkeypatch.setattr(rig.bench.session, "settle", fails)
    bench.stage.cut_bearer("wifi")

def test_two(bench):
    assert bench.bearers["wifi"].link.read().carrier
    assert not bench.bearers["wifi"].link.read().up.cut
    bench.use_only("wifi")
    assert bench.sale(100, "visa-credit").approved
"""


def test_what_a_case_left_behind_is_not_the_next_ones(rig: Rig) -> None:
    exit_code, summary = run(rig, LEAVES_A_CUT)
    assert (exit_code, summary["verdicts"]["bench_fault"], summary["verdicts"]["completed"]) == (2, 1, 1)


DIES = """
import os, signal, rig.bench.session

def test_it(bench, monkeypatch):
    bench.sale(100, "visa-credit")
    settle = rig.bench.session.settle
    def dies(*arguments):
        os.kill(bench._guard.info["processes"]["VICTIM"]["pid"], signal.SIGKILL)
        settle(*arguments)
    monkeypatch.setattr(rig.bench.session, "settle", dies)
"""


@pytest.mark.parametrize("victim", ["relay", "field"])
def test_a_device_that_dies_while_the_bench_settles_is_never_the_terminals_fault(rig: Rig, victim: str) -> None:
    exit_code, summary = run(rig, DIES.replace("VICTIM", victim))
    assert (exit_code, summary["verdicts"]["bench_fault"]) == (2, 1)
    assert victim in summary["others"][0]["why"]
    assert any(event.kind == "run_end" for event in rig.history())
    assert rig.doctor() == {}


def test_a_bench_that_cannot_be_built_says_why_each_time_and_leaves_nothing_to_mend(rig: Rig) -> None:
    rig.bench.write_text(rig.bench.read_text().replace("wlan0", "an-interface-with-a-long-name"))
    for _ in range(2):
        done = rig.call("run", "--bench", str(rig.bench), "--reports", str(rig.reports), "-k", "test_decline")
        assert done.returncode == 2
        assert "too long for an interface" in done.stdout + done.stderr
        assert "still not clean" not in done.stdout + done.stderr
    assert rig.doctor() == {}
