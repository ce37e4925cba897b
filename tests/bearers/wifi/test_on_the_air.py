"""hostapd, wpa_supplicant and dnsmasq themselves, over simulated radios.

``python lab/qemu.py --timeout 900 -- python -m pytest -m wifi tests`` runs them where this machine has no such radios.
"""

from __future__ import annotations

import socket
import statistics
import subprocess
from pathlib import Path

import pytest

from rig.bearers.impairment import CLEAN, Impairment
from rig.bearers.netem import NetemLink
from rig.bearers.netspace import in_namespace
from rig.bearers.probe import Prober
from rig.bearers.wifi.client import SOCKET, AccessPointClient
from rig.bench.spawn import start_time
from rig.errors import BenchTrouble
from tests.bearers.conftest import start_process
from tests.bearers.wifi.conftest import BENCH, FIRST, LONG_S, OTHER, TERMINAL, TERMINAL_MAC, Lab, wait_until

pytestmark = pytest.mark.wifi


def test_associates_and_signal_and_rate_are_read(air: Lab) -> None:
    assert air.passes()
    assert wait_until(lambda: air.ap.wait_for_station(LONG_S).signal_dbm is not None)
    station = air.ap.wait_for_station(LONG_S)
    assert (station.mac, station.cell in (FIRST, OTHER), station.authorized) == (TERMINAL_MAC, True, True)
    assert station.signal_dbm is not None
    assert -60 <= station.signal_dbm <= -10
    assert 1_000 <= station.up_kbit <= 150_000
    assert 1_000 <= station.down_kbit <= 150_000
    assert station.retries is not None
    events = air.events("station")
    assert events[-1].data["mac"] == TERMINAL_MAC
    assert events[-1].data["access_point"] == "ap"


def test_security_is_what_was_asked_for(air: Lab, request: pytest.FixtureRequest) -> None:
    cells = air.ap.state()["cells"]
    asked = request.node.callspec.params["lab"]
    assert {cell["security"] for cell in cells.values()} == {asked}
    assert {cell["mhz"] for cell in cells.values()} == {2412, 2462}


def test_deauthenticated_it_leaves_and_comes_back(air: Lab) -> None:
    evidence = air.ap.deauthenticate(TERMINAL_MAC, reason=5)
    assert evidence["left"] == [TERMINAL_MAC]
    assert air.ap.wait_for_station(LONG_S).mac == TERMINAL_MAC
    assert air.passes()


@pytest.mark.parametrize("silent", [True, False], ids=["without a word", "with a word"])
def test_vanishes_and_appears(air: Lab, silent: bool) -> None:
    evidence = air.ap.vanish(silent)
    assert {cell["state"] for cell in evidence["cells"].values()} == {"DISABLED"}
    assert evidence["stations_before"] == [TERMINAL_MAC]
    assert evidence["stations"] == []
    assert wait_until(lambda: not air.terminal_has_carrier()), "the terminal sees that it is gone"
    assert {cell["state"] for cell in air.ap.appear()["cells"].values()} == {"ENABLED"}
    air.ap.wait_for_station(LONG_S)
    assert air.passes()


def test_a_channel_change_is_followed(air: Lab) -> None:
    (here,) = cells_of_terminal(air)
    evidence = air.ap.change_channel(6)
    assert evidence["cell"] == here
    assert evidence["cells"][here]["mhz"] == 2437
    assert evidence["left"] == [], "it followed, and never left"
    assert air.passes()
    assert cells_of_terminal(air) == [here]
    assert {cell["mhz"] for cell in air.ap.restore()["cells"].values()} == {2412, 2462}


def test_a_wrong_key_is_refused(air: Lab, request: pytest.FixtureRequest) -> None:
    air.ap.set_key("battery staple")
    wpa3 = request.node.callspec.params["lab"] == "wpa3"
    if not wpa3:
        assert wait_until(lambda: air.ap.state()["refused"] > 0)
    with pytest.raises(BenchTrouble, match="nobody is on it"):
        air.ap.wait_for_station(5)
    air.ap.restore()
    assert air.ap.wait_for_station(LONG_S).mac == TERMINAL_MAC


