"""A lab in the air: two radios of an access point, one of the terminal, each side in a network namespace of its own.

The radios are the kernel's simulated ones (mac80211_hwsim), everything else is real: hostapd, wpa_supplicant, dnsmasq.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rig.bearers.interface import has_carrier, set_up
from rig.bearers.netspace import in_namespace, new_namespace
from rig.bearers.wifi.bridge import make_bridge
from rig.bearers.wifi.client import SOCKET, AccessPointClient
from rig.bearers.wifi.nl80211 import move_radio
from rig.history.events import Event, read_history
from tests.bearers.conftest import Process, start_process

TERMINAL_MAC = "02:00:00:00:01:00"
BENCH, TERMINAL = "10.64.1.1", "10.64.1.2"
FIRST, OTHER = "wlan0", "wlan2"
LONG_S = 45.0
"""For everything that takes moments: the lab is a slow machine."""
NETWORK = {"ssid": "rig lab", "passphrase": "correct horse", "country": "DE"}


def wait_until(true: Callable[[], bool], limit_s: float = LONG_S) -> bool:
    deadline = time.monotonic() + limit_s
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@dataclass(frozen=True)
class Lab:
    bench: int
    terminal: int
    folder: Path
    settings: dict[str, Any]
    access_points: Process
    ap: AccessPointClient

    def events(self, kind: str) -> list[Event]:
        return read_history(self.folder / "journals").of(kind)

    def terminal_has_carrier(self) -> bool:
        return in_namespace(self.terminal, lambda: has_carrier("wlan1"))

    def passes(self, limit_s: float = LONG_S) -> bool:
        """Whether a datagram of the terminal reaches the bench."""

        def open_bench() -> socket.socket:
            made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            made.bind((BENCH, 0))
            made.settimeout(0.5)
            return made

        def open_terminal() -> socket.socket:
            return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

        with in_namespace(self.bench, open_bench) as here, in_namespace(self.terminal, open_terminal) as there:

            def once() -> bool:
                try:
                    there.sendto(b"hello", here.getsockname())
                    return here.recv(100) == b"hello"
                except OSError:
                    return False

            return wait_until(once, limit_s)


def radios() -> list[str]:
    """The interfaces of simulated radios that this machine has."""
    found = Path("/sys/class/net").glob("*/device/driver")
    return sorted(each.parts[-3] for each in found if each.resolve().name == "mac80211_hwsim")


@pytest.fixture(scope="session")
def simulated_radios() -> None:
    if len(radios()) < 3:
        pytest.skip("kernel has no mac80211_hwsim")


def settings_of(security: str, folder: Path, **more: Any) -> dict[str, Any]:
    access_point = {
        **NETWORK, "security": security, "bridge": "br-wifi", "address": f"{BENCH}/24", "sample_s": 1,
        "cells": [{"interface": FIRST, "channel": 1}, {"interface": OTHER, "channel": 11}],
        "dhcp": {"first": "10.64.1.50", "last": "10.64.1.59", "lease_s": 600},
        "names": {"acquirer.bench": "10.64.0.10"},
    }  # fmt: skip
    return {"logs": str(folder), "access_points": {"ap": {**access_point, **more}}}


@pytest.fixture(scope="module", params=["wpa2", "wpa3"])
def lab(
    request: pytest.FixtureRequest, simulated_radios: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lab]:
    """An access point with two cells, and a powered terminal that knows it."""
    folder = tmp_path_factory.mktemp("air")
    bench, terminal = new_namespace(), new_namespace()
    move_radio(FIRST, bench)
    move_radio(OTHER, bench)
    move_radio("wlan1", terminal)
    in_namespace(bench, lambda: set_up("lo", True))
    in_namespace(bench, lambda: make_bridge("br-wifi", FIRST))
    settings = settings_of(request.param, folder)
    serving = start_process("rig.bearers.wifi.serve", folder, bench, name="access-points", **settings)
    load = {
        "argv": ["sleep", "3600"],
        "interfaces": {"wlan1": {"address": f"{TERMINAL}/24"}},
        "supplicants": {"wlan1": {**NETWORK, "security": request.param, "mhz": [2412, 2437, 2462], "joins_open": True}},
    }
    board = start_process("rig.virtual.relay_board", folder, terminal, name="relay", load=load)
    client = AccessPointClient("ap", folder / SOCKET)
    yield Lab(bench, terminal, folder, settings, serving, client)
    client.close()
    assert board.end() == 0
    assert serving.end() in (0, -9)
    os.close(terminal)
    os.close(bench)
    # The kernel takes the radios back to the machine's own network when the namespaces have ended.
    assert wait_until(lambda: len(radios()) >= 3)


@pytest.fixture
def air(lab: Lab) -> Iterator[Lab]:
    """The lab with its terminal on the air, and as it was afterwards."""
    lab.ap.restore()
    lab.ap.wait_for_station(LONG_S, TERMINAL_MAC)
    yield lab
    lab.ap.restore()
