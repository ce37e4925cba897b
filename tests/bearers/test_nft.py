"""Packet filter tables that vanish with us: every command known to have worked or not, and nobody else's touched."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rig.bearers.netspace import in_namespace, new_namespace
from rig.bearers.nft import Chain, Count, Counter, NftSession, Rule, Set, leftover_tables, nft_available
from rig.bearers.nft.process import NftProcess
from rig.bench.spawn import start_time
from rig.errors import BenchTrouble, CallerMistake, DeviceGone, DeviceMute
from tests.bearers.test_user_namespace import PROJECT, drop_capabilities, run

HOLDER = """
import sys, threading
from rig.bearers.nft import *
thread = threading.Thread(target=lambda: globals().update(nft=NftSession.open("held", "netdev")))
thread.start(); thread.join()
nft.add(Chain("up", 'type filter hook ingress device "lo" priority 0;'), Rule("up", "ip protocol udp drop"))
print(nft.name, nft.pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def namespace(root: None) -> Iterator[int]:
    if not (probe := nft_available()):
        pytest.skip(f"nftables cannot be used here: {probe.reason}")
    made = new_namespace()
    yield made
    os.close(made)


@pytest.fixture
def nft(namespace: int) -> Iterator[NftSession]:
    with in_namespace(namespace, lambda: NftSession.open("test")) as session:
        yield session


def foreign(namespace: int, command: str) -> subprocess.CompletedProcess[str]:
    """What somebody else does with nft there."""
    return in_namespace(namespace, lambda: subprocess.run(["nft", command], capture_output=True, text=True))


def wait_for_end(pid: int) -> None:
    deadline = time.monotonic() + 5
    while start_time(pid) is not None:
        assert time.monotonic() < deadline, f"{pid} lives"
        time.sleep(0.005)


def fake_nft(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program = folder / "nft"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o700)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def test_a_table_is_made_counted_and_gone(nft: NftSession, namespace: int) -> None:
    nft.add(
        Counter("dropped"),
        Set("cut", "type ipv4_addr; flags dynamic,timeout; timeout 5s; size 64;"),
        Chain("forward", "type filter hook forward priority -150; policy accept;"),
        Rule("forward", "ip daddr @cut counter name dropped drop"),
    )
    assert 'ip daddr @cut counter name "dropped" drop' in nft.ruleset()
    assert nft.counters() == {"dropped": Count(0, 0)}
    assert nft.elements("cut") == []
    nft.add_elements("cut", "10.0.0.1", "10.0.0.2")
    assert sorted(each.split()[0] for each in nft.elements("cut")) == ["10.0.0.1", "10.0.0.2"]
    nft.flush("cut")
    assert nft.elements("cut") == []
    nft.clear()
    assert nft.counters() == {}
    assert "flags owner" in nft.ruleset()
    nft.close()
    assert nft.name not in foreign(namespace, "list tables").stdout


def test_all_or_nothing(nft: NftSession) -> None:
    with pytest.raises(BenchTrouble, match="No such file"):
        nft.add(Counter("one"), Rule("nowhere", "drop"))
    assert nft.counters() == {}


def test_long_commands(nft: NftSession) -> None:
    nft.add(Chain("c"), *[Rule("c", f"udp dport {port} drop") for port in range(1, 1500)])
    assert nft.ruleset().count("drop") == 1499


def test_a_table_with_an_owner_is_nobody_elses(nft: NftSession, namespace: int) -> None:
    assert "not permitted" in foreign(namespace, f"add counter {nft.table} theirs").stderr
    assert nft.counters() == {}
    assert in_namespace(namespace, leftover_tables) == []


def test_a_table_of_a_dead_process_is_told(namespace: int) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    name = f"pos-rig-{ended.pid}-cut-1"
    foreign(namespace, f"add table inet {name}")
    assert in_namespace(namespace, leftover_tables) == [f"inet {name}"]
    foreign(namespace, f"delete table inet {name}")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40),
        st.sampled_from(
            ["", ";", "#", "{", "}", '"', "'", "$x", "list", "Error: x", "pos-rig-end-1", "describe ct state"]
        ),
    )
)
def test_no_command_confuses_what_follows(nft: NftSession, junk: str) -> None:
    with contextlib.suppress(BenchTrouble, CallerMistake):  # a process that ended would be noticed below
        nft.run(junk)
    nft.run(f"add counter {nft.table} after")
    assert nft.counters() == {"after": Count(0, 0)}
    nft.clear()


