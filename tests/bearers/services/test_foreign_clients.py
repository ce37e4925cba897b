"""Clients that we did not write get on with our servers: busybox's udhcpc and nslookup."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rig.bearers.netspace import in_namespace
from rig.bearers.services.client import ServicesClient
from rig.rpc import RpcError
from tests.bearers.failures.conftest import GATE, HOST, NAME, Path2, path

__all__ = ["path"]

pytestmark = pytest.mark.skipif(shutil.which("busybox") is None, reason="busybox is not installed")


def run(path: Path2, *command: str) -> subprocess.CompletedProcess[str]:
    def start() -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)

    return in_namespace(path.terminal, start)


@pytest.fixture
def wrong(path: Path2) -> Any:
    """Sets a rule, and clears it when the test is over."""

    def set_rule(service: str, **rule: Any) -> None:
        path.services.set_rule("wifi", service, rule)

    yield set_rule
    path.services.clear("wifi")


def lookup(path: Path2, name: str = NAME) -> subprocess.CompletedProcess[str]:
    return run(path, "busybox", "nslookup", "-type=a", name, GATE)


def lease(path: Path2, folder: Path) -> tuple[int, str]:
    """One run of udhcpc; its exit code, and what its script was told."""
    script = folder / "script"
    script.write_text('#!/bin/sh\necho "$1 $ip $mask $router $dns $ntpsrv $lease" >> "$0.log"\n')
    script.chmod(0o700)
    client = ("busybox", "udhcpc", "-i", "wlan0", "-f", "-q", "-n", "-t", "2", "-T", "1", "-O", "ntpsrv")
    done = run(path, *client, "-s", str(script))
    log = Path(f"{script}.log")
    return done.returncode, log.read_text() if log.exists() else ""


def test_nslookup_finds_the_host(path: Path2) -> None:
    assert HOST in lookup(path).stdout
    assert "NXDOMAIN" in lookup(path, "elsewhere.example").stdout


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"answer": "servfail"}, "SERVFAIL"),
        ({"answer": "nxdomain"}, "NXDOMAIN"),
        ({"answer": "address", "address": "192.0.2.1"}, "192.0.2.1"),
    ],
)
def test_nslookup_is_misled(path: Path2, wrong: Callable[..., None], rule: dict[str, str], said: str) -> None:
    wrong("dns", **rule)
    assert said in lookup(path).stdout
    assert path.services.state("wifi")["dns"]["misled"] >= 1


def test_udhcpc_gets_an_address(path: Path2, tmp_path: Path) -> None:
    code, told = lease(path, tmp_path)
    assert code == 0
    assert f"bound 10.64.1.50 24 {GATE} {GATE} {GATE} 600" in told


@pytest.mark.parametrize("way", ["timeout", "pool-empty"])
def test_udhcpc_gets_no_address(path: Path2, wrong: Callable[..., None], tmp_path: Path, way: str) -> None:
    wrong("dhcp", answer=way)
    code, told = lease(path, tmp_path)
    assert code == 1
    assert "bound" not in told
    assert path.services.state("wifi")["dhcp"]["misled"] >= 2


def test_udhcpc_gets_a_short_lease(path: Path2, wrong: Callable[..., None], tmp_path: Path) -> None:
    wrong("dhcp", answer="short-lease", seconds=7)
    code, told = lease(path, tmp_path)
    assert code == 0
    assert told.splitlines()[-1].endswith(" 7")


def test_rules_are_cleared_and_unknown_ones_refused(path: Path2, wrong: Callable[..., None]) -> None:
    wrong("dns", answer="timeout")
    assert path.services.state("wifi")["dns"]["rule"]["answer"] == "timeout"
    path.services.clear()
    assert path.services.state("wifi")["dns"]["rule"] is None
    with pytest.raises(RpcError, match="no answer"):
        wrong("dns", answer="shout")
    with pytest.raises(RpcError, match="none for bearer"):
        path.services.state("ethernet")
    with pytest.raises(RpcError, match="no 'smtp' here"):
        wrong("smtp", answer="timeout")


def test_a_second_desk_may_ask_too(path: Path2) -> None:
    other = ServicesClient(path.folder / "services.sock")
    assert other.state("wifi")["serves"]
    other.close()