def test_without_a_key_it_is_joined_by_a_terminal_that_takes_such_a_network(air: Lab) -> None:
    evidence = air.ap.secure("open")
    assert {cell["security"] for cell in evidence["cells"].values()} == {"open"}
    assert air.ap.wait_for_station(LONG_S).mac == TERMINAL_MAC
    assert air.passes()
    air.ap.restore()
    assert air.ap.wait_for_station(LONG_S).mac == TERMINAL_MAC


@pytest.mark.parametrize("hard", [False, True], ids=["asked to", "made to"])
def test_roams(air: Lab, hard: bool) -> None:
    (here,) = cells_of_terminal(air)
    evidence = air.ap.roam(hard=hard, limit_s=LONG_S)
    there = OTHER if here == FIRST else FIRST
    assert (evidence["roamed"], evidence["from"], evidence["to"]) == (True, here, there)
    assert bool(evidence["answers"]) is not hard
    assert air.passes()
    assert cells_of_terminal(air) == [there]


def test_an_address_and_a_name_from_dnsmasq(air: Lab, tmp_path: Path) -> None:
    told = tmp_path / "lease"
    script = tmp_path / "script"
    script.write_text(f'#!/bin/sh\n[ "$1" = bound ] && echo "$ip $router $dns $lease" >{told}\nexit 0\n')
    script.chmod(0o755)
    command = ["busybox", "udhcpc", "-f", "-n", "-q", "-t", "10", "-T", "2", "-i", "wlan1", "-s", str(script)]
    done = in_namespace(air.terminal, lambda: subprocess.run(command, capture_output=True, text=True, check=False))
    assert done.returncode == 0, done.stderr
    address, router, dns, lease = told.read_text().split()
    assert address.startswith("10.64.1.5")
    assert (router, dns, lease) == (BENCH, BENCH, "600")
    assert air.ap.state()["leases"] == {TERMINAL_MAC: address}
    assert air.events("lease")[-1].data["address"] == address
    assert ask_name(air, b"\x08acquirer\x05bench\x00")[-4:] == socket.inet_aton("10.64.0.10")
    assert ask_name(air, b"\x07unknown\x05bench\x00")[3] & 0x0F == 3, "NXDOMAIN"


def cells_of_terminal(air: Lab) -> list[str]:
    return [each.cell for each in air.ap.stations() if each.authorized]


def ask_name(air: Lab, name: bytes) -> bytes:
    def ask() -> bytes:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(LONG_S)
            asking.sendto(b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + name + b"\x00\x01\x00\x01", (BENCH, 53))
            return asking.recv(512)

    return in_namespace(air.terminal, ask)


def test_dnsmasq_lets_go_of_its_ports_and_serves_again(air: Lab) -> None:
    assert air.ap.serve_names(False) is False

    def take_port() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as port:
            port.bind((BENCH, 53))

    in_namespace(air.bench, take_port)
    assert air.ap.restore()["serves"] is True


def test_netem_delays_what_is_on_the_air(air: Lab) -> None:
    def measure() -> float:
        prober = Prober(TERMINAL, "br-wifi")
        took = [rtt for _ in range(40) if (rtt := prober.rtt(2.0)) is not None]
        prober.close()
        return statistics.median(took)

    def degraded() -> tuple[float, float]:
        link = NetemLink("wifi", "br-wifi")
        bare = measure()
        link.apply(CLEAN, Impairment(delay_ms=100, jitter_ms=10))
        late = measure()
        link.clear()
        link.close()
        return bare, late

    bare, late = in_namespace(air.bench, degraded)
    assert late - bare == pytest.approx(100, abs=12)


def test_killed_while_it_was_down_nothing_is_left_and_it_comes_back(lab: Lab) -> None:
    """The last one: the process of the others is gone afterwards."""
    tasks = Path(f"/proc/{lab.access_points.process.pid}/task/")
    children = [int(pid) for task in tasks.iterdir() for pid in (task / "children").read_text().split()]
    assert len(children) == 2
    lab.ap.wait_for_station(LONG_S)
    lab.ap.vanish()
    lab.access_points.process.kill()
    lab.access_points.process.wait()
    assert wait_until(lambda: all(start_time(pid) is None for pid in children), 10)
    again = start_process("rig.bearers.wifi.serve", lab.folder, lab.bench, name="access-points", **lab.settings)
    client = AccessPointClient("ap", lab.folder / SOCKET)
    assert client.wait_for_station(LONG_S).mac == TERMINAL_MAC
    assert lab.passes()
    client.close()
    assert again.end() == 0