@pytest.mark.parametrize("line", ["list tables\nlist tables", "list tables \\", "list\ttables", "list\0tables"])
def test_more_than_a_line_is_refused(nft: NftSession, line: str) -> None:
    with pytest.raises(CallerMistake):
        nft.run(line)
    assert nft.counters() == {}


@pytest.mark.parametrize("purpose", ["", "Cut", "a b", "x" * 50, "inet;"])
def test_a_purpose_is_a_word(purpose: str) -> None:
    with pytest.raises(CallerMistake):
        NftSession.open(purpose)


def test_it_dies_with_its_process_and_leaves_the_others(namespace: int) -> None:
    """Opened on a thread that is long gone; killed without a chance to clean up."""
    foreign(namespace, "add table netdev theirs")
    holder = in_namespace(
        namespace,
        lambda: subprocess.Popen(
            [sys.executable, "-c", HOLDER], cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ),
    )
    assert holder.stdout is not None
    name, pid = holder.stdout.readline().split()
    assert name in foreign(namespace, "list tables").stdout
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    wait_for_end(int(pid))
    assert foreign(namespace, "list tables").stdout.split("\n")[0] == "table netdev theirs"
    foreign(namespace, "delete table netdev theirs")


def test_a_killed_nft_is_noticed(nft: NftSession) -> None:
    os.kill(nft.pid, signal.SIGKILL)
    wait_for_end(nft.pid)
    with pytest.raises(DeviceGone):
        nft.counters()
    with pytest.raises(DeviceGone):
        nft.sees("lo")


def test_without_privilege_in_a_user_namespace() -> None:
    code = (
        "from rig.bearers.netspace import unshare_network; unshare_network(user_namespace=True)\n"
        "from rig.bearers.nft import nft_available; print(nft_available().reason)"
    )
    done = run(drop_capabilities if os.geteuid() == 0 else None, "-c", code)
    assert done is not None
    if done.returncode or "not installed" in done.stdout:
        pytest.skip("no user namespace without privilege here, or no nft")
    assert done.stdout.strip() == ""


def test_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rig.bearers.nft.process.shutil.which", lambda *_, **__: None)
    with pytest.raises(BenchTrouble, match="apt-get install nftables"):
        NftSession.open("test")
    assert "not installed" in nft_available().reason


@pytest.mark.parametrize(
    ("said", "cure"),
    [
        ("Operation not permitted (you must be root)", "run as root"),
        ("mnl.c:60: Unable to initialize Netlink socket: Protocol not supported", "modprobe nf_tables"),
    ],
)
def test_an_nft_that_ends_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, cure: str) -> None:
    fake_nft(tmp_path, f"echo '{said}'; exit 1", monkeypatch)
    with pytest.raises(DeviceGone, match=cure) as error:
        NftSession.open("test")
    assert said in error.value.what


def test_a_table_without_owner_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = r'case "$line" in pos-rig-end*) printf "Error: syntax error\n%s\n^^^\n" "$line";; esac'
    fake_nft(tmp_path, f"while read line; do {answer}; done", monkeypatch)
    with pytest.raises(BenchTrouble, match="Linux 5"):
        NftSession.open("test")


def test_an_nft_with_a_prompt_and_an_old_style_of_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = r'printf "nft> <cmdline>:1:1-4: Error: no such thing\nnft> %s\n~~~^^\n" "$line"'
    listing = r'case "$line" in "list x") echo "nft> table x";; *) ' + answer + ";; esac"
    fake_nft(tmp_path, f"while read line; do {listing}; done", monkeypatch)
    process = NftProcess()
    assert "table x" in process.run("list x")
    with pytest.raises(BenchTrouble, match="no such thing"):
        process.run("bad")
    process.close()


def test_a_mute_nft_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_nft(tmp_path, "exec cat > /dev/null", monkeypatch)
    process = NftProcess(timeout_s=0.1)
    with pytest.raises(DeviceMute, match="no answer"):
        process.run("list tables")
    wait_for_end(process.pid)
    with pytest.raises(DeviceGone):
        process.run("list tables")
    process.close()
