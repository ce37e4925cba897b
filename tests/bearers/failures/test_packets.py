"""What a terminal really sees of each failure that drops or rejects packets: real sockets, real rules."""

from __future__ import annotations

import errno
import time
from pathlib import Path

import pytest

from rig.bearers.failures import CATALOGUE, Failure, make_failure
from rig.bearers.kernel import kernel_session
from rig.errors import CallerMistake
from tests.bearers.failures.conftest import GATE, Path2


def forget_neighbours(path: Path2) -> None:
    """Empty the terminal's neighbour table, so that ARP must be asked anew."""

    def forget() -> None:
        with kernel_session("test") as kernel:
            index = kernel.link_lookup(ifname="wlan0")[0]
            kernel.neigh("del", ifindex=index, dst=GATE)

    path.in_terminal(forget)


@pytest.mark.parametrize(
    ("name", "options", "seen"),
    [
        ("silent-drop", {}, "connect: timeout"),
        ("rst", {}, "connect: ECONNREFUSED"),
        ("icmp-reject", {}, "connect: EHOSTUNREACH"),
        ("icmp-reject", {"kind": "net-unreachable"}, "connect: ENETUNREACH"),
        ("icmp-reject", {"kind": "port-unreachable"}, "connect: ECONNREFUSED"),
        ("icmp-reject", {"kind": "admin-prohibited"}, "connect: EHOSTUNREACH"),
    ],
)
def test_a_new_connection(path: Path2, name: str, options: dict[str, str], seen: str) -> None:
    assert path.talk() == "ok"
    failure = make_failure(name, options)
    with path.suffering(failure) as evidence:
        before = failure.hits().detail["up"]
        assert path.talk() == seen
        assert failure.hits().detail["up"] > before
        assert any("counter name" in rule for rule in evidence["rules"])


def test_without_arp_the_host_is_unreachable_after_three_seconds(path: Path2) -> None:
    failure = make_failure("arp-lost", {})
    with path.suffering(failure):
        forget_neighbours(path)
        began = time.monotonic()
        assert path.talk(timeout_s=6) == "connect: EHOSTUNREACH"
        assert time.monotonic() - began == pytest.approx(3, abs=0.8)
        assert failure.hits().count >= 3


def test_a_silent_drop_answers_arp(path: Path2) -> None:
    with path.suffering(make_failure("silent-drop", {})):
        forget_neighbours(path)
        assert path.talk() == "connect: timeout"
        table = path.in_terminal(lambda: Path("/proc/thread-self/net/arp").read_text())
        (gateway,) = [line.split() for line in table.splitlines() if line.startswith(GATE)]
        assert gateway[2] == "0x2"  # complete


def test_large_packets_alone_vanish(path: Path2) -> None:
    failure = make_failure("mtu-black-hole", {"max_bytes": 576})
    with path.suffering(failure):
        assert path.talk(400) == "ok"
        assert failure.hits().count == 0
        assert path.talk(1400) == "answer: timeout"
        assert failure.hits().detail["up"] >= 1


def test_an_established_connection_is_reset_when_it_speaks(path: Path2) -> None:
    with path.connect() as connection, path.suffering(make_failure("rst", {})):
        connection.sendall(b"x")
        with pytest.raises(ConnectionResetError):
            connection.recv(1)


@pytest.mark.parametrize(("name", "seen"), [("nat-idle-silent", 0), ("nat-idle-rst", errno.ECONNRESET)])
def test_an_idle_connection_is_forgotten_and_a_busy_one_is_not(path: Path2, name: str, seen: int) -> None:
    failure = make_failure(name, {"idle_s": 0.3})
    with path.suffering(failure), path.connect(0.5) as connection:
        for _ in range(4):  # longer than the limit in all, and never idle for as long
            time.sleep(0.12)
            connection.sendall(b"x")
            assert connection.recv(1) == b"x"
        assert failure.hits().count == 0
        time.sleep(0.45)
        path.host.push(b"late")
        connection.sendall(b"x")
        with pytest.raises(OSError) as trouble:
            connection.recv(1)
        assert (trouble.value.errno or 0) == seen
        assert failure.hits().detail["down"] >= 1
        assert failure.hits().detail["up"] >= 1
        assert path.talk() == "ok"


def test_what_is_not_for_the_host_passes_a_reset(path: Path2) -> None:
    with path.suffering(make_failure("rst", {})), pytest.raises(ConnectionRefusedError):
        path.connect(port=5001)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("no-such-failure", {}),
        ("rst", {"sideways": True}),
        ("icmp-reject", {"kind": "sorry"}),
        ("mtu-black-hole", {"max_bytes": 20}),
        ("mtu-black-hole", {"max_bytes": "many"}),
        ("nat-idle-rst", {"idle_s": 0}),
        ("nat-idle-rst", {"idle_s": float("nan")}),
        ("dhcp-short-lease", {"lease_s": 0}),
        ("wrong-clock", {"offset_days": 0}),
        ("wrong-clock", {"offset_days": 36_500}),
        ("dns-wrong-address", {"address": "everywhere"}),
    ],
)
def test_a_wrong_option_is_refused_before_anything_is_touched(name: str, options: dict[str, object]) -> None:
    with pytest.raises(CallerMistake):
        make_failure(name, options)


def test_a_failure_that_never_began_has_no_hits_and_can_be_stopped() -> None:
    for name in CATALOGUE:
        failure: Failure = make_failure(name, {})
        assert failure.sees
        assert type(failure).__doc__
        assert "The terminal sees:" in (type(failure).__doc__ or "")
        assert failure.hits().count == 0
        failure.stop()
