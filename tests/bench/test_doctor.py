"""What the doctor finds, as data: each lack with its cure."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rig.bearers.netspace import can_isolate
from rig.bench import doctor
from rig.bench.doctor import Finding, Health, examine_bench, examine_machine
from rig.bench.lease import Lease
from rig.bench.places import StateDirectory
from rig.bench.sessions import SessionJournal
from rig.bench.spawn import MARK, marked_processes
from rig.errors import CallerMistake
from tests.bench.conftest import REAL, VIRTUAL


def of_bench(path: Path = VIRTUAL) -> dict[str, Finding]:
    return {finding.subject: finding for finding in examine_bench(path)}


@contextmanager
def left_over(state: StateDirectory) -> Iterator[int]:
    """A process of the bench that nobody ended."""
    process = subprocess.Popen(
        [sys.executable, "-c", "print(flush=True); input()", "--name", "link"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, MARK: str(state.root)},
    )
    assert process.stdout is not None
    process.stdout.readline()
    yield process.pid
    process.communicate()


def test_what_the_machine_has_and_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    findings = {finding.subject: finding for finding in examine_machine(None, None)}
    assert list(findings) == ["python", "kernel", "private network", "netem", "nftables", "tshark", "node", "allure"]
    for subject in ("nftables", "tshark", "node", "allure"):
        assert findings[subject].health is Health.LACKING
        assert findings[subject].cure
    assert all(finding.what for finding in findings.values())


def test_what_is_there_is_good_and_says_where(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name, **_: f"/usr/bin/{name}")
    findings = {finding.subject: finding for finding in examine_machine(Path("/n/node"), Path("/n/allure"))}
    assert findings["node"] == Finding("node", Health.GOOD, "/n/node")
    assert findings["allure"] == Finding("allure", Health.GOOD, "/n/allure")
    assert findings["tshark"].health is Health.GOOD


def broken() -> None:
    raise OSError("out of descriptors")


def test_a_probe_that_fails_is_not_taken_for_success(monkeypatch: pytest.MonkeyPatch) -> None:
    if not can_isolate():
        pytest.skip("no private network on this machine")
    monkeypatch.setattr(doctor, "netem_available", broken)
    findings = {finding.subject: finding for finding in examine_machine(None, None)}
    assert findings["netem"].health is Health.LACKING
    assert "out of descriptors" in findings["netem"].cure


def test_a_clean_bench_is_good_in_everything(state: StateDirectory) -> None:
    findings = of_bench()
    assert list(findings) == ["bench file", "state", "lease", "last session", "processes", "nft tables", "capabilities"]
    assert {finding.health for finding in findings.values()} == {Health.GOOD}
    assert findings["state"].what == str(state.root)


def test_a_table_without_a_living_owner_is_told(state: StateDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "leftover_tables", lambda: ["netdev pos-rig-1-wire-cut-1"])
    finding = of_bench()["nft tables"]
    assert finding.health is Health.BAD
    assert finding.cure == "nft delete table netdev pos-rig-1-wire-cut-1"


def test_a_held_bench_says_who_holds_it(state: StateDirectory) -> None:
    lease = Lease.acquire(state.lock, "virtual", "the nightly run")
    findings = of_bench()
    lease.release()
    assert findings["lease"].health is Health.BAD
    assert f"process {os.getpid()}" in findings["lease"].what
    assert "the nightly run" in findings["lease"].what
    assert "last session" not in findings, "what is in use is no left-over"


def test_a_session_that_never_ended_is_told(state: StateDirectory, tmp_path: Path) -> None:
    sessions = SessionJournal(state.guard_journal)
    sessions.begin(VIRTUAL, tmp_path / "run-7", tmp_path / "runtime")
    finding = of_bench()["last session"]
    assert finding.health is Health.BAD
    assert "run-7" in finding.what
    assert finding.cure
    sessions.released()
    assert of_bench()["last session"].health is Health.GOOD


def test_a_process_that_was_left_over_is_told_with_its_pid(state: StateDirectory) -> None:
    with left_over(state) as pid:
        assert marked_processes(state.root).keys() == {pid}
        finding = of_bench()["processes"]
        assert finding.health is Health.BAD
        assert str(pid) in finding.what
    assert marked_processes(state.root) == {}
    assert of_bench()["processes"].health is Health.GOOD


def test_another_benchs_processes_are_none_of_ours(state: StateDirectory, tmp_path: Path) -> None:
    with left_over(state):
        assert marked_processes(tmp_path / "another") == {}
        assert marked_processes(state.root.parent) == {}


def test_the_ports_of_a_real_bench_are_looked_for(
    state: StateDirectory, write_bench: Callable[[str], Path], tmp_path: Path
) -> None:
    (tmp_path / "modem").touch()
    findings = of_bench(write_bench(REAL.replace("/dev/serial/by-id/modem", str(tmp_path / "modem"))))
    assert findings["modem monitor"] == Finding("modem monitor", Health.GOOD, str(tmp_path / "modem"))
    assert findings["terminal"].health is Health.BAD
    assert findings["terminal"].what == "no /dev/serial/by-id/terminal"
    assert findings["terminal"].cure


def test_a_wrong_bench_file_is_the_callers_mistake(state: StateDirectory, write_bench: Callable[[str], Path]) -> None:
    with pytest.raises(CallerMistake, match="line 1, name"):
        of_bench(write_bench(REAL.replace("lab-3", "Lab 3")))


def test_a_radio_that_is_not_there_is_named_and_a_bridge_that_is_yet_to_be_made_is_not(
    write_bench: Callable[[str], Path],
) -> None:
    text = REAL.replace(
        "wifi: {kind: wifi, interface: wlan-bench, path: wifi-main}",
        "wifi: {kind: wifi, interface: br-rig, access_point: ap}",
    ) + (
        "access_points:\n  ap: {interface: wlan-none, second: {interface: wlan-no, channel: 11}, bridge: br-rig,\n"
        "       ssid: x, passphrase: made for the bench, country: DE, address: 192.0.2.1/24}\n"
    )
    found = of_bench(write_bench(text))
    assert found["link wifi"].health is Health.GOOD
    assert found["access point ap"].health is Health.BAD
    assert found["access point ap"].what == "no radio wlan-none, wlan-no"
