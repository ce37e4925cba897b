"""The same link without any privilege: root becomes nobody, or drops its capabilities; others stay who they are."""

from __future__ import annotations

import ctypes
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from rig.bearers.netspace import can_isolate, in_namespace, new_namespace, unshare_network
from rig.errors import CallerMistake

PROJECT = Path(__file__).parents[2]
NOBODY = 65534
PR_CAPBSET_DROP = 24
CAP_SETFCAP = 31
PROBE = "from rig.bearers.netspace import can_isolate; print(can_isolate().way)"


def drop_capabilities() -> None:
    """What is executed next has none but one, even as root: without that, Linux 5.12 refuses to map root to root."""
    libc = ctypes.CDLL(None)
    for capability in set(range(64)) - {CAP_SETFCAP}:
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


def become_nobody() -> None:
    drop_capabilities()
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


def run(become: Callable[[], None] | None, *arguments: str) -> subprocess.CompletedProcess[str] | None:
    """Run Python as somebody; ``None`` where that somebody may not even read it."""
    command = [sys.executable, *arguments]
    try:
        return subprocess.run(
            command, cwd=PROJECT, capture_output=True, text=True, check=False, timeout=30, preexec_fn=become
        )
    except PermissionError:
        return None


def test_a_link_is_degraded_and_captured_without_any_privilege() -> None:
    ways: list[Callable[[], None] | None] = [become_nobody, drop_capabilities] if os.geteuid() == 0 else [None]
    for way in ways:
        probe = run(way, "-c", PROBE)
        if probe is not None and probe.returncode == 0:
            break
    assert probe is not None
    if probe.stdout.strip() == "impossible":
        pytest.skip("the system allows no user namespace without privilege")
    done = run(way, "-m", "tests.bearers.userspace_scenario")
    assert done is not None
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["way"] == "user namespace"
    assert seen["uid_inside"] == 0
    assert seen["passes"]
    assert seen["delay_ms"] == pytest.approx(20, abs=1)
    assert not seen["passes_cut"]
    assert seen["ends"] == [0, 0]
    assert seen["captured"]


def test_a_process_with_threads_is_not_torn_apart() -> None:
    release = threading.Event()
    thread = threading.Thread(target=release.wait)
    thread.start()
    try:
        with pytest.raises(CallerMistake, match="several threads"):
            unshare_network(user_namespace=False)
    finally:
        release.set()
        thread.join()


@pytest.mark.usefixtures("root")
def test_a_namespace_lives_as_long_as_its_descriptor() -> None:
    def interfaces() -> list[str]:
        return [name for _, name in socket.if_nameindex()]

    outside = interfaces()
    namespace = new_namespace()
    assert in_namespace(namespace, interfaces) == ["lo"]
    os.close(namespace)
    assert interfaces() == outside


@pytest.mark.usefixtures("root")
def test_what_fails_inside_fails_outside() -> None:
    namespace = new_namespace()
    with pytest.raises(ZeroDivisionError):
        in_namespace(namespace, lambda: 1 // 0)
    os.close(namespace)


def test_the_way_to_isolation_is_told() -> None:
    isolation = can_isolate()
    assert bool(isolation) == (isolation.way != "impossible")
    assert isolation.way == "root" or isolation.reason
